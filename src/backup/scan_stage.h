// Stage *scan*: `check-project-tables` → one or more `run-bq-backup-to-cs` for each table that
// changed since its last good backup.
//
// Reads a project's datasets and tables in bulk; a single table is asked for only where the bulk
// listing cannot tell. A dataset that cannot be read is an outcome of its own (failed, with the
// reason), never skipped in silence. Source: seed 000 "scan.py"; google-semantics A1, A2.
#pragma once

#include "backup/services.h"
#include "backup/stage_result.h"
#include "model/work_message.h"

namespace holdfast::backup {

// Partitions that one message asks for at most.
inline constexpr size_t kUnitsPerMessage = 24;

// Idempotent: it only reads. An error means that the project as a whole could not be listed.
Result<StageResult> ScanProject(const CheckProjectTables& message, const StageContext& context,
                                const Services& services);

}  // namespace holdfast::backup
