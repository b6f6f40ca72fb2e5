#include "retain/keep_rules.h"

#include <fmt/format.h>

#include <chrono>

namespace holdfast::retain {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, kCalendarUnits> kUnitNouns = {"hour", "day", "week", "month",
                                                                     "year"};

std::string_view NounOf(CalendarUnit unit) { return kUnitNouns[static_cast<size_t>(unit)]; }

// The start of the hour, day, ... that a local time lies in. A week starts on Monday.
LocalTime StartOf(CalendarUnit unit, LocalTime local) {
  const auto day = floor<days>(local);
  const year_month_day date{day};
  switch (unit) {
    case CalendarUnit::kHour:
      return floor<std::chrono::hours>(local);
    case CalendarUnit::kDay:
      return day;
    case CalendarUnit::kWeek:
      return day - (std::chrono::weekday{day} - std::chrono::Monday);
    case CalendarUnit::kMonth:
      return std::chrono::local_days{date.year() / date.month() / 1};
    case CalendarUnit::kYear:
      break;
  }
  return std::chrono::local_days{date.year() / 1 / 1};
}

std::string DayText(year_month_day date) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// "2026-11-19T14h", "2026-11-19", "the week of 2026-11-16", "2026-11", "2026".
std::string UnitText(CalendarUnit unit, LocalTime start) {
  const auto day = floor<days>(start);
  const std::string date = DayText(year_month_day{day});
  switch (unit) {
    case CalendarUnit::kHour:
      return fmt::format("{}T{:02}h", date, floor<std::chrono::hours>(start - day).count());
    case CalendarUnit::kDay:
      return date;
    case CalendarUnit::kWeek:
      return "the week of " + date;
    case CalendarUnit::kMonth:
      return date.substr(0, 7);
    case CalendarUnit::kYear:
      break;
  }
  return date.substr(0, 4);
}

bool IsFull(int64_t taken, int64_t places) { return places != kUnlimited && taken >= places; }

// " of 7", or nothing where there is no end.
std::string OfText(int64_t places) {
  return places == kUnlimited ? std::string() : fmt::format(" of {}", places);
}

void ApplyLast(int64_t places, Candidates& candidates) {
  int64_t taken = 0;
  for (Candidate& candidate : candidates) {
    if (IsFull(taken, places)) {
      candidate.unwanted.push_back(fmt::format("keep_last: {} newer good ones are kept", places));
      continue;
    }
    candidate.wanted.push_back(fmt::format("keep_last: {}{}", taken + 1, OfText(places)));
    if (candidate.counts) ++taken;
  }
}

void ApplyWithin(const TimeSpan& span, Timestamp after, Candidates& candidates) {
  for (Candidate& candidate : candidates) {
    auto& where = candidate.entry->time > after ? candidate.wanted : candidate.unwanted;
    where.push_back(fmt::format("keep_within: {}within {} of the newest good one",
                                candidate.entry->time > after ? "" : "not ", span.ToString()));
  }
}

// One rule of calendar units: of each hour, day, ... the newest, in `places` of them at most and
// after `after`. The oldest backup of all is taken too while there are places: a history that is
// shorter than the rule keeps its beginning.
struct CalendarRule {
  std::string name;  // "keep_daily"
  CalendarUnit unit;
  int64_t places;
  Timestamp after;
};

void ApplyCalendarRule(const CalendarRule& rule, const Calendar& calendar, size_t oldest,
                       Candidates& candidates) {
  int64_t taken = 0;
  std::optional<LocalTime> last;
  const std::string* holder = nullptr;  // the id of the backup that has the place of `last`
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    const auto refuse = [&](std::string why) {
      candidate.unwanted.push_back(rule.name + ": " + std::move(why));
    };
    if (candidate.entry->time <= rule.after) {
      refuse("before the time it reaches back to");
      continue;
    }
    if (IsFull(taken, rule.places)) {
      refuse(fmt::format("{} newer {}s are kept", rule.places, NounOf(rule.unit)));
      continue;
    }
    const LocalTime start = StartOf(rule.unit, calendar.ToLocal(candidate.entry->time));
    const bool is_newest = start != last;
    if (!is_newest && i < oldest) {
      refuse(fmt::format("{} has a newer one, {}", UnitText(rule.unit, start), *holder));
      continue;
    }
    candidate.wanted.push_back(
        fmt::format("{}: the {} of {}, {}{}", rule.name, is_newest ? "newest" : "oldest",
                    UnitText(rule.unit, start), taken + 1, OfText(rule.places)));
    // Behind the oldest good one come only some that do not count: to each of them it would not be
    // the oldest, and would not have this place.
    if (!candidate.counts || !is_newest) continue;
    ++taken;
    last = start;
    holder = &candidate.entry->id;
  }
}

