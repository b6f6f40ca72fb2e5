#include "backup/metadata_unit.h"

#include <fmt/format.h>

#include <utility>

#include "backup/stage_result.h"
#include "base/retry.h"

namespace holdfast::backup {

namespace {

// Copies one data object to where the attempt's own are.
Result<DataObject> CopyData(const TableBackup& common, const Unit& unit, const DataObject& source) {
  const repository::Location& location = common.repository.location();
  DataObject copy = source;
  copy.name =
      repository::AttemptPrefix(location.prefix, unit.object, unit.backup, common.context.attempt) +
      source.name.substr(source.name.rfind('/') + 1);
  HF_ASSIGN_OR_RETURN(
      const cloud::ObjectInfo info,
      common.services.objects.CopyObject({location.bucket, source.name, source.generation},
                                         {location.bucket, copy.name, 0}));
  if (info.size_bytes != source.size_bytes || info.crc32c != source.crc32c) {
    return MakeError(ErrorId::kObjectCorrupt, fmt::format("{} is not as the manifest of {} has it",
                                                          source.name, unit.last->backup));
  }
  copy.generation = info.ref.generation;
  return copy;
}

}  // namespace

bool MayLend(const TableBackup& common, const Unit& unit) {
  if (unit.scanned.change != Change::kMetadataOnly || !unit.last) return false;
  const catalog::BackupRecord& last = *unit.last;
  const repository::Location place{last.bucket, last.prefix};
  return last.IsGood() && last.method == Method::kExport && place == common.repository.location();
}

bool IsUnwritten(const Manifest& before, const Fingerprint& now, const cloud::DataWrite& newest,
                 int64_t view_delay_ms) {
  if (newest.told_ms - now.last_modified_ms < view_delay_ms) return false;
  if (newest.at_ms <= before.source.last_modified_ms) return true;
  // Of a partition, writes to others are in `newest` too, and those may be younger than the time
  // of the partition. That of the table was read before the data was; a backup as of an earlier
  // moment holds less.
  const int64_t seen_ms = Int64Or(before.table_resource, "lastModifiedTime", 0);
  return newest.at_ms <= seen_ms && (!before.as_of_ms || seen_ms < *before.as_of_ms);
}

Result<std::map<std::string, Fingerprint>> CurrentFingerprints(const TableBackup& common) {
  cloud::Warehouse& warehouse = common.services.warehouse;
  const TableRef table = common.table.ref.WholeTable();
  HF_ASSIGN_OR_RETURN(const TableInfo info, warehouse.GetTable(table));
  std::map<std::string, Fingerprint> current{{"", FingerprintOf(info)}};
  HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
      [&](const std::string& token) { return warehouse.ListPartitions(table, token); },
      [&](PartitionInfo&& partition) -> Status {
        current[partition.ref.partition] = FingerprintOf(info, partition);
        return common.context.keep_alive();
      }));
  return current;
}

Result<std::optional<ItemOutcome>> SaveNewDescription(
    const TableBackup& common, const Unit& unit,
    const std::function<bool(const Manifest& before)>& may_lend) {
  const std::optional<ItemOutcome> must_be_read;
  repository::Repository repository = common.repository;
  const auto before = repository.ReadManifest(unit.object, unit.last->backup);
  if (!before.ok()) {
    const bool may_pass = IsInterrupted(before.error()) || IsRetryable(before.error());
    return may_pass ? Result<std::optional<ItemOutcome>>(before.error()) : must_be_read;
  }
  if (before->content_digest.empty() || !may_lend(*before)) return must_be_read;
  Manifest manifest = StartManifest(common, unit);
  manifest.bucket = before->bucket;
  manifest.codec = before->codec;
  manifest.rows = before->rows;
  manifest.stored_bytes = before->stored_bytes;
  manifest.content_digest = before->content_digest;
  manifest.verified = VerifyLevel::kL0;  // sizes and sums were compared, nothing was read
  for (const DataObject& source : before->objects) {
    HF_RETURN_IF_ERROR(common.context.keep_alive());
    auto copy = CopyData(common, unit, source);
    // One that is damaged or gone: the data is read again.
    if (!copy.ok() && !IsInterrupted(copy.error()) && !IsRetryable(copy.error())) {
      return must_be_read;
    }
    HF_RETURN_IF_ERROR(copy);
    manifest.objects.push_back(*std::move(copy));
  }
  HF_ASSIGN_OR_RETURN(ItemOutcome outcome, Commit(common, unit, std::move(manifest)));
  return std::optional(std::move(outcome));
}

}  // namespace holdfast::backup
