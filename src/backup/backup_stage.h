// Stage *backup*: `run-bq-backup-to-cs` → the backups of a table or of some of its partitions.
//
// Jobs of all units start first, then each is followed to its end: data → check → manifest →
// catalog (DESIGN §5). Every step can be repeated: job ids are functions of run, object and
// attempt, a backup whose manifest is there is taken as it is, an attempt's objects have a place of
// their own. So a worker may die anywhere and another one finishes. Source: seed 000 "backup.py";
// google-semantics traps 1, 8, A5.
#pragma once

#include "backup/services.h"
#include "backup/stage_result.h"
#include "model/work_message.h"

namespace holdfast::backup {

// One outcome for each unit. A unit that failed for good is an outcome; an error is one that
// another attempt may mend.
Result<StageResult> BackUpTable(const RunBackup& message, const StageContext& context,
                                const Services& services);

}  // namespace holdfast::backup
