// Versions of a table: committing one, and reading the table at one.
#include <fmt/format.h>

#include <algorithm>

#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/catalog_rows.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/effect_scope.h"
#include "localcloud/warehouse/table_store.h"

namespace holdfast::warehouse {

namespace {

Error TimeTravelError(const TableRef& ref, int64_t as_of_ms, std::string_view why) {
  return WithReason(
      "invalid",
      MakeError(ErrorId::kWarehouseTimeTravel,
                fmt::format("Invalid time travel timestamp {} for table {}:{}.{}@{}: {}", as_of_ms,
                            ref.project, ref.dataset, ref.table, as_of_ms, why)));
}

// `@0`: the oldest moment at which the table, or the last one of its name, can be read.
Result<int64_t> OldestMs(sqlite::Database& database, const TableRef& ref, int64_t now_ms) {
  HF_ASSIGN_OR_RETURN(const int64_t window_ms, TimeTravelWindowMs(database, ref.dataset_ref()));
  HF_ASSIGN_OR_RETURN(
      const auto created_ms,
      database.ReadInt("SELECT created_ms FROM tables WHERE project = ? AND dataset = ? AND "
                       "name = ? AND (deleted_ms IS NULL OR deleted_ms > ?) ORDER BY deleted_ms "
                       "IS NULL DESC, deleted_ms DESC LIMIT 1",
                       ref.project, ref.dataset, ref.table, now_ms - window_ms));
  if (!created_ms) return NotFoundError(ref);
  return std::max(now_ms - window_ms, *created_ms);
}

// kEmpty refuses a table (or partition) that has rows, streamed ones included.
Status CheckEmpty(sqlite::Database& database, const TableRecord& table,
                  const VersionChange& change) {
  HF_ASSIGN_OR_RETURN(
      const auto rows,
      change.partition.empty()
          ? database.ReadInt("SELECT SUM(rows) FROM files WHERE table_key = ? AND removed IS NULL",
                             table.table_key)
          : database.ReadInt("SELECT SUM(rows) FROM files WHERE table_key = ? AND removed IS NULL "
                             "AND partition_id = ?",
                             table.table_key, change.partition));
  const bool streamed = change.partition.empty() && table.streaming_buffer.has_value();
  if (rows.value_or(0) == 0 && !streamed) return Ok();
  return DuplicateError(fmt::format("Already Exists: Table {}:{}.{}", table.ref.project,
                                    table.ref.dataset,
                                    table.ref.WithPartition(change.partition).table));
}

Status AddFiles(sqlite::Database& database, int64_t table_key, const std::vector<DataFile>& files,
                int64_t version, int64_t schema_key, int64_t modified_ms) {
  for (const DataFile& file : files) {
    const int64_t key = file.schema_key != 0 ? file.schema_key : schema_key;
    HF_RETURN_IF_ERROR(database.Run(
        "INSERT INTO files(table_key, partition_id, path, rows, bytes, schema_key, modified_ms, "
        "added) VALUES (?,?,?,?,?,?,?,?)",
        table_key, file.partition, file.path, file.rows, file.bytes, key, modified_ms, version));
    HF_RETURN_IF_ERROR(TouchPartition(database, table_key, file.partition, modified_ms));
  }
  return Ok();
}

// Takes out the files that a statement replaces; each must still be live.
Status RemoveReplaced(sqlite::Database& database, const TableRecord& table,
                      const std::vector<std::string>& paths, const NewVersion& next) {
  for (const std::string& path : paths) {
    HF_RETURN_IF_ERROR(database.Run(
        "INSERT INTO partitions SELECT table_key, partition_id, ? FROM files WHERE table_key = ? "
        "AND path = ? AND removed IS NULL ON CONFLICT DO UPDATE SET modified_ms = "
        "excluded.modified_ms",
        next.committed_ms, table.table_key, path));
    HF_RETURN_IF_ERROR(database.Run(
        "UPDATE files SET removed = ? WHERE table_key = ? AND path = ? AND removed IS NULL",
        next.version, table.table_key, path));
    if (database.rows_changed() == 0) {
      return WithReason(
          "jobRateLimitExceeded",
          MakeError(
              ErrorId::kWarehouseConflict,
              fmt::format("Could not serialize access to table {}:{}.{} due to concurrent update",
                          table.ref.project, table.ref.dataset, table.ref.table)));
    }
  }
  return Ok();
}

Status CheckPartitionCount(sqlite::Database& database, const TableRecord& table) {
  if (!table.partitioning.IsPartitioned()) return Ok();
  HF_ASSIGN_OR_RETURN(const auto count,
                      database.ReadInt("SELECT COUNT(DISTINCT partition_id) FROM files WHERE "
                                       "table_key = ? AND removed IS NULL",
                                       table.table_key));
  if (count.value_or(0) <= kTablePartitionsMax) return Ok();
  return WithReason(
      "quotaExceeded",
      MakeError(ErrorId::kWarehouseInvalidRequest,
                fmt::format("Quota exceeded: table {}:{}.{} would have {} partitions, "
                            "more than {}",
                            table.ref.project, table.ref.dataset, table.ref.table, *count,
                            kTablePartitionsMax)));
}

Status RemoveStreamed(sqlite::Database& database, const TableRecord& table,
                      const VersionChange& change) {
  if (change.streamed) {
    HF_RETURN_IF_ERROR(database.Run("DELETE FROM buffer_rows WHERE table_key = ? AND sequence <= ?",
                                    table.table_key, change.streamed->through));
    if (database.rows_changed() == change.streamed->count) return Ok();
    return MakeError(
        ErrorId::kWarehouseConflict,
        fmt::format("{}: its streaming buffer was flushed meanwhile", table.ref.ToString()));
  }
  if (change.disposition == WriteDisposition::kTruncate && change.partition.empty()) {
    return database.Run("DELETE FROM buffer_rows WHERE table_key = ?", table.table_key);
  }
  return Ok();
}

Result<std::vector<DataFile>> ReadFiles(sqlite::Database& database, const TableRecord& table,
                                        const std::string& partition) {
  const std::string sql = fmt::format(
      "SELECT partition_id, path, rows, bytes, schema_key, modified_ms FROM files "
      "WHERE table_key = ? AND added <= ? AND (removed IS NULL OR removed > ?) {} "
      "ORDER BY partition_id, file_key",
      partition.empty() ? "AND ? = ''" : "AND partition_id = ?");
  HF_ASSIGN_OR_RETURN(
      auto rows, database.Prepare(sql, table.table_key, table.version, table.version, partition));
  std::vector<DataFile> files;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) return files;
    files.push_back(DataFile{.path = rows.Text(1),
                             .partition = rows.Text(0),
                             .rows = rows.Int(2),
                             .bytes = rows.Int(3),
                             .schema_key = rows.Int(4),
                             .last_modified_ms = rows.Int(5)});
  }
}

