// The newest backups of a dataset's objects that are still there, known for many tables at once.
//
// A backup whose repository or manifest is gone protects nothing, whatever the catalog says: it is
// noted as damaged, and an older one takes its place. Catalog and repository are read in ranges of
// tables, a page of either in memory; what is kept is one group of tables, bounded by the number of
// its backups. One dataset; used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "backup/scan_plan.h"
#include "backup/services.h"
#include "repository/repository.h"

namespace holdfast::backup {

class IntactBackups {
 public:
  // Borrows both. `dataset` has its location.
  IntactBackups(const StageContext& context, const Services& services, DatasetRef dataset,
                std::string location)
      : context_(context),
        services_(services),
        dataset_(std::move(dataset)),
        location_(std::move(location)) {}

  // Reads what is known of the first of `tables` (ids in ascending order, none twice, one at
  // least), of as many as have `backups_max` backups together, and of one at least. Returns of how
  // many. Forgets those before. Errors: of the catalog and the store.
  Result<size_t> Load(std::span<const std::string> tables, size_t backups_max);

  // The newest intact backups of the object's table in the place that the policy names: from what
  // was loaded, or else asked for. Errors: as above.
  Result<LastBackups> Of(const TableRef& table, const BackupPolicy& policy);

  // Whether the backup of the object is committed in that place. Errors: the store's.
  Result<bool> IsAt(const repository::Location& place, const TableRef& object,
                    const std::string& backup);

 private:
  catalog::BackupFilter FilterOf(const std::string& first, const std::string& last) const;
  Status ReadCatalog(std::span<const std::string> tables, size_t backups_max, size_t& covered,
                     std::set<repository::Location>& places);
  Status ReadManifestsOf(const repository::Location& place);
  Status FindUnseen(size_t backups_max);
  Status NoteUnseen(const std::string& table, const BackupPolicy& policy);
  Result<LastBackups> Known(const std::string& table, std::optional<Method> method);
  Result<repository::Repository*> RepositoryAt(const repository::Location& place);
  Result<bool> IsCommitted(repository::Repository& repository, const catalog::BackupRecord& record);
  Status TryToNote(repository::Repository* repository, const catalog::BackupRecord& record,
                   const BackupPolicy& policy);
  Status NoteLost(repository::Repository* repository, const catalog::BackupRecord& record,
                  const BackupPolicy& policy);

  const StageContext& context_;
  const Services& services_;
  DatasetRef dataset_;
  std::string location_;
  std::map<std::string, LastBackups> loaded_;  // by table; empty: it has none
  // Of every place in which their backups lie and that was listed, the backups whose manifest was
  // seen, by number; of one that is not there none was.
  std::map<repository::Location, std::set<uint64_t>> committed_;
  std::map<std::string, std::vector<catalog::BackupRecord>> unseen_;  // by table
  std::map<repository::Location, std::optional<repository::Repository>> repositories_;
};

}  // namespace holdfast::backup
