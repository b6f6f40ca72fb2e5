#include "localcloud/warehouse/streaming_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/buffer_rows.h"
#include "localcloud/warehouse/catalog_rows.h"
#include "localcloud/warehouse/json_rows.h"
#include "localcloud/warehouse/parquet_write.h"

namespace holdfast::warehouse {

namespace {

constexpr size_t kRequestRowsMax = 50'000;    // BigQuery: rows per insertAll request
constexpr int64_t kDeduplicationMs = 60'000;  // BigQuery: "at least one minute", best effort
constexpr int kFlushAttemptsMax = 5;  // the buffer may be truncated, the table recreated meanwhile

Result<TableRecord> FindTarget(Warehouse& warehouse, const TableRef& ref) {
  HF_ASSIGN_OR_RETURN(TableRecord table, warehouse.store().GetTable(ref));
  if (table.kind != TableKind::kTable) {
    return WithReason("invalid", MakeError(ErrorId::kWarehouseReadOnly,
                                           fmt::format("Cannot add rows to a table of type {}",
                                                       TableKindName(table.kind))));
  }
  if (table.schema.fields.empty()) {
    return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidSchema,
                                           fmt::format("The destination table {} has no schema",
                                                       ref.ToString())));
  }
  if (!ref.partition.empty()) {
    HF_RETURN_IF_ERROR(ValidatePartitionId(table.partitioning, ref.partition));
  }
  return table;
}

std::vector<InsertError> CheckRows(const InsertRequest& request, const Schema& schema,
                                   const std::vector<std::string>& texts) {
  JsonRowParser parser(schema, {.ignore_unknown_values = request.ignore_unknown_values,
                                .json_columns_are_text = true});
  std::vector<InsertError> errors;
  std::vector<bool> bad(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto error = parser.Check(texts[i]);
    if (!error) continue;
    bad[i] = true;
    errors.push_back({static_cast<int64_t>(i), "invalid", error->location, error->message});
  }
  if (errors.empty() || request.skip_invalid_rows) return errors;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!bad[i]) errors.push_back({static_cast<int64_t>(i), "stopped", "", ""});
  }
  std::ranges::sort(errors, {}, &InsertError::index);
  return errors;
}

// Whether the row was inserted within the last minute; remembers it if not.
Result<bool> IsRepeated(sqlite::Database& database, int64_t table_key, const std::string& insert_id,
                        int64_t now_ms) {
  if (insert_id.empty()) return false;
  HF_RETURN_IF_ERROR(database.Run("INSERT OR IGNORE INTO recent_inserts VALUES (?,?,?)", table_key,
                                  insert_id, now_ms));
  return database.rows_changed() == 0;
}

Status StoreRows(Warehouse& warehouse, const InsertRequest& request,
                 const std::vector<std::string>& texts, const std::vector<InsertError>& errors) {
  const std::lock_guard lock(warehouse.store().mutex());
  sqlite::Database& database = warehouse.store().database();
  const int64_t now_ms = ToUnixMillis(warehouse.clock().Now());
  std::vector<bool> refused(texts.size());
  for (const InsertError& error : errors) refused[static_cast<size_t>(error.index)] = true;
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(database));
  HF_ASSIGN_OR_RETURN(const TableRecord table, FindLiveTable(database, request.table));
  HF_RETURN_IF_ERROR(
      database.Run("DELETE FROM recent_inserts WHERE arrival_ms <= ?", now_ms - kDeduplicationMs));
  for (size_t i = 0; i < texts.size(); ++i) {
    if (refused[i]) continue;
    HF_ASSIGN_OR_RETURN(const bool repeated,
                        IsRepeated(database, table.table_key, request.rows[i].insert_id, now_ms));
    if (repeated) continue;
    HF_RETURN_IF_ERROR(
        database.Run("INSERT INTO buffer_rows(table_key, partition_id, arrival_ms, bytes, row) "
                     "VALUES (?,?,?,?,?)",
                     table.table_key, request.table.partition, now_ms,
                     static_cast<int64_t>(texts[i].size()), texts[i]));
  }
  return transaction.Commit();
}

// Buffered rows by the partition that they are written to; "" when the rows say it themselves.
std::map<std::string, std::vector<std::string>> GroupByPartition(
    const Partitioning& partitioning, std::vector<BufferedRow>& buffered) {
  std::map<std::string, std::vector<std::string>> groups;
  for (BufferedRow& row : buffered) {
    std::string partition = row.partition;
    if (partition.empty() && partitioning.kind == PartitionKind::kIngestionTime) {
      partition = PartitionIdOfTime(partitioning, FromUnixMillis(row.arrival_ms));
    }
    groups[partition].push_back(std::move(row.json));
  }
  return groups;
}

