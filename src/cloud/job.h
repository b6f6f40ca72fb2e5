// Jobs of a warehouse: what is asked, under which id, and how it stands.
//
// A job's id is chosen by the caller and names the work: asking again for the same id attaches to
// the job that already runs. A failed id can never run again, so ids carry an attempt number
// (google-semantics A5 #36, #37).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/resource_names.h"
#include "model/schema.h"

namespace holdfast::cloud {

struct JobRef {
  std::string project;   // the project that runs (and is billed for) the job
  std::string location;  // of the data; always sent (google-semantics A5 #39)
  std::string id;
};

enum class WriteDisposition { kEmpty, kAppend, kTruncate };

// Table (or one partition) → Avro objects in Cloud Storage, with logical types.
struct ExtractJob {
  TableRef source;
  std::optional<int64_t> as_of_ms;  // time travel; nullopt: now
  std::string destination_uri;      // "gs://bucket/prefix-*.avro": '*' once
  std::string codec = "SNAPPY";     // NONE, DEFLATE, SNAPPY
};

// Avro objects → a table that exists, with its schema given (never autodetected).
struct LoadJob {
  std::vector<std::string> source_uris;  // exact names; no wildcard
  TableRef destination;                  // may name a partition
  WriteDisposition disposition = WriteDisposition::kEmpty;
  Schema schema;
};

enum class CopyOperation { kCopy, kSnapshot, kClone, kRestore };

// Table(s) → table, inside the warehouse.
struct CopyJob {
  std::vector<TableRef> sources;  // may name partitions
  std::optional<int64_t> as_of_ms;
  TableRef destination;
  WriteDisposition disposition = WriteDisposition::kEmpty;
  CopyOperation operation = CopyOperation::kCopy;
  std::optional<int64_t> destination_expiration_ms;
};

using JobSpec = std::variant<ExtractJob, LoadJob, CopyJob>;

enum class JobState { kPending, kRunning, kDone };

struct JobStatus {
  JobRef ref;
  JobState state = JobState::kPending;
  std::optional<Error> error;  // set: the job failed; whether IsRetryable: another id may help
  std::vector<std::string> warnings;  // messages of a job that succeeded nevertheless
  int64_t created_ms = 0;             // by the service's clock; 0 when not told
  int64_t output_rows = 0;            // load, copy
  int64_t output_bytes = 0;
  int64_t output_files = 0;  // extract: objects written; -1 when not told
  bool attached = false;     // of StartJob: the job was there, from an earlier call or process

  // Whether it is done without an error; false also while it runs.
  bool Succeeded() const { return state == JobState::kDone && !error; }

  // Of StartJob: the job of this id has failed before, whatever the reason, and never runs again.
  // Another id may help, since what made it fail may be over.
  bool FailedEarlier() const { return attached && state == JobState::kDone && error; }
};

}  // namespace holdfast::cloud
