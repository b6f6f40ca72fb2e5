// RetentionPolicy: which backups of one object are kept, and for how long.
//
// Two kinds of rules. A keep rule asks for backups, and what any of them asks for is kept; with
// none everything is. A limit takes away from that. Above both stand the invariants that no policy
// can turn off (retain/plan_retention.h). The names are restic's. JSON is strict: an unknown member
// is an error that names it, since a mistyped rule would delete. Plain values. Source: issue
// "Retention"; interfaces.md "Retention"; peers.md 1.1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/calendar.h"
#include "model/time_span.h"

namespace holdfast {

enum class CalendarUnit { kHour, kDay, kWeek, kMonth, kYear };  // a week is ISO 8601's
inline constexpr int kCalendarUnits = 5;
std::string_view CalendarRuleName(CalendarUnit unit);  // "hourly", "daily", ...

// A count without end; "unlimited" in JSON.
inline constexpr int64_t kUnlimited = -1;

struct RetentionRules {
  // Keep rules; 0 and a span of zero: not asked for. keep_hourly is keep[kHour]: the newest backup
  // of each of the newest so many hours that have one. A span is counted back from the newest good
  // backup, as restic does: a source that is silent does not lose its history.
  int64_t keep_last = 0;
  std::array<int64_t, kCalendarUnits> keep = {};
  TimeSpan keep_within;
  std::array<TimeSpan, kCalendarUnits> keep_within_each = {};  // keep_within_hourly, ...

  // Limits; 0 and a span of zero: none.
  TimeSpan max_age;          // before now: what is older goes
  int64_t max_versions = 0;  // good backups: beyond the newest so many they go

  // Never fewer good backups than this, and none that is younger than this.
  int64_t minimum_count = 0;
  TimeSpan minimum_age;

  int64_t KeepOf(CalendarUnit unit) const { return keep[static_cast<size_t>(unit)]; }
  const TimeSpan& WithinOf(CalendarUnit unit) const {
    return keep_within_each[static_cast<size_t>(unit)];
  }

  bool HasKeepRule() const;
  bool HasLimit() const { return max_versions != 0 || !max_age.IsZero(); }
  bool operator==(const RetentionRules&) const = default;
};

// What holds in place of the other rules once the source has been gone for `grace`. Without a keep
// rule and without a limit it is: nothing is kept.
struct DeletedSourceRules {
  TimeSpan grace;  // at least an hour
  RetentionRules rules;

  bool operator==(const DeletedSourceRules&) const = default;
};

// The four filters of BBQ, one after the other (peers.md 1.1): the newest of each day; of those
// created on or after today less young_old_months, the keep_young newest; of the older ones the
// newest; and none at all, when an older one is left and the source, which is gone, was last seen
// before today less grace_months.
struct BbqRules {
  int64_t young_old_months = 7;
  int64_t keep_young = 10;
  int64_t grace_months = 7;

  bool operator==(const BbqRules&) const = default;
};

struct RetentionPolicy {
  RetentionRules rules{.minimum_count = 1};
  Calendar calendar;                                 // "time_zone": whose days and hours count
  std::optional<DeletedSourceRules> deleted_source;  // nullopt: as while the source was there
  std::optional<BbqRules> bbq;  // preset "bbq": in place of keep rules, limits, deleted_source

  // {"keep_daily": 7, "keep_within": "30d", "time_zone": "Europe/Berlin",
  //  "deleted_source": {"grace": "7m", "keep_last": 1}}, or {"preset": "bbq", "keep_young": 5}, or
  // {"preset": "gfs"} (7 days, 5 weeks, 12 months, 10 years), which other members override. Counts
  // also as "unlimited". Errors: kRetentionInvalid naming the member.
  static Result<RetentionPolicy> FromJson(const Json& json);

  // What is not at its default, so that FromJson gives the same policy; "gfs" as its rules.
  Json ToJson() const;
  bool operator==(const RetentionPolicy&) const = default;
};

}  // namespace holdfast