Result<WrittenFiles> WriteGroup(Warehouse& warehouse, const TableRecord& table,
                                const std::string& partition, std::vector<std::string> rows) {
  HF_ASSIGN_OR_RETURN(Connection connection, warehouse.database().Connect());
  JsonRowSource source(table.schema, std::move(rows),
                       {.ignore_unknown_values = true, .json_columns_are_text = true});
  const SourceRegistration registration(warehouse.database(), source);
  ParquetWrite write;
  write.select_sql = "SELECT * FROM " + registration.relation();
  write.schema = table.schema;
  write.partitioning = table.partitioning;
  write.partition = partition;
  Result<WrittenFiles> written = WriteParquet(warehouse, connection, write);
  if (!written.ok() && source.failure()) return *source.failure();
  return written;
}

Status FlushOnce(Warehouse& warehouse, const TableRef& ref) {
  HF_ASSIGN_OR_RETURN(const TableRecord table, warehouse.store().GetTable(ref));
  if (!table.streaming_buffer) return Ok();
  HF_ASSIGN_OR_RETURN(std::vector<BufferedRow> buffered,
                      ReadBufferedRows(warehouse.store(), table.table_key));
  if (buffered.empty()) return Ok();
  VersionChange change;
  change.table = ref.WholeTable();
  change.table_key = table.table_key;
  change.added_schema = table.schema;
  change.streamed = StreamedRows{.through = buffered.back().sequence,
                                 .count = static_cast<int64_t>(buffered.size())};
  // Rows that leave the buffer late carry the time at which they were streamed (trap 5).
  change.modified_ms = buffered.back().arrival_ms;
  std::vector<WrittenFiles> written;
  for (auto& [partition, rows] : GroupByPartition(table.partitioning, buffered)) {
    HF_ASSIGN_OR_RETURN(WrittenFiles files,
                        WriteGroup(warehouse, table, partition, std::move(rows)));
    change.added.insert(change.added.end(), files.files.begin(), files.files.end());
    written.push_back(std::move(files));
  }
  HF_RETURN_IF_ERROR(warehouse.store().Commit(change));
  for (WrittenFiles& files : written) files.published.Keep();
  return Ok();
}

}  // namespace

Result<std::vector<InsertError>> InsertRows(Warehouse& warehouse, const InsertRequest& request) {
  HF_ASSIGN_OR_RETURN(const TableRecord table, FindTarget(warehouse, request.table));
  if (request.rows.size() > kRequestRowsMax) {
    return WithReason("invalid",
                      MakeError(ErrorId::kLimitExceeded,
                                fmt::format("too many rows present in the request, limit: {} row "
                                            "count: {}",
                                            kRequestRowsMax, request.rows.size())));
  }
  std::vector<Json> rows;
  rows.reserve(request.rows.size());
  for (const InsertRow& row : request.rows) rows.push_back(row.json);
  HF_RETURN_IF_ERROR(FillDefaults(warehouse, table.schema, request.default_sql, rows));
  std::vector<std::string> texts;
  texts.reserve(rows.size());
  for (const Json& row : rows) texts.push_back(DumpJson(row));
  std::vector<InsertError> errors = CheckRows(request, table.schema, texts);
  if (errors.size() < texts.size()) {
    HF_RETURN_IF_ERROR(StoreRows(warehouse, request, texts, errors));
  }
  return errors;
}

Status FlushBuffer(Warehouse& warehouse, const TableRef& table) {
  const std::lock_guard one_at_a_time(warehouse.flush_mutex());
  for (int attempt = 1;; ++attempt) {
    Status status = FlushOnce(warehouse, table);
    const bool conflict = !status.ok() && status.error().id == ErrorId::kWarehouseConflict;
    if (!conflict || attempt == kFlushAttemptsMax) return status;
  }
}

Status FlushDueBuffers(Warehouse& warehouse) {
  std::vector<TableRef> due;
  {
    const std::lock_guard lock(warehouse.store().mutex());
    const int64_t oldest_ms = ToUnixMillis(warehouse.clock().Now()) - kBufferAgeMaxMs;
    HF_ASSIGN_OR_RETURN(
        auto rows,
        warehouse.store().database().Prepare(
            "SELECT project, dataset, name FROM buffer_rows JOIN tables USING (table_key)"
            " WHERE deleted_ms IS NULL GROUP BY table_key HAVING COUNT(*) >= ? OR "
            "SUM(bytes) >= ? OR MIN(arrival_ms) <= ?",
            kBufferRowsMax, kBufferBytesMax, oldest_ms));
    while (true) {
      HF_ASSIGN_OR_RETURN(const bool found, rows.Step());
      if (!found) break;
      due.push_back(TableRef{rows.Text(0), rows.Text(1), rows.Text(2), {}});
    }
  }
  for (const TableRef& table : due) HF_RETURN_IF_ERROR(FlushBuffer(warehouse, table));
  return Ok();
}

}  // namespace holdfast::warehouse
