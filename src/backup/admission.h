// Admission: which of a run's backups are let through today, by the quotas of the projects.
//
// A scan only notes in the ledger what is to be backed up. When the last scan of the run is done,
// all of it is planned at once (model/quota_plan.h): what fits is counted and published, the most
// urgent first; what does not is carried: it ends with that outcome, its reason and the expected
// day, and the next run takes it up with the age that it has by then. A worker does nothing that
// was not let through, so however often a message comes, no limit is passed. What was planned is
// reserved in the ledger against the limits; where another process was quicker, what is left is
// planned anew. Another attempt of what was let through is counted, and not refused. Every step is
// recorded before the next and may be repeated, so a process may die at any moment: what it had
// reserved and did not do is used up until the quota day ends. Source: issue "quotas".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/services.h"
#include "backup/stage_result.h"
#include "backup/worker.h"
#include "model/quota_plan.h"
#include "model/work_message.h"

namespace holdfast::backup {

// Whether the message asks for jobs that count against a quota: only those are let through.
bool NeedsAdmission(const WorkMessage& message);

// Plans and publishes what the run wants, once nothing of it looks for work any more; before that
// does nothing. `republish`: also what was let through before and is not done, whose messages may
// be lost. Idempotent. Errors: of the ledger and the bus.
Status AdmitWork(const BusSetup& setup, const Services& services, const std::string& run,
                 bool republish);

// Whether the task's message was published, or is to be. Errors: of the ledger.
Result<bool> WasLetThrough(const Services& services, const catalog::Task& task);

// For a worker that got a message. Whether it is to be done: false for one that was not let
// through, which is published when it is. Counts another attempt. Errors: of the ledger.
Result<bool> IsAdmitted(const Services& services, const catalog::Task& task);

// The outcomes of a message that is carried without another call, because the service said in this
// run that the project's quota is used up; nullopt: it did not, or something of the message was
// done already. Errors: of the ledger.
Result<std::optional<StageResult>> CarryWhereUsedUp(const Services& services, const Run& run,
                                                    const catalog::Task& task);

// Turns what failed because a day's quota is used up into what is carried, and remembers that for
// the rest of the run. Errors: of the ledger.
Status CarryWhatWasRefused(const Services& services, const Run& run, const catalog::Task& task,
                           StageResult& result);

// What a plan of these messages says before the run begins: nothing is recorded.
struct QuotaForecast {
  std::vector<QuotaProject> projects;
  std::vector<std::vector<int>> days_later;  // by message and unit: 0 is today; -1: it fits no day
  QuotaPlan plan;
};
Result<QuotaForecast> ForecastQuota(const Services& services, const BackupPolicy& policy,
                                    const std::vector<RunBackup>& messages);

}  // namespace holdfast::backup