// Makes `table` what it was in its newest version at `as_of_ms`.
Status GoBack(sqlite::Database& database, TableRecord& table, int64_t as_of_ms) {
  HF_ASSIGN_OR_RETURN(
      auto row, database.Prepare("SELECT version, schema_key, num_rows, num_bytes FROM versions "
                                 "WHERE table_key = ? AND committed_ms <= ? "
                                 "ORDER BY version DESC LIMIT 1",
                                 table.table_key, as_of_ms));
  HF_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return TimeTravelError(table.ref, as_of_ms, "no version is that old");
  table.version = row.Int(0);
  HF_ASSIGN_OR_RETURN(table.schema, ReadSchema(database, row.Int(1)));
  table.num_rows = row.Int(2);
  table.num_bytes = row.Int(3);
  table.streaming_buffer.reset();
  return Ok();
}

}  // namespace

Result<std::vector<PartitionRecord>> TableStore::ListPartitions(const TableRef& ref) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const TableRecord table, FindUnexpired(ref));
  HF_ASSIGN_OR_RETURN(
      auto rows,
      database_->Prepare(
          "SELECT f.partition_id, SUM(f.rows), SUM(f.bytes), MAX(p.modified_ms, t.metadata_ms) "
          "FROM files f JOIN partitions p USING (table_key, partition_id) "
          "JOIN tables t USING (table_key) WHERE f.table_key = ? AND f.removed IS NULL "
          "GROUP BY f.partition_id ORDER BY f.partition_id",
          table.table_key));
  std::vector<PartitionRecord> partitions;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
    if (!found) return partitions;
    partitions.push_back(PartitionRecord{.id = rows.Text(0),
                                         .num_rows = rows.Int(1),
                                         .num_bytes = rows.Int(2),
                                         .last_modified_ms = rows.Int(3)});
  }
}

Status TableStore::Apply(const TableRecord& table, const VersionChange& change) {
  const NewVersion next = NextVersion(table, NowMs());
  const Schema& schema = change.schema ? *change.schema : table.schema;
  HF_ASSIGN_OR_RETURN(const int64_t schema_key, InternSchema(*database_, schema));
  if (change.disposition == WriteDisposition::kEmpty) {
    HF_RETURN_IF_ERROR(CheckEmpty(*database_, table, change));
  }
  const bool replaces_all =
      change.disposition == WriteDisposition::kTruncate && change.partition.empty();
  if (change.schema) {
    if (!replaces_all) HF_RETURN_IF_ERROR(CheckSchemaExtends(table.schema, schema));
    if (!table.ref.dataset.starts_with('_')) HF_RETURN_IF_ERROR(CheckFieldNames(schema));
    HF_RETURN_IF_ERROR(Partitioning::FromResource(table.resource, schema));
  }
  if (change.disposition == WriteDisposition::kTruncate) {
    const auto partition = replaces_all ? std::nullopt : std::optional(change.partition);
    HF_RETURN_IF_ERROR(RemoveLiveFiles(*database_, table.table_key, partition, next));
  }
  HF_RETURN_IF_ERROR(RemoveReplaced(*database_, table, change.removed, next));
  HF_ASSIGN_OR_RETURN(const int64_t added_key,
                      InternSchema(*database_, change.added_schema.value_or(schema)));
  HF_RETURN_IF_ERROR(AddFiles(*database_, table.table_key, change.added, next.version, added_key,
                              change.modified_ms.value_or(next.committed_ms)));
  HF_RETURN_IF_ERROR(CheckPartitionCount(*database_, table));
  HF_RETURN_IF_ERROR(RemoveStreamed(*database_, table, change));
  return RecordVersion(*database_, table, next, schema_key);
}

