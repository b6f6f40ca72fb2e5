// tabledata.list: rows [start, start + count) of one version of a table, in a stable order.
//
// The order is that of the version's files, then of the rows in each, then the streaming buffer's
// by arrival: pages of one version neither overlap nor miss a row. Files before the range are
// skipped by their counts. Source: tabledata.list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "localcloud/warehouse/query.h"

namespace holdfast::warehouse {

struct RowRange {
  int64_t start = 0;
  int64_t count = 0;
};

// The fields that `selected` names (top-level, any case; empty: all), in the table's order.
// Errors: kWarehouseInvalidRequest names the unknown field.
Result<Schema> SelectFields(const Schema& schema, const std::vector<std::string>& selected);

// The number of rows that can be read, the streaming buffer's included if the snapshot is current.
int64_t CountRows(const TableSnapshot& snapshot);

// Gives the range's rows to `consume` with the selected fields; returns how many there were.
// Reading past the end gives fewer or none.
Result<int64_t> ReadRows(Warehouse& warehouse, const TableSnapshot& snapshot, RowRange range,
                         const std::vector<std::string>& selected, const BatchConsumer& consume);

}  // namespace holdfast::warehouse
