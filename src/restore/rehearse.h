// Rehearsal: a backup restored into a scratch dataset, compared, and taken away again (L3).
//
// What it restores is what a restore would, by the same way: the proof that the backup restores.
// Source: DESIGN §2 "verify level"; issue "Verification, always on".
#pragma once

#include "catalog/backup_index.h"
#include "model/table.h"
#include "restore/report.h"
#include "restore/services.h"

namespace holdfast::restore {

// Restores the backup into `scratch`, which is made if it is absent, from its resource; it lies in
// the backup's location and holds nothing else. Evidence and the catalog say what was found. The
// table is deleted in any case: one that cannot be is named in the error, and the next rehearsal
// deletes it. Errors: kLocationMismatch, those of Apply; what is wrong with the table itself is in
// the report.
Result<TableReport> Rehearse(const catalog::BackupRecord& record, const DatasetInfo& scratch,
                             const Services& services);

// Deletes what rehearsals that were killed left in the dataset: tables older than `age`. How many.
// An absent dataset: 0.
Result<int64_t> ClearRehearsals(const DatasetRef& scratch, Duration age, const Services& services);

}  // namespace holdfast::restore
