// Calendar: instants as dates and hours of a time zone, and the way back.
//
// The rules of the zones are the system's (tzdata); a zone that was found lives as long as the
// process. Values are immutable, cheap to copy, thread-safe. A local hour that daylight saving
// repeats is one hour of the calendar; an instant is never ambiguous. Source: issue "Retention".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/time_span.h"

namespace holdfast {

using LocalTime = std::chrono::local_time<Duration>;  // what a clock on a wall shows

// `date` less so many months; the end of a shorter month stands for days that it has not.
std::chrono::year_month_day MonthsBefore(std::chrono::year_month_day date, int months);

class Calendar {
 public:
  // UTC.
  Calendar() = default;

  // By an IANA name such as "America/New_York". Errors: kRetentionInvalid.
  static Result<Calendar> Of(std::string_view time_zone);

  // The name it was found by.
  const std::string& time_zone() const { return name_; }

  LocalTime ToLocal(Timestamp at) const;

  // The inverse. Of a time that comes twice the first, of one that is left out the jump.
  Timestamp ToInstant(LocalTime local) const;

  // The local date of an instant.
  std::chrono::year_month_day DateOf(Timestamp at) const;

  // `span` before `at`: years, months, weeks and days by the calendar, then hours by the clock.
  Timestamp Before(Timestamp at, const TimeSpan& span) const;

  bool operator==(const Calendar& other) const { return name_ == other.name_; }

 private:
  std::string name_ = "UTC";
  const void* zone_ = nullptr;  // of the process-wide table of zones; nullptr: UTC
};

}  // namespace holdfast
