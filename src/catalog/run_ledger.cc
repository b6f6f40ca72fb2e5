#include "catalog/run_ledger.h"

namespace holdfast::catalog {

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
