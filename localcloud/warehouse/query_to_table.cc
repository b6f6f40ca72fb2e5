// A query's result as the next version of a table: INSERT, CREATE TABLE AS, anonymous results.
#include <fmt/format.h>

#include <algorithm>

#include "localcloud/warehouse/bindings.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/destination.h"
#include "localcloud/warehouse/effect_scope.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/parquet_write.h"
#include "localcloud/warehouse/query.h"
#include "localcloud/warehouse/result_schema.h"

namespace holdfast::warehouse {

namespace {

Error DestinationError(std::string message) {
  return WithReason("invalidQuery",
                    MakeError(ErrorId::kWarehouseInvalidSchema, std::move(message)));
}

// For each field of the target, the position of the result's column that fills it, or -1.
Result<std::vector<int>> MatchColumns(const Schema& result, const Schema& target,
                                      const std::vector<std::string>& by_position) {
  std::vector<int> sources(target.fields.size(), -1);
  if (!by_position.empty() && by_position.size() != result.fields.size()) {
    return DestinationError(fmt::format("Inserted row has wrong column count; Has {}, expected {}",
                                        result.fields.size(), by_position.size()));
  }
  for (size_t i = 0; i < result.fields.size(); ++i) {
    const std::string& name = by_position.empty() ? result.fields[i].name : by_position[i];
    const Field* field = target.Find(name);
    if (field == nullptr) {
      return DestinationError(fmt::format("Column {} is not present in the table", name));
    }
    int& source = sources[static_cast<size_t>(field - target.fields.data())];
    if (source >= 0) return DestinationError(fmt::format("Column {} is named twice", name));
    source = static_cast<int>(i);
  }
  return sources;
}

// A SELECT of the target's fields from the result's columns.
Result<std::string> MappedSelect(const std::string& sql, const Schema& result, const Schema& target,
                                 const std::vector<int>& sources) {
  std::string columns;
  std::string positions;
  for (size_t i = 0; i < result.fields.size(); ++i) {
    positions += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
  }
  for (size_t i = 0; i < target.fields.size(); ++i) {
    const Field& field = target.fields[i];
    std::string value = AbsentExpression(field);
    if (sources[i] >= 0) {
      const Field& from = result.fields[static_cast<size_t>(sources[i])];
      // DuckDB's own type may be narrower than the stored one (INTEGER, DECIMAL(3,1)).
      const std::string stored = fmt::format("CAST(c{} AS {})", sources[i], DuckType(from));
      const auto assigned = AssignExpression(stored, from, field);
      if (!assigned) {
        return DestinationError(fmt::format(
            "Query column {} has type {} which cannot be inserted into "
            "column {}, which has type {}",
            sources[i] + 1, SqlTypeName(from.type), field.name, SqlTypeName(field.type)));
      }
      value = *assigned;
    }
    columns += fmt::format("{}{} AS {}", i == 0 ? "" : ", ", value, QuoteIdentifier(field.name));
  }
  return fmt::format("SELECT {} FROM ({}\n) AS query_result({})", columns, sql, positions);
}

std::vector<std::string> Names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields) names.push_back(field.name);
  return names;
}

}  // namespace

Result<QueryToTableResult> QueryToTable(Warehouse& warehouse, const QueryToTableRequest& request,
                                        const std::vector<std::string>& insert_columns) {
  HF_ASSIGN_OR_RETURN(const Destination destination,
                      FindDestination(warehouse, {.ref = request.destination,
                                                  .create = request.create_disposition,
                                                  .disposition = request.write_disposition,
                                                  .resource = request.table_resource,
                                                  .replace = request.replace_table}));
  const Query& query = request.query;
  HF_ASSIGN_OR_RETURN(BoundConnection bound, BoundConnection::Open(warehouse, query.bindings));
  Schema result;
  {
    HF_ASSIGN_OR_RETURN(const DuckStatement statement,
                        bound.PrepareSelect(query.sql, query.parameters));
    HF_ASSIGN_OR_RETURN(result, ResultSchema(statement, query.column_hints));
  }
  Schema target = request.schema.value_or(result);
  std::vector<std::string> by_position = insert_columns;
  if (destination.KeepsSchema()) {
    target = destination.existing->schema;
  } else if (request.schema) {
    by_position = Names(target);
  }
  HF_ASSIGN_OR_RETURN(const std::vector<int> sources, MatchColumns(result, target, by_position));
  ParquetWrite write;
  HF_ASSIGN_OR_RETURN(write.select_sql, MappedSelect(query.sql, result, target, sources));
  write.schema = target;
  HF_ASSIGN_OR_RETURN(write.partitioning, PartitioningOf(destination, target));
  write.partition = request.destination.partition;
  write.parameters = query.parameters;
  write.cancel = query.cancel;
  HF_ASSIGN_OR_RETURN(WrittenFiles written, WriteParquet(warehouse, bound.connection(), write));
  EffectScope::Count({.rows = written.rows, .bytes = written.bytes});
  HF_ASSIGN_OR_RETURN(TableRecord table,
                      CommitFiles(warehouse, destination, target, written.files));
  written.published.Keep();
  return QueryToTableResult{.rows = written.rows, .table = std::move(table)};
}

}  // namespace holdfast::warehouse
