// What a plan would do to what is there now: its jobs, quotas, time, conflicts and changes of
// access; and whether what was approved still holds.
//
// Pure. Source: issue "Plan, then apply".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/backup_index.h"
#include "model/quota_limits.h"
#include "restore/look.h"
#include "restore/plan.h"
#include "restore/request.h"

namespace holdfast::restore {

// By which the time is estimated: what a load job of BigQuery does at the least, and what the calls
// and jobs of one object take. A guess from outside, on the slow side.
struct RestoreRates {
  double bytes_per_second = 50e6;
  double seconds_per_object = 2;
};

// The jobs of one object of the plan. None for one that is left as it is.
JobCounts JobsOf(const RestoreRequest& request, const TableRestore& restore);

// Fills in what a judged plan has (plan.h).
void Judge(const RestoreRequest& request, const Surroundings& there, const QuotaLimits& limits,
           RestorePlan& plan, const RestoreRates& rates = {});

// The first fatal conflict, which tells how many more there are; Ok: there is none.
Status RefuseConflicts(const RestorePlan& plan);

// Each reason, in words, why a plan that was judged and kept does not hold any more; none: it does.
// `backups`: of the plan, those that are known now. `begun`: the plan was begun, so that targets
// and datasets which it makes may be there, and it goes on as long as its backups are there.
std::vector<std::string> WhyStale(const RestorePlan& approved, const Surroundings& there,
                                  const std::map<std::string, catalog::BackupRecord>& backups,
                                  Timestamp now, bool begun);

}  // namespace holdfast::restore
