#include "backup/schedule_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/sqlite_catalog.h"

namespace holdfast::backup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Timestamp DueAt(const char* text) { return ParseTimestamp(text).value(); }

std::vector<Schedule> Daily() {
  return {Schedule::Parse("0 2 * * *").value(),
          Schedule::Parse("0 23 * * *", "America/New_York").value()};
}

constexpr const char* kNight = "0 2 * * * UTC";
constexpr const char* kNewYork = "0 23 * * * America/New_York";

ScheduleHistory Began(const char* night, const char* new_york) {
  return {.last_started_ms = {{kNight, ToUnixMillis(DueAt(night))},
                              {kNewYork, ToUnixMillis(DueAt(new_york))}}};
}

TEST(DecideDue, IsDueAtExactlyItsTimeAndOnce) {
  const ScheduleHistory before = Began("2026-03-06T02:00:00Z", "2026-03-06T04:00:00Z");
  const auto early = DecideDue(Daily(), before, DueAt("2026-03-07T01:59:59.999Z"));
  EXPECT_THAT(early.due, IsEmpty());
  EXPECT_EQ(*early.next, DueAt("2026-03-07T02:00:00Z"));
  const auto now = DecideDue(Daily(), before, DueAt("2026-03-07T02:00:00Z"));
  EXPECT_THAT(now.due, ElementsAre(kNight));
  EXPECT_THAT(now.missed, IsEmpty());
  EXPECT_EQ(*now.next, DueAt("2026-03-07T04:00:00Z"));
  const ScheduleHistory after = Began("2026-03-07T02:00:00Z", "2026-03-06T04:00:00Z");
  EXPECT_THAT(DecideDue(Daily(), after, DueAt("2026-03-07T02:00:01Z")).due, IsEmpty());
}

TEST(DecideDue, CatchesUpOnceWithWhatWasMissedAndNamesIt) {
  // Three nights without a process; New York's clocks change in between.
  const ScheduleHistory before = Began("2026-03-06T02:00:00Z", "2026-03-06T04:00:00Z");
  const auto late = DecideDue(Daily(), before, DueAt("2026-03-09T12:00:00Z"));
  EXPECT_THAT(late.due, ElementsAre(kNight, kNewYork));
  ASSERT_EQ(late.missed.size(), 2);
  EXPECT_EQ(late.missed[0].times, 3);
  EXPECT_EQ(late.missed[1].times, 3);
  EXPECT_EQ(DescribeMissed(late.missed[0]),
            "0 2 * * * UTC: missed 3 times since 2026-03-07T02:00:00Z");
  const ScheduleHistory caught_up = Began("2026-03-09T12:00:00Z", "2026-03-09T12:00:00Z");
  EXPECT_THAT(DecideDue(Daily(), caught_up, DueAt("2026-03-09T12:00:01Z")).due, IsEmpty());
}

TEST(DecideDue, NeverHasTwoAtOnce) {
  ScheduleHistory history = Began("2026-03-06T02:00:00Z", "2026-03-06T04:00:00Z");
  history.is_run_under_way = true;
  const auto decision = DecideDue(Daily(), history, DueAt("2026-03-07T02:00:00Z"));
  EXPECT_THAT(decision.due, IsEmpty());
  EXPECT_TRUE(decision.next);
}

TEST(DecideDue, GoesOnWithARunThatDiedThoughNothingElseIsDue) {
  ScheduleHistory history = Began("2026-03-06T02:00:00Z", "2026-03-06T04:00:00Z");
  const Timestamp soon = DueAt("2026-03-06T05:00:00Z");
  ASSERT_THAT(DecideDue(Daily(), history, soon).due, IsEmpty());
  history.unfinished_due = {kNight};
  EXPECT_THAT(DecideDue(Daily(), history, soon).due, ElementsAre(kNight));
}

TEST(DecideDue, MakesARunAgainInWhichNothingWorked) {
  ScheduleHistory history = Began("2026-03-06T02:00:00Z", "2026-03-06T04:00:00Z");
  history.failed_whole_ms[kNight] = ToUnixMillis(DueAt("2026-03-06T02:01:00Z"));
  EXPECT_THAT(DecideDue(Daily(), history, DueAt("2026-03-06T02:15:59Z")).due, IsEmpty());
  const auto decision = DecideDue(Daily(), history, DueAt("2026-03-06T02:16:00Z"));
  EXPECT_THAT(decision.due, ElementsAre(kNight));
  EXPECT_THAT(decision.missed, IsEmpty()) << "its time was not missed";
  history.is_run_under_way = true;
  EXPECT_THAT(DecideDue(Daily(), history, DueAt("2026-03-06T02:16:00Z")).due, IsEmpty());
}

// What a run carried may fit as soon as a new quota day begins, at midnight in California.
TEST(DecideDue, GoesOnWithWhatWasCarriedWhenTheQuotaIsRenewed) {
  ScheduleHistory history = Began("2026-03-06T02:00:00Z", "2026-03-06T04:00:00Z");
  history.carried = {kNight};
  const auto early = DecideDue(Daily(), history, DueAt("2026-03-06T07:59:59Z"));
  EXPECT_THAT(early.due, IsEmpty());
  EXPECT_EQ(*early.next, DueAt("2026-03-06T08:00:00Z"));
  const auto renewed = DecideDue(Daily(), history, DueAt("2026-03-06T08:00:00Z"));
  EXPECT_THAT(renewed.due, ElementsAre(kNight));
  EXPECT_THAT(renewed.missed, IsEmpty());
}

