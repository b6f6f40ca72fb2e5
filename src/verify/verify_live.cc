#include "verify/verify_live.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "model/object_kind.h"
#include "model/policy.h"
#include "verify/read_table.h"

namespace holdfast::verify {

namespace {

constexpr int64_t kMillisPerHour = 60LL * 60 * 1000;
constexpr int64_t kShortestTimeTravelHours = 48;

// Our clock and the service's may differ by so much.
constexpr int64_t kClockMarginMs = kMillisPerHour;

struct LiveWindow {
  int64_t first_ms = 0;  // the earliest moment that can be read
  int64_t now_ms = 0;
};

// The rows of the source as of a moment.
Result<SetInspection> ReadSource(const Services& services, const Manifest& manifest,
                                 int64_t at_ms) {
  const std::string bucket = FillBucketPattern(services.staging_bucket_pattern,
                                               manifest.object.project, manifest.location);
  HF_RETURN_IF_ERROR(services.objects.EnsureBucket({.name = bucket,
                                                    .project = manifest.object.project,
                                                    .location = manifest.location,
                                                    .delete_after_days = kStagedDaysMax}));
  const TableReader reader{services.warehouse, services.objects, services.clock,
                           services.random,    bucket,           [] { return Status(); }};
  return reader.Read(manifest.object, manifest.location, manifest.schema, "live", at_ms);
}

bool Equals(const SetInspection& source, const Manifest& manifest) {
  return source.rows == manifest.rows && source.digest.ToString() == manifest.content_digest;
}

// What the source holds, as of a moment, where that is not what the backup does.
struct Difference {
  int64_t at_ms = 0;
  SetInspection source;
};

// nullopt: the backup is of what the source was. An export of a table that is written to meanwhile
// is of a moment that nobody knows, between the look at the table and the end of the job: then the
// source is held against it as it was at both ends, and only a source that was the same at both is
// a witness against the backup; `undecided` says that it was not.
Result<std::optional<Difference>> FindDifference(const Services& services, const Manifest& manifest,
                                                 const LiveWindow& window, bool& undecided,
                                                 VerifyReport& report) {
  const auto read = [&](int64_t at_ms) -> Result<Difference> {
    Difference found{.at_ms = at_ms};
    HF_ASSIGN_OR_RETURN(found.source, ReadSource(services, manifest, at_ms));
    report.rows_read += found.source.rows;
    report.bytes_read += found.source.bytes;
    return found;
  };
  HF_ASSIGN_OR_RETURN(Difference first,
                      read(manifest.as_of_ms.value_or(manifest.consistent_through_ms)));
  if (Equals(first.source, manifest)) return std::optional<Difference>();
  if (manifest.as_of_ms) return std::optional(std::move(first));
  const int64_t looked_ms = Int64Or(manifest.table_resource, "lastModifiedTime", 0);
  HF_ASSIGN_OR_RETURN(const Difference before, read(std::max(looked_ms, window.first_ms)));
  if (Equals(before.source, manifest)) return std::optional<Difference>();
  HF_ASSIGN_OR_RETURN(const Difference after,
                      read(std::min(manifest.created_ms + kClockMarginMs, window.now_ms)));
  if (Equals(after.source, manifest)) return std::optional<Difference>();
  undecided = before.source.rows != after.source.rows ||
              before.source.digest.ToString() != after.source.digest.ToString();
  if (undecided) return std::optional<Difference>();
  return std::optional(std::move(first));
}

// How far the dataset's time travel reaches back, in milliseconds.
int64_t ReachMs(const DatasetInfo& dataset) {
  return Int64Or(dataset.resource, "maxTimeTravelHours", kShortestTimeTravelHours) * kMillisPerHour;
}

}  // namespace

Result<bool> CanReadLive(const Services& services, const Manifest& manifest) {
  const auto dataset = services.warehouse.GetDataset(manifest.object.dataset_ref());
  const auto table = dataset.ok() ? services.warehouse.GetTable(manifest.object)
                                  : Result<TableInfo>(dataset.error());
  if (!table.ok() && table.error().code == Code::kNotFound) return false;
  if (!table.ok()) return table.error();
  // What streams in is written to the past.
  if (manifest.streaming_buffer || table->streaming_buffer) return false;
  const int64_t age_ms = ToUnixMillis(services.clock.Now()) - manifest.consistent_through_ms;
  return table->creation_ms == manifest.source.creation_ms && age_ms < ReachMs(*dataset);
}

Status VerifyLive(const Services& services, const Manifest& manifest, VerifyReport& report) {
  if (manifest.content_digest.empty() || IsDefinitionOnly(manifest.kind)) return Ok();
  HF_ASSIGN_OR_RETURN(const bool can_read, CanReadLive(services, manifest));
  if (!can_read) return Ok();
  HF_ASSIGN_OR_RETURN(const DatasetInfo dataset,
                      services.warehouse.GetDataset(manifest.object.dataset_ref()));
  const int64_t now_ms = ToUnixMillis(services.clock.Now());
  // Not to the very edge, which moves on while this is at work.
  const LiveWindow window{
      .first_ms = std::max(now_ms - ReachMs(dataset) + kMillisPerHour, manifest.source.creation_ms),
      .now_ms = now_ms};
  bool undecided = false;
  HF_ASSIGN_OR_RETURN(const auto difference,
                      FindDifference(services, manifest, window, undecided, report));
  if (undecided) return Ok();
  report.requested = VerifyLevel::kL4;
  if (!difference) {
    report.reached = VerifyLevel::kL4;
    return Ok();
  }
  ++report.problems;
  report.findings.push_back(MakeError(
      ErrorId::kDataMismatch,
      fmt::format("{} as of {} has {} rows with digest {}; its backup has {} with {}",
                  manifest.object.ToString(), FormatTimestamp(FromUnixMillis(difference->at_ms)),
                  difference->source.rows, difference->source.digest.ToString(), manifest.rows,
                  manifest.content_digest)));
  return Ok();
}

}  // namespace holdfast::verify
