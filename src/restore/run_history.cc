#include "restore/run_history.h"

#include <utility>

namespace holdfast::restore {

Result<const Run*> RunHistory::At(size_t place) {
  while (place >= runs_.size() && !complete_) {
    HF_ASSIGN_OR_RETURN(auto page, catalog_.ListRuns(false, next_page_));
    for (Run& run : page.items) runs_.push_back(std::move(run));
    next_page_ = page.next_page_token;
    complete_ = next_page_.empty();
  }
  return place < runs_.size() ? &runs_[place] : nullptr;
}

Result<std::vector<ItemOutcome>> RunHistory::OutcomesOf(const Run& run, const TableRef& source) {
  const auto append = [&](const catalog::OutcomeFilter& filter, std::vector<ItemOutcome>& to) {
    return cloud::ForEachPage<ItemOutcome>(
        [&](const std::string& token) { return catalog_.FindOutcomes(run.id, filter, token); },
        [&](ItemOutcome&& item) -> Status {
          to.push_back(std::move(item));
          return Ok();
        });
  };
  if (!above_.contains(run.id)) {
    std::vector<ItemOutcome> above;
    HF_RETURN_IF_ERROR(append({.above_tables = true}, above));
    above_.emplace(run.id, std::move(above));
  }
  std::vector<ItemOutcome> items = above_.at(run.id);
  HF_RETURN_IF_ERROR(
      append({.project = source.project, .dataset = source.dataset, .table = source.table}, items));
  return items;
}

}  // namespace holdfast::restore
