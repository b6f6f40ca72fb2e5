// One state of a simulated table: its rows by partition, and the numbers that BigQuery tells of it.
//
// A state is immutable once it is published; a change copies it (rows of untouched partitions are
// shared). Rows are arrays of cells in column order, in the canonical forms of avro/cell_json.h, so
// equal rows are equal JSON. Pure but for the functions' arguments.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "avro/batch.h"
#include "base/json.h"
#include "base/result.h"
#include "model/table.h"

namespace holdfast::sim {

// As avro/cell_json.h writes them: an object by column name, or an array in column order.
using Rows = std::vector<Json>;

struct SimPartition {
  std::shared_ptr<const Rows> rows;
  int64_t last_modified_ms = 0;
};

struct SimTable {
  TableRef ref;
  std::string location;
  Json resource = Json::object();  // what the user said of it; statistics are added on reading
  Schema schema;
  Partitioning partitioning;
  int64_t creation_ms = 0;
  int64_t last_modified_ms = 0;
  int64_t data_modified_ms = 0;  // the newest write of rows, whatever else moved the time since
  std::map<std::string, SimPartition> partitions;  // "" of a table that is not partitioned
  Rows streaming;                                  // not landed yet
  int64_t streaming_since_ms = 0;

  // Of all partitions, without what is still streaming; bytes are logical (RowBytes).
  int64_t RowCount() const;
  int64_t ByteCount() const;

  // The resource as tables.get shows it, and what is read from it.
  TableInfo Info() const;
  std::vector<PartitionInfo> Partitions() const;  // none of a table that is not partitioned

  // All rows, or those of one partition.
  Rows RowsOf(const std::string& partition) const;

  // Adds canonical rows where they belong: to `partition` if it is named, else by the partitioning
  // column (or by `now_ms`, when partitioned by ingestion time).
  void Append(const Rows& rows, const std::string& partition, int64_t now_ms);
  // Takes away the rows of a partition, or all.
  void Clear(const std::string& partition, int64_t now_ms);
  // Moves the time of the table and of every partition, as an edit of its description does.
  void TouchAll(int64_t now_ms);
};

// A table from its resource document (schema and partitioning included). Errors: kInvalidJson.
Result<SimTable> MakeSimTable(const TableRef& ref, const std::string& location,
                              const Json& resource, int64_t now_ms);

// Rows in any form that BatchBuilder takes, made canonical. Errors: kAvroBadValue.
Result<Rows> CanonicalRows(const Schema& schema, const Rows& rows);

// The rows of a batch, which are canonical by that.
Rows RowsOfBatch(const Schema& schema, const avro::BatchView& batch);

// Logical bytes of a row by BigQuery's sizes.
int64_t RowBytes(const Schema& schema, const Json& row);

}  // namespace holdfast::sim
