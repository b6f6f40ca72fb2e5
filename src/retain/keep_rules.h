// The keep rules and limits of a policy, each said of every backup of one object.
//
// Internal to retain/. A backup that does not count (suspect, damaged, failed) is judged as if it
// were good and the only such one. Source: restic's forget; peers.md 1.1.
#pragma once

#include "model/retention.h"
#include "retain/candidates.h"

namespace holdfast::retain {

// Adds what each keep rule says to `wanted` or `unwanted`; with no keep rule all are wanted.
void ApplyKeepRules(const RetentionRules& rules, const Calendar& calendar, Candidates& candidates);

// Adds what each limit takes away to `limited`.
void ApplyLimits(const RetentionRules& rules, const Calendar& calendar, Timestamp now,
                 Candidates& candidates);

// Filters 1 to 3 of BBQ, as `wanted` and `unwanted`. Returns whether one that counts and is old was
// left.
bool ApplyBbqFilters(const BbqRules& rules, const Calendar& calendar, Timestamp now,
                     Candidates& candidates);

}  // namespace holdfast::retain
