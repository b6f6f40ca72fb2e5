// A run's report in words: what was backed up, what was not, and why, object by object.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "model/run.h"

namespace holdfast::cli {

// Lines of one table's partitions that are printed before "and N more".
inline constexpr size_t kPartitionLinesMax = 4;

// One line an object, those of one table together; unchanged objects are counted, not listed.
void PrintRunItems(std::ostream& out, const std::vector<ItemOutcome>& items);

// The report for machines: as the run's file in its repository, but with times in RFC 3339 as in
// all that the program prints, and with how many objects are suspect among the totals.
Json RunDocument(const RunReport& report);

// What became of the objects: "7 objects backed up, 185 unchanged; 16,400 rows, 1.2 MiB".
std::string SummarizeTotals(const RunTotals& totals);

// The line that sums a run up: "Run 2026...: 7 backed up, 185 unchanged; 16,400 rows, 1.2 MiB, 2.1
// s".
std::string SummarizeRun(const RunReport& report);

// Said when a run that was begun before is gone on with. Whether the process that began it is still
// at work cannot be told.
std::string GoingOnText(const std::string& run);

// What to say of the objects that failed, and of the projects and datasets that could not be looked
// into: those are no objects, and an unknown number of objects is in them. Empty: nothing failed.
std::string FailureText(const std::vector<ItemOutcome>& items);

// "backed up", "unchanged", ... for people.
std::string OutcomeWords(Outcome outcome);

}  // namespace holdfast::cli
