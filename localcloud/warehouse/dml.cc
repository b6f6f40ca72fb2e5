#include "localcloud/warehouse/dml.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "localcloud/warehouse/bindings.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/effect_scope.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/parquet_write.h"
#include "localcloud/warehouse/query_rows.h"
#include "localcloud/warehouse/result_schema.h"

namespace holdfast::warehouse {

namespace {

constexpr int kAttemptsMax = 5;
constexpr std::string_view kMatched = "temp.holdfast_matched";
constexpr std::string_view kTouched = "holdfast_touched";

Error InvalidStatement(std::string message) {
  return WithReason("invalidQuery", MakeError(ErrorId::kQueryFailed, std::move(message)));
}

// UPDATE, or DELETE when there are no assignments: both find rows and write their files anew.
struct Rewrite {
  const TableRef& table;
  const std::string& target_name;
  const std::vector<std::pair<std::string, std::string>>& assignments;
  const std::string& from_sql;
  const std::string& where_sql;
  const std::vector<Binding>& bindings;
  const std::vector<QueryParameter>& parameters;
  const std::stop_token& cancel;
};

Result<TableSnapshot> ReadTarget(Warehouse& warehouse, const TableRef& ref) {
  HF_ASSIGN_OR_RETURN(TableSnapshot snapshot, warehouse.store().Snapshot(ref.WholeTable()));
  const TableRecord& table = snapshot.table;
  if (table.kind != TableKind::kTable) {
    return WithReason("invalidQuery",
                      MakeError(ErrorId::kWarehouseReadOnly,
                                fmt::format("{} is a {} and cannot be changed",
                                            table.ref.ToString(), TableKindName(table.kind))));
  }
  if (table.streaming_buffer) {
    return WithReason(
        "invalidQuery",
        MakeError(ErrorId::kWarehouseStreaming,
                  fmt::format(
                      "UPDATE or DELETE statement over table {} would affect rows in the streaming "
                      "buffer, which is not supported",
                      table.ref.ToString())));
  }
  return snapshot;
}

// Puts the place of every row to change, and its new values, into the table of matches. Returns how
// many rows there are.
Result<int64_t> FindRows(BoundConnection& bound, const Rewrite& rewrite) {
  const std::string target = QuoteIdentifier(rewrite.target_name);
  std::string values;
  for (size_t i = 0; i < rewrite.assignments.size(); ++i) {
    values += fmt::format(", ({}\n) AS n{}", rewrite.assignments[i].second, i);
  }
  const std::string from = rewrite.from_sql.empty() ? "" : ", " + rewrite.from_sql;
  const std::string sql = fmt::format(
      "CREATE TEMP TABLE {} AS SELECT {}.{} AS f, {}.{} AS r{} FROM {}{} WHERE ({}\n)", kMatched,
      target, kFileColumn, target, kRowColumn, values, target, from, rewrite.where_sql);
  HF_ASSIGN_OR_RETURN(DuckStatement statement, bound.connection().Prepare(sql));
  HF_RETURN_IF_ERROR(BindParameters(statement, rewrite.parameters));
  HF_RETURN_IF_ERROR(statement.Run(rewrite.cancel));
  HF_ASSIGN_OR_RETURN(
      const auto counts,
      ReadTextRows(bound.connection(),
                   fmt::format("SELECT CAST(count(*) AS VARCHAR), CAST(count(DISTINCT (f, r)) AS "
                               "VARCHAR) FROM {}",
                               kMatched)));
  if (counts[0][0] != counts[0][1] && !rewrite.assignments.empty()) {
    return InvalidStatement("UPDATE/MERGE must match at most one source row for each target row");
  }
  return std::stoll(counts[0][1].value_or("0"));
}

// The snapshot with only the files that hold a row to change.
Result<TableSnapshot> RestrictToTouched(Warehouse& warehouse, BoundConnection& bound,
                                        TableSnapshot snapshot) {
  HF_ASSIGN_OR_RETURN(
      const auto rows,
      ReadTextRows(bound.connection(), fmt::format("SELECT DISTINCT f FROM {}", kMatched)));
  std::set<std::string> touched;
  for (const TextRow& row : rows) touched.insert(row[0].value_or(""));
  std::erase_if(snapshot.files, [&](const DataFile& file) {
    return !touched.contains(warehouse.files().Absolute(file.path));
  });
  return snapshot;
}

// The rows of the touched files as they shall be.
Result<std::string> RewrittenSelect(BoundConnection& bound, const Rewrite& rewrite,
                                    const Schema& schema, const std::string& touched) {
  const std::string relation = QuoteIdentifier(touched);
  const std::string joined = fmt::format("{} AS t {{}} JOIN {} AS m ON t.{} = m.f AND t.{} = m.r",
                                         relation, kMatched, kFileColumn, kRowColumn);
  HF_ASSIGN_OR_RETURN(const DuckStatement matched,
                      bound.connection().Prepare(fmt::format("SELECT * FROM {}", kMatched)));
  HF_ASSIGN_OR_RETURN(const Schema values, ResultSchema(matched, {}));
  std::map<const Field*, std::string> assigned;
  for (size_t i = 0; i < rewrite.assignments.size(); ++i) {
    const Field* field = schema.Find(rewrite.assignments[i].first);
    if (field == nullptr) {
      return InvalidStatement(fmt::format("Unrecognized name: {}", rewrite.assignments[i].first));
    }
    const Field& from = values.fields[i + 2];
    const auto value =
        AssignExpression(fmt::format("CAST(m.n{} AS {})", i, DuckType(from)), from, *field);
    if (!value) {
      return InvalidStatement(
          fmt::format("Value of type {} cannot be assigned to {}, which has "
                      "type {}",
                      SqlTypeName(from.type), field->name, SqlTypeName(field->type)));
    }
    assigned[field] = *value;
  }
  std::string columns;
  for (const Field& field : schema.fields) {
    const std::string name = QuoteIdentifier(field.name);
    const auto value = assigned.find(&field);
    columns += columns.empty() ? "" : ", ";
    columns += value == assigned.end()
                   ? fmt::format("t.{0} AS {0}", name)
                   : fmt::format("CASE WHEN m.f IS NULL THEN t.{0} ELSE {1} END AS {0}", name,
                                 value->second);
  }
  const bool deletes = rewrite.assignments.empty();
  return fmt::format("SELECT {} FROM {}", columns,
                     fmt::format(fmt::runtime(joined), deletes ? "ANTI" : "LEFT"));
}

// Rows of an ingestion-time table stay in their partition, so each partition is written by itself.
std::vector<TableSnapshot> SplitForWriting(const TableSnapshot& touched) {
  if (touched.table.partitioning.kind != PartitionKind::kIngestionTime) return {touched};
  std::map<std::string, TableSnapshot> by_partition;
  for (const DataFile& file : touched.files) {
    const auto [place, added] = by_partition.try_emplace(file.partition, touched);
    if (added) {
      place->second.files.clear();
      place->second.partition = file.partition;
    }
    place->second.files.push_back(file);
  }
  std::vector<TableSnapshot> parts;
  parts.reserve(by_partition.size());
  for (auto& [id, part] : by_partition) parts.push_back(std::move(part));
  return parts;
}

Result<std::vector<WrittenFiles>> WriteTouched(Warehouse& warehouse, BoundConnection& bound,
                                               const Rewrite& rewrite,
                                               const TableSnapshot& touched) {
  std::vector<WrittenFiles> written;
  for (const TableSnapshot& part : SplitForWriting(touched)) {
    const std::string name = fmt::format("{}_{}", kTouched, written.size());
    HF_RETURN_IF_ERROR(bound.BindSnapshot(
        warehouse, name, part, {.with_partition_columns = false, .with_row_identity = true}));
    ParquetWrite write;
    HF_ASSIGN_OR_RETURN(write.select_sql, RewrittenSelect(bound, rewrite, part.table.schema, name));
    write.schema = part.table.schema;
    write.partitioning = part.table.partitioning;
    write.partition = part.partition;
    write.cancel = rewrite.cancel;
    HF_ASSIGN_OR_RETURN(WrittenFiles files, WriteParquet(warehouse, bound.connection(), write));
    written.push_back(std::move(files));
  }
  return written;
}

Result<DmlResult> RunOnce(Warehouse& warehouse, const Rewrite& rewrite) {
  HF_ASSIGN_OR_RETURN(const TableSnapshot snapshot, ReadTarget(warehouse, rewrite.table));
  HF_ASSIGN_OR_RETURN(BoundConnection bound, BoundConnection::Open(warehouse, rewrite.bindings));
  HF_RETURN_IF_ERROR(
      bound.BindSnapshot(warehouse, rewrite.target_name, snapshot,
                         {.with_partition_columns = true, .with_row_identity = true}));
  HF_ASSIGN_OR_RETURN(const int64_t affected, FindRows(bound, rewrite));
  if (affected == 0) return DmlResult{.affected_rows = 0, .table = snapshot.table};
  HF_ASSIGN_OR_RETURN(const TableSnapshot touched, RestrictToTouched(warehouse, bound, snapshot));
  HF_ASSIGN_OR_RETURN(std::vector<WrittenFiles> written,
                      WriteTouched(warehouse, bound, rewrite, touched));
  VersionChange change;
  change.table = snapshot.table.ref;
  change.table_key = snapshot.table.table_key;
  change.added_schema = snapshot.table.schema;
  for (const WrittenFiles& files : written) {
    change.added.insert(change.added.end(), files.files.begin(), files.files.end());
  }
  for (const DataFile& file : touched.files) change.removed.push_back(file.path);
  EffectScope::Count({.rows = affected});
  HF_ASSIGN_OR_RETURN(TableRecord table, warehouse.store().Commit(change));
  for (WrittenFiles& files : written) files.published.Keep();
  return DmlResult{.affected_rows = affected, .table = std::move(table)};
}

Result<DmlResult> Run(Warehouse& warehouse, const Rewrite& rewrite) {
  for (int attempt = 1;; ++attempt) {
    Result<DmlResult> result = RunOnce(warehouse, rewrite);
    const bool conflict = !result.ok() && result.error().id == ErrorId::kWarehouseConflict;
    if (!conflict || attempt == kAttemptsMax) return result;
  }
}

}  // namespace

Result<DmlResult> Update(Warehouse& warehouse, const UpdateStatement& statement) {
  if (statement.assignments.empty()) return InvalidStatement("UPDATE sets no column");
  return Run(warehouse, Rewrite{statement.table, statement.target_name, statement.assignments,
                                statement.from_sql, statement.where_sql, statement.bindings,
                                statement.parameters, statement.cancel});
}

Result<DmlResult> Delete(Warehouse& warehouse, const DeleteStatement& statement) {
  return Run(warehouse, Rewrite{statement.table,
                                statement.target_name,
                                {},
                                {},
                                statement.where_sql,
                                statement.bindings,
                                statement.parameters,
                                statement.cancel});
}

Result<DmlResult> Truncate(Warehouse& warehouse, const TableRef& table) {
  HF_ASSIGN_OR_RETURN(const TableSnapshot before, warehouse.store().Snapshot(table));
  VersionChange change;
  change.table = table;
  change.table_key = before.table.table_key;
  change.disposition = WriteDisposition::kTruncate;
  change.partition = table.partition;
  const int64_t streamed = before.table.streaming_buffer && table.partition.empty()
                               ? before.table.streaming_buffer->estimated_rows
                               : 0;
  int64_t rows = streamed;
  for (const DataFile& file : before.files) rows += file.rows;
  EffectScope::Count({.rows = rows});
  HF_ASSIGN_OR_RETURN(TableRecord after, warehouse.store().Commit(change));
  return DmlResult{.affected_rows = rows, .table = std::move(after)};
}

}  // namespace holdfast::warehouse
