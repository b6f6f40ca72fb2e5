// Running a prepared statement: its parameters in, its rows out as batches. Internal: shared by
// queries, row listing, extracts and writes.
#pragma once

#include <stop_token>

#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/query.h"
#include "localcloud/warehouse/rows.h"

namespace holdfast::warehouse {

// Binds `parameters` by name, or by position where they have none.
Status BindParameters(DuckStatement& statement, const std::vector<QueryParameter>& parameters);

// Runs `statement`, whose columns have the stored types of `schema`, and gives every chunk to
// `consume`. Returns the number of rows.
Result<int64_t> StreamRows(Connection& connection, DuckStatement& statement, const Schema& schema,
                           const std::stop_token& cancel, const BatchConsumer& consume);

// Rows of a snapshot's files alone, in listing order. A field may have another type than the
// table's field of that name: the values are cast. Errors: kWarehouseCorrupt when a file is
// missing, damaged or does not have the rows it should.
Result<int64_t> ReadFileRows(Warehouse& warehouse, const TableSnapshot& snapshot, RowRange range,
                             const Schema& fields, const std::stop_token& cancel,
                             const BatchConsumer& consume);

}  // namespace holdfast::warehouse
