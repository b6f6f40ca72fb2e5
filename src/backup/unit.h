// One unit of the backup stage on its way: an object, what is known of it, where its backup goes.
//
// Shared by the methods (export_unit.h, copy_unit.h). One thread at a time.
#pragma once

#include <map>
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

// The whole table as it was at one moment, as a table of ours that nobody writes to.
struct FrozenTable {
  TableInfo table;
  std::map<std::string, int64_t> partition_rows;  // exactly, by partition
};

// What all units of a message have in common.
struct TableBackup {
  const StageContext& context;
  const Services& services;
  TableInfo table;
  DatasetInfo dataset;
  repository::Repository repository;
  AccessState access = {};
  std::optional<int64_t> as_of_ms = {};    // RunBackup::as_of_ms
  std::optional<FrozenTable> frozen = {};  // as of then, where the units are read from
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

// The outcome of an object that was not there yet at the moment as of which its table is taken.
ItemOutcome NotYetOutcome(const TableRef& object, int64_t as_of_ms);

// Where the unit is read: in the table itself, or what it is in the frozen one.
TableRef SourceOf(const TableBackup& common, const Unit& unit);

// Compares the rows captured with those the warehouse counts. What is as of an earlier moment can
// only be held against a table that was not written to since: then, Ok. Ok, or: kSourceChanged when
// the object was written meanwhile (another attempt may do), kRowsMissing when it was not: the
// service hides rows without an error (google-semantics trap 1).
Status CheckRows(const TableBackup& common, const Unit& unit, int64_t rows_captured);

// The same for what was read of the frozen table: kRowsMissing unless it is all that is in there.
Status CheckFrozenRows(const TableBackup& common, const Unit& unit, int64_t rows_captured);

// The table was read as of an earlier moment: its columns are those of then.
void SetSchemaOf(const TableInfo& read, Manifest& manifest);

// Commits the backup: judges it (suspect?), writes the manifest, records it. Returns the outcome.
// If another worker committed the same backup first, that one counts.
Result<ItemOutcome> Commit(const TableBackup& common, const Unit& unit, Manifest manifest);

// The outcome of a backup that is committed, recorded in the catalog if it was not yet, and copied
// to the further repositories; one that cannot take it makes the outcome a failure.
Result<ItemOutcome> Adopt(const TableBackup& common, const Unit& unit, const Manifest& manifest);

}  // namespace holdfast::backup
