// What a run would do, found by the same projects and scan stages and then not done.
//
// Reads only: nothing is recorded, no message is published. Source: DESIGN §1.5.
#pragma once

#include <optional>
#include <vector>

#include "backup/services.h"
#include "model/run.h"
#include "model/work_message.h"

namespace holdfast::backup {

struct DryRun {
  std::vector<RunBackup> messages;    // what would be backed up
  std::vector<ItemOutcome> outcomes;  // what would not, and why; what is deleted at the source
};

// Errors: those of listing the organization; a project that cannot be scanned is an outcome.
Result<DryRun> PlanBackups(const BackupPolicy& policy,
                           const std::optional<PolicyDocument>& document, const Services& services);

}  // namespace holdfast::backup
