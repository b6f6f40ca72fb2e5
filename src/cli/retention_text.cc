#include "cli/retention_text.h"

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <ranges>

namespace holdfast::cli {

namespace {

constexpr size_t kDaysMax = 31;

// "2026-11" → a place for each day of the month.
using Months = std::map<std::string, std::string, std::greater<>>;

Months MonthsOf(const retain::RetentionPlan& plan, const Calendar& calendar) {
  Months months;
  for (const retain::Verdict& verdict : plan.verdicts) {
    const auto date = calendar.DateOf(verdict.backup.time);
    const std::string month = fmt::format("{:04}-{:02}", static_cast<int>(date.year()),
                                          static_cast<unsigned>(date.month()));
    const auto last = static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
    std::string& days = months.try_emplace(month, std::string(last, '.')).first->second;
    char& place = days[static_cast<unsigned>(date.day()) - 1];
    if (place != '#') place = verdict.keep ? '#' : 'x';
  }
  return months;
}

const std::vector<Column>& VerdictColumns() {
  static const std::vector<Column> columns = {
      {.member = "action", .heading = "ACTION"}, {.member = "object", .heading = "OBJECT"},
      {.member = "id", .heading = "BACKUP"},     {.member = "time", .heading = "TIME"},
      {.member = "state", .heading = "STATE"},   {.member = "reasons", .heading = "REASONS"}};
  return columns;
}

// Where a format has one text for all reasons.
void JoinReasons(Format format, Json& row) {
  const bool flat = format == Format::kPretty || format == Format::kSparse ||
                    format == Format::kCsv || format == Format::kValue;
  if (!flat) return;
  row["reasons"] = fmt::format("{}", fmt::join(row["reasons"].get_ref<const Json::array_t&>() |
                                                   std::views::transform([](const Json& reason) {
                                                     return reason.get_ref<const std::string&>();
                                                   }),
                                               "; "));
}

}  // namespace

void PrintCalendar(std::ostream& out, const retain::RetentionPlan& plan, const Calendar& calendar) {
  out << Printable(plan.object)
      << fmt::format(": {} of {} kept  (# kept, x removed, . no backup; {})\n", plan.CountKept(),
                     Plural(static_cast<int64_t>(plan.verdicts.size()), "backup"),
                     calendar.time_zone());
  std::string days;
  for (size_t day = 1; day <= kDaysMax; ++day) {
    days += day % 5 == 0 ? fmt::format("{}", day % 10) : day == 1 ? "1" : " ";
  }
  out << "          " << days << '\n';
  for (const auto& [month, places] : MonthsOf(plan, calendar)) {
    out << fmt::format("  {} {}\n", month, places);
  }
  out << '\n';
}

Json VerdictJson(const std::string& object, const retain::Verdict& verdict) {
  const retain::HistoryEntry& backup = verdict.backup;
  return {{"object", object},
          {"id", backup.id},
          {"time", FormatTimestamp(backup.time)},
          {"state", retain::BackupStateName(backup.state)},
          {"rows", backup.rows},
          {"bytes", backup.bytes},
          {"pinned", backup.pinned},
          {"held", backup.held},
          {"action", verdict.keep ? "keep" : "remove"},
          {"reasons", verdict.reasons}};
}

void PrintVerdicts(std::ostream& out, Format format, std::vector<Json> rows,
                   std::string_view empty_text) {
  for (Json& row : rows) JoinReasons(format, row);
  PrintRows(out, format, VerdictColumns(), rows, empty_text);
}

VerdictPrinter::VerdictPrinter(std::ostream& out, Format format, std::string empty_text)
    : format_(format), printer_(out, format, VerdictColumns(), std::move(empty_text)) {}

void VerdictPrinter::Add(Json row) {
  JoinReasons(format_, row);
  printer_.Add(std::move(row));
}

}  // namespace holdfast::cli
