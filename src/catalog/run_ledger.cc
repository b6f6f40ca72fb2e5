#include "catalog/run_ledger.h"

namespace holdfast::catalog {

Result<const ItemOutcome*> OutcomeReader::Peek() {
  while (at_ == page_.items.size()) {
    if (begun_ && page_.next_page_token.empty()) return static_cast<const ItemOutcome*>(nullptr);
    HF_ASSIGN_OR_RETURN(page_, ledger_->ListOutcomes(run_, page_.next_page_token));
    begun_ = true;
    at_ = 0;
  }
  return &page_.items[at_];
}

Result<std::vector<ItemOutcome>> OutcomeReader::TakeTable(const TableRef& table) {
  std::vector<ItemOutcome> taken;
  while (true) {
    HF_ASSIGN_OR_RETURN(const ItemOutcome* item, Peek());
    if (item == nullptr || item->object.WholeTable() != table) return taken;
    taken.push_back(std::move(page_.items[at_]));
    Next();
  }
}

Result<std::vector<ItemOutcome>> AllOutcomes(catalog::RunLedger& ledger, const std::string& run) {
  std::vector<ItemOutcome> outcomes;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<ItemOutcome>(
      [&](const std::string& token) { return ledger.ListOutcomes(run, token); },
      [&](ItemOutcome&& outcome) -> Status {
        outcomes.push_back(std::move(outcome));
        return Ok();
      }));
  return outcomes;
}

Result<std::optional<Run>> UnfinishedRun(RunLedger& ledger) {
  std::optional<Run> oldest;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<Run>(
      [&](const std::string& token) { return ledger.ListRuns(true, token); },
      [&](Run&& run) -> Status {
        oldest = std::move(run);  // they come newest first
        return Ok();
      }));
  return oldest;
}

}  // namespace holdfast::catalog