// What spans are counted back from: the newest one that counts, else the newest that is not of the
// future.
const Candidate& ReferenceOf(const Candidates& candidates) {
  const Candidate* present = nullptr;
  for (const Candidate& candidate : candidates) {
    if (candidate.counts) return candidate;
    if (present == nullptr && !candidate.future) present = &candidate;
  }
  return present != nullptr ? *present : candidates.front();
}

// The place of the oldest one that counts; of all when none does.
size_t OldestCounting(const Candidates& candidates) {
  for (size_t i = candidates.size(); i > 0; --i) {
    if (candidates[i - 1].counts) return i - 1;
  }
  return candidates.empty() ? 0 : candidates.size() - 1;
}

}  // namespace

void ApplyKeepRules(const RetentionRules& rules, const Calendar& calendar, Candidates& candidates) {
  if (candidates.empty()) return;
  if (!rules.HasKeepRule()) {
    for (Candidate& candidate : candidates) {
      candidate.wanted.emplace_back("the policy has no keep rule: everything is kept");
    }
    return;
  }
  const Timestamp newest = ReferenceOf(candidates).entry->time;
  const size_t oldest = OldestCounting(candidates);
  if (rules.keep_last != 0) ApplyLast(rules.keep_last, candidates);
  if (!rules.keep_within.IsZero()) {
    ApplyWithin(rules.keep_within, calendar.Before(newest, rules.keep_within), candidates);
  }
  for (int i = 0; i < kCalendarUnits; ++i) {
    const auto unit = static_cast<CalendarUnit>(i);
    const std::string name(CalendarRuleName(unit));
    if (rules.KeepOf(unit) != 0) {
      ApplyCalendarRule({"keep_" + name, unit, rules.KeepOf(unit), Timestamp::min()}, calendar,
                        oldest, candidates);
    }
    const TimeSpan& within = rules.WithinOf(unit);
    if (!within.IsZero()) {
      ApplyCalendarRule({fmt::format("keep_within_{} {}", name, within.ToString()), unit,
                         kUnlimited, calendar.Before(newest, within)},
                        calendar, oldest, candidates);
    }
  }
}

void ApplyLimits(const RetentionRules& rules, const Calendar& calendar, Timestamp now,
                 Candidates& candidates) {
  if (!rules.max_age.IsZero()) {
    const Timestamp oldest = calendar.Before(now, rules.max_age);
    for (Candidate& candidate : candidates) {
      if (candidate.entry->time >= oldest) continue;
      candidate.limited.push_back(
          fmt::format("max_age: it is older than {}", rules.max_age.ToString()));
    }
  }
  if (rules.max_versions == 0) return;
  int64_t taken = 0;
  for (Candidate& candidate : candidates) {
    if (!candidate.IsWanted()) continue;
    if (taken >= rules.max_versions) {
      candidate.limited.push_back(
          fmt::format("max_versions: {} newer good ones are kept", rules.max_versions));
    } else if (candidate.counts) {
      ++taken;
    }
  }
}

bool ApplyBbqFilters(const BbqRules& rules, const Calendar& calendar, Timestamp now,
                     Candidates& candidates) {
  const year_month_day today = calendar.DateOf(now);
  const year_month_day young_from = MonthsBefore(today, static_cast<int>(rules.young_old_months));
  std::optional<year_month_day> last_day;
  int64_t young = 0;
  bool has_old = false;
  for (Candidate& candidate : candidates) {
    const year_month_day day = calendar.DateOf(candidate.entry->time);
    const bool is_young = day >= young_from;
    if (day == last_day) {
      candidate.unwanted.push_back(fmt::format("bbq: there is a newer one of {}", DayText(day)));
      continue;
    }
    if (candidate.counts) last_day = day;
    if (is_young && young >= rules.keep_young) {
      candidate.unwanted.push_back(fmt::format("bbq: {} newer days since {} are kept",
                                               rules.keep_young, DayText(young_from)));
    } else if (is_young) {
      candidate.wanted.push_back(fmt::format("bbq: the newest of {}, {} of {} days since {}",
                                             DayText(day), young + 1, rules.keep_young,
                                             DayText(young_from)));
      if (candidate.counts) ++young;
    } else if (has_old) {
      candidate.unwanted.push_back(
          fmt::format("bbq: a newer one from before {} is kept", DayText(young_from)));
    } else {
      candidate.wanted.push_back(
          fmt::format("bbq: the newest from before {}", DayText(young_from)));
      has_old = candidate.counts;
    }
  }
  return has_old;
}

}  // namespace holdfast::retain
