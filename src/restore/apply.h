// Applying a plan: each table is made, filled, compared and released, and has its outcome.
//
// A table that fails does not keep the others from being restored. Applying the same plan again,
// after a crash or a failure, goes on with what is missing. A target that failed before it held a
// row is taken away again; one that cannot be is named in its error. Source: DESIGN §1.5, §4
// "Restore".
#pragma once

#include "restore/plan.h"
#include "restore/report.h"
#include "restore/request.h"
#include "restore/services.h"

namespace holdfast::restore {

// Why a target that is there and not of this plan cannot be used: kTableExists. One that another
// restore has not finished says so: it is no table that anybody may take for complete.
Error ConflictOf(const Services& services, const TableInfo& table);

// What Apply refuses before it begins: a fatal conflict of a plan that was judged (judge.h);
// kLocationMismatch for a target's dataset that is in another
// location than the backup; kTableExists for the first target that is there, unless such tables are
// to be left as they are or the plan goes on with an earlier restore.
Status CheckTargets(const RestoreRequest& request, const RestorePlan& plan,
                    const Services& services);

// Errors only of what concerns the plan as a whole: with IfExists::kFail, kTableExists for the
// first target that is somebody else's or of another restore that is not finished, before anything
// is begun; those of storing the plan.
Result<RestoreReport> Apply(const RestoreRequest& request, const RestorePlan& plan,
                            const Services& services);

}  // namespace holdfast::restore