Result<TableRecord> TableStore::Commit(const VersionChange& change) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(const TableRecord table, FindUnexpired(change.table));
  if (table.kind != TableKind::kTable) {
    return WithReason(
        "invalid",
        MakeError(ErrorId::kWarehouseReadOnly,
                  fmt::format("{}:{}.{} is a {} and cannot be written", table.ref.project,
                              table.ref.dataset, table.ref.table, TableKindName(table.kind))));
  }
  if (change.table_key != 0 && change.table_key != table.table_key) {
    return MakeError(ErrorId::kWarehouseConflict,
                     fmt::format("{} was recreated meanwhile", table.ref.ToString()));
  }
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_RETURN_IF_ERROR(Apply(table, change));
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  HF_RETURN_IF_ERROR(transaction.Commit());
  return FindUnexpired(change.table);
}

Result<TableRecord> TableStore::CreateWithData(const TableDefinition& definition,
                                               VersionChange change) {
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*database_));
  HF_RETURN_IF_ERROR(Create(definition));
  HF_ASSIGN_OR_RETURN(const TableRecord table, FindLiveTable(*database_, definition.ref));
  HF_RETURN_IF_ERROR(Apply(table, change));
  HF_RETURN_IF_ERROR(EffectScope::Apply(*database_));
  HF_RETURN_IF_ERROR(transaction.Commit());
  return FindUnexpired(definition.ref);
}

Result<TableRecord> TableStore::FindAsOf(const TableRef& ref, int64_t as_of_ms) {
  HF_ASSIGN_OR_RETURN(const int64_t window_ms, TimeTravelWindowMs(*database_, ref.dataset_ref()));
  if (as_of_ms < NowMs() - window_ms) {
    return TimeTravelError(ref, as_of_ms, "before the time-travel window");
  }
  Result<TableRecord> live = FindUnexpired(ref);
  if (live.ok()) {
    if (as_of_ms >= live->created_ms) return live;
    return TimeTravelError(ref, as_of_ms, "the table was created later");
  }
  if (live.error().id != ErrorId::kWarehouseNotFound) return live;
  HF_RETURN_IF_ERROR(GetDataset(ref.dataset_ref()));
  HF_ASSIGN_OR_RETURN(
      auto row, database_->Prepare(fmt::format("SELECT {} FROM tables WHERE project = ? AND "
                                               "dataset = ? AND name = ? AND created_ms <= ? AND "
                                               "deleted_ms > ? ORDER BY deleted_ms DESC LIMIT 1",
                                               kTableColumns),
                                   ref.project, ref.dataset, ref.table, as_of_ms, as_of_ms));
  HF_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return NotFoundError(ref);
  return ReadTableRow(*database_, row);
}

Result<TableSnapshot> TableStore::Snapshot(const TableRef& ref, std::optional<int64_t> as_of_ms) {
  const std::lock_guard lock(mutex_);
  TableSnapshot snapshot;
  if (as_of_ms == 0) {
    HF_ASSIGN_OR_RETURN(as_of_ms, OldestMs(*database_, ref, NowMs()));
  }
  if (as_of_ms && *as_of_ms < NowMs()) {
    HF_ASSIGN_OR_RETURN(snapshot.table, FindAsOf(ref, *as_of_ms));
    HF_RETURN_IF_ERROR(GoBack(*database_, snapshot.table, *as_of_ms));
    snapshot.is_current = false;
  } else {
    HF_ASSIGN_OR_RETURN(snapshot.table, FindUnexpired(ref));
  }
  if (!ref.partition.empty()) {
    HF_RETURN_IF_ERROR(ValidatePartitionId(snapshot.table.partitioning, ref.partition));
  }
  snapshot.partition = ref.partition;
  HF_ASSIGN_OR_RETURN(snapshot.files, ReadFiles(*database_, snapshot.table, ref.partition));
  for (const DataFile& file : snapshot.files) {
    const auto known = std::ranges::find(snapshot.file_schemas, file.schema_key,
                                         &std::pair<int64_t, Schema>::first);
    if (known != snapshot.file_schemas.end()) continue;
    HF_ASSIGN_OR_RETURN(Schema schema, ReadSchema(*database_, file.schema_key));
    snapshot.file_schemas.emplace_back(file.schema_key, std::move(schema));
  }
  Pin(snapshot);
  return snapshot;
}

void TableStore::Pin(TableSnapshot& snapshot) {
  auto paths = std::make_shared<std::vector<std::string>>();
  paths->reserve(snapshot.files.size());
  for (const DataFile& file : snapshot.files) paths->push_back(file.path);
  std::erase_if(pins_, [](const auto& pin) { return pin.expired(); });
  pins_.emplace_back(paths);
  snapshot.pin = std::move(paths);
}

}  // namespace holdfast::warehouse
