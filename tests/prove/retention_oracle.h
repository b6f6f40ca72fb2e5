// What retention must keep, said once more, as plainly as possible: the judge of PlanRetention.
//
// Each backup is looked at alone, against the set of the good ones; nothing is sorted, walked or
// shared with the code under test but the values of the policy. UTC only, spans in days and months.
// Quadratic and slow on purpose.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "model/retention.h"
#include "retain/history.h"

namespace holdfast::prove {

class RetentionOracle {
 public:
  RetentionOracle(const retain::ObjectHistory& history, const RetentionPolicy& policy,
                  Timestamp now);

  // Whether this backup of the history must be kept; if not, it must go.
  bool MustKeep(const retain::HistoryEntry& entry) const;

 private:
  using Entry = retain::HistoryEntry;
  using Set = std::vector<const Entry*>;

  bool Counts(const Entry& entry) const;
  Set NewerThan(const Entry& entry, const Set& among) const;
  Set GoodAnd(const Entry& entry) const;
  const RetentionRules* RulesInForce() const;  // nullptr: nothing is kept
  bool IsGone(int64_t days) const;

  bool IsWanted(const RetentionRules& rules, const Entry& entry) const;
  bool IsWantedOfUnit(CalendarUnit unit, int64_t places, const Entry& entry) const;
  bool IsAfter(const Entry& entry, const TimeSpan& span) const;
  bool PassesLimits(const RetentionRules& rules, const Entry& entry) const;
  bool IsProtected(const RetentionRules& rules, const Entry& entry) const;
  bool IsBestOfAll(const Entry& entry) const;
  bool MustKeepByBbq(const Entry& entry) const;
  Set AfterBbqFilters(const Set& set) const;

  const retain::ObjectHistory& history_;
  const RetentionPolicy& policy_;
  const Timestamp now_;
  Set good_;
};

}  // namespace holdfast::prove
