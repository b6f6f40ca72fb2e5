// A restore's plan and report in words, as a table with one row for each table, or as a document.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/output.h"
#include "restore/plan.h"
#include "restore/report.h"

namespace holdfast::cli {

// The plan in the format: what would be made, from which backups, what is
// missing, in the way, and who could read it.
void PrintRestorePlan(std::ostream& out, Format format, const restore::RestorePlan& plan);

// The plan in one line: how much it is.
std::string RestorePlanLine(const restore::RestorePlan& plan);

// The report in the format: what became of each table, and what is missing.
void PrintRestoreReport(std::ostream& out, Format format, const restore::RestoreReport& report);

// A failed table's error as it is printed, several lines: of one whose unfinished target is there,
// it says so, whatever the error itself says of the data.
std::string TableErrorText(const restore::TableReport& table);

// What to do when the target of one partition is there. Dropping it, as for a whole table, would
// lose its other partitions: the partition goes into a table of its own and is copied from there,
// with the commands that do it. `plan` is of that partition alone.
std::string PartitionConflictHint(const restore::RestoreRequest& request,
                                  const restore::RestorePlan& plan);

// Whether the plan restores one partition, because that is what was asked for.
bool IsOfOnePartition(const restore::RestoreRequest& request, const restore::RestorePlan& plan);

}  // namespace holdfast::cli
