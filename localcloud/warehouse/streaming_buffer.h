// tabledata.insertAll: rows that are durable and visible to queries at once, and part of the
// table's files later.
//
// Until a flush they are in no version: not in numRows, copies, extracts or snapshots, and of a
// partitioned table they are in __UNPARTITIONED__. A flush writes them to their partitions and
// takes them out of the buffer in one transaction. An insertId seen within the last minute is
// dropped, as best effort. Thread-safe. Source: tabledata.insertAll; google-semantics trap 4, A2
// #10, A8 #56.
#pragma once

#include <string>
#include <vector>

#include "localcloud/warehouse/column_default.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

struct InsertRow {
  std::string insert_id;  // empty: no deduplication
  Json json;              // the row's object
};

struct InsertRequest {
  TableRef table;  // ref.partition: decorator of an ingestion-time table
  std::vector<InsertRow> rows;
  bool skip_invalid_rows = false;  // false: one bad row refuses them all ("stopped")
  bool ignore_unknown_values = false;
  DefaultSql default_sql;  // of columns that a row does not name
};

// Why one row was refused. Source: tabledata.insertAll insertErrors.
struct InsertError {
  int64_t index = 0;     // of the row in the request
  std::string reason;    // "invalid", or "stopped" for a good row that another one held back
  std::string location;  // path of the field: "a.b[2].c"
  std::string message;   // "no such field: x."
};

// The rows that were refused; empty: all are durable. Errors of the request itself:
// kWarehouseNotFound, kWarehouseReadOnly, kLimitExceeded, kDiskFull, kWarehouseStorage.
Result<std::vector<InsertError>> InsertRows(Warehouse& warehouse, const InsertRequest& request);

// When a buffer is flushed by `Warehouse::Maintain`.
inline constexpr int64_t kBufferRowsMax = 50'000;
inline constexpr int64_t kBufferBytesMax = int64_t{32} << 20;
inline constexpr int64_t kBufferAgeMaxMs = int64_t{90} * 60 * 1000;  // BigQuery: "up to 90 minutes"

// Moves the table's buffered rows into its files now. Idempotent; no error when there are none.
Status FlushBuffer(Warehouse& warehouse, const TableRef& table);

// Flushes every buffer over one of the limits above.
Status FlushDueBuffers(Warehouse& warehouse);

}  // namespace holdfast::warehouse
