// Schedules in this process: what `holdfast up` runs beside its workers, and what
// `holdfast backup run --due` asks once.
//
// One process at a time per data directory does it (a lock), so that two never begin the same run.
// The policy document is read anew at each look: an edit counts for the next run, and one with a
// mistake is said and the last good one goes on. Source: backup/schedule_runner.h.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "backup/schedule_runner.h"
#include "base/directory_lock.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "model/policy_document.h"

namespace holdfast::cli {

// The right to begin runs by schedule. kDirectoryInUse: another process has it.
Result<std::unique_ptr<DirectoryLock>> LockSchedules(const Config& config);

struct DueNow {
  backup::DueDecision decision;
  bool is_run_under_way = false;
};

// What is due by the document's schedules. Errors: kConfigInvalid when it has none; the ledger's.
Result<DueNow> FindDue(Environment& environment, const std::optional<PolicyDocument>& document);

// Begins what is due, until `stop`. What goes wrong is logged, and looked at again later. Returns
// at once, with a word, when another process does it.
void RunSchedules(const GlobalOptions& global, Environment& environment,
                  const std::stop_token& stop);

}  // namespace holdfast::cli
