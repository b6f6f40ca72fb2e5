#include "model/schedule.h"

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

namespace holdfast {

namespace {

using LocalMinutes = date::local_time<std::chrono::minutes>;

constexpr size_t kCronTextMax = 1000;
// A 29th of February may be eight years away, and on a given day of the week 40.
constexpr int kDaysLookedAtMax = 366 * 45;

constexpr std::array<std::string_view, 12> kMonthNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDayNames = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

struct CronField {
  std::string_view what;
  int first;
  int last;
  std::span<const std::string_view> names;  // of first, first + 1, ...; empty: none
};

constexpr std::array<CronField, 5> kCronFields = {{{"minute", 0, 59, {}},
                                                   {"hour", 0, 23, {}},
                                                   {"day of the month", 1, 31, {}},
                                                   {"month", 1, 12, kMonthNames},
                                                   {"day of the week", 0, 7, kDayNames}}};

constexpr std::array<std::array<std::string_view, 2>, 7> kCronWords = {
    {{"@hourly", "0 * * * *"},
     {"@daily", "0 0 * * *"},
     {"@midnight", "0 0 * * *"},
     {"@weekly", "0 0 * * 0"},
     {"@monthly", "0 0 1 * *"},
     {"@yearly", "0 0 1 1 *"},
     {"@annually", "0 0 1 1 *"}}};

Error InvalidField(const CronField& field, std::string_view text, std::string_view why) {
  return MakeError(ErrorId::kInvalidSchedule,
                   fmt::format("\"{}\" is no {}: {}", text, field.what, why));
}

std::vector<std::string_view> SplitCron(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  while (true) {
    const size_t end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    if (end == text.size()) return parts;
    begin = end + 1;
  }
}

std::optional<int> ParseCronNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Result<int> ParseCronValue(const CronField& field, std::string_view text) {
  for (size_t i = 0; i < field.names.size(); ++i) {
    const bool equal = std::ranges::equal(text, field.names[i], [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
    });
    if (equal) return field.first + static_cast<int>(i);
  }
  const auto number = ParseCronNumber(text);
  if (!number || *number < field.first || *number > field.last) {
    return InvalidField(field, text, fmt::format("expected {} to {}", field.first, field.last));
  }
  return *number;
}

// One item of a list ("5", "1-5", "*/10", "mon-fri/2") as the values that it stands for.
Result<std::vector<int>> ParseCronItem(const CronField& field, std::string_view item) {
  const size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  int step = 1;
  if (slash != item.npos) {
    const auto number = ParseCronNumber(item.substr(slash + 1));
    if (!number || *number < 1 || *number > 60) {
      return InvalidField(field, item, "the step after the slash is not a number from 1 to 60");
    }
    step = *number;
  }
  int first = field.first;
  int last = field.what == "day of the week" ? 6 : field.last;
  if (range != "*") {
    const size_t dash = range.find('-');
    HF_ASSIGN_OR_RETURN(first, ParseCronValue(field, range.substr(0, dash)));
    if (dash != range.npos) {
      HF_ASSIGN_OR_RETURN(last, ParseCronValue(field, range.substr(dash + 1)));
      if (last == 0 && field.last == 7) last = 7;  // a week may end on a Sunday
    } else if (slash == item.npos) {
      last = first;
    }
    if (last < first) return InvalidField(field, item, "the range ends before it begins");
  }
  std::vector<int> values;
  for (int value = first; value <= last; value += step) values.push_back(value);
  return values;
}

template <size_t N>
Status FillCronField(size_t index, std::string_view text, std::bitset<N>& set) {
  const CronField& field = kCronFields.at(index);
  for (const std::string_view item : SplitCron(text, ",")) {
    HF_ASSIGN_OR_RETURN(const auto values, ParseCronItem(field, item));
    for (const int value : values) set.set(static_cast<size_t>(value) % (N == 7 ? 7 : N));
  }
  return Ok();
}

Result<Schedule::Fields> ParseFields(std::string_view cron) {
  for (const auto& [word, meaning] : kCronWords) {
    if (cron == word) cron = meaning;
  }
  std::vector<std::string_view> parts = SplitCron(cron, " \t");
  std::erase(parts, std::string_view());
  if (cron.size() > kCronTextMax || parts.size() != kCronFields.size()) {
    return MakeError(ErrorId::kInvalidSchedule,
                     fmt::format("\"{}\" is no schedule: expected minute, hour, day of the month, "
                                 "month and day of the week",
                                 cron.substr(0, 100)));
  }
  Schedule::Fields fields;
  HF_RETURN_IF_ERROR(FillCronField(0, parts[0], fields.minutes));
  HF_RETURN_IF_ERROR(FillCronField(1, parts[1], fields.hours));
  HF_RETURN_IF_ERROR(FillCronField(2, parts[2], fields.days));
  HF_RETURN_IF_ERROR(FillCronField(3, parts[3], fields.months));
  HF_RETURN_IF_ERROR(FillCronField(4, parts[4], fields.weekdays));
  fields.any_day = parts[2].starts_with('*');
  fields.any_weekday = parts[4].starts_with('*');
  return fields;
}

bool HasDay(const Schedule::Fields& fields, date::local_days day) {
  const date::year_month_day ymd(day);
  if (!fields.months.test(static_cast<unsigned>(ymd.month()))) return false;
  const bool by_day = fields.days.test(static_cast<unsigned>(ymd.day()));
  const bool by_weekday = fields.weekdays.test(date::weekday(day).c_encoding());
  if (fields.any_day || fields.any_weekday) return by_day && by_weekday;
  return by_day || by_weekday;
}

// The minutes of a day in the order in which they are looked at, from `from` on.
template <typename Visit>
bool VisitMinutes(const Schedule::Fields& fields, int from, int step, const Visit& visit) {
  for (int minute = from; minute >= 0 && minute < 24 * 60; minute += step) {
    if (!fields.hours.test(static_cast<size_t>(minute / 60))) {
      // To the hour's last minute on the way.
      minute = step > 0 ? minute / 60 * 60 + 59 : minute / 60 * 60;
      continue;
    }
    if (fields.minutes.test(static_cast<size_t>(minute % 60)) && visit(minute)) return true;
  }
  return false;
}

// Calls `visit` with each matching local time from `from` on, in steps of +1 or -1 minute, until it
// says true. False: none was right within the days that are looked at.
template <typename Visit>
bool VisitLocalTimes(const Schedule::Fields& fields, LocalMinutes from, int step,
                     const Visit& visit) {
  auto day = date::floor<date::days>(from);
  auto minute = static_cast<int>((from - day).count());
  for (int looked = 0; looked < kDaysLookedAtMax; ++looked) {
    if (HasDay(fields, day) && VisitMinutes(fields, minute, step, [&](int at) {
          return visit(LocalMinutes(day) + std::chrono::minutes(at));
        })) {
      return true;
    }
    day += date::days(step);
    minute = step > 0 ? 0 : 24 * 60 - 1;
  }
  return false;
}

// The one instant of a local time: the first where it comes twice, that of the jump where it is
// left out.
Timestamp InstantOf(const date::time_zone& zone, LocalMinutes local) {
  const date::local_info info = zone.get_info(local);
  if (info.result == date::local_info::nonexistent) return Timestamp(info.first.end);
  const date::local_time<std::chrono::seconds> seconds(local);
  return Timestamp(std::chrono::seconds(seconds.time_since_epoch()) - info.first.offset);
}

LocalMinutes LocalAt(Timestamp at, std::chrono::seconds offset) {
  return date::floor<std::chrono::minutes>(
      date::local_time<Duration>(at.time_since_epoch() + offset));
}

date::sys_info InfoAt(const date::time_zone& zone, Timestamp at) {
  return zone.get_info(date::floor<std::chrono::seconds>(at));
}

// The last local time that may have been before or at `at`: a clock that was turned back shows less
// than it has shown.
LocalMinutes LatestLocal(const date::time_zone& zone, Timestamp at) {
  const date::sys_info now = InfoAt(zone, at);
  const LocalMinutes shown = LocalAt(at, now.offset);
  if (now.begin <= date::sys_seconds::min() + std::chrono::seconds(1)) return shown;
  const Timestamp turned = Timestamp(now.begin) - Duration(1);
  return std::max(shown, LocalAt(turned, InfoAt(zone, turned).offset));
}

Result<const date::time_zone*> FindZone(std::string_view name) {
  // The library throws for a zone that it does not have; this is its edge.
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return MakeError(ErrorId::kInvalidSchedule,
                     fmt::format("there is no time zone \"{}\"", name.substr(0, 100)));
  }
}

}  // namespace

