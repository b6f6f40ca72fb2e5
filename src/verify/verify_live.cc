#include "verify/verify_live.h"

#include <fmt/format.h>

#include "model/object_kind.h"
#include "model/policy.h"
#include "verify/read_table.h"

namespace holdfast::verify {

namespace {

constexpr int64_t kMillisPerHour = 60LL * 60 * 1000;
constexpr int64_t kShortestTimeTravelHours = 48;

// The rows of the source as of the manifest's moment.
Result<SetInspection> ReadSource(const Services& services, const Manifest& manifest) {
  const std::string bucket = FillBucketPattern(services.staging_bucket_pattern,
                                               manifest.object.project, manifest.location);
  HF_RETURN_IF_ERROR(services.objects.EnsureBucket({.name = bucket,
                                                    .project = manifest.object.project,
                                                    .location = manifest.location,
                                                    .delete_after_days = kStagedDaysMax}));
  const TableReader reader{services.warehouse, services.objects, services.clock,
                           services.random,    bucket,           [] { return Status(); }};
  return reader.Read(manifest.object, manifest.location, manifest.schema, "live",
                     manifest.consistent_through_ms);
}

}  // namespace

Result<bool> CanReadLive(const Services& services, const Manifest& manifest) {
  const auto dataset = services.warehouse.GetDataset(manifest.object.dataset_ref());
  const auto table = dataset.ok() ? services.warehouse.GetTable(manifest.object)
                                  : Result<TableInfo>(dataset.error());
  if (!table.ok() && table.error().code == Code::kNotFound) return false;
  if (!table.ok()) return table.error();
  const int64_t hours = Int64Or(dataset->resource, "maxTimeTravelHours", kShortestTimeTravelHours);
  const int64_t age_ms = ToUnixMillis(services.clock.Now()) - manifest.consistent_through_ms;
  return table->creation_ms == manifest.source.creation_ms && age_ms < hours * kMillisPerHour;
}

Status VerifyLive(const Services& services, const Manifest& manifest, VerifyReport& report) {
  if (manifest.content_digest.empty() || IsDefinitionOnly(manifest.kind)) return Ok();
  HF_ASSIGN_OR_RETURN(const bool can_read, CanReadLive(services, manifest));
  if (!can_read) return Ok();
  HF_ASSIGN_OR_RETURN(const SetInspection source, ReadSource(services, manifest));
  report.requested = VerifyLevel::kL4;
  report.rows_read += source.rows;
  report.bytes_read += source.bytes;
  if (source.rows == manifest.rows && source.digest.ToString() == manifest.content_digest) {
    report.reached = VerifyLevel::kL4;
    return Ok();
  }
  ++report.problems;
  report.findings.push_back(MakeError(
      ErrorId::kDataMismatch,
      fmt::format("{} as of {} has {} rows with digest {}; its backup has {} with {}",
                  manifest.object.ToString(),
                  FormatTimestamp(FromUnixMillis(manifest.consistent_through_ms)), source.rows,
                  source.digest.ToString(), manifest.rows, manifest.content_digest)));
  return Ok();
}

}  // namespace holdfast::verify
