// What was there in the run before and is not any more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "catalog/catalog.h"
#include "model/policy.h"
#include "model/run.h"

namespace holdfast::backup {

// Objects that the runs before had and this one has not, although it looked where they were:
// deleted at the source since; and those whose loss was told of then (JudgeDeleted) and that are
// not back. Their backups are kept. Both lists in order of object. Pure.
std::vector<ItemOutcome> FindDeleted(const std::vector<ItemOutcome>& before,
                                     const std::vector<ItemOutcome>& now, const Scope& scope);

// Which loss of the object a person accepted; nullopt: none.
using AcceptedBy = std::function<std::optional<catalog::AcceptedLoss>(const TableRef& object)>;

// Marks as lost (ItemOutcome::lost_ms), and suspect unless that is accepted, those of `deleted`
// that are partitions of a table which is still there, when with them more of its rows went than
// the policy's shrink threshold allows: a table that loses its partitions must not look better than
// one that loses its rows. What was found gone by one run is judged together, and apart from what
// others found: a partition that expires does not join a loss. `run_ms`: when this run began.
// Errors: of the index.
Status JudgeDeleted(catalog::BackupIndex& index, const BackupPolicy& policy, int64_t run_ms,
                    const std::vector<ItemOutcome>& now, const AcceptedBy& accepted,
                    std::vector<ItemOutcome>& deleted);

// Records in `ledger` what the run finds gone: what the runs before it had, in `catalog`, and it
// has not, FindDeleted, judged; and says of what took the name of a table that is gone that it did.
// A run that could not look at an object hides nothing of what those before it saw. What is lost is
// told by each run until the judgement is another: the partitions or as many rows are back, or the
// backups are pruned. Of what the run could not look at, what was known and no backup tells is told
// again: losses, what is not supported, what never had a backup.
// The runs are read side by side in order of object, a page of each in memory. Done again after a
// crash it changes nothing. Errors: of the catalog and the ledger.
Status RecordDeleted(catalog::Catalog& catalog, catalog::RunLedger& ledger, const Run& run);

}  // namespace holdfast::backup
