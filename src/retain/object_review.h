// One object of the catalog judged by its retention policy: its records as a history, what became
// of its source, the plan.
//
// A record that was never verified is suspect to retention. The time of a backup is that as of
// which it holds its source, by which restores choose as well.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "catalog/backup_index.h"
#include "retain/pins.h"
#include "retain/plan_retention.h"
#include "retain/services.h"

namespace holdfast::retain {

// What pins and holds a backup has.
using PinLookup = std::function<Result<PinCounts>(const catalog::BackupRecord& record)>;

// The plan for an object of which these are all records of one method, one at least: by each method
// an object keeps what the policy says, whatever it keeps by another. Whether its source exists is
// asked of the warehouse, and only where the policy has rules for a source that is gone and no run
// has seen it for their grace. Errors: of policy_of, of the catalog, of the warehouse but for
// absence: then nothing is known and nothing of the object may go.
Result<RetentionPlan> ReviewObject(const Services& services,
                                   const std::vector<catalog::BackupRecord>& records,
                                   const PinLookup& pins, Timestamp now);

// All records of exactly this object, the newest first.
Result<std::vector<catalog::BackupRecord>> RecordsOf(catalog::BackupIndex& index,
                                                     const TableRef& object);

// The same records parted by method, in order of method.
std::vector<std::vector<catalog::BackupRecord>> ByMethod(
    std::vector<catalog::BackupRecord> records);

}  // namespace holdfast::retain
