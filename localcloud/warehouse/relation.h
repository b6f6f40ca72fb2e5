// A version of a table as a relation in DuckDB's SQL.
//
// Files written before fields were added are read with those fields NULL (or empty), so that every
// file of a snapshot gives the columns of the snapshot's schema, in its order.
#pragma once

#include <string>

#include "localcloud/warehouse/file_area.h"
#include "localcloud/warehouse/metadata.h"

namespace holdfast::warehouse {

// Columns that say where a row is: the file's absolute path and the row's number in it.
inline constexpr std::string_view kFileColumn = "holdfast_file";
inline constexpr std::string_view kRowColumn = "holdfast_row";

struct RelationOptions {
  bool with_partition_columns = false;  // _PARTITIONTIME and _PARTITIONDATE, if by ingestion time
  bool with_row_identity = false;       // kFileColumn and kRowColumn
};

// A SELECT (without parentheses) over the snapshot's files. Errors: kWarehouseInvalidRequest for a
// table without a schema, or with columns that the identity needs for itself.
Result<std::string> SnapshotSelect(const FileArea& files, const TableSnapshot& snapshot,
                                   const RelationOptions& options = {});

}  // namespace holdfast::warehouse