Result<Schedule> Schedule::Parse(std::string_view cron, std::string_view time_zone) {
  Schedule schedule;
  schedule.cron_ = cron;
  schedule.time_zone_ = time_zone;
  HF_ASSIGN_OR_RETURN(schedule.fields_, ParseFields(cron));
  HF_ASSIGN_OR_RETURN(schedule.zone_, FindZone(time_zone));
  const LocalMinutes start{date::local_days(date::January / 1 / 2001)};
  if (!VisitLocalTimes(schedule.fields_, start, 1, [](LocalMinutes) { return true; })) {
    return MakeError(ErrorId::kInvalidSchedule,
                     fmt::format("\"{}\" is never due: no month has that day", cron));
  }
  return schedule;
}

Timestamp Schedule::NextDue(Timestamp after) const {
  const auto& zone = *static_cast<const date::time_zone*>(zone_);
  Timestamp due;
  const LocalMinutes from = LocalAt(after, InfoAt(zone, after).offset);
  const bool found = VisitLocalTimes(fields_, from, 1, [&](LocalMinutes local) {
    due = InstantOf(zone, local);
    return due > after;
  });
  CHECK(found, "a schedule that was accepted is never due: " + ToString());
  return due;
}

Timestamp Schedule::LastDue(Timestamp at) const {
  const auto& zone = *static_cast<const date::time_zone*>(zone_);
  Timestamp due;
  const bool found = VisitLocalTimes(fields_, LatestLocal(zone, at), -1, [&](LocalMinutes local) {
    due = InstantOf(zone, local);
    return due <= at;
  });
  CHECK(found, "a schedule that was accepted was never due: " + ToString());
  return due;
}

Result<Schedule> Schedule::FromJson(const Json& json) {
  if (json.is_string()) return Parse(json.get_ref<const std::string&>());
  if (!json.is_object()) return MakeError(ErrorId::kInvalidJson, "a schedule is not a text or map");
  HF_ASSIGN_OR_RETURN(const std::string cron, RequiredString(json, "cron"));
  HF_ASSIGN_OR_RETURN(const auto zone, OptionalString(json, "time_zone"));
  return Parse(cron, zone.value_or("UTC"));
}

}  // namespace holdfast
