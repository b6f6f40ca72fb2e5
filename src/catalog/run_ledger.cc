#include "catalog/run_ledger.h"

namespace holdfast::catalog {

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
