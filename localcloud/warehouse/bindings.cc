#include "localcloud/warehouse/bindings.h"

#include <fmt/format.h>

#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/buffer_rows.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/query_rows.h"

namespace holdfast::warehouse {

namespace {

Error InvalidQuery(std::string message) {
  return WithReason("invalidQuery", MakeError(ErrorId::kQueryFailed, std::move(message)));
}

// Buffered rows are not in a partition yet: only a look at the whole table has them.
bool ShowsBuffer(const TableSnapshot& snapshot, const std::string& partition) {
  return snapshot.is_current && snapshot.table.streaming_buffer.has_value() &&
         (partition.empty() || partition == kUnpartitioned);
}

}  // namespace

Result<BoundConnection> BoundConnection::Open(Warehouse& warehouse,
                                              const std::vector<Binding>& bindings) {
  HF_ASSIGN_OR_RETURN(Connection connection, warehouse.database().Connect());
  BoundConnection bound(std::move(connection));
  for (const Binding& binding : bindings) HF_RETURN_IF_ERROR(bound.Bind(warehouse, binding));
  return bound;
}

Status BoundConnection::Bind(Warehouse& warehouse, const Binding& binding) {
  const std::string name = QuoteIdentifier(binding.name);
  if (const auto* view = std::get_if<ViewBinding>(&binding.relation)) {
    HF_RETURN_IF_ERROR(PrepareSelect(view->sql, {}));
    return connection_.Execute(fmt::format("CREATE TEMP VIEW {} AS {}", name, view->sql));
  }
  if (const auto* literal = std::get_if<RowsBinding>(&binding.relation)) {
    std::vector<std::string> rows;
    for (const Json& row : literal->rows) rows.push_back(DumpJson(row));
    HF_ASSIGN_OR_RETURN(const std::string table, MakeRowsTable(warehouse, literal->schema, rows));
    return connection_.Execute(fmt::format("CREATE TEMP VIEW {} AS FROM {}", name, table));
  }
  if (const auto* source = std::get_if<SourceBinding>(&binding.relation)) {
    sources_.push_back(std::make_unique<RowSourceRegistration>(warehouse.database(), *source));
    return connection_.Execute(
        fmt::format("CREATE TEMP VIEW {} AS FROM {}", name, sources_.back()->relation()));
  }
  const auto& table = std::get<TableBinding>(binding.relation);
  HF_ASSIGN_OR_RETURN(const TableSnapshot snapshot,
                      warehouse.store().Snapshot(table.table, table.as_of_ms));
  return BindSnapshot(
      warehouse, binding.name, snapshot,
      {.with_partition_columns = table.with_partition_columns, .with_row_identity = false});
}

Status BoundConnection::BindSnapshot(Warehouse& warehouse, const std::string& name,
                                     const TableSnapshot& snapshot,
                                     const RelationOptions& options) {
  HF_ASSIGN_OR_RETURN(std::string sql, SnapshotSelect(warehouse.files(), snapshot, options));
  snapshots_.push_back(snapshot);
  if (!options.with_row_identity && ShowsBuffer(snapshot, snapshot.partition)) {
    HF_ASSIGN_OR_RETURN(const std::string buffer, MakeBufferTable(warehouse, snapshot));
    const bool with_time = options.with_partition_columns &&
                           snapshot.table.partitioning.kind == PartitionKind::kIngestionTime;
    sql += fmt::format(" UNION ALL SELECT *{} FROM {}",
                       with_time ? ", CAST(NULL AS TIMESTAMPTZ), CAST(NULL AS DATE)" : "", buffer);
  }
  return connection_.Execute(fmt::format("CREATE TEMP VIEW {} AS {}", QuoteIdentifier(name), sql));
}

Result<std::string> BoundConnection::MakeRowsTable(Warehouse& warehouse, const Schema& schema,
                                                   const std::vector<std::string>& rows) {
  const std::string name = fmt::format("temp.holdfast_rows_{}", ++tables_);
  JsonRowSource source(schema, rows,
                       {.ignore_unknown_values = true, .json_columns_are_text = true});
  const SourceRegistration registration(warehouse.database(), source);
  const Status created = connection_.Execute(
      fmt::format("CREATE TEMP TABLE {} AS FROM {}", name, registration.relation()));
  if (source.failure()) return *source.failure();
  HF_RETURN_IF_ERROR(created);
  return name;
}

Result<std::string> BoundConnection::MakeBufferTable(Warehouse& warehouse,
                                                     const TableSnapshot& snapshot) {
  HF_ASSIGN_OR_RETURN(std::vector<BufferedRow> buffered,
                      ReadBufferedRows(warehouse.store(), snapshot.table.table_key));
  std::vector<std::string> rows;
  rows.reserve(buffered.size());
  for (BufferedRow& row : buffered) rows.push_back(std::move(row.json));
  return MakeRowsTable(warehouse, snapshot.table.schema, rows);
}

Error BoundConnection::ErrorOf(Error error) const {
  for (const auto& source : sources_) {
    if (auto failure = source->failure()) return *std::move(failure);
  }
  return error;
}

Result<DuckStatement> BoundConnection::PrepareSelect(
    const std::string& sql, const std::vector<QueryParameter>& parameters) {
  HF_ASSIGN_OR_RETURN(DuckStatement statement, connection_.Prepare(sql));
  if (!statement.is_select()) return InvalidQuery("Only a SELECT can be run here");
  HF_RETURN_IF_ERROR(BindParameters(statement, parameters));
  return statement;
}

}  // namespace holdfast::warehouse
