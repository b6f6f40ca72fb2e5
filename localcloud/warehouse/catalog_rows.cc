#include "localcloud/warehouse/catalog_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace holdfast::warehouse {

namespace {

constexpr size_t kEtagLength = 22;

constexpr char kCatalogSql[] = R"sql(
CREATE TABLE IF NOT EXISTS datasets(
  project TEXT NOT NULL, dataset TEXT NOT NULL, resource TEXT NOT NULL, revision INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL,
  PRIMARY KEY(project, dataset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tables(
  table_key INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT NOT NULL, dataset TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL,
  resource TEXT NOT NULL, schema_key INTEGER NOT NULL, revision INTEGER NOT NULL,
  version INTEGER NOT NULL, created_ms INTEGER NOT NULL, data_ms INTEGER NOT NULL,
  metadata_ms INTEGER NOT NULL, expiration_ms INTEGER, deleted_ms INTEGER,
  num_rows INTEGER NOT NULL DEFAULT 0, num_bytes INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX IF NOT EXISTS live_tables ON tables(project, dataset, name)
  WHERE deleted_ms IS NULL;
CREATE INDEX IF NOT EXISTS deleted_tables ON tables(project, dataset, name, deleted_ms)
  WHERE deleted_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS expiring_tables ON tables(expiration_ms)
  WHERE deleted_ms IS NULL AND expiration_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS schemas(schema_key INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS versions(
  table_key INTEGER NOT NULL, version INTEGER NOT NULL, committed_ms INTEGER NOT NULL,
  schema_key INTEGER NOT NULL, num_rows INTEGER NOT NULL, num_bytes INTEGER NOT NULL,
  PRIMARY KEY(table_key, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files(
  file_key INTEGER PRIMARY KEY, table_key INTEGER NOT NULL, partition_id TEXT NOT NULL,
  path TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, schema_key INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL, added INTEGER NOT NULL, removed INTEGER);
CREATE INDEX IF NOT EXISTS live_files ON files(table_key, partition_id) WHERE removed IS NULL;
CREATE INDEX IF NOT EXISTS past_files ON files(table_key, removed) WHERE removed IS NOT NULL;
CREATE INDEX IF NOT EXISTS file_paths ON files(path);
CREATE TABLE IF NOT EXISTS partitions(
  table_key INTEGER NOT NULL, partition_id TEXT NOT NULL, modified_ms INTEGER NOT NULL,
  PRIMARY KEY(table_key, partition_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buffer_rows(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, table_key INTEGER NOT NULL,
  partition_id TEXT NOT NULL, arrival_ms INTEGER NOT NULL, bytes INTEGER NOT NULL,
  row TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS buffer_tables ON buffer_rows(table_key, sequence);
CREATE TABLE IF NOT EXISTS recent_inserts(
  table_key INTEGER NOT NULL, insert_id TEXT NOT NULL, arrival_ms INTEGER NOT NULL,
  PRIMARY KEY(table_key, insert_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recent_insert_times ON recent_inserts(arrival_ms);
)sql";

std::string Etag(int64_t key, int64_t version, int64_t revision) {
  return Base64Encode(Sha256Hex(fmt::format("{} {} {}", key, version, revision)))
      .substr(0, kEtagLength);
}

Result<std::optional<StreamingBufferRecord>> ReadStreamingBuffer(sqlite::Database& database,
                                                                 int64_t table_key) {
  HF_ASSIGN_OR_RETURN(auto row, database.Prepare("SELECT COUNT(*), SUM(bytes), MIN(arrival_ms) "
                                                 "FROM buffer_rows WHERE table_key = ?",
                                                 table_key));
  HF_RETURN_IF_ERROR(row.Step());
  if (row.Int(0) == 0) return std::optional<StreamingBufferRecord>();
  return std::optional(StreamingBufferRecord{
      .estimated_rows = row.Int(0), .estimated_bytes = row.Int(1), .oldest_entry_ms = row.Int(2)});
}

}  // namespace

const std::string_view kTableColumns =
    "table_key, project, dataset, name, kind, resource, schema_key, revision, version, created_ms, "
    "data_ms, metadata_ms, expiration_ms, num_rows, num_bytes";

Status CreateCatalog(sqlite::Database& database) { return database.Execute(kCatalogSql); }

Error NotFoundError(const TableRef& ref) {
  return WithReason("notFound", MakeError(ErrorId::kWarehouseNotFound,
                                          fmt::format("Not found: Table {}:{}.{}", ref.project,
                                                      ref.dataset, ref.table)));
}

Error NotFoundError(const DatasetRef& ref) {
  return WithReason("notFound",
                    MakeError(ErrorId::kWarehouseNotFound,
                              fmt::format("Not found: Dataset {}:{}", ref.project, ref.dataset)));
}

Error DuplicateError(std::string message) {
  return WithReason("duplicate", MakeError(ErrorId::kWarehouseExists, std::move(message)));
}

Result<int64_t> TimeTravelWindowMs(sqlite::Database& database, const DatasetRef& ref) {
  HF_ASSIGN_OR_RETURN(auto row, database.Prepare("SELECT resource FROM datasets "
                                                 "WHERE project = ? AND dataset = ?",
                                                 ref.project, ref.dataset));
  HF_ASSIGN_OR_RETURN(const bool found, row.Step());
  int64_t hours = kTimeTravelHoursDefault;
  if (found) {
    HF_ASSIGN_OR_RETURN(const Json resource, ParseJson(row.Text(0)));
    hours = Int64Or(resource, "maxTimeTravelHours", hours);
  }
  return hours * 3'600'000;
}

Result<int64_t> InternSchema(sqlite::Database& database, const Schema& schema) {
  const std::string json = DumpJson(schema.ToJson());
  HF_RETURN_IF_ERROR(database.Run("INSERT OR IGNORE INTO schemas(json) VALUES (?)", json));
  HF_ASSIGN_OR_RETURN(const auto key,
                      database.ReadInt("SELECT schema_key FROM schemas WHERE json = ?", json));
  return key.value_or(0);
}

Result<Schema> ReadSchema(sqlite::Database& database, int64_t schema_key) {
  HF_ASSIGN_OR_RETURN(
      auto row, database.Prepare("SELECT json FROM schemas WHERE schema_key = ?", schema_key));
  HF_RETURN_IF_ERROR(row.Step());
  HF_ASSIGN_OR_RETURN(const Json json, ParseJson(row.Text(0)));
  return Schema::FromJson(json);
}

Result<TableRecord> ReadTableRow(sqlite::Database& database, const sqlite::Statement& row) {
  TableRecord table;
  table.table_key = row.Int(0);
  table.ref = TableRef{row.Text(1), row.Text(2), row.Text(3), {}};
  table.kind = static_cast<TableKind>(row.Int(4));
  HF_ASSIGN_OR_RETURN(table.resource, ParseJson(row.Text(5)));
  HF_ASSIGN_OR_RETURN(table.schema, ReadSchema(database, row.Int(6)));
  table.version = row.Int(8);
  table.etag = Etag(table.table_key, table.version, row.Int(7));
  table.created_ms = row.Int(9);
  table.data_modified_ms = row.Int(10);
  table.last_modified_ms = std::max(table.data_modified_ms, row.Int(11));
  table.expiration_ms = row.OptionalInt(12);
  table.num_rows = row.Int(13);
  table.num_bytes = row.Int(14);
  HF_ASSIGN_OR_RETURN(table.partitioning, Partitioning::FromResource(table.resource, table.schema));
  HF_ASSIGN_OR_RETURN(table.streaming_buffer, ReadStreamingBuffer(database, table.table_key));
  return table;
}

Result<TableRecord> FindLiveTable(sqlite::Database& database, const TableRef& ref) {
  HF_ASSIGN_OR_RETURN(
      auto row, database.Prepare(fmt::format("SELECT {} FROM tables WHERE project = ? AND "
                                             "dataset = ? AND name = ? AND deleted_ms IS NULL",
                                             kTableColumns),
                                 ref.project, ref.dataset, ref.table));
  HF_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return NotFoundError(ref);
  return ReadTableRow(database, row);
}

Result<int64_t> InsertTable(sqlite::Database& database, const TableDefinition& definition,
                            int64_t now_ms) {
  const TableRef& ref = definition.ref;
  HF_ASSIGN_OR_RETURN(const auto existing,
                      database.ReadInt("SELECT table_key FROM tables WHERE project = ? AND "
                                       "dataset = ? AND name = ? AND deleted_ms IS NULL",
                                       ref.project, ref.dataset, ref.table));
  if (existing) {
    return DuplicateError(
        fmt::format("Already Exists: Table {}:{}.{}", ref.project, ref.dataset, ref.table));
  }
  HF_RETURN_IF_ERROR(Partitioning::FromResource(definition.resource, definition.schema));
  HF_ASSIGN_OR_RETURN(const auto expiration, OptionalInt64(definition.resource, "expirationTime"));
  HF_ASSIGN_OR_RETURN(const int64_t schema_key, InternSchema(database, definition.schema));
  HF_RETURN_IF_ERROR(database.Run(
      "INSERT INTO tables(project, dataset, name, kind, resource, schema_key, revision, version, "
      "created_ms, data_ms, metadata_ms, expiration_ms) VALUES (?,?,?,?,?,?,1,1,?,?,?,?)",
      ref.project, ref.dataset, ref.table, static_cast<int64_t>(definition.kind),
      DumpJson(definition.resource), schema_key, now_ms, now_ms, now_ms, expiration));
  const int64_t table_key = database.last_insert_id();
  HF_RETURN_IF_ERROR(database.Run("INSERT INTO versions VALUES (?, 1, ?, ?, 0, 0)", table_key,
                                  now_ms, schema_key));
  return table_key;
}

Status MarkTableDeleted(sqlite::Database& database, int64_t table_key, int64_t deleted_ms) {
  HF_RETURN_IF_ERROR(
      database.Run("UPDATE tables SET deleted_ms = ? WHERE table_key = ?", deleted_ms, table_key));
  HF_RETURN_IF_ERROR(database.Run("DELETE FROM buffer_rows WHERE table_key = ?", table_key));
  return database.Run("DELETE FROM recent_inserts WHERE table_key = ?", table_key);
}

NewVersion NextVersion(const TableRecord& table, int64_t now_ms) {
  // A clock that was set back must not let a later version look older.
  return {.version = table.version + 1, .committed_ms = std::max(now_ms, table.last_modified_ms)};
}

Status RecordVersion(sqlite::Database& database, const TableRecord& table, const NewVersion& next,
                     int64_t schema_key) {
  HF_ASSIGN_OR_RETURN(
      auto sums,
      database.Prepare("SELECT COALESCE(SUM(rows), 0), COALESCE(SUM(bytes), 0) FROM files "
                       "WHERE table_key = ? AND removed IS NULL",
                       table.table_key));
  HF_RETURN_IF_ERROR(sums.Step());
  const int64_t rows = sums.Int(0);
  const int64_t bytes = sums.Int(1);
  HF_RETURN_IF_ERROR(database.Run("INSERT INTO versions VALUES (?,?,?,?,?,?)", table.table_key,
                                  next.version, next.committed_ms, schema_key, rows, bytes));
  return database.Run(
      "UPDATE tables SET version = ?, schema_key = ?, data_ms = ?, num_rows = ?, num_bytes = ? "
      "WHERE table_key = ?",
      next.version, schema_key, next.committed_ms, rows, bytes, table.table_key);
}

Status TouchPartition(sqlite::Database& database, int64_t table_key, const std::string& partition,
                      int64_t modified_ms) {
  return database.Run(
      "INSERT INTO partitions VALUES (?,?,?) ON CONFLICT DO UPDATE "
      "SET modified_ms = MAX(modified_ms, excluded.modified_ms)",
      table_key, partition, modified_ms);
}

Status RemoveLiveFiles(sqlite::Database& database, int64_t table_key,
                       const std::optional<std::string>& partition, const NewVersion& next) {
  if (partition) {
    HF_RETURN_IF_ERROR(
        database.Run("UPDATE files SET removed = ? WHERE table_key = ? AND "
                     "partition_id = ? AND removed IS NULL",
                     next.version, table_key, *partition));
    return TouchPartition(database, table_key, *partition, next.committed_ms);
  }
  HF_RETURN_IF_ERROR(
      database.Run("UPDATE files SET removed = ? WHERE table_key = ? AND removed IS NULL",
                   next.version, table_key));
  return database.Run("UPDATE partitions SET modified_ms = MAX(modified_ms, ?) WHERE table_key = ?",
                      next.committed_ms, table_key);
}

Result<bool> ExpireTable(sqlite::Database& database, const TableRecord& table, int64_t now_ms) {
  if (table.expiration_ms && *table.expiration_ms <= now_ms) {
    HF_RETURN_IF_ERROR(MarkTableDeleted(database, table.table_key,
                                        std::max(*table.expiration_ms, table.created_ms)));
    return true;
  }
  if (table.partitioning.expiration_ms == 0) return false;
  HF_ASSIGN_OR_RETURN(auto rows, database.Prepare("SELECT DISTINCT partition_id FROM files "
                                                  "WHERE table_key = ? AND removed IS NULL",
                                                  table.table_key));
  std::vector<std::string> expired;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) break;
    const auto expiry = PartitionExpiry(table.partitioning, rows.Text(0));
    if (expiry && ToUnixMillis(*expiry) <= now_ms) expired.push_back(rows.Text(0));
  }
  if (expired.empty()) return false;
  const NewVersion next = NextVersion(table, now_ms);
  for (const std::string& partition : expired) {
    HF_RETURN_IF_ERROR(RemoveLiveFiles(database, table.table_key, partition, next));
  }
  HF_ASSIGN_OR_RETURN(const int64_t schema_key, InternSchema(database, table.schema));
  HF_RETURN_IF_ERROR(RecordVersion(database, table, next, schema_key));
  return false;
}

}  // namespace holdfast::warehouse
