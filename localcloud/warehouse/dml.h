// UPDATE, DELETE and TRUNCATE, copy on write: files with rows that change are written anew.
//
// Partitions without such rows keep their files and their modification time. A statement reads one
// version and commits the next; if another statement replaced one of its files meanwhile it is run
// again, a few times, and then fails with kWarehouseConflict, as BigQuery's concurrent updates do.
// INSERT is `QueryToTable` with kAppend (query.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "localcloud/warehouse/query.h"

namespace holdfast::warehouse {

// UPDATE target SET column = expression, ... FROM ... WHERE ...: all SQL is DuckDB's.
struct UpdateStatement {
  TableRef table;
  std::string target_name;  // the alias under which the SQL refers to the target's columns
  std::vector<std::pair<std::string, std::string>> assignments;  // column, expression
  std::string from_sql;                                          // after FROM; empty: none
  std::string where_sql;                                         // a condition
  std::vector<Binding> bindings;                                 // the other relations
  std::vector<QueryParameter> parameters;
  std::stop_token cancel;
};

struct DeleteStatement {
  TableRef table;
  std::string target_name;
  std::string where_sql;
  std::vector<Binding> bindings;
  std::vector<QueryParameter> parameters;
  std::stop_token cancel;
};

struct DmlResult {
  int64_t affected_rows = 0;
  TableRecord table;
};

// Errors: kQueryFailed (a row matched by two rows of FROM; a REQUIRED column set to NULL),
// kWarehouseStreaming (the table has rows in its streaming buffer), kWarehouseConflict,
// kWarehouseReadOnly, and those of queries.
Result<DmlResult> Update(Warehouse& warehouse, const UpdateStatement& statement);
Result<DmlResult> Delete(Warehouse& warehouse, const DeleteStatement& statement);

// Removes every row, the streaming buffer's included.
Result<DmlResult> Truncate(Warehouse& warehouse, const TableRef& table);

}  // namespace holdfast::warehouse
