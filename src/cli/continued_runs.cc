#include "cli/continued_runs.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/run_text.h"

namespace holdfast::cli {

ContinuedRuns::News ContinuedRuns::Follow(const backup::BackupProgress& at) {
  News news;
  if (at.run == current_) return news;
  if (current_is_resumed_) news.ended = current_;
  current_ = at.run;
  current_is_resumed_ = at.resumed;
  if (at.resumed) {
    news.going_on_with = at.run;
    ids_.push_back(at.run);
  }
  return news;
}

Result<std::string> DescribeContinued(catalog::RunLedger& ledger, const std::string& run) {
  HF_ASSIGN_OR_RETURN(const Run of_run, ledger.GetRun(run));
  HF_ASSIGN_OR_RETURN(const catalog::RunProgress progress, ledger.GetProgress(run));
  return fmt::format("Run {}, begun {} and gone on with: {}", run,
                     FormatTimestamp(FromUnixMillis(of_run.started_ms)),
                     SummarizeTotals(progress.totals));
}

}  // namespace holdfast::cli
