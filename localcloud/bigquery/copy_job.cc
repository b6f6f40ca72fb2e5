#include <fmt/format.h>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/bigquery/transfer_jobs.h"
#include "localcloud/warehouse/copier.h"

namespace holdfast::bigquery {

namespace {

using warehouse::CopyOperation;

Result<CopyOperation> ParseOperation(const Json& settings) {
  const std::string text = StringOr(settings, "operationType", "COPY");
  if (text == "COPY" || text == "OPERATION_TYPE_UNSPECIFIED") return CopyOperation::kCopy;
  if (text == "SNAPSHOT") return CopyOperation::kSnapshot;
  if (text == "CLONE") return CopyOperation::kClone;
  if (text == "RESTORE") return CopyOperation::kRestore;
  return Invalid(fmt::format("Invalid value for operationType: {}", text));
}

// Milliseconds since 1970, or an RFC 3339 time: clients send either.
Result<std::optional<int64_t>> ParseExpiration(const Json& settings) {
  const Json* value = FindField(settings, "destinationExpirationTime");
  if (value == nullptr) return std::optional<int64_t>();
  if (const auto millis = OptionalInt64(settings, "destinationExpirationTime"); millis.ok()) {
    return *millis;
  }
  const Result<Timestamp> time =
      ParseTimestamp(value->is_string() ? value->get<std::string>() : "");
  if (!time.ok()) return Invalid("Invalid value for destinationExpirationTime");
  return std::optional(ToUnixMillis(*time));
}

Result<std::vector<warehouse::CopySource>> ParseSources(const ServiceContext& context,
                                                        const Job& job, const Json& settings) {
  Json list = Json::array();
  if (const Json* sources = FindField(settings, "sourceTables")) {
    list = *sources;
  } else if (const Json* source = FindField(settings, "sourceTable")) {
    list.push_back(*source);
  }
  if (!list.is_array() || list.empty()) return Required("configuration.copy.sourceTable");
  if (list.size() > kCopySourcesMax) {
    return Invalid(
        fmt::format("Too many source tables: {} is over {}", list.size(), kCopySourcesMax));
  }
  std::vector<warehouse::CopySource> parsed;
  for (const Json& reference : list) {
    HF_ASSIGN_OR_RETURN(DecoratedTable source,
                        ParseDecoratedTable(reference, job.key.project, context.NowMs()));
    HF_RETURN_IF_ERROR(CheckDatasetIsIn(context, source.table.dataset_ref(), job.key.location));
    parsed.push_back({.table = std::move(source.table), .as_of_ms = source.as_of_ms});
  }
  return parsed;
}

// A snapshot or clone is made once: its destination must not be there.
Status CheckDestination(const ServiceContext& context, const warehouse::CopyRequest& copy) {
  const bool makes_table =
      copy.operation == CopyOperation::kSnapshot || copy.operation == CopyOperation::kClone;
  if (!makes_table || !context.tables().GetTable(copy.destination).ok()) return Ok();
  return Duplicate("Table " + DisplayName(copy.destination));
}

JobOutcome CopyOutcome(int64_t rows, int64_t bytes) {
  JobOutcome outcome;
  outcome.statistics["copy"] = {{"copiedRows", std::to_string(rows)},
                                {"copiedLogicalBytes", std::to_string(bytes)}};
  return outcome;
}

}  // namespace

Result<JobOutcome> RunCopyJob(const ServiceContext& context, const Job& job) {
  const Json& settings = job.configuration.at("copy");
  warehouse::CopyRequest copy;
  HF_ASSIGN_OR_RETURN(copy.sources, ParseSources(context, job, settings));
  const Json* destination = FindField(settings, "destinationTable");
  if (destination == nullptr) return Required("configuration.copy.destinationTable");
  HF_ASSIGN_OR_RETURN(copy.destination, ParseTableReference(*destination, job.key.project));
  HF_ASSIGN_OR_RETURN(const std::string there,
                      DatasetLocation(context, copy.destination.dataset_ref()));
  if (!SameLocation(there, job.key.location)) {
    return Invalid(
        fmt::format("Cannot read and write in different locations: source: {}, "
                    "destination: {}",
                    job.key.location, there));
  }
  HF_ASSIGN_OR_RETURN(copy.operation, ParseOperation(settings));
  HF_ASSIGN_OR_RETURN(copy.write_disposition,
                      ParseWriteDisposition(settings, warehouse::WriteDisposition::kEmpty));
  HF_ASSIGN_OR_RETURN(copy.create_disposition, ParseCreateDisposition(settings));
  HF_ASSIGN_OR_RETURN(copy.destination_expiration_ms, ParseExpiration(settings));
  HF_RETURN_IF_ERROR(CheckDestination(context, copy));
  const auto effect = context.EffectOf(
      job, [](const auto& counts) { return CopyOutcome(counts.rows, counts.bytes); });
  HF_ASSIGN_OR_RETURN(const warehouse::CopyResult result, warehouse::Copy(context.warehouse, copy));
  return CopyOutcome(result.copied_rows, result.copied_bytes);
}

}  // namespace holdfast::bigquery
