// A run's report in words: what was backed up, what was not, and why, object by object.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "model/run.h"

namespace holdfast::cli {

// Lines of one table's partitions that are printed before "and N more".
inline constexpr size_t kPartitionLinesMax = 4;

// One line an object, those of one table together; unchanged objects are counted, not listed.
void PrintRunItems(std::ostream& out, const std::vector<ItemOutcome>& items);

// The same as items come, in order of object: lines of one table in memory.
class RunItemPrinter {
 public:
  // Borrows `out`.
  explicit RunItemPrinter(std::ostream& out) : out_(out) {}
  void Add(const ItemOutcome& item);
  // Prints what is left.
  void Finish();

 private:
  std::ostream& out_;
  std::vector<ItemOutcome> group_;  // the first of one table with one outcome, not printed yet
  int64_t more_ = 0;                // of that group, that are not kept
  int64_t more_rows_ = 0;
  int64_t more_bytes_ = 0;
};

// What a run found that a person is to be told of, counted as its items come.
struct RunFindings {
  int64_t suspect_backups = 0;
  int64_t suspect_deletions = 0;  // partitions that are gone
  int64_t objects_failed = 0;
  int64_t datasets_failed = 0;
  int64_t projects_failed = 0;
  bool no_project = false;
  // Tables and partitions that the caller asked for by their whole name, with why nothing was taken
  // of them so far.
  std::map<TableRef, std::string> missed;

  void Add(const ItemOutcome& item);
};

// The report for machines, its items being left out: an empty list.
Json RunDocument(const RunSummary& summary);

// The report for machines: as the run's file in its repository, but with times in RFC 3339 as in
// all that the program prints, and with how many objects are suspect among the totals.
Json RunDocument(const RunReport& report);

// What became of the objects: "7 objects backed up, 185 unchanged; 16,400 rows, 1.2 MiB".
std::string SummarizeTotals(const RunTotals& totals);

// The line that sums a run up: "Run 2026...: 7 backed up, 185 unchanged; 16,400 rows, 1.2 MiB, 2.1
// s".
std::string SummarizeRun(const RunReport& report);
std::string SummarizeRun(const RunSummary& summary);

// Said when a run that was begun before is gone on with. Whether the process that began it is still
// at work cannot be told.
std::string GoingOnText(const std::string& run);

// What to say of the objects that failed, and of the projects and datasets that could not be looked
// into: those are no objects, and an unknown number of objects is in them. Empty: nothing failed.
std::string DescribeFailures(const RunFindings& findings);
std::string FailureText(const std::vector<ItemOutcome>& items);

// "backed up", "unchanged", ... for people.
std::string OutcomeWords(Outcome outcome);

}  // namespace holdfast::cli
