// A version of an object whose description alone changed: the new description, and the data of its
// backup before.
//
// No job runs and no row is read: the data objects are copied inside the storage service, so that
// the new backup is independent of the one before (DESIGN §2 "backup"), which prune may remove. For
// a policy that trusts equal counts only: an edit of rows that keeps both their number and their
// bytes looks the same (fingerprint.h).
#pragma once

#include <optional>

#include "backup/unit.h"

namespace holdfast::backup {

// Commits such a version. nullopt: the data has to be read, since the policy does not trust equal
// counts, more than the description may have changed, or the backup before is not good, by another
// method, in another place or cannot be read. Idempotent.
Result<std::optional<ItemOutcome>> SaveNewDescription(const TableBackup& common, const Unit& unit);

}  // namespace holdfast::backup
