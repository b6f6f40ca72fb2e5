#include "catalog/backup_index.h"

#include <fmt/format.h>

namespace holdfast::catalog {

namespace {

constexpr size_t kAmbiguousShown = 5;
constexpr size_t kIdPrefixMin = 8;

Result<std::vector<BackupRecord>> AllBackups(BackupIndex& index, const BackupFilter& filter) {
  std::vector<BackupRecord> records;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<BackupRecord>(
      [&](const std::string& token) { return index.FindBackups(filter, token); },
      [&](BackupRecord&& record) -> Status {
        records.push_back(std::move(record));
        return Ok();
      }));
  return records;
}

}  // namespace

BackupRecord RecordOf(const Manifest& manifest, const std::string& bucket,
                      const std::string& prefix) {
  return {.backup = manifest.backup,
          .object = manifest.object,
          .kind = manifest.kind,
          .run = manifest.run,
          .method = manifest.method,
          .created_ms = manifest.created_ms,
          .consistent_through_ms = manifest.consistent_through_ms,
          .source = manifest.source,
          .location = manifest.location,
          .as_of_ms = manifest.as_of_ms,
          .bucket = bucket,
          .prefix = prefix,
          .rows = manifest.rows,
          .stored_bytes = manifest.stored_bytes,
          .objects = static_cast<int64_t>(manifest.objects.size()),
          .content_digest = manifest.content_digest,
          .suspect = manifest.suspect,
          .verified = manifest.verified,
          .verified_ms = manifest.verified == VerifyLevel::kNone ? 0 : manifest.created_ms};
}

Result<std::optional<BackupRecord>> LatestGood(BackupIndex& index, const TableRef& object,
                                               std::optional<int64_t> as_of_ms) {
  const BackupFilter filter{.project = object.project,
                            .dataset = object.dataset,
                            .table = object.table,
                            .partition = object.partition,
                            .as_of_ms = as_of_ms,
                            .good_only = true,
                            .newest_only = true};
  HF_ASSIGN_OR_RETURN(auto page, index.FindBackups(filter, ""));
  if (page.items.empty()) return std::optional<BackupRecord>();
  return std::optional(std::move(page.items.front()));
}

Result<std::vector<BackupRecord>> LatestGoodOfTable(BackupIndex& index, const TableRef& table) {
  return AllBackups(index, {.project = table.project,
                            .dataset = table.dataset,
                            .table = table.table,
                            .good_only = true,
                            .newest_only = true});
}

Result<std::vector<BackupRecord>> LatestIntactOfTable(BackupIndex& index, const TableRef& table,
                                                      std::optional<Method> method) {
  return AllBackups(index, {.project = table.project,
                            .dataset = table.dataset,
                            .table = table.table,
                            .method = method,
                            .intact_only = true,
                            .newest_only = true});
}

Result<BackupRecord> GetBackup(BackupIndex& index, const std::string& id_prefix) {
  if (id_prefix.empty()) return MakeError(ErrorId::kBackupNotFound, "no backup id is given");
  HF_ASSIGN_OR_RETURN(auto page, index.FindBackups({.id_prefix = id_prefix}, ""));
  for (BackupRecord& record : page.items) {
    if (record.backup == id_prefix) return std::move(record);
  }
  // Shorter than a date: more likely a slip than an id.
  if (id_prefix.size() < kIdPrefixMin) {
    return MakeError(ErrorId::kBackupNotFound,
                     fmt::format("\"{}\" is too short for the beginning of a backup's id: {} "
                                 "characters at least",
                                 id_prefix, kIdPrefixMin));
  }
  if (page.items.empty()) {
    return MakeError(ErrorId::kBackupNotFound, fmt::format("no backup begins with {}", id_prefix));
  }
  if (page.items.size() == 1) return std::move(page.items.front());
  std::string shown;
  for (size_t i = 0; i < page.items.size() && i < kAmbiguousShown; ++i) {
    shown += (i == 0 ? "" : ", ") + page.items[i].backup;
  }
  return MakeError(ErrorId::kBackupAmbiguous,
                   fmt::format("{} backups begin with {}: {}{}", page.items.size(), id_prefix,
                               shown, page.items.size() > kAmbiguousShown ? ", ..." : ""));
}

}  // namespace holdfast::catalog
