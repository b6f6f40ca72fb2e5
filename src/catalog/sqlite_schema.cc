#include "catalog/sqlite_schema.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace holdfast::catalog {

namespace {

constexpr int64_t kApplicationId = 0x48466331;  // "HFc1", in the header of the file
constexpr int64_t kSchemaVersion = 5;

// Kept in the order of listings, so that each of them reads the file once, from front to back: in
// the order of ids the backups of one object would lie on as many pages.
constexpr const char* kBackups = R"sql(
CREATE TABLE backups (
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  table_id TEXT NOT NULL,
  partition TEXT NOT NULL,
  consistent_through_ms INTEGER NOT NULL,
  backup TEXT NOT NULL,
  run TEXT NOT NULL,
  method TEXT NOT NULL,
  suspect INTEGER NOT NULL,
  verified_level INTEGER NOT NULL,
  verified_ms INTEGER NOT NULL,
  damaged_level INTEGER NOT NULL DEFAULT 0,
  record TEXT NOT NULL,
  PRIMARY KEY (project, dataset, table_id, partition, consistent_through_ms DESC, backup DESC)
) WITHOUT ROWID;
)sql";
// Made after the table is filled, which is quicker.
constexpr const char* kBackupIndexes = R"sql(
CREATE UNIQUE INDEX backups_by_id ON backups (backup);
CREATE INDEX backups_by_run ON backups (run);
)sql";

constexpr const char* kOtherTables = R"sql(
CREATE TABLE verifications (
  backup TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  level INTEGER NOT NULL,
  passed INTEGER NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (backup, at_ms, level)
) WITHOUT ROWID;

CREATE TABLE runs (
  run TEXT PRIMARY KEY,
  started_ms INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX runs_by_time ON runs (started_ms DESC, run DESC);

CREATE TABLE tasks (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  task TEXT NOT NULL UNIQUE,
  run TEXT NOT NULL,
  topic TEXT NOT NULL,
  message TEXT NOT NULL,
  done INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 1,
  parent TEXT NOT NULL DEFAULT ''
);
CREATE INDEX tasks_by_run ON tasks (run, done, sequence);
CREATE INDEX tasks_by_parent ON tasks (parent, done, sequence);

CREATE TABLE run_tasks (
  run TEXT PRIMARY KEY,
  added INTEGER NOT NULL,
  done INTEGER NOT NULL,
  alive_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE run_totals (
  run TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  byte_count INTEGER NOT NULL,
  PRIMARY KEY (run, outcome)
) WITHOUT ROWID;

CREATE TABLE outcomes (
  run TEXT NOT NULL,
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  table_id TEXT NOT NULL,
  partition TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  byte_count INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (run, project, dataset, table_id, partition)
) WITHOUT ROWID;

CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash TEXT NOT NULL
);

CREATE TABLE identity (id TEXT NOT NULL);
INSERT INTO identity VALUES (lower(hex(randomblob(8))));
)sql";

// From version 1, in which a task gave no sign of life and the catalog had no name.
constexpr const char* kFromVersion1 = R"sql(
ALTER TABLE tasks ADD COLUMN alive_ms INTEGER NOT NULL DEFAULT 0;
CREATE TABLE identity (id TEXT NOT NULL);
INSERT INTO identity VALUES (lower(hex(randomblob(8))));
)sql";

// From version 2, in which a run's tasks and outcomes were counted at each look, and a task did not
// know which one had added it.
constexpr const char* kFromVersion2 = R"sql(
ALTER TABLE tasks ADD COLUMN parent TEXT NOT NULL DEFAULT '';
CREATE INDEX tasks_by_parent ON tasks (parent, done, sequence);
CREATE TABLE run_tasks (
  run TEXT PRIMARY KEY,
  added INTEGER NOT NULL,
  done INTEGER NOT NULL,
  alive_ms INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO run_tasks SELECT run, COUNT(*), SUM(done), MAX(alive_ms) FROM tasks GROUP BY run;
CREATE TABLE run_totals (
  run TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  byte_count INTEGER NOT NULL,
  PRIMARY KEY (run, outcome)
) WITHOUT ROWID;
INSERT INTO run_totals SELECT run, outcome, COUNT(*), SUM(row_count), SUM(byte_count)
  FROM outcomes GROUP BY run, outcome;
)sql";

// From version 3, in which the method was in the record alone.
constexpr const char* kFromVersion3 = R"sql(
ALTER TABLE backups ADD COLUMN method TEXT NOT NULL DEFAULT '';
UPDATE backups SET method = json_extract(record, '$.method');
)sql";

// From version 4, in which backups were kept in the order of their ids. They are read by the index
// that they had: to sort them would take as much room again for temporary files.
constexpr const char* kFromVersion4 = R"sql(
PRAGMA cache_size = -20000;
DROP INDEX backups_by_run;
ALTER TABLE backups RENAME TO backups_by_id_alone;
)sql";
constexpr const char* kSelectOldBackups =
    "SELECT project, dataset, table_id, partition, consistent_through_ms, backup, run, method,"
    " suspect, verified_level, verified_ms, damaged_level, record FROM backups_by_id_alone"
    " ORDER BY project, dataset, table_id, partition, consistent_through_ms DESC, backup DESC";
constexpr const char* kInsertBackup =
    "INSERT INTO backups (project, dataset, table_id, partition, consistent_through_ms, backup,"
    " run, method, suspect, verified_level, verified_ms, damaged_level, record)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr const char* kAfterMove = R"sql(
DROP TABLE backups_by_id_alone;
PRAGMA cache_size = -2000;
)sql";
constexpr int64_t kMovedPerShow = 1'000;

