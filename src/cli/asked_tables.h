// Tables as they were backed up, for questions to them (localcloud/ask): chosen as a restore would
// choose, read from the repository as the answer needs them.
//
// What the choice leaves out is told in `notes`. A manifest is read when its partition is; a file
// is fetched whole and compared with the manifest's checksums before a row of it is used. The
// tables it gives may be read by any thread for as long as this lives; the rest is one thread's.
// Writes nothing but the catalog's knowledge of others' backups.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/environment.h"
#include "localcloud/ask/asked_table.h"
#include "model/manifest.h"
#include "repository/repository.h"
#include "restore/selection.h"
#include "verify/verify_recorded.h"

namespace holdfast::cli {

// What a person names: TABLE, TABLE@TIME or TABLE@BACKUP.
struct AskedName {
  TableRef table;                   // with .partition: that one alone
  std::optional<int64_t> as_of_ms;  // unset: the latest
  std::string backup;               // a backup's id or the beginning of one; empty: by time

  // As it was named.
  std::string ToString() const;
};

// "project.dataset.table", with "$partition", "@" and an RFC 3339 time or a backup's id behind it.
// kUsage.
Result<AskedName> ParseAskedName(const std::string& text);

class AskedTables {
 public:
  // `environment` and the directory, in which large files are kept while they are read, must
  // outlive this. `further_places`: where copies are of backups that are lost.
  AskedTables(Environment& environment, verify::FurtherPlaces further_places,
              std::string scratch_directory);

  // What of a table was backed up. Errors: kNothingToRestore, with the first time at which there is
  // a backup if that is what is wrong; kBackupWithoutFiles for copies, snapshots and what has no
  // rows; kBackupNotFound, kBackupAmbiguous; those of the repository.
  Result<ask::AskedTable> Find(const AskedName& name);

  // The backups behind it, each of one partition or of the whole table. Errors: as Find's, but for
  // kBackupWithoutFiles.
  Result<restore::Selection> Choose(const AskedName& name);

  // The manifest of a backup; of a copy of it, which `notes` tells, when it is lost. Any thread.
  Result<std::shared_ptr<const Manifest>> ReadManifest(const catalog::BackupRecord& record);

  // What a person should know of the choices so far.
  std::vector<std::string> notes() const;

  // What was there, and is in none of the tables, because no good backup holds it.
  const std::vector<restore::MissingObject>& missing() const { return missing_; }

 private:
  Result<repository::Repository> RepositoryAt(const repository::Location& place);
  Result<Manifest> ReadCopy(const catalog::BackupRecord& record, const Error& damage);
  Result<ask::AskedPart> PartOf(const catalog::BackupRecord& record);
  Error Complete(const AskedName& name, Error error);
  void NoteSelection(const restore::Selection& selection);

  Environment& environment_;
  verify::Services verifying_;
  std::string scratch_directory_;
  std::vector<restore::MissingObject> missing_;
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
  std::map<repository::Location, repository::Repository> repositories_;
};

}  // namespace holdfast::cli
