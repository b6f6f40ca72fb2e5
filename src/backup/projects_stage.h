// Stage *projects*: `start-backup-process` → one `check-project-tables` for each project in scope.
//
// Source: seed 000 "projects.py"; DESIGN §4.
#pragma once

#include "backup/services.h"
#include "backup/stage_result.h"
#include "model/work_message.h"

namespace holdfast::backup {

// Walks the organization, its folders included. Idempotent: it only reads.
// Errors: kNoProjects when nothing is in scope; kInvalidPolicy when the run's document has rules of
// folders and there is no organization to walk; those of cloud::Projects. Projects that are being
// deleted are left out.
Result<StageResult> ListProjects(const StartBackupProcess& message, const StageContext& context,
                                 const Services& services);

}  // namespace holdfast::backup
