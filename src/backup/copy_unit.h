// Methods *copy* and *snapshot*: a table, or with *copy* a partition, as a table of its own in a
// backup project.
//
// A copy job inside the warehouse: no bytes pass here, so the content is not read by the job; rows
// are counted. The copy's expiration is cleared, and that of its partitions (seed 002): what
// deletes it is retention. The manifest, in the repository as for an export, names the table that
// holds the data. A snapshot is of a whole table, costs only what changes at the source afterwards,
// and is not read when it is made: the service keeps it read-only.
#pragma once

#include <string>

#include "backup/unit.h"

namespace holdfast::backup {

// Datasets that hold copies begin with this and have this label; a scan leaves those out. One that
// only has such a name is somebody's.
inline constexpr std::string_view kCopyDatasetPrefix = "holdfast_backup_";
inline constexpr std::string_view kCopyDatasetLabel = "holdfast";
inline constexpr std::string_view kCopyDatasetLabelValue = "copies";

// The table that will hold the copy: project of the policy (or the object's own), one dataset a
// location, a name that says what it is and ends in the backup's id and the attempt, 1,024 bytes at
// most.
TableRef PlaceOfCopy(const BackupPolicy& policy, const TableRef& object,
                     const std::string& location, const std::string& backup, int attempt);

// The dataset that a place is in, made if it is absent. kCopyDataset when one of that name is not
// ours, or lets tables expire.
Status EnsureCopyDataset(const TableBackup& common, const TableRef& place);

// Starts the job of the policy's method, or attaches to it, making the dataset if need be. Returns
// at once. Errors: those of EnsureCopyDataset.
Result<cloud::JobStatus> StartCopy(const TableBackup& common, const Unit& unit,
                                   const TableRef& place);

// Waits for the job, clears the expiration, counts the rows, reads them if the policy says so, and
// commits the backup.
Result<ItemOutcome> FinishCopy(const TableBackup& common, const Unit& unit, const TableRef& place,
                               cloud::JobStatus job);

}  // namespace holdfast::backup
