// Which schedules are due: the decision behind `holdfast up` and `holdfast backup run --due`.
//
// A schedule is due when its last time has come and no run of it began since; at exactly that time
// it is. However many times were missed while nothing ran, one run catches up with them, and they
// are named. A run in which nothing at all worked is made again kWholeFailurePause after its end,
// as long as it takes; one that carried something for want of quota, when the next quota day
// begins. A schedule that never had a run is due at once: a first backup is not put off. While a
// run is under way nothing is due, so there are never two. The ledger is the memory: a process may
// stop and another go on. `DecideDue` is pure. Source: issue "Policy"; model/schedule.h.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/run_ledger.h"
#include "model/schedule.h"

namespace holdfast::backup {

// What the ledger tells of earlier runs.
struct ScheduleHistory {
  std::map<std::string, int64_t> last_started_ms;  // of the newest run of a schedule, by its text
  bool is_run_under_way = false;                   // one that a worker is at, of whatever schedule
  // Of a schedule whose newest run backed nothing up and found nothing unchanged, when it ended.
  std::map<std::string, int64_t> failed_whole_ms;
  std::vector<std::string> unfinished_due;  // of one that no worker is at any more
  std::set<std::string> carried;  // schedules whose newest run carried something (admission.h)
};

struct MissedSchedule {
  std::string schedule;
  Timestamp first;    // the first time at which no run began
  int64_t times = 0;  // how many there were, up to 1,000
};

struct DueDecision {
  std::vector<std::string> due;        // to be run now, in one run; empty: nothing
  std::vector<MissedSchedule> missed;  // of those, where a time passed more than the grace ago
  std::optional<Timestamp> next;       // when something is due next; nullopt: no schedule at all
};

// How late a run may begin without its time counting as missed.
inline constexpr Duration kScheduleGrace = std::chrono::minutes{5};

// Between a run in which nothing worked and the next try.
inline constexpr Duration kWholeFailurePause = std::chrono::minutes{15};

DueDecision DecideDue(const std::vector<Schedule>& schedules, const ScheduleHistory& history,
                      Timestamp now);

// A run that no worker said anything of for this long is not under way: it is gone on with.
inline constexpr Duration kRunSilence = std::chrono::minutes{15};

// Reads the newest runs until all schedules are found. Errors: the ledger's.
Result<ScheduleHistory> ReadScheduleHistory(catalog::RunLedger& ledger,
                                            const std::vector<Schedule>& schedules, Timestamp now);

// "0 23 * * * America/New_York: 3 times missed since 2026-11-01T04:00:00Z"
std::string DescribeMissed(const MissedSchedule& missed);

}  // namespace holdfast::backup
