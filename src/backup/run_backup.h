// One run of the backup workflow, from its start to its report.
//
// A run that was begun and not finished is gone on with: its pending tasks are published again, and
// whatever the earlier process had done is found and kept. Several processes may work on one run.
// Source: DESIGN §1.5, §4.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "backup/services.h"
#include "backup/worker.h"
#include "model/run.h"

namespace holdfast::backup {

struct BackupRequest {
  BackupPolicy policy;
  std::optional<PolicyDocument> document;  // as Run's
  std::vector<std::string> due;            // as Run's
  std::stop_token stop;  // when asked to, it ends with kCancelled and is gone on with later
  int workers = 4;       // threads; 0: the calling thread does the work (tests on virtual time)
  Duration stall_timeout = std::chrono::minutes{15};  // no task done for this long ends the wait
};

struct BackupProgress {
  std::string run;
  bool resumed = false;
  catalog::RunProgress progress;
};

// Called about five times a second, and once at the end.
using ProgressCallback = std::function<void(const BackupProgress&)>;

// Runs it. A run that was begun and not finished is finished first; `on_progress` tells which run
// it speaks of. The ledger then names every object once (RunLedger::ListOutcomes), and so do the
// run's files in its repositories; failed objects are in it, not errors of the
// call. Memory is bounded whatever the number of objects. kNothingInScope: the policy's patterns
// fit nothing, or nothing is visible. Errors: of the ledger (kDiskFull ends the run at once) and
// the bus; kRunStalled. What was done is kept in any case.
Result<RunSummary> RunToEnd(const BackupRequest& request, const BusSetup& setup,
                            const Services& services, const ProgressCallback& on_progress);

// The same, with all of its outcomes in memory: for a scope that is known to be small.
Result<RunReport> RunBackups(const BackupRequest& request, const BusSetup& setup,
                             const Services& services, const ProgressCallback& on_progress);

}  // namespace holdfast::backup
