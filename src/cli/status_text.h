// What `holdfast status` prints: what is protected, what is not and by name, how the last run went.
#pragma once

#include <iosfwd>
#include <string>

#include "cli/output.h"
#include "cli/status_summary.h"

namespace holdfast::cli {

// Said where there is no backup: a catalog that was lost looks as one that was never filled.
inline constexpr const char* kNoBackupsText =
    "No backups are known here. Make the first with: holdfast backup run\n"
    "If there were backups, they are in their buckets still, and this catalog is not the one that "
    "knew them:\nholdfast catalog rebuild reads them from there.";

// Prints the summary in the format. csv and value have a row for each project, the others all of
// it. `cloud`: where the data is, in words.
void PrintStatus(std::ostream& out, Format format, const StatusSummary& summary,
                 const std::string& cloud);

}  // namespace holdfast::cli
