#include "retain/plan_retention.h"

#include <fmt/format.h>

#include <algorithm>

#include "retain/candidates.h"
#include "retain/keep_rules.h"

namespace holdfast::retain {

namespace {

bool IsGone(const ObjectHistory& history, Timestamp now) {
  return history.source_deleted_at && *history.source_deleted_at <= now;
}

bool IsGracePassed(const ObjectHistory& history, const RetentionPolicy& policy, Timestamp now) {
  return policy.deleted_source && IsGone(history, now) &&
         *history.source_deleted_at <= policy.calendar.Before(now, policy.deleted_source->grace);
}

// Whether BBQ's fourth filter, given that the source is gone, lets everything go.
bool IsBbqGracePassed(const ObjectHistory& history, const RetentionPolicy& policy, Timestamp now) {
  if (!IsGone(history, now)) return false;
  const Timestamp seen = history.source_last_seen.value_or(*history.source_deleted_at);
  const auto limit =
      MonthsBefore(policy.calendar.DateOf(now), static_cast<int>(policy.bbq->grace_months));
  return policy.calendar.DateOf(seen) < limit;
}

void LimitAll(const std::string& why, Candidates& candidates) {
  for (Candidate& candidate : candidates) candidate.limited.push_back(why);
}

// Where nothing is good: the newest of the best that there is.
Candidate* BestOfTheRest(Candidates& candidates) {
  Candidate* best = nullptr;
  for (Candidate& candidate : candidates) {
    if (candidate.future) continue;
    if (best == nullptr || candidate.entry->state < best->entry->state) best = &candidate;
  }
  return best;
}

void ProtectNewest(Candidates& candidates) {
  for (Candidate& candidate : candidates) {
    if (!candidate.counts) continue;
    candidate.protected_by.emplace_back("it is the newest good backup of its object");
    return;
  }
  Candidate* const best = BestOfTheRest(candidates);
  if (best == nullptr) return;
  best->protected_by.push_back(
      fmt::format("no backup of its object is good; of the {} ones it is the newest",
                  BackupStateName(best->entry->state)));
}

void ProtectMinimum(const RetentionRules& rules, const Calendar& calendar, Timestamp now,
                    Candidates& candidates) {
  int64_t taken = 0;
  for (Candidate& candidate : candidates) {
    if (!candidate.counts || taken == rules.minimum_count) continue;
    ++taken;
    candidate.protected_by.push_back(
        fmt::format("minimum_count: {} of {}", taken, rules.minimum_count));
  }
  if (rules.minimum_age.IsZero()) return;
  const Timestamp after = calendar.Before(now, rules.minimum_age);
  for (Candidate& candidate : candidates) {
    if (candidate.entry->time <= after) continue;
    candidate.protected_by.push_back(
        fmt::format("minimum_age: it is younger than {}", rules.minimum_age.ToString()));
  }
}

void ProtectMarked(Candidates& candidates) {
  for (Candidate& candidate : candidates) {
    if (candidate.entry->pinned) candidate.protected_by.emplace_back("it is pinned");
    if (candidate.entry->held) candidate.protected_by.emplace_back("it is held");
    if (candidate.future) {
      candidate.protected_by.emplace_back("its time is after now: the clock is in doubt");
    }
  }
}

void ApplyRules(const RetentionRules& rules, const RetentionPolicy& policy, Timestamp now,
                Candidates& candidates) {
  ApplyKeepRules(rules, policy.calendar, candidates);
  ApplyLimits(rules, policy.calendar, now, candidates);
  ProtectMinimum(rules, policy.calendar, now, candidates);
}

// The rules for a source that is gone, its grace over.
void ApplyDeletedRules(const ObjectHistory& history, const RetentionPolicy& policy, Timestamp now,
                       Candidates& candidates) {
  const DeletedSourceRules& deleted = *policy.deleted_source;
  if (deleted.rules.HasKeepRule() || deleted.rules.HasLimit()) {
    ApplyRules(deleted.rules, policy, now, candidates);
    return;
  }
  LimitAll(fmt::format("deleted_source: the source is gone since {}, and the grace of {} is over",
                       FormatTimestamp(*history.source_deleted_at), deleted.grace.ToString()),
           candidates);
  ProtectMinimum(deleted.rules, policy.calendar, now, candidates);
}

void ApplyBbq(const ObjectHistory& history, const RetentionPolicy& policy, Timestamp now,
              Candidates& candidates) {
  const bool has_old = ApplyBbqFilters(*policy.bbq, policy.calendar, now, candidates);
  if (has_old && IsBbqGracePassed(history, policy, now)) {
    LimitAll(
        fmt::format("bbq: the source is gone and was last seen on {}, more than {} months ago",
                    FormatTimestamp(history.source_last_seen.value_or(*history.source_deleted_at)),
                    policy.bbq->grace_months),
        candidates);
    return;
  }
  ProtectMinimum(policy.rules, policy.calendar, now, candidates);
  ProtectNewest(candidates);
}

Verdict VerdictOf(Candidate&& candidate) {
  Verdict verdict{.backup = *candidate.entry, .keep = true, .reasons = {}};
  if (candidate.IsWanted()) verdict.reasons = std::move(candidate.wanted);
  for (std::string& reason : candidate.protected_by) verdict.reasons.push_back(std::move(reason));
  if (!verdict.reasons.empty()) return verdict;
  verdict.keep = false;
  verdict.reasons = std::move(candidate.limited);
  if (!candidate.wanted.empty()) return verdict;  // by one rule: that others do not is no reason
  for (std::string& reason : candidate.unwanted) verdict.reasons.push_back(std::move(reason));
  return verdict;
}

}  // namespace

Candidates SortedCandidates(const ObjectHistory& history, Timestamp now) {
  Candidates candidates;
  candidates.reserve(history.backups.size());
  for (const HistoryEntry& entry : history.backups) {
    const bool future = entry.time > now;
    candidates.push_back({.entry = &entry,
                          .counts = entry.state == BackupState::kGood && !future,
                          .future = future});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tie(a.entry->time, a.entry->id) > std::tie(b.entry->time, b.entry->id);
  });
  return candidates;
}

size_t RetentionPlan::CountKept() const {
  return static_cast<size_t>(std::ranges::count(verdicts, true, &Verdict::keep));
}

RetentionPlan PlanRetention(const ObjectHistory& history, const RetentionPolicy& policy,
                            Timestamp now) {
  Candidates candidates = SortedCandidates(history, now);
  ProtectMarked(candidates);
  if (policy.bbq) {
    ApplyBbq(history, policy, now, candidates);
  } else if (IsGracePassed(history, policy, now)) {
    ApplyDeletedRules(history, policy, now, candidates);
  } else {
    ApplyRules(policy.rules, policy, now, candidates);
    ProtectNewest(candidates);
  }
  RetentionPlan plan{.object = history.object, .verdicts = {}};
  for (Candidate& candidate : candidates) plan.verdicts.push_back(VerdictOf(std::move(candidate)));
  return plan;
}

}  // namespace holdfast::retain
