// A version of an object whose description alone changed: the new description, and the data of its
// backup before.
//
// No job runs and no row is read: the data objects are copied inside the storage service, so that
// the new backup is independent of the one before (DESIGN §2 "backup"), which prune may remove. For
// a policy that trusts equal counts only: an edit of rows that keeps both their number and their
// bytes looks the same (fingerprint.h).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "backup/unit.h"

namespace holdfast::backup {

// Whether the backup before may lend its data, as far as the catalog tells: the policy trusts equal
// counts, no more than the description seems to have changed, and that backup is a good export in
// the same place.
bool MayLend(const TableBackup& common, const Unit& unit);

// The fingerprints of the table ("") and of its partitions as they are at this moment. Errors: of
// the warehouse; kTableNotFound when it is gone.
Result<std::map<std::string, Fingerprint>> CurrentFingerprints(const TableBackup& common);

// Commits such a version of a unit that may be lent data and is as it was when it was scanned.
// nullopt: the data has to be read, since the backup before cannot be. Idempotent.
Result<std::optional<ItemOutcome>> SaveNewDescription(const TableBackup& common, const Unit& unit);

}  // namespace holdfast::backup
