// A version of an object whose description alone changed: the new description, and the data of its
// backup before.
//
// No job runs and no row is read: the data objects are copied inside the storage service, so that
// the new backup is independent of the one before (DESIGN §2 "backup"), which prune may remove. An
// edit of rows that keeps both their number and their bytes looks the same (fingerprint.h), so the
// service must also tell of no write since the backup before, or the policy trust equal counts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "backup/unit.h"

namespace holdfast::backup {

// Whether the backup before may lend its data, as far as the catalog tells: no more than the
// description seems to have changed, and that backup is a good export in the same place.
bool MayLend(const TableBackup& common, const Unit& unit);

// Whether no row was written to the table between the backup before and the moment at which it
// looked like `now`, by what the service's storage view tells: times of the service alone are
// compared, with each other (google-semantics A2 #11). Such a view lags behind by `view_delay_ms`
// at most, so a younger modification is in doubt, and doubt is false.
bool IsUnwritten(const Manifest& before, const Fingerprint& now, const cloud::DataWrite& newest,
                 int64_t view_delay_ms);

// The fingerprints of the table ("") and of its partitions as they are at this moment. Errors: of
// the warehouse; kTableNotFound when it is gone.
Result<std::map<std::string, Fingerprint>> CurrentFingerprints(const TableBackup& common);

// Commits such a version of a unit that may be lent data and is as it was when it was scanned, if
// `may_lend` says so of the backup before. nullopt: the data has to be read, since the backup
// before may not lend it, or cannot be read. Idempotent.
Result<std::optional<ItemOutcome>> SaveNewDescription(
    const TableBackup& common, const Unit& unit,
    const std::function<bool(const Manifest& before)>& may_lend);

}  // namespace holdfast::backup
