#include "localcloud/warehouse/query.h"

#include <fmt/format.h>

#include "localcloud/warehouse/bindings.h"
#include "localcloud/warehouse/duck_batch.h"
#include "localcloud/warehouse/query_rows.h"
#include "localcloud/warehouse/result_schema.h"

namespace holdfast::warehouse {

Status BindParameters(DuckStatement& statement, const std::vector<QueryParameter>& parameters) {
  size_t position = 0;
  for (const QueryParameter& parameter : parameters) {
    ++position;
    HF_RETURN_IF_ERROR(parameter.name.empty() ? statement.Bind(position, parameter.value)
                                              : statement.Bind(parameter.name, parameter.value));
  }
  return Ok();
}

Result<int64_t> StreamRows(Connection& connection, DuckStatement& statement, const Schema& schema,
                           const std::stop_token& cancel, const BatchConsumer& consume) {
  const std::stop_callback stop(cancel, [&connection] { connection.Interrupt(); });
  if (cancel.stop_requested()) return DuckError("INTERRUPT", DUCKDB_ERROR_INTERRUPT);
  HF_ASSIGN_OR_RETURN(DuckResult result, statement.Stream());
  ChunkReader reader(schema);
  int64_t rows = 0;
  while (true) {
    HF_ASSIGN_OR_RETURN(const DuckChunk chunk, result.Fetch());
    if (chunk.get() == nullptr) return rows;
    const avro::BatchView& batch = reader.View(chunk.get());
    rows += static_cast<int64_t>(batch.rows);
    HF_RETURN_IF_ERROR(consume(schema, batch));
  }
}

Result<Schema> DescribeQuery(Warehouse& warehouse, const Query& query) {
  HF_ASSIGN_OR_RETURN(BoundConnection bound, BoundConnection::Open(warehouse, query.bindings));
  HF_ASSIGN_OR_RETURN(const DuckStatement statement,
                      bound.PrepareSelect(query.sql, query.parameters));
  return ResultSchema(statement, query.column_hints);
}

Result<int64_t> RunQuery(Warehouse& warehouse, const Query& query, const BatchConsumer& consume) {
  HF_ASSIGN_OR_RETURN(BoundConnection bound, BoundConnection::Open(warehouse, query.bindings));
  HF_ASSIGN_OR_RETURN(const DuckStatement original,
                      bound.PrepareSelect(query.sql, query.parameters));
  HF_ASSIGN_OR_RETURN(const Schema schema, ResultSchema(original, query.column_hints));
  HF_ASSIGN_OR_RETURN(DuckStatement statement,
                      bound.PrepareSelect(CastedSelect(query.sql, schema), query.parameters));
  auto rows = StreamRows(bound.connection(), statement, schema, query.cancel, consume);
  if (!rows.ok()) return bound.ErrorOf(std::move(rows).error());
  return rows;
}

}  // namespace holdfast::warehouse
