// Queries: DuckDB SQL over tables that are bound by name.
//
// The caller has translated the user's GoogleSQL. A binding puts a relation under a name on the
// query's own connection: a table at a version, rows given as JSON (INFORMATION_SCHEMA), or another
// query (a view). Nothing else is reachable: no files, no network, no settings. The session's time
// zone is UTC. Results have BigQuery's types: HUGEINT sums become INT64, decimals NUMERIC, and so
// on. A result is streamed, or written to a table, from which pages are read (rows.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "avro/batch.h"
#include "localcloud/warehouse/loader.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

class BatchSource;  // batch_source.h

// A table at a moment. An ingestion-time table has _PARTITIONTIME (TIMESTAMPTZ, NULL while in the
// streaming buffer) and _PARTITIONDATE after its own columns if `with_partition_columns`.
struct TableBinding {
  TableRef table;  // ref.partition: only that partition
  std::optional<int64_t> as_of_ms;
  bool with_partition_columns = false;
};

// Literal rows: a JSON array of objects with the schema's fields, values as in insertAll.
struct RowsBinding {
  Schema schema;
  Json rows = Json::array();
};

// A query over the bindings before it in the list.
struct ViewBinding {
  std::string sql;
};

// Rows from elsewhere, such as files that are no table's: read as often as the SQL names them.
struct SourceBinding {
  Schema schema;
  size_t parts = 1;  // in which the rows come, in any order, several at a time; 0: there are none
  // Begins to read a part, from its first row, with the columns that the query needs: fields of
  // `schema`, none for a bare count. Called for each scan, by DuckDB's threads; an error, or one of
  // the rows, ends the query and is what it returns.
  std::function<Result<std::unique_ptr<BatchSource>>(Schema columns, size_t part)> open;
};

struct Binding {
  std::string name;  // any text; in the SQL it appears as a quoted identifier
  std::variant<TableBinding, RowsBinding, ViewBinding, SourceBinding> relation;
};

// A value for `$name` (or for the next `?` when the name is empty), as text that the SQL casts.
struct QueryParameter {
  std::string name;
  std::optional<std::string> value;  // nullopt: NULL
};

struct Query {
  std::string sql;  // one SELECT
  std::vector<Binding> bindings;
  std::vector<QueryParameter> parameters;
  // The BigQuery type of result columns where DuckDB's says less (GEOGRAPHY, BIGNUMERIC, INTERVAL,
  // RANGE look like VARCHAR and STRUCT), by position; shorter lists and nullopt: derive it.
  std::vector<std::optional<Field>> column_hints;
  std::stop_token cancel;
};

// The result's fields, without running anything (dry run). Errors as `RunQuery`.
Result<Schema> DescribeQuery(Warehouse& warehouse, const Query& query);

// Runs the query; `consume` gets the schema's batches in order and may stop it by an error, which
// is returned. The batch is valid during the call. Returns the number of rows. Errors: kQueryFailed
// (reason "invalidQuery"; the message is DuckDB's without paths), kWarehouseNotFound,
// kWarehouseTimeTravel, kCancelled, kDiskFull, those of the sources.
using BatchConsumer = std::function<Status(const Schema& schema, const avro::BatchView& batch)>;
Result<int64_t> RunQuery(Warehouse& warehouse, const Query& query, const BatchConsumer& consume);

struct QueryToTableRequest {
  Query query;
  TableRef destination;  // ref.partition: that partition (ingestion time or fitting rows)
  WriteDisposition write_disposition = WriteDisposition::kEmpty;
  CreateDisposition create_disposition = CreateDisposition::kIfNeeded;
  std::optional<Schema> schema;  // CREATE TABLE t (columns) AS ...; absent: the result's
  Json table_resource =
      Json::object();          // of a table created here; expirationTime for anonymous ones
  bool replace_table = false;  // CREATE OR REPLACE TABLE: whatever is there goes first
};

struct QueryToTableResult {
  int64_t rows = 0;
  TableRecord table;
};

// Writes the result as a version of `destination`: INSERT ... SELECT, CREATE TABLE AS, and the
// anonymous table behind every query. Result columns are matched with an existing table's by
// position if `insert_columns` is given, else by name.
Result<QueryToTableResult> QueryToTable(Warehouse& warehouse, const QueryToTableRequest& request,
                                        const std::vector<std::string>& insert_columns = {});

}  // namespace holdfast::warehouse
