#include "backup/intact_backups.h"

#include <algorithm>
#include <functional>

#include "backup/replicate.h"
#include "backup/stage_result.h"
#include "base/log.h"
#include "base/retry.h"
#include "verify/verify_recorded.h"

namespace holdfast::backup {

namespace {

// A backup in few bytes: there may be very many of one table. Two of the same number would only
// hide that one of them is lost from this scan.
uint64_t NumberOf(const std::string& backup) { return std::hash<std::string>()(backup); }

}  // namespace

Result<size_t> IntactBackups::Load(std::span<const std::string> tables, size_t backups_max) {
  loaded_.clear();
  committed_.clear();
  unseen_.clear();
  std::set<repository::Location> places;
  size_t covered = 0;
  HF_RETURN_IF_ERROR(ReadCatalog(tables, backups_max, covered, places));
  for (const repository::Location& place : places) {
    HF_RETURN_IF_ERROR(ReadManifestsOf(place));
  }
  HF_RETURN_IF_ERROR(FindUnseen(backups_max));
  return covered;
}

catalog::BackupFilter IntactBackups::FilterOf(const std::string& first,
                                              const std::string& last) const {
  return {.project = dataset_.project,
          .dataset = dataset_.dataset,
          .table_from = first,
          .table_through = last,
          .intact_only = true};
}

// All versions, of which the first of each object is the newest.
Status IntactBackups::ReadCatalog(std::span<const std::string> tables, size_t backups_max,
                                  size_t& covered, std::set<repository::Location>& places) {
  const catalog::BackupFilter filter = FilterOf(tables.front(), tables.back());
  size_t backups = 0;
  std::string token;
  do {
    HF_RETURN_IF_ERROR(context_.keep_alive());
    HF_ASSIGN_OR_RETURN(auto page, services_.catalog.FindBackups(filter, token));
    for (catalog::BackupRecord& record : page.items) {
      // Both come in order of table: up to this one all is known of those before.
      while (covered < tables.size() && tables[covered] < record.object.table) {
        loaded_[tables[covered++]];
        if (backups >= backups_max) return Ok();
      }
      if (covered == tables.size()) return Ok();
      if (tables[covered] != record.object.table) continue;  // one that is gone
      places.insert({record.bucket, record.prefix});
      std::string partition = record.object.partition;
      const auto [at, is_newest] =
          loaded_[tables[covered]].try_emplace(std::move(partition), std::move(record));
      backups += is_newest ? 1 : 0;
    }
    token = std::move(page.next_page_token);
  } while (!token.empty());
  while (covered < tables.size()) loaded_[tables[covered++]];
  return Ok();
}

// Lists what lies between the first and the last table that is loaded, which may be more than is
// wanted: names of objects are not in the order of names of tables.
Status IntactBackups::ReadManifestsOf(const repository::Location& place) {
  std::string first;
  std::string last;
  for (const auto& [table, backups] : loaded_) {
    if (backups.empty()) continue;
    const std::string begins =
        repository::ManifestsPrefix(place.prefix, {dataset_.project, dataset_.dataset, table, ""});
    if (first.empty() || begins < first) first = begins;
    last = std::max(last, begins);
  }
  const auto opened = RepositoryAt(place);
  // What is wrong with one place is said of each table that has its backups there.
  if (!opened.ok()) {
    const bool may_pass = IsInterrupted(opened.error()) || IsRetryable(opened.error());
    return may_pass ? Status(opened.error()) : Ok();
  }
  std::set<uint64_t>& committed = committed_[place];
  repository::Repository* const repository = *opened;
  if (repository == nullptr) return Ok();
  const TableRef all{dataset_.project, dataset_.dataset, "", ""};
  std::string token;
  do {
    HF_RETURN_IF_ERROR(context_.keep_alive());
    HF_ASSIGN_OR_RETURN(const auto page, repository->ListManifestsFrom(all, first, token));
    for (const repository::ManifestEntry& entry : page.items) {
      const std::string& name = entry.info.ref.name;
      if (name > last && !name.starts_with(last)) return Ok();
      const bool may_be_wanted = !entry.path.object || loaded_.contains(entry.path.object->table);
      if (may_be_wanted) committed.insert(NumberOf(entry.path.backup));
    }
    if (!token.empty() && token == page.next_page_token) {
      return MakeError(ErrorId::kPageTokenRepeated, "the service gave the same page token twice");
    }
    token = page.next_page_token;
  } while (!token.empty());
  return Ok();
}

// Backups of any version whose manifest the listing did not show; a few are kept, and what is left
// is found by a later scan, when these are noted.
Status IntactBackups::FindUnseen(size_t backups_max) {
  if (loaded_.empty() || committed_.empty()) return Ok();
  const catalog::BackupFilter filter = FilterOf(loaded_.begin()->first, loaded_.rbegin()->first);
  size_t found = 0;
  std::string token;
  do {
    HF_RETURN_IF_ERROR(context_.keep_alive());
    HF_ASSIGN_OR_RETURN(auto page, services_.catalog.FindBackups(filter, token));
    for (catalog::BackupRecord& record : page.items) {
      const auto listed = committed_.find({record.bucket, record.prefix});
      if (listed == committed_.end() || listed->second.contains(NumberOf(record.backup))) continue;
      const auto of_table = loaded_.find(record.object.table);
      if (of_table == loaded_.end()) continue;
      if (++found > backups_max) return Ok();
      unseen_[record.object.table].push_back(std::move(record));
    }
    token = std::move(page.next_page_token);
  } while (!token.empty());
  return Ok();
}

// Notes those that are lost indeed: another worker may have committed one after it was listed.
Status IntactBackups::NoteUnseen(const std::string& table, const BackupPolicy& policy) {
  const auto unseen = unseen_.extract(table);
  if (unseen.empty()) return Ok();
  for (const catalog::BackupRecord& record : unseen.mapped()) {
    HF_ASSIGN_OR_RETURN(repository::Repository* const repository,
                        RepositoryAt({record.bucket, record.prefix}));
    if (repository != nullptr) {
      HF_ASSIGN_OR_RETURN(const bool is_there,
                          repository->HasManifest(record.object, record.backup));
      if (is_there) continue;
    }
    HF_RETURN_IF_ERROR(TryToNote(repository, record, policy));
    loaded_.erase(table);  // what was loaded of it is not so any more
  }
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
  HF_RETURN_IF_ERROR(NoteUnseen(table.table, policy));
  std::set<std::string> noted;
  while (true) {
    HF_ASSIGN_OR_RETURN(LastBackups last, Known(table.table, MethodSought(policy)));
    bool found_lost = false;
    for (auto entry = last.begin(); entry != last.end();) {
      const catalog::BackupRecord& record = entry->second;
      const repository::Location place{record.bucket, record.prefix};
      HF_ASSIGN_OR_RETURN(repository::Repository* const repository, RepositoryAt(place));
      // One in another place than the policy's says nothing of what is to be in that. One that was
      // noted and is not known as damaged is left for a later scan to note.
      if (repository == nullptr || place != expected || noted.contains(record.backup)) {
        entry = last.erase(entry);
        continue;
      }
      HF_ASSIGN_OR_RETURN(const bool is_committed, IsCommitted(*repository, record));
      if (!is_committed) {
        HF_RETURN_IF_ERROR(TryToNote(repository, record, policy));
        noted.insert(record.backup);
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
  if (known != committed_.end() && known->second.contains(NumberOf(record.backup))) return true;
  return repository.HasManifest(record.object, record.backup);
}

Result<bool> IntactBackups::IsAt(const repository::Location& place, const TableRef& object,
                                 const std::string& backup) {
  HF_ASSIGN_OR_RETURN(repository::Repository* const repository, RepositoryAt(place));
  if (repository == nullptr) return false;
  return repository->HasManifest(object, backup);
}

// That nobody can tell now whether there is a copy keeps no table from being backed up.
Status IntactBackups::TryToNote(repository::Repository* repository,
                                const catalog::BackupRecord& record, const BackupPolicy& policy) {
  const Status noted = NoteLost(repository, record, policy);
  if (noted.ok() || IsInterrupted(noted.error()) || !IsRetryable(noted.error())) return noted;
  LogWarning("a backup is lost where it was, which a later scan has to note",
             {{"backup", record.backup},
              {"object", record.object.ToString()},
              {"error", noted.error().message}});
  return Ok();
}

Status IntactBackups::NoteLost(repository::Repository* repository,
                               const catalog::BackupRecord& record, const BackupPolicy& policy) {
  if (repository != nullptr) {
    HF_ASSIGN_OR_RETURN(const bool pruned,
                        repository->HasEvidence(repository::kPrunedEvidence, record.backup));
    // By a prune that this catalog did not hear of.
    if (pruned) return services_.catalog.RemoveBackup(record.backup);
  }
  const verify::Services verifying{services_.warehouse,
                                   services_.objects,
                                   services_.catalog,
                                   services_.clock,
                                   services_.random,
                                   policy.staging_bucket_pattern,
                                   [&](const TableRef& object, const std::string& location) {
                                     std::vector<repository::Location> places;
                                     for (const FurtherRepository& further : policy.repositories) {
                                       places.push_back(PlaceOfFurther(further, object, location));
                                     }
                                     return places;
                                   }};
  const repository::Location place{record.bucket, record.prefix};
  const Error damage =
      repository != nullptr
          ? MakeError(ErrorId::kManifestNotFound,
                      place.Uri() + ": the manifest of backup " + record.backup + " is not there")
          : MakeError(ErrorId::kRepositoryNotFound, place.Uri() + " is not there");
  HF_RETURN_IF_ERROR(verify::NoteLoss(verifying, record, damage));
  return Ok();
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