// Added to any version: a program that does not know them plans nothing, and is not misled.
constexpr const char* kQuotaTables = R"sql(
CREATE TABLE IF NOT EXISTS quota_use (
  use_key TEXT NOT NULL,
  project TEXT NOT NULL,
  quota TEXT NOT NULL,
  day_ms INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (use_key, project, quota)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS quota_use_by_day ON quota_use (day_ms, project, quota, amount);

CREATE TABLE IF NOT EXISTS quota_waiting (
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  table_id TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (project, dataset, table_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS quota_waiting_by_time ON quota_waiting (seen_ms);
CREATE INDEX IF NOT EXISTS tasks_by_topic ON tasks (run, done, topic);
)sql";

// Likewise: a program that does not know them tells of less.
constexpr const char* kLossTables = R"sql(
CREATE TABLE IF NOT EXISTS backup_copies (
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  table_id TEXT NOT NULL,
  partition TEXT NOT NULL,
  backup TEXT NOT NULL,
  bucket TEXT NOT NULL,
  prefix TEXT NOT NULL,
  state INTEGER NOT NULL,
  level INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (backup, bucket, prefix)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS backup_copies_defects ON backup_copies
  (project, dataset, table_id, partition, backup, bucket, prefix) WHERE state >= 2;

CREATE TABLE IF NOT EXISTS accepted_losses (
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  table_id TEXT NOT NULL,
  partition TEXT NOT NULL,
  backup TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  withdrawn INTEGER NOT NULL,
  PRIMARY KEY (project, dataset, table_id, partition, backup)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accepted_losses_by_backup ON accepted_losses (backup);
)sql";

Result<int64_t> ReadNumber(SqliteDatabase& database, std::string_view sql) {
  int64_t number = 0;
  HF_RETURN_IF_ERROR(database.Query(sql, {}, [&](const SqlRow& row) -> Status {
    number = row.Int(0);
    return Ok();
  }));
  return number;
}

Status RunScripts(SqliteDatabase& database, const std::vector<const char*>& scripts) {
  for (const char* script : scripts) HF_RETURN_IF_ERROR(database.ExecuteScript(script));
  return Ok();
}

Status MoveBackups(SqliteDatabase& database, const SchemaProgress& on_progress) {
  HF_ASSIGN_OR_RETURN(const int64_t backups,
                      ReadNumber(database, "SELECT COUNT(*) FROM backups_by_id_alone"));
  int64_t moved = 0;
  const auto show = [&] {
    if (on_progress) on_progress(moved, backups);
  };
  show();
  const Status all = database.Query(kSelectOldBackups, {}, [&](const SqlRow& row) -> Status {
    HF_RETURN_IF_ERROR(database.Execute(
        kInsertBackup,
        {row.View(0), row.View(1), row.View(2), row.View(3), row.Int(4), row.View(5), row.View(6),
         row.View(7), row.Int(8), row.Int(9), row.Int(10), row.Int(11), row.View(12)}));
    if (++moved % kMovedPerShow == 0) show();
    return Ok();
  });
  HF_RETURN_IF_ERROR(all);
  show();
  return RunScripts(database, {kAfterMove, kBackupIndexes});
}

// The database has the tables: says that it has the present version.
Status FinishSchema(SqliteDatabase& database) {
  HF_RETURN_IF_ERROR(database.ExecuteScript(kQuotaTables));
  HF_RETURN_IF_ERROR(database.ExecuteScript(kLossTables));
  const std::string header = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                                         kApplicationId, kSchemaVersion);
  return database.ExecuteScript(header.c_str());
}

// From that version to the present one.
Status BringUpToDate(SqliteDatabase& database, int64_t version, const SchemaProgress& on_progress) {
  std::vector<const char*> scripts;
  if (version < 2) scripts.push_back(kFromVersion1);
  if (version < 3) scripts.push_back(kFromVersion2);
  if (version < 4) scripts.push_back(kFromVersion3);
  scripts.insert(scripts.end(), {kFromVersion4, kBackups});
  HF_RETURN_IF_ERROR(RunScripts(database, scripts));
  HF_RETURN_IF_ERROR(MoveBackups(database, on_progress));
  return FinishSchema(database);
}

}  // namespace

Status PrepareSchema(SqliteDatabase& database, const SchemaProgress& on_progress) {
  // In one transaction, so that two processes that start at once make the tables once.
  return database.Transact([&]() -> Status {
    HF_ASSIGN_OR_RETURN(const int64_t application, ReadNumber(database, "PRAGMA application_id"));
    HF_ASSIGN_OR_RETURN(const int64_t version, ReadNumber(database, "PRAGMA user_version"));
    HF_ASSIGN_OR_RETURN(const int64_t tables,
                        ReadNumber(database, "SELECT COUNT(*) FROM sqlite_master"));
    if (application == 0 && version == 0 && tables == 0) {
      HF_RETURN_IF_ERROR(RunScripts(database, {kBackups, kBackupIndexes, kOtherTables}));
      return FinishSchema(database);
    }
    if (application != kApplicationId) {
      return MakeError(ErrorId::kCatalogDamaged, "the file is a database of another program");
    }
    if (version > kSchemaVersion) {
      return MakeError(ErrorId::kCatalogVersion,
                       fmt::format("the catalog has version {}; this program knows version {}",
                                   version, kSchemaVersion));
    }
    if (version < kSchemaVersion) {
      HF_RETURN_IF_ERROR(BringUpToDate(database, version, on_progress));
    }
    HF_RETURN_IF_ERROR(database.ExecuteScript(kQuotaTables));
    return database.ExecuteScript(kLossTables);
  });
}

}  // namespace holdfast::catalog
