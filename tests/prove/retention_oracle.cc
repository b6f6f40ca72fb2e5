#include "tests/prove/retention_oracle.h"

#include <algorithm>
#include <tuple>

namespace holdfast::prove {

namespace {

using std::chrono::days;
using std::chrono::hours;

struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
  auto operator<=>(const Date&) const = default;
};

int64_t DayNumber(Timestamp at) { return std::chrono::floor<days>(at).time_since_epoch().count(); }

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysOf(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays.at(static_cast<size_t>(month - 1)) + (month == 2 && IsLeap(year) ? 1 : 0);
}

// By counting from 1970, a year and a month at a time.
Date DateOf(Timestamp at) {
  int64_t left = DayNumber(at);
  Date date{1970, 1, 1};
  for (; left >= (IsLeap(date.year) ? 366 : 365); ++date.year)
    left -= IsLeap(date.year) ? 366 : 365;
  for (; left >= DaysOf(date.year, date.month); ++date.month) left -= DaysOf(date.year, date.month);
  date.day += static_cast<int>(left);
  return date;
}

Date MonthsEarlier(Date date, int64_t months) {
  for (; months > 0; --months) {
    date.month = date.month == 1 ? 12 : date.month - 1;
    if (date.month == 12) --date.year;
  }
  date.day = std::min(date.day, DaysOf(date.year, date.month));
  return date;
}

// A number that two instants share when they are of the same hour, day, ...
int64_t BucketOf(CalendarUnit unit, Timestamp at) {
  const Date date = DateOf(at);
  switch (unit) {
    case CalendarUnit::kHour:
      return std::chrono::floor<hours>(at).time_since_epoch().count();
    case CalendarUnit::kDay:
      return DayNumber(at);
    case CalendarUnit::kWeek:
      return (DayNumber(at) + 3) / 7;  // 1970-01-01 was a Thursday; weeks begin on Mondays
    case CalendarUnit::kMonth:
      return date.year * 12 + date.month;
    case CalendarUnit::kYear:
      break;
  }
  return date.year;
}

// Only spans in days and hours.
Timestamp Earlier(Timestamp at, const TimeSpan& span) {
  return at - days{span.days} - hours{span.hours};
}

}  // namespace

RetentionOracle::RetentionOracle(const retain::ObjectHistory& history,
                                 const RetentionPolicy& policy, Timestamp now)
    : history_(history), policy_(policy), now_(now) {
  for (const Entry& entry : history.backups) {
    if (Counts(entry)) good_.push_back(&entry);
  }
}

bool RetentionOracle::Counts(const Entry& entry) const {
  return entry.state == retain::BackupState::kGood && entry.time <= now_;
}

RetentionOracle::Set RetentionOracle::NewerThan(const Entry& entry, const Set& among) const {
  Set newer;
  for (const Entry* other : among) {
    if (std::tie(other->time, other->id) > std::tie(entry.time, entry.id)) newer.push_back(other);
  }
  return newer;
}

// The set in which a backup is judged: the good ones, and it as if it were one.
RetentionOracle::Set RetentionOracle::GoodAnd(const Entry& entry) const {
  Set set = good_;
  if (!Counts(entry)) set.push_back(&entry);
  return set;
}

bool RetentionOracle::IsGone(int64_t for_days) const {
  return history_.source_deleted_at && *history_.source_deleted_at <= now_ &&
         *history_.source_deleted_at <= now_ - days{for_days};
}

const RetentionRules* RetentionOracle::RulesInForce() const {
  if (!policy_.deleted_source || !IsGone(policy_.deleted_source->grace.days)) {
    return &policy_.rules;
  }
  const RetentionRules& rules = policy_.deleted_source->rules;
  return rules.HasKeepRule() || rules.HasLimit() ? &rules : nullptr;
}

bool RetentionOracle::IsWantedOfUnit(CalendarUnit unit, int64_t places, const Entry& entry) const {
  const Set set = GoodAnd(entry);
  const Set newer = NewerThan(entry, set);
  std::set<int64_t> buckets;
  for (const Entry* other : newer) buckets.insert(BucketOf(unit, other->time));
  const bool has_place = places == kUnlimited || static_cast<int64_t>(buckets.size()) < places;
  const bool is_oldest = newer.size() + 1 == set.size();
  return has_place && (is_oldest || !buckets.contains(BucketOf(unit, entry.time)));
}

bool RetentionOracle::IsAfter(const Entry& entry, const TimeSpan& span) const {
  std::optional<Timestamp> newest;
  for (const Entry* other : good_) newest = std::max(newest.value_or(other->time), other->time);
  for (const Entry& other : history_.backups) {
    if (good_.empty() && other.time <= now_) {
      newest = std::max(newest.value_or(other.time), other.time);
    }
  }
  return entry.time > Earlier(newest.value_or(now_), span);
}

