// Stage *scan*: `check-project-tables` → one such message for each dataset of the project, and from
// those one or more `run-bq-backup-to-cs` for each table that changed since its last good backup.
//
// A project's message lists a page of its datasets; a dataset's message looks at one piece of it,
// bounded by `ScanLimits`, and asks for the next piece. So one task is a bounded time and a bounded
// memory, whatever the size of the project, and a worker that dies costs one piece. A page token
// that is not taken any more begins the listing anew behind what was looked at. Tables are read in
// bulk; a single one is asked for only where the bulk listing cannot tell. A dataset that cannot be
// read is an outcome of its own (failed, with the reason), never skipped in silence. Source: seed
// 000 "scan.py"; google-semantics A1, A2; docs/adr/2026-11-21-scan-in-pieces.md.
#pragma once

#include <functional>

#include "backup/services.h"
#include "backup/stage_result.h"
#include "model/work_message.h"

namespace holdfast::backup {

// Partitions that one message asks for at most.
inline constexpr size_t kUnitsPerMessage = 24;

// What one task looks at, about: it ends with the page in which it reaches `tables`, or with the
// table (which has 10,000 partitions at most) in which it reaches `items`.
struct ScanLimits {
  size_t tables = 1'000;
  size_t items = 10'000;  // outcomes and units; also how many known backups are in memory
};

// Looks at one piece. Idempotent: it only reads, but for a backup that it finds gone, which it
// notes. An error means that the piece as a whole could not be looked at.
Result<StageResult> ScanProject(const CheckProjectTables& message, const StageContext& context,
                                const Services& services, const ScanLimits& limits = {});

// Looks at the message's piece and at all that follow from it, one after the other. Each result is
// given to `visit` without the pieces that follow. A piece that cannot be looked at is an outcome.
Status ScanWholeProject(const CheckProjectTables& message, const StageContext& context,
                        const Services& services,
                        const std::function<Status(StageResult&& result)>& visit);

}  // namespace holdfast::backup
