// Stage *backup* for objects without data: views, materialized views, external tables, routines and
// datasets.
//
// The definition is read once more and saved in the manifest; there is no job. One that is as in
// its last backup makes no new version. As repeatable as the stage for tables (backup_stage.h).
// Source: docs/adr/2026-11-21-definitions-are-backups.md.
#pragma once

#include "backup/services.h"
#include "backup/stage_result.h"
#include "model/work_message.h"

namespace holdfast::backup {

// The message is of method kDefinition. One outcome; errors are such as another attempt may mend.
Result<StageResult> BackUpDefinition(const RunBackup& message, const StageContext& context,
                                     const Services& services);

}  // namespace holdfast::backup
