// One unit of the backup stage on its way: an object, what is known of it, where its backup goes.
//
// Shared by the methods (export_unit.h, copy_unit.h). One thread at a time.
#pragma once

#include <optional>
#include <string>

#include "backup/access.h"
#include "backup/services.h"
#include "catalog/backup_index.h"
#include "cloud/job.h"
#include "model/manifest.h"
#include "model/table.h"
#include "model/work_message.h"
#include "repository/repository.h"

namespace holdfast::backup {

// What all units of a message have in common.
struct TableBackup {
  const StageContext& context;
  const Services& services;
  TableInfo table;
  DatasetInfo dataset;
  repository::Repository repository;
  AccessState access = {};
};

// One object of the table on its way to a backup.
struct Unit {
  TableRef object;
  BackupUnit scanned;
  std::string backup;                         // its id
  std::optional<catalog::BackupRecord> last;  // the newest intact backup before this one
  Timestamp started;
};

// A manifest with everything filled in but the data's own members.
Manifest StartManifest(const TableBackup& common, const Unit& unit);

// A job's reference in the table's own project and location.
cloud::JobRef JobOf(const TableBackup& common, const Unit& unit, std::string_view operation);

// The fingerprint of the object as it is at this moment. kTableNotFound when it is gone.
Result<Fingerprint> CurrentFingerprint(const TableBackup& common, const Unit& unit);

// Compares the rows captured with those the warehouse counts. Ok, or: kSourceChanged when the
// object was written meanwhile (another attempt may do), kRowsMissing when it was not: the service
// hides rows without an error (google-semantics trap 1).
Status CheckRows(const TableBackup& common, const Unit& unit, int64_t rows_captured);

// Commits the backup: judges it (suspect?), writes the manifest, records it. Returns the outcome.
// If another worker committed the same backup first, that one counts.
Result<ItemOutcome> Commit(const TableBackup& common, const Unit& unit, Manifest manifest);

// The outcome of a backup that is committed, recorded in the catalog if it was not yet.
Result<ItemOutcome> Adopt(const TableBackup& common, const Unit& unit, const Manifest& manifest);

}  // namespace holdfast::backup
