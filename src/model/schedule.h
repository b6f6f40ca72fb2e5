// Schedule: the times at which something is due, as a cron expression in a time zone.
//
// Five fields: minute, hour, day of month, month, day of week; each a list of *, numbers, names
// (jan, sun), ranges and steps. Where both days are restricted (neither begins with '*') either one
// suffices, as in Vixie cron. Local times are turned into instants so that every local time is due
// exactly once: one that daylight saving leaves out is due at the instant at which the clock jumps,
// one that comes twice is due the first time. So `0 * * * *` is due 24 times a day but once less
// often where an hour repeats. Immutable values, thread-safe; the rules of time zones are those of
// the system. Source: issue "Policy"; crontab(5).
#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace holdfast {

class Schedule {
 public:
  // `cron` such as "0 23 * * *", or @hourly, @daily, @weekly, @monthly, @yearly; `time_zone` an
  // IANA name such as "America/New_York". Errors: kInvalidSchedule naming the field, the zone, or
  // that the expression never comes (the 30th of February).
  static Result<Schedule> Parse(std::string_view cron, std::string_view time_zone = "UTC");

  // The first due time after `after`, which is not itself an answer.
  Timestamp NextDue(Timestamp after) const;

  // The last due time that is not after `at`: `at` itself when it is due then.
  Timestamp LastDue(Timestamp at) const;

  // As they were given.
  const std::string& cron() const { return cron_; }
  const std::string& time_zone() const { return time_zone_; }

  // "0 23 * * * America/New_York"
  std::string ToString() const { return cron_ + " " + time_zone_; }

  // {"cron": ..., "time_zone": ...}; a text alone is a cron expression in UTC. Errors: as Parse,
  // and kInvalidJson.
  static Result<Schedule> FromJson(const Json& json);
  Json ToJson() const { return {{"cron", cron_}, {"time_zone", time_zone_}}; }

  bool operator==(const Schedule& other) const {
    return cron_ == other.cron_ && time_zone_ == other.time_zone_;
  }

  // The fields of an expression as sets; the days of the week from 0, Sunday.
  struct Fields {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;
    std::bitset<13> months;
    std::bitset<7> weekdays;
    bool any_day = false;      // the day of the month begins with '*'
    bool any_weekday = false;  // so does the day of the week
  };

 private:
  Schedule() = default;

  std::string cron_;
  std::string time_zone_;
  Fields fields_;
  const void* zone_ = nullptr;  // of the process-wide table of zones, which lives to its end
};

}  // namespace holdfast
