#include "backup/intact_backups.h"

#include <algorithm>

#include "backup/replicate.h"
#include "backup/stage_result.h"
#include "base/log.h"
#include "base/retry.h"
#include "repository/carry_pins.h"

namespace holdfast::backup {

Result<size_t> IntactBackups::Load(std::span<const std::string> tables, size_t backups_max) {
  loaded_.clear();
  committed_.clear();
  size_t covered = 0;
  HF_RETURN_IF_ERROR(ReadCatalog(tables, backups_max, covered));
  HF_RETURN_IF_ERROR(ReadManifests());
  return covered;
}

Status IntactBackups::ReadCatalog(std::span<const std::string> tables, size_t backups_max,
                                  size_t& covered) {
  size_t backups = 0;
  std::string token;
  do {
    HF_RETURN_IF_ERROR(context_.keep_alive());
    HF_ASSIGN_OR_RETURN(auto page, services_.catalog.FindBackups({.project = dataset_.project,
                                                                  .dataset = dataset_.dataset,
                                                                  .table_from = tables.front(),
                                                                  .table_through = tables.back(),
                                                                  .intact_only = true,
                                                                  .newest_only = true},
                                                                 token));
    for (catalog::BackupRecord& record : page.items) {
      // Both come in order of table: up to this one all is known of those before.
      while (covered < tables.size() && tables[covered] < record.object.table) {
        loaded_[tables[covered++]];
        if (backups >= backups_max) return Ok();
      }
      if (covered == tables.size()) return Ok();
      if (tables[covered] != record.object.table) continue;  // one that is gone
      ++backups;
      std::string partition = record.object.partition;
      loaded_[tables[covered]].emplace(std::move(partition), std::move(record));
    }
    token = std::move(page.next_page_token);
  } while (!token.empty());
  while (covered < tables.size()) loaded_[tables[covered++]];
  return Ok();
}

Status IntactBackups::ReadManifests() {
  struct Wanted {
    std::string first;  // names of manifests begin with one from this to `last`
    std::string last;
    std::set<std::string> backups;
  };
  std::map<repository::Location, Wanted> places;
  for (const auto& [table, backups] : loaded_) {
    for (const auto& [partition, record] : backups) {
      const repository::Location place{record.bucket, record.prefix};
      const std::string begins = repository::ManifestsPrefix(
          place.prefix, {dataset_.project, dataset_.dataset, table, ""});
      Wanted& wanted = places[place];
      if (wanted.first.empty() || begins < wanted.first) wanted.first = begins;
      wanted.last = std::max(wanted.last, begins);
      wanted.backups.insert(record.backup);
    }
  }
  for (const auto& [place, wanted] : places) {
    HF_RETURN_IF_ERROR(ReadManifestsOf(place, wanted.first, wanted.last, wanted.backups));
  }
  return Ok();
}

// Lists what lies between the two names, which may be more than is wanted: names of objects are not
// in the order of names of tables.
Status IntactBackups::ReadManifestsOf(const repository::Location& place, const std::string& first,
                                      const std::string& last,
                                      const std::set<std::string>& wanted) {
  const auto opened = RepositoryAt(place);
  // What is wrong with one place is said of each table that has its backups there.
  if (!opened.ok()) {
    const bool may_pass = IsInterrupted(opened.error()) || IsRetryable(opened.error());
    return may_pass ? Status(opened.error()) : Ok();
  }
  repository::Repository* const repository = *opened;
  if (repository == nullptr) return Ok();
  std::set<std::string>& committed = committed_[place];
  const TableRef all{dataset_.project, dataset_.dataset, "", ""};
  std::string token;
  do {
    HF_RETURN_IF_ERROR(context_.keep_alive());
    HF_ASSIGN_OR_RETURN(const auto page, repository->ListManifestsFrom(all, first, token));
    for (const repository::ManifestEntry& entry : page.items) {
      const std::string& name = entry.info.ref.name;
      if (name > last && !name.starts_with(last)) return Ok();
      if (wanted.contains(entry.path.backup)) committed.insert(entry.path.backup);
    }
    if (!token.empty() && token == page.next_page_token) {
      return MakeError(ErrorId::kPageTokenRepeated, "the service gave the same page token twice");
    }
    token = page.next_page_token;
  } while (!token.empty() && committed.size() < wanted.size());
  return Ok();
}

Result<LastBackups> IntactBackups::Known(const std::string& table, std::optional<Method> method) {
  const auto loaded = loaded_.find(table);
  // What was loaded is the newest of any method.
  if (!method && loaded != loaded_.end()) return loaded->second;
  return LastBackupsOf(services_.catalog, {dataset_.project, dataset_.dataset, table, ""}, "",
                       method);
}

Result<LastBackups> IntactBackups::Of(const TableRef& table, const BackupPolicy& policy) {
  const repository::Location expected{
      FillBucketPattern(policy.bucket_pattern, table.project, location_), policy.prefix};
  while (true) {
    HF_ASSIGN_OR_RETURN(LastBackups last, Known(table.table, MethodSought(policy)));
    bool found_lost = false;
    for (auto entry = last.begin(); entry != last.end();) {
      const catalog::BackupRecord& record = entry->second;
      const repository::Location place{record.bucket, record.prefix};
      HF_ASSIGN_OR_RETURN(repository::Repository* const repository, RepositoryAt(place));
      // One in another place than the policy's says nothing of what is to be in that.
      if (repository == nullptr || place != expected) {
        entry = last.erase(entry);
        continue;
      }
      HF_ASSIGN_OR_RETURN(const bool is_committed, IsCommitted(*repository, record));
      if (!is_committed) {
        HF_RETURN_IF_ERROR(NoteLost(*repository, record, policy));
        found_lost = true;
      }
      ++entry;
    }
    if (!found_lost) return last;
    // Those that were noted are damaged now, and older ones take their place.
    loaded_.erase(table.table);
  }
}

// Whether the backup's manifest is there. One that was not seen is asked for, since another worker
// may have committed it meanwhile.
Result<bool> IntactBackups::IsCommitted(repository::Repository& repository,
                                        const catalog::BackupRecord& record) {
  const auto known = committed_.find(repository.location());
  if (known != committed_.end() && known->second.contains(record.backup)) return true;
  return repository.HasManifest(record.object, record.backup);
}

Result<bool> IntactBackups::IsAt(const repository::Location& place, const TableRef& object,
                                 const std::string& backup) {
  HF_ASSIGN_OR_RETURN(repository::Repository* const repository, RepositoryAt(place));
  if (repository == nullptr) return false;
  return repository->HasManifest(object, backup);
}

// Whether a copy of the backup is in a further repository: then the catalog knows it there from now
// on.
Result<bool> IntactBackups::MoveToCopy(const catalog::BackupRecord& record,
                                       const BackupPolicy& policy) {
  const repository::Location lost_in{record.bucket, record.prefix};
  for (const FurtherRepository& further : policy.repositories) {
    const repository::Location place = PlaceOfFurther(further, record.object, record.location);
    if (place == lost_in) continue;
    HF_ASSIGN_OR_RETURN(repository::Repository* const repository, RepositoryAt(place));
    if (repository == nullptr) continue;
    const auto manifest = repository->ReadManifest(record.object, record.backup);
    if (!manifest.ok() && IsRetryable(manifest.error())) return manifest.error();
    if (!manifest.ok()) continue;
    HF_RETURN_IF_ERROR(repository::CarryPins(services_.objects, lost_in, place, record.backup));
    HF_RETURN_IF_ERROR(
        services_.catalog.MoveBackup(catalog::RecordOf(*manifest, place.bucket, place.prefix)));
    LogError(
        "the manifest of a backup is gone: its copy is used, its object is backed up again",
        {{"object", record.object.ToString()}, {"backup", record.backup}, {"copy", place.Uri()}});
    return true;
  }
  return false;
}

Status IntactBackups::NoteLost(repository::Repository& repository,
                               const catalog::BackupRecord& record, const BackupPolicy& policy) {
  HF_ASSIGN_OR_RETURN(const bool pruned,
                      repository.HasEvidence(repository::kPrunedEvidence, record.backup));
  // By a prune that this catalog did not hear of.
  if (pruned) return services_.catalog.RemoveBackup(record.backup);
  HF_ASSIGN_OR_RETURN(const bool is_copied, MoveToCopy(record, policy));
  if (is_copied) return Ok();
  LogWarning("the manifest of a backup is gone: its object is backed up again",
             {{"object", record.object.ToString()}, {"backup", record.backup}});
  return services_.catalog.RecordVerification({.backup = record.backup,
                                               .at_ms = ToUnixMillis(services_.clock.Now()),
                                               .level = VerifyLevel::kL0,
                                               .passed = false,
                                               .detail = "its manifest is not there"});
}

// nullptr: it is not there.
Result<repository::Repository*> IntactBackups::RepositoryAt(const repository::Location& place) {
  const auto known = repositories_.find(place);
  if (known != repositories_.end()) return known->second ? &*known->second : nullptr;
  auto opened = repository::Repository::Open(services_.objects, place);
  if (!opened.ok() && opened.error().code != Code::kNotFound) return opened.error();
  if (!opened.ok()) {
    LogWarning("repository is not there: what it held, or should hold, is written again",
               {{"bucket", place.bucket}, {"error", opened.error().message}});
    repositories_.emplace(place, std::nullopt);
    return static_cast<repository::Repository*>(nullptr);
  }
  return &*repositories_.emplace(place, *std::move(opened)).first->second;
}

}  // namespace holdfast::backup
