// What retention decided, as text: a calendar for people, and rows with every reason.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"
#include "model/calendar.h"
#include "retain/plan_retention.h"

namespace holdfast::cli {

// One line a month that has backups, one place a day: '#' something of the day is kept, 'x' nothing
// of it, '.' there is no backup. Under a line with the object and the counts.
void PrintCalendar(std::ostream& out, const retain::RetentionPlan& plan, const Calendar& calendar);

// {object, id, time, state, rows, bytes, pinned, held, action: "keep" or "remove", reasons}.
Json VerdictJson(const std::string& object, const retain::Verdict& verdict);

// Prints such rows as they come (RowPrinter); in pretty and in the flat formats the reasons are
// joined.
class VerdictPrinter {
 public:
  VerdictPrinter(std::ostream& out, Format format, std::string empty_text);

  void Add(Json row);
  void Finish() { printer_.Finish(); }

 private:
  Format format_;
  RowPrinter printer_;
};

// The same of rows that are there, in one table.
void PrintVerdicts(std::ostream& out, Format format, std::vector<Json> rows,
                   std::string_view empty_text);

}  // namespace holdfast::cli
