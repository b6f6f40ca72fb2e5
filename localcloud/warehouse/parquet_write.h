// Rows of a SELECT as new Parquet files of a table, one or more per partition touched, in one pass.
//
// DuckDB computes each row's partition and writes the files; they are published (file_area.h) but
// in no version yet. What a column may hold is enforced here, for every way in (conform.h). A job
// may touch at most 4,000 partitions (google-semantics A2 #17).
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/file_area.h"
#include "localcloud/warehouse/metadata.h"
#include "localcloud/warehouse/query.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

struct ParquetWrite {
  std::string select_sql;  // columns named as the schema's fields, of the stored types
  Schema schema;
  Partitioning partitioning;
  std::string partition;  // decorator: where every row must belong; "": wherever it belongs
  std::vector<QueryParameter> parameters;  // of select_sql
  std::stop_token cancel;
};

// Files that are deleted with the object unless `published.Keep()` was called after the commit.
struct WrittenFiles {
  PublishedFiles published;
  std::vector<DataFile> files;  // those without rows are left out
  int64_t rows = 0;
  int64_t bytes = 0;  // logical
};

// Errors: those of DuckError; kWarehouseInvalidRequest for rows outside `partition` and for too
// many partitions.
Result<WrittenFiles> WriteParquet(Warehouse& warehouse, Connection& connection,
                                  const ParquetWrite& write);

// SQL of the logical bytes of a group of rows, as an aggregate over the fields' columns: BigQuery's
// size of each type (INT64 8, STRING 2 + length, ...; NULL 0).
std::string LogicalBytesExpression(const Schema& schema);

}  // namespace holdfast::warehouse
