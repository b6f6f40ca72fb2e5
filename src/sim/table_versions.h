// Every dataset and table of the simulated warehouse, with the versions that time travel reads.
//
// A table's versions are shared immutable states; a drop is a version without a state. Not
// thread-safe: SimWarehouse uses it under its lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/table.h"
#include "sim/sim_table.h"

namespace holdfast::sim {

using TableState = std::shared_ptr<const SimTable>;

class TableVersions {
 public:
  // The datasets there are; `Get` finds no table of any other.
  std::map<DatasetRef, DatasetInfo>& datasets() { return datasets_; }
  const std::map<DatasetRef, DatasetInfo>& datasets() const { return datasets_; }

  // The state now, or as of a time. Errors: kDatasetNotFound, kTableNotFound.
  Result<TableState> Get(const TableRef& table,
                         std::optional<int64_t> as_of_ms = std::nullopt) const;
  bool Has(const TableRef& table) const { return Get(table).ok(); }

  // Makes `state` the present one, as of `now_ms`.
  void Put(SimTable state, int64_t now_ms);

  // Nothing when there never was such a table.
  void Drop(const TableRef& table, int64_t now_ms);

  // Present tables of a dataset, in order of name.
  std::vector<TableState> TablesOf(const DatasetRef& dataset) const;

 private:
  using Versions = std::vector<std::pair<int64_t, TableState>>;  // ascending by time

  std::map<DatasetRef, DatasetInfo> datasets_;
  std::map<TableRef, Versions> tables_;
};

}  // namespace holdfast::sim
