// One job: what was asked, how it stands, and what it did.
//
// A job's id is chosen by the caller and names the work: it is never used twice in a project and
// location. A job only moves forward, PENDING → RUNNING → DONE; DONE with `error_result` means that
// it failed. Plain values. Source: BigQuery REST `Job`, `JobStatus`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/bigquery/fault.h"

namespace holdfast::bigquery {

struct JobKey {
  std::string project;
  std::string location;  // "US", "EU", "europe-west1": as it was given or derived
  std::string id;

  std::string ToString() const;  // "project:location.id"
  auto operator<=>(const JobKey&) const = default;
};

enum class JobState { kPending, kRunning, kDone };

std::string_view JobStateName(JobState state);  // "PENDING", ...

// What a job that succeeded leaves behind.
struct JobOutcome {
  Json statistics = Json::object();     // merged over the statistics that the job has
  Json configuration = Json::object();  // merged over the configuration: what was chosen for it
  std::vector<Fault> warnings;
};

struct Job {
  JobKey key;
  Json configuration = Json::object();  // JobConfiguration, with the defaults filled in
  JobState state = JobState::kPending;
  int64_t creation_ms = 0;
  int64_t start_ms = 0;  // 0: not started
  int64_t end_ms = 0;    // 0: not ended
  std::optional<Fault> error_result;
  std::vector<Fault> errors;         // warnings too, when error_result is absent
  Json statistics = Json::object();  // members of JobStatistics beside the times
  std::string user_email;
  std::string upload_path;  // a load whose bytes came with the request; else empty
  int attempts = 0;         // how often it was begun

  // "LOAD", "EXTRACT", "COPY", "QUERY", or "UNKNOWN".
  std::string_view Type() const;

  // Makes the outcome part of the job. Its state stays as it is.
  void Take(const JobOutcome& outcome);

  // The stored document and back.
  Json ToDocument() const;
  static Job FromDocument(const Json& document);

  // The `Job` resource of jobs.get, without selfLink.
  Json ToResource() const;
};

// Letters, digits, '-' and '_', 1 to 1024 of them. Errors: reason "invalid".
Status ValidateJobId(std::string_view id);

}  // namespace holdfast::bigquery
