// What was there in the run before and is not any more.
#pragma once

#include <vector>

#include "catalog/catalog.h"
#include "model/policy.h"
#include "model/run.h"

namespace holdfast::backup {

// Objects that the run before had and this one has not, although it looked where they were: deleted
// at the source since. Their backups are kept. Both lists in order of object. Pure.
std::vector<ItemOutcome> FindDeleted(const std::vector<ItemOutcome>& before,
                                     const std::vector<ItemOutcome>& now, const Scope& scope);

// Marks as suspect those of `deleted` that are partitions of a table which is still there, when
// with them more of its rows went than the policy's shrink threshold allows: a table that loses its
// partitions must not look better than one that loses its rows. Errors: of the index.
Status JudgeDeleted(catalog::BackupIndex& index, const BackupPolicy& policy,
                    const std::vector<ItemOutcome>& now, std::vector<ItemOutcome>& deleted);

// Adds to `items`, what the run found, what the runs before it had and it has not: FindDeleted,
// judged. Says of what took the name of a table that is gone that it did. Errors: of the catalog.
Status AddDeleted(catalog::Catalog& catalog, const Run& run, std::vector<ItemOutcome>& items);

}  // namespace holdfast::backup
