#include "gcp/bigquery_jobs.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/hash.h"
#include "gcp/service_error.h"

namespace holdfast::gcp {

namespace {

std::string_view DispositionName(cloud::WriteDisposition disposition) {
  switch (disposition) {
    case cloud::WriteDisposition::kEmpty:
      return "WRITE_EMPTY";
    case cloud::WriteDisposition::kAppend:
      return "WRITE_APPEND";
    case cloud::WriteDisposition::kTruncate:
      break;
  }
  return "WRITE_TRUNCATE";
}

std::string_view OperationName(cloud::CopyOperation operation) {
  switch (operation) {
    case cloud::CopyOperation::kCopy:
      return "COPY";
    case cloud::CopyOperation::kSnapshot:
      return "SNAPSHOT";
    case cloud::CopyOperation::kClone:
      return "CLONE";
    case cloud::CopyOperation::kRestore:
      break;
  }
  return "RESTORE";
}

Json SpecJson(const cloud::ExtractJob& job) {
  return {{"extract",
           {{"sourceTable", TableReference(job.source, job.as_of_ms)},
            {"destinationUris", {job.destination_uri}},
            {"destinationFormat", "AVRO"},
            {"compression", job.codec},
            {"useAvroLogicalTypes", true}}}};
}

Json SpecJson(const cloud::LoadJob& job) {
  return {{"load",
           {{"sourceUris", job.source_uris},
            {"destinationTable", TableReference(job.destination)},
            {"sourceFormat", "AVRO"},
            {"schema", job.schema.ToJson()},
            {"useAvroLogicalTypes", true},
            {"decimalTargetTypes", {"NUMERIC", "BIGNUMERIC", "STRING"}},
            {"createDisposition", "CREATE_NEVER"},
            {"writeDisposition", DispositionName(job.disposition)}}}};
}

Json SpecJson(const cloud::CopyJob& job) {
  Json sources = Json::array();
  for (const TableRef& source : job.sources)
    sources.push_back(TableReference(source, job.as_of_ms));
  Json copy = {{"sourceTables", std::move(sources)},
               {"destinationTable", TableReference(job.destination)},
               {"operationType", OperationName(job.operation)},
               {"createDisposition", "CREATE_IF_NEEDED"},
               {"writeDisposition", DispositionName(job.disposition)}};
  if (job.destination_expiration_ms) {
    copy["destinationExpirationTime"] =
        FormatTimestamp(FromUnixMillis(*job.destination_expiration_ms));
  }
  return {{"copy", std::move(copy)}};
}

// 63 characters at most, lower case: what a label's value may be.
std::string SpecDigest(const Json& configuration) {
  return Sha256Hex(DumpJson(configuration)).substr(0, 40);
}

// The reference of the table that a job is about, for messages.
std::string Describe(const Json& configuration) {
  for (const auto& [kind, member] : {std::pair{"extract", "sourceTable"},
                                     {"load", "destinationTable"},
                                     {"copy", "destinationTable"}}) {
    if (const Json* table = FindPath(configuration, {kind, member})) {
      return fmt::format("{} job of {}.{}.{}", kind, StringOr(*table, "projectId", "?"),
                         StringOr(*table, "datasetId", "?"), StringOr(*table, "tableId", "?"));
    }
  }
  return "job";
}

void ReadStatistics(const Json& job, cloud::JobStatus& status) {
  // Not told is not zero: zero files would be a backup of nothing that looks complete.
  const Json* extract = FindPath(job, {"statistics", "extract"});
  if (extract != nullptr || FindPath(job, {"configuration", "extract"}) != nullptr) {
    status.output_files = -1;
  }
  const Json* statistics = FindField(job, "statistics");
  if (statistics == nullptr) return;
  status.created_ms = Int64Or(*statistics, "creationTime", 0);
  if (const Json* load = FindField(*statistics, "load")) {
    status.output_rows = Int64Or(*load, "outputRows", 0);
    status.output_bytes = Int64Or(*load, "outputBytes", 0);
  }
  if (const Json* copy = FindField(*statistics, "copy")) {
    status.output_rows = Int64Or(*copy, "copiedRows", 0);
    status.output_bytes = Int64Or(*copy, "copiedLogicalBytes", 0);
  }
  if (extract != nullptr) {
    const Json* counts = FindField(*extract, "destinationUriFileCounts");
    if (counts != nullptr && counts->is_array() && !counts->empty()) {
      const Json first = {{"count", counts->front()}};
      status.output_files = Int64Or(first, "count", -1);
    }
  }
}

}  // namespace

Json TableReference(const TableRef& table, std::optional<int64_t> as_of_ms) {
  std::string id = table.table;
  if (!table.partition.empty()) id += "$" + table.partition;
  if (as_of_ms) id += "@" + std::to_string(*as_of_ms);
  return {{"projectId", table.project}, {"datasetId", table.dataset}, {"tableId", id}};
}

Json JobConfiguration(const cloud::JobSpec& spec) {
  Json configuration = std::visit([](const auto& job) { return SpecJson(job); }, spec);
  const std::string digest = SpecDigest(configuration);
  configuration["labels"] = {{std::string(kSpecLabel), digest}};
  return configuration;
}

Json JobInsertBody(const cloud::JobRef& job, const cloud::JobSpec& spec) {
  return {
      {"jobReference", {{"projectId", job.project}, {"jobId", job.id}, {"location", job.location}}},
      {"configuration", JobConfiguration(spec)}};
}

bool IsSameSpec(const Json& job_resource, const cloud::JobSpec& spec) {
  const Json wanted = JobConfiguration(spec);
  const Json* labels = FindPath(job_resource, {"configuration", "labels"});
  return labels != nullptr && StringOr(*labels, kSpecLabel, "") ==
                                  wanted["labels"][std::string(kSpecLabel)].get<std::string>();
}

Result<cloud::JobStatus> JobStatusFromJson(const Json& job_resource) {
  const Json* reference = FindField(job_resource, "jobReference");
  const Json* state = FindField(job_resource, "status");
  if (reference == nullptr || state == nullptr) {
    return MakeError(ErrorId::kInvalidJson, "a job without jobReference or status");
  }
  cloud::JobStatus status;
  HF_ASSIGN_OR_RETURN(status.ref.project, RequiredString(*reference, "projectId"));
  HF_ASSIGN_OR_RETURN(status.ref.id, RequiredString(*reference, "jobId"));
  status.ref.location = StringOr(*reference, "location", "");

  HF_ASSIGN_OR_RETURN(const std::string name, RequiredString(*state, "state"));
  status.state = name == "DONE"      ? cloud::JobState::kDone
                 : name == "RUNNING" ? cloud::JobState::kRunning
                                     : cloud::JobState::kPending;
  const Json* configuration = FindField(job_resource, "configuration");
  if (const Json* error = FindField(*state, "errorResult")) {
    status.error =
        ErrorFromReason(StringOr(*error, "reason", ""), StringOr(*error, "message", ""),
                        Describe(configuration == nullptr ? Json::object() : *configuration),
                        {.not_found = ErrorId::kTableNotFound, .exists = ErrorId::kTableExists});
  }
  const Json* errors = FindField(*state, "errors");
  if (!status.error && errors != nullptr && errors->is_array()) {
    for (const Json& warning : *errors) status.warnings.push_back(StringOr(warning, "message", ""));
  }
  ReadStatistics(job_resource, status);
  return status;
}

}  // namespace holdfast::gcp