bool RetentionOracle::IsWanted(const RetentionRules& rules, const Entry& entry) const {
  if (!rules.HasKeepRule()) return true;
  const auto newer = static_cast<int64_t>(NewerThan(entry, good_).size());
  if (rules.keep_last == kUnlimited || newer < rules.keep_last) return true;
  if (!rules.keep_within.IsZero() && IsAfter(entry, rules.keep_within)) return true;
  for (int i = 0; i < kCalendarUnits; ++i) {
    const auto unit = static_cast<CalendarUnit>(i);
    if (rules.KeepOf(unit) != 0 && IsWantedOfUnit(unit, rules.KeepOf(unit), entry)) return true;
    const TimeSpan& within = rules.WithinOf(unit);
    if (!within.IsZero() && IsAfter(entry, within) && IsWantedOfUnit(unit, kUnlimited, entry)) {
      return true;
    }
  }
  return false;
}

bool RetentionOracle::PassesLimits(const RetentionRules& rules, const Entry& entry) const {
  const auto too_old = [&](const Entry& of) {
    return !rules.max_age.IsZero() && of.time < Earlier(now_, rules.max_age);
  };
  if (too_old(entry)) return false;
  if (rules.max_versions == 0) return true;
  int64_t versions = 0;
  for (const Entry* other : NewerThan(entry, good_)) {
    if (IsWanted(rules, *other) && !too_old(*other)) ++versions;
  }
  return versions < rules.max_versions;
}

bool RetentionOracle::IsProtected(const RetentionRules& rules, const Entry& entry) const {
  const auto newer = static_cast<int64_t>(NewerThan(entry, good_).size());
  if (Counts(entry) && newer < rules.minimum_count) return true;
  return !rules.minimum_age.IsZero() && entry.time > Earlier(now_, rules.minimum_age);
}

// The newest good one; where none is good, the newest of the best.
bool RetentionOracle::IsBestOfAll(const Entry& entry) const {
  if (!good_.empty()) return Counts(entry) && NewerThan(entry, good_).empty();
  for (const Entry& other : history_.backups) {
    if (other.time > now_) continue;
    if (other.state < entry.state) return false;
    if (other.state == entry.state &&
        std::tie(other.time, other.id) > std::tie(entry.time, entry.id)) {
      return false;
    }
  }
  return entry.time <= now_;
}

// The filters of peers.md 1.1, one list after the other.
RetentionOracle::Set RetentionOracle::AfterBbqFilters(const Set& set) const {
  Set daily;
  for (const Entry* entry : set) {
    const auto newer = NewerThan(*entry, set);
    const bool latest_of_day = std::ranges::none_of(
        newer, [&](const Entry* other) { return DateOf(other->time) == DateOf(entry->time); });
    if (latest_of_day) daily.push_back(entry);
  }
  const Date threshold = MonthsEarlier(DateOf(now_), policy_.bbq->young_old_months);
  Set young;
  Set old;
  for (const Entry* entry : daily) {
    (DateOf(entry->time) >= threshold ? young : old).push_back(entry);
  }
  Set left;
  for (const Entry* entry : young) {
    const auto newer = static_cast<int64_t>(NewerThan(*entry, young).size());
    if (newer < policy_.bbq->keep_young) left.push_back(entry);
  }
  for (const Entry* entry : old) {
    if (NewerThan(*entry, old).empty()) left.push_back(entry);
  }
  return left;
}

bool RetentionOracle::MustKeepByBbq(const Entry& entry) const {
  const Date threshold = MonthsEarlier(DateOf(now_), policy_.bbq->young_old_months);
  const Set left = AfterBbqFilters(good_);
  const bool old_left =
      std::ranges::any_of(left, [&](const Entry* of) { return DateOf(of->time) < threshold; });
  const auto seen =
      history_.source_last_seen ? history_.source_last_seen : history_.source_deleted_at;
  if (old_left && IsGone(0) &&
      DateOf(*seen) < MonthsEarlier(DateOf(now_), policy_.bbq->grace_months)) {
    return false;
  }
  if (IsProtected(policy_.rules, entry) || IsBestOfAll(entry)) return true;
  const Set with = AfterBbqFilters(GoodAnd(entry));
  return std::ranges::find(with, &entry) != with.end();
}

bool RetentionOracle::MustKeep(const Entry& entry) const {
  if (entry.pinned || entry.held || entry.time > now_) return true;
  if (policy_.bbq) return MustKeepByBbq(entry);
  const RetentionRules* rules = RulesInForce();
  if (rules == nullptr) return IsProtected(policy_.deleted_source->rules, entry);
  if (IsWanted(*rules, entry) && PassesLimits(*rules, entry)) return true;
  if (IsProtected(*rules, entry)) return true;
  return rules == &policy_.rules && IsBestOfAll(entry);
}

}  // namespace holdfast::prove
