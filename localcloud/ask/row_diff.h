// What changed between the rows of two tables, by key where there is one.
//
// Columns that both have, of the same type, are compared; what else differs is a matter of the
// schemas (schema_diff.h). Every file is read once; what does not fit into memory spills. A bare
// count of rows of each kind costs as much as the examples do.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "localcloud/ask/asked_table.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::ask {

enum class RowChangeKind { kAdded, kRemoved, kChanged };

// "added", "removed", "changed".
std::string_view RowChangeName(RowChangeKind kind);

// One row that differs.
struct RowChange {
  RowChangeKind kind = RowChangeKind::kAdded;
  Json key = Json::object();     // its key columns; without a key: empty
  Json before = Json::object();  // the other columns: all of a removed row, the changed ones
  Json after = Json::object();   // all of an added row, the changed ones
  int64_t times = 1;             // without a key: how often such a row came or went
};

struct RowDiff {
  int64_t added = 0;
  int64_t removed = 0;
  int64_t changed = 0;                       // with a key only
  std::map<std::string, int64_t> by_column;  // of `changed`: in how many rows each column did
  std::vector<RowChange> examples;           // the first, in order of key
  AskStatistics statistics;
};

struct RowDiffRequest {
  AskedTable before;
  AskedTable after;
  std::vector<std::string> key;  // columns; empty: rows are compared whole
  size_t examples_max = 20;
};

// Errors: kKeyUnusable for key columns that are not in both, that repeat or hold records, and when
// two rows of one table have the same key; those of the files.
Result<RowDiff> DiffRows(warehouse::Warehouse& warehouse, const RowDiffRequest& request);

}  // namespace holdfast::ask
