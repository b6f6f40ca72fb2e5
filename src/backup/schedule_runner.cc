#include "backup/schedule_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model/quota_limits.h"

namespace holdfast::backup {

namespace {

constexpr int64_t kMissedTimesMax = 1000;
// Runs that are looked through for a schedule's last one: a schedule that had none for so many runs
// of others is due at once anyway.
constexpr size_t kRunsLookedAtMax = 5000;

// The times since the last run at which another should have begun, if there is any such.
std::optional<MissedSchedule> FindMissed(const Schedule& schedule, Timestamp started,
                                         Timestamp now) {
  MissedSchedule missed{.schedule = schedule.ToString(), .first = schedule.NextDue(started)};
  for (Timestamp at = missed.first; at + kScheduleGrace < now && missed.times < kMissedTimesMax;
       at = schedule.NextDue(at)) {
    ++missed.times;
  }
  if (missed.times == 0) return std::nullopt;
  return missed;
}

// Whether a run that failed whole is to be made again.
bool IsRetryDue(const ScheduleHistory& history, const std::string& schedule, Timestamp now) {
  const auto failed = history.failed_whole_ms.find(schedule);
  return failed != history.failed_whole_ms.end() &&
         now >= FromUnixMillis(failed->second) + kWholeFailurePause;
}

// By the first page of its outcomes: a project that denies access, or a bucket that cannot be
// written to, is the reason of them all.
Result<bool> FailedWhole(catalog::RunLedger& ledger, const Run& run) {
  if (run.state != RunState::kFinished) return false;
  HF_ASSIGN_OR_RETURN(const auto page, ledger.ListOutcomes(run.id, ""));
  const bool any_worked = std::ranges::any_of(page.items, [](const ItemOutcome& item) {
    return item.outcome == Outcome::kBackedUp || item.outcome == Outcome::kUnchanged ||
           item.outcome == Outcome::kMetadataOnly;
  });
  const bool any_failed = std::ranges::any_of(
      page.items, [](const ItemOutcome& item) { return item.outcome == Outcome::kFailed; });
  return any_failed && !any_worked;
}

// A schedule that is not due by itself: what its run carried may have room by now.
void AddCarried(const std::string& schedule, const ScheduleHistory& history, Timestamp started,
                Timestamp now, DueDecision& decision) {
  if (!history.carried.contains(schedule)) return;
  const Timestamp renewed = QuotaDayStart(started, 1);
  if (renewed <= now) {
    decision.due.push_back(schedule);
  } else if (renewed < *decision.next) {
    decision.next = renewed;
  }
}

}  // namespace

DueDecision DecideDue(const std::vector<Schedule>& schedules, const ScheduleHistory& history,
                      Timestamp now) {
  DueDecision decision;
  for (const Schedule& schedule : schedules) {
    const Timestamp next = schedule.NextDue(now);
    if (!decision.next || next < *decision.next) decision.next = next;
    if (history.is_run_under_way) continue;
    const auto last = history.last_started_ms.find(schedule.ToString());
    if (last == history.last_started_ms.end()) {
      decision.due.push_back(schedule.ToString());
      continue;
    }
    const Timestamp started = FromUnixMillis(last->second);
    if (schedule.LastDue(now) <= started) {
      if (IsRetryDue(history, schedule.ToString(), now)) {
        decision.due.push_back(schedule.ToString());
      } else {
        AddCarried(schedule.ToString(), history, started, now, decision);
      }
      continue;
    }
    decision.due.push_back(schedule.ToString());
    if (auto missed = FindMissed(schedule, started, now)) {
      decision.missed.push_back(*std::move(missed));
    }
  }
  // A run that died is gone on with by the next, which there may not be for days.
  if (decision.due.empty()) decision.due = history.unfinished_due;
  return decision;
}

Result<ScheduleHistory> ReadScheduleHistory(catalog::RunLedger& ledger,
                                            const std::vector<Schedule>& schedules, Timestamp now) {
  ScheduleHistory history;
  HF_ASSIGN_OR_RETURN(const auto unfinished, catalog::UnfinishedRun(ledger));
  if (unfinished) {
    HF_ASSIGN_OR_RETURN(const auto progress, ledger.GetProgress(unfinished->id));
    const int64_t heard_ms = std::max(progress.alive_ms, unfinished->started_ms);
    history.is_run_under_way = now - FromUnixMillis(heard_ms) < kRunSilence;
    if (!history.is_run_under_way) history.unfinished_due = unfinished->due;
  }
  std::set<std::string> wanted;
  for (const Schedule& schedule : schedules) wanted.insert(schedule.ToString());
  std::string token;
  size_t looked = 0;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListRuns(false, token));
    for (const Run& run : page.items) {
      for (const std::string& schedule : run.due) {
        if (wanted.erase(schedule) == 0) continue;
        history.last_started_ms[schedule] = run.started_ms;
        HF_ASSIGN_OR_RETURN(const bool failed, FailedWhole(ledger, run));
        if (failed) history.failed_whole_ms[schedule] = run.finished_ms;
        HF_ASSIGN_OR_RETURN(const auto progress, ledger.GetProgress(run.id));
        if (progress.totals.Of(Outcome::kCarried) > 0) history.carried.insert(schedule);
      }
    }
    looked += page.items.size();
    token = page.next_page_token;
  } while (!token.empty() && !wanted.empty() && looked < kRunsLookedAtMax);
  return history;
}

std::string DescribeMissed(const MissedSchedule& missed) {
  return fmt::format(
      "{}: {} since {}", missed.schedule,
      missed.times == 1 ? std::string("missed once") : fmt::format("missed {} times", missed.times),
      FormatTimestamp(missed.first));
}

}  // namespace holdfast::backup
