// Plans of restores that are not finished, kept where any process finds them again.
//
// A plan is stored in the targets' staging buckets, under the key of its request, before its first
// table is made, and deleted when the last is done. So the same command, on any machine, goes on
// filling the targets that were begun from the same backups although newer ones exist by then, and
// leaves alone those that are finished. A target that carries the label of an unfinished restore
// can be traced to the command that began it.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "restore/plan.h"
#include "restore/services.h"

namespace holdfast::restore {

// Selects and plans, or goes on with the unfinished plan of the same request if any of its targets
// is there (`RestorePlan::resumes_ms`). Of such a plan, a table whose target is not there takes the
// backups selected now, and tables that are new are added: one that fails again and again does not
// keep the others to an old time. Writes nothing. Errors: those of
// Select and MakePlan.
Result<RestorePlan> PlanRestore(const RestoreRequest& request, const Services& services);

// The plan as it goes on when an unfinished restore of exactly its objects and backups is stored
// and any of its targets is there; nullopt: it was not begun. Writes nothing.
Result<std::optional<RestorePlan>> ResumePlan(const RestoreRequest& request,
                                              const RestorePlan& plan, const Services& services);

// Stores the plan, in place of an earlier one of the same request. Idempotent.
Status KeepPlan(const RestoreRequest& request, const RestorePlan& plan, const Services& services);

// The plan is done. What cannot be deleted is logged.
void ForgetPlan(const RestorePlan& plan, const Services& services);

// An unfinished restore, as found by what a target's label says.
struct UnfinishedRestore {
  RestoreRequest request;
  int64_t begun_ms = 0;
};

// The stored plan that made the table. nullopt: the table carries no label of a stored plan.
Result<std::optional<UnfinishedRestore>> FindRestoreOf(const TableInfo& table,
                                                       const Services& services);

}  // namespace holdfast::restore
