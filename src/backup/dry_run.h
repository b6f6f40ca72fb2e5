// What a run would do, found by the same projects and scan stages and then not done.
//
// Reads only: nothing is recorded, no message is published. Source: DESIGN §1.5.
#pragma once

#include <functional>
#include <optional>

#include "backup/services.h"
#include "model/run.h"
#include "model/work_message.h"

namespace holdfast::backup {

// Takes what would be backed up, table after table.
using PlannedBackup = std::function<Status(const RunBackup& message)>;

// The id under which `scratch` then holds the outcomes.
inline constexpr const char* kDryRunId = "dry-run";

// Tells `visit` what would be backed up, and records in `scratch`, a ledger of its own that holds
// nothing else, what became of every object: those that would be backed up as kBackedUp, the
// others as the run would, deleted ones included. Memory is bounded by a piece of the scan. Errors:
// those of listing the organization, of `visit` and of `scratch`; what cannot be scanned is an
// outcome.
Status PlanBackups(const BackupPolicy& policy, const std::optional<PolicyDocument>& document,
                   const Services& services, catalog::RunLedger& scratch,
                   const PlannedBackup& visit);

}  // namespace holdfast::backup
