// From a plan to one that a person may approve, and back: what is kept, and what still holds.
//
// A plan that was approved is carried out exactly, or not at all: from the backups that it names,
// to targets and datasets as they were when it was made. Source: issue "Plan, then apply".
#pragma once

#include "base/result.h"
#include "model/quota_limits.h"
#include "restore/plan.h"
#include "restore/plan_file.h"
#include "restore/request.h"
#include "restore/services.h"

namespace holdfast::restore {

// PlanRestore (unfinished.h), judged by what is there now (judge.h). Writes nothing.
Result<RestorePlan> PlanAndJudge(const RestoreRequest& request, const QuotaLimits& limits,
                                 const Services& services);

// Makes the plan one to be kept in a file: with an id, and leases on its backups for kLeaseTime
// (plan_lease.h). What could not be held is added to its notes; the backups of a plan with a fatal
// conflict, which is not applied, are not. Errors: kBackupBeingRemoved.
Result<ApprovedPlan> HoldPlan(const RestoreRequest& request, RestorePlan plan,
                              const Services& services);

// The plan to apply: the approved one, or how it goes on when it was begun. Writes nothing. Errors:
// its first fatal conflict; kPlanStale naming every reason; those of the services.
Result<RestorePlan> CheckApproved(const ApprovedPlan& approved, const Services& services);

// Gives the leases of the file back: the plan was applied. What cannot be given back is logged.
void EndHold(const ApprovedPlan& approved, const Services& services);

}  // namespace holdfast::restore