TEST(DecideDue, DoesNotPutOffAFirstBackup) {
  const auto decision = DecideDue(Daily(), {}, DueAt("2026-03-07T12:00:00Z"));
  EXPECT_THAT(decision.due, ElementsAre(kNight, kNewYork));
  EXPECT_THAT(decision.missed, IsEmpty());
  EXPECT_FALSE(DecideDue({}, {}, DueAt("2026-03-07T12:00:00Z")).next);
}

TEST(DecideDue, OverAYearOfMinutesRunsEachTimeOnce) {
  // A process that looks every 20 seconds, and is down for a day now and then.
  const std::vector<Schedule> schedules = {Daily().back()};
  ScheduleHistory history;
  history.last_started_ms[kNewYork] = ToUnixMillis(DueAt("2026-01-01T04:00:00Z"));
  int runs = 0;
  int64_t missed = 0;
  int days_down = 0;
  for (Timestamp now = DueAt("2026-01-01T12:00:00Z"); now < DueAt("2027-01-01T12:00:00Z");
       now += std::chrono::seconds{20}) {
    const auto decision = DecideDue(schedules, history, now);
    if (!decision.due.empty()) {
      ++runs;
      for (const MissedSchedule& one : decision.missed) missed += one.times;
      history.last_started_ms[kNewYork] = ToUnixMillis(now);
      if (runs % 50 == 0) {
        now += std::chrono::hours{36};
        ++days_down;
      }
    }
  }
  EXPECT_EQ(runs, 365);
  EXPECT_EQ(missed, days_down) << "each was late, none was lost";
}

TEST(ReadScheduleHistory, TellsTheNewestRunOfEachScheduleAndWhetherOneIsAtWork) {
  const auto ledger = catalog::SqliteCatalog::Open(":memory:").value();
  const auto begin = [&](const char* id, const char* at, std::vector<std::string> due) {
    holdfast::Run run;
    run.id = id;
    run.started_ms = ToUnixMillis(DueAt(at));
    run.due = std::move(due);
    ASSERT_TRUE(ledger->BeginRun(run).ok());
  };
  begin("20260301T020000Z-aaaaaaaa", "2026-03-01T02:00:00Z", {kNight});
  begin("20260302T020000Z-aaaaaaaa", "2026-03-02T02:00:00Z", {kNight, kNewYork});
  begin("20260303T020000Z-aaaaaaaa", "2026-03-03T02:00:00Z", {});
  const auto at = [&](const char* now) {
    return ReadScheduleHistory(*ledger, Daily(), DueAt(now)).value();
  };
  EXPECT_EQ(at("2026-03-03T03:00:00Z").last_started_ms,
            Began("2026-03-02T02:00:00Z", "2026-03-02T02:00:00Z").last_started_ms);
  EXPECT_TRUE(at("2026-03-01T02:10:00Z").is_run_under_way);
  EXPECT_FALSE(at("2026-03-03T03:00:00Z").is_run_under_way)
      << "silent for long: to be gone on with";
  EXPECT_THAT(at("2026-03-03T03:00:00Z").unfinished_due, ElementsAre(kNight));
  EXPECT_THAT(at("2026-03-01T02:10:00Z").unfinished_due, IsEmpty()) << "a worker is at it";
  EXPECT_THAT(at("2026-03-03T03:00:00Z").carried, IsEmpty());
  const ItemOutcome carried{.object = {"p", "d", "t", ""}, .outcome = Outcome::kCarried};
  const std::string task = TaskId(StartBackupProcess{"20260302T020000Z-aaaaaaaa"});
  ASSERT_TRUE(ledger->CompleteTask(task, {}, {carried}).ok());
  EXPECT_THAT(at("2026-03-03T03:00:00Z").carried, ElementsAre(kNight, kNewYork));
}

TEST(ReadScheduleHistory, KnowsARunInWhichNothingWorked) {
  struct Case {
    std::vector<Outcome> outcomes;
    bool failed_whole;
  };
  for (const Case& at : {Case{{Outcome::kFailed, Outcome::kUnsupported}, true},
                         Case{{Outcome::kFailed, Outcome::kUnchanged}, false},
                         Case{{Outcome::kFailed, Outcome::kBackedUp}, false},
                         Case{{Outcome::kExcluded}, false}, Case{{}, false}}) {
    const auto ledger = catalog::SqliteCatalog::Open(":memory:").value();
    holdfast::Run run;
    run.id = "20260301T020000Z-aaaaaaaa";
    run.started_ms = ToUnixMillis(DueAt("2026-03-01T02:00:00Z"));
    run.due = {kNight};
    ASSERT_TRUE(ledger->BeginRun(run).ok());
    std::vector<ItemOutcome> items;
    for (const Outcome outcome : at.outcomes) {
      items.push_back(
          {.object = {"p-1", "d", "t" + std::to_string(items.size()), ""}, .outcome = outcome});
    }
    ASSERT_TRUE(ledger->CompleteTask(TaskId(StartBackupProcess{.run = run.id}), {}, items).ok());
    const int64_t ended = run.started_ms + 5000;
    ASSERT_TRUE(ledger->FinishRun(run.id, ended).ok());
    const auto history = ReadScheduleHistory(*ledger, Daily(), DueAt("2026-03-01T03:00:00Z"));
    ASSERT_TRUE(history.ok());
    EXPECT_EQ(history->failed_whole_ms.contains(kNight), at.failed_whole);
    if (at.failed_whole) {
      EXPECT_EQ(history->failed_whole_ms.at(kNight), ended);
    }
  }
}

}  // namespace
}  // namespace holdfast::backup
