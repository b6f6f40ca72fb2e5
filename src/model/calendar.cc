#include "model/calendar.h"

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>

#include <exception>

namespace holdfast {

namespace {

using std::chrono::days;
using std::chrono::floor;

const date::time_zone& ZoneOf(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

}  // namespace

std::chrono::year_month_day MonthsBefore(std::chrono::year_month_day date, int months) {
  const auto month = date.year() / date.month() - std::chrono::months{months};
  const auto last = (month / std::chrono::last).day();
  return month / std::min(date.day(), last);
}

Result<Calendar> Calendar::Of(std::string_view time_zone) {
  Calendar calendar;
  calendar.name_ = time_zone;
  if (time_zone == "UTC") return calendar;
  try {
    calendar.zone_ = date::locate_zone(std::string(time_zone));
  } catch (const std::exception&) {
    return MakeError(ErrorId::kRetentionInvalid,
                     fmt::format("\"{}\" is not a time zone: expected an IANA name such as UTC or "
                                 "America/New_York",
                                 time_zone));
  }
  return calendar;
}

LocalTime Calendar::ToLocal(Timestamp at) const {
  if (zone_ == nullptr) return LocalTime{at.time_since_epoch()};
  const auto info = ZoneOf(zone_).get_info(floor<std::chrono::seconds>(at));
  return LocalTime{at.time_since_epoch() + info.offset};
}

Timestamp Calendar::ToInstant(LocalTime local) const {
  if (zone_ == nullptr) return Timestamp{local.time_since_epoch()};
  const date::local_time<Duration> wall{local.time_since_epoch()};
  const auto info = ZoneOf(zone_).get_info(floor<std::chrono::seconds>(wall));
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return Timestamp{local.time_since_epoch() - info.first.offset};
}

std::chrono::year_month_day Calendar::DateOf(Timestamp at) const {
  return std::chrono::year_month_day{floor<days>(ToLocal(at))};
}

Timestamp Calendar::Before(Timestamp at, const TimeSpan& span) const {
  const LocalTime local = ToLocal(at);
  const auto midnight = floor<days>(local);
  const auto date =
      MonthsBefore(std::chrono::year_month_day{midnight}, span.years * 12 + span.months);
  const auto day = std::chrono::local_days{date} - days{span.weeks * 7 + span.days};
  return ToInstant(day + (local - midnight)) - std::chrono::hours{span.hours};
}

}  // namespace holdfast
