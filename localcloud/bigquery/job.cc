#include "localcloud/bigquery/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"

namespace holdfast::bigquery {

namespace {

constexpr size_t kJobIdBytesMax = 1024;

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes = {{
    {"load", "LOAD"},
    {"extract", "EXTRACT"},
    {"copy", "COPY"},
    {"query", "QUERY"},
}};

Json FaultsToJson(const std::vector<Fault>& faults) {
  Json json = Json::array();
  for (const Fault& fault : faults) json.push_back(fault.ToJson());
  return json;
}

Json StatusToJson(const Job& job) {
  Json status = {{"state", JobStateName(job.state)}};
  if (job.error_result) status["errorResult"] = job.error_result->ToJson();
  if (!job.errors.empty()) status["errors"] = FaultsToJson(job.errors);
  return status;
}

Json StatisticsToJson(const Job& job) {
  Json statistics = job.statistics;
  statistics["creationTime"] = std::to_string(job.creation_ms);
  if (job.start_ms != 0) statistics["startTime"] = std::to_string(job.start_ms);
  if (job.end_ms != 0) {
    statistics["endTime"] = std::to_string(job.end_ms);
    statistics["finalExecutionDurationMs"] = std::to_string(job.end_ms - job.start_ms);
  }
  return statistics;
}

}  // namespace

std::string JobKey::ToString() const { return fmt::format("{}:{}.{}", project, location, id); }

std::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kPending:
      return "PENDING";
    case JobState::kRunning:
      return "RUNNING";
    case JobState::kDone:
      break;
  }
  return "DONE";
}

std::string_view Job::Type() const {
  for (const auto& [member, name] : kTypes) {
    if (configuration.contains(member)) return name;
  }
  return "UNKNOWN";
}

void Job::Take(const JobOutcome& outcome) {
  statistics.update(outcome.statistics, /*merge_objects=*/true);
  configuration.update(outcome.configuration, /*merge_objects=*/true);
  errors = outcome.warnings;
}

Json Job::ToDocument() const {
  Json document = {{"project", key.project},
                   {"location", key.location},
                   {"id", key.id},
                   {"configuration", configuration},
                   {"state", static_cast<int>(state)},
                   {"creation_ms", creation_ms},
                   {"start_ms", start_ms},
                   {"end_ms", end_ms},
                   {"errors", FaultsToJson(errors)},
                   {"statistics", statistics},
                   {"user_email", user_email},
                   {"upload_path", upload_path},
                   {"attempts", attempts}};
  if (error_result) document["error_result"] = error_result->ToJson();
  return document;
}

Job Job::FromDocument(const Json& document) {
  Job job;
  job.key = {.project = StringOr(document, "project", ""),
             .location = StringOr(document, "location", ""),
             .id = StringOr(document, "id", "")};
  if (const Json* configuration = FindField(document, "configuration")) {
    job.configuration = *configuration;
  }
  job.state = static_cast<JobState>(std::clamp<int64_t>(Int64Or(document, "state", 2), 0, 2));
  job.creation_ms = Int64Or(document, "creation_ms", 0);
  job.start_ms = Int64Or(document, "start_ms", 0);
  job.end_ms = Int64Or(document, "end_ms", 0);
  if (const Json* result = FindField(document, "error_result")) {
    job.error_result = Fault::FromJson(*result);
  }
  if (const Json* errors = FindField(document, "errors"); errors && errors->is_array()) {
    for (const Json& error : *errors) job.errors.push_back(Fault::FromJson(error));
  }
  if (const Json* statistics = FindField(document, "statistics")) job.statistics = *statistics;
  job.user_email = StringOr(document, "user_email", "");
  job.upload_path = StringOr(document, "upload_path", "");
  job.attempts = static_cast<int>(Int64Or(document, "attempts", 0));
  return job;
}

Json Job::ToResource() const {
  Json shown = configuration;
  shown["jobType"] = Type();
  Json resource = {
      {"kind", "bigquery#job"},
      {"id", key.ToString()},
      {"user_email", user_email},
      {"configuration", std::move(shown)},
      {"jobReference", {{"projectId", key.project}, {"jobId", key.id}, {"location", key.location}}},
      {"statistics", StatisticsToJson(*this)},
      {"status", StatusToJson(*this)}};
  resource["etag"] = Sha256Hex(DumpJson(resource)).substr(0, 22);
  return resource;
}

Status ValidateJobId(std::string_view id) {
  const bool valid =
      !id.empty() && id.size() <= kJobIdBytesMax && std::ranges::all_of(id, [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
      });
  if (valid) return Ok();
  return Invalid(fmt::format(
      "Invalid job ID \"{}\". Job IDs must be alphanumeric (plus underscores and dashes) and must "
      "be at most {} characters long.",
      id.substr(0, 100), kJobIdBytesMax));
}

}  // namespace holdfast::bigquery
