#include "sim/table_versions.h"

#include <fmt/format.h>

namespace holdfast::sim {

Result<TableState> TableVersions::Get(const TableRef& table,
                                      std::optional<int64_t> as_of_ms) const {
  if (!datasets_.contains(table.dataset_ref())) {
    return MakeError(ErrorId::kDatasetNotFound,
                     fmt::format("dataset {} is not there", table.dataset_ref().ToString()));
  }
  TableState state;
  const auto found = tables_.find(table.WholeTable());
  if (found != tables_.end()) {
    for (const auto& [at_ms, version] : found->second) {
      if (!as_of_ms || at_ms <= *as_of_ms) state = version;
    }
  }
  if (state) return state;
  return MakeError(ErrorId::kTableNotFound, fmt::format("table {} is not there", table.ToString()));
}

void TableVersions::Put(SimTable state, int64_t now_ms) {
  const TableRef ref = state.ref;
  tables_[ref].emplace_back(now_ms, std::make_shared<const SimTable>(std::move(state)));
}

void TableVersions::Drop(const TableRef& table, int64_t now_ms) {
  const auto found = tables_.find(table.WholeTable());
  if (found != tables_.end()) found->second.emplace_back(now_ms, nullptr);
}

std::vector<TableState> TableVersions::TablesOf(const DatasetRef& dataset) const {
  std::vector<TableState> states;
  const TableRef first{dataset.project, dataset.dataset, "", ""};
  for (auto at = tables_.lower_bound(first);
       at != tables_.end() && at->first.dataset_ref() == dataset; ++at) {
    if (at->second.back().second) states.push_back(at->second.back().second);
  }
  return states;
}

}  // namespace holdfast::sim
