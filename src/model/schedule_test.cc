#include "model/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast {
namespace {

struct DueCase {
  const char* cron;
  const char* zone;
  std::vector<int64_t> due;  // seconds since 1970, ascending, without a gap
};

const DueCase kDueCases[] = {
#include "tests/golden/schedule/due_times.inc"
};

Timestamp At(int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }

Timestamp AtText(const char* text) { return ParseTimestamp(text).value(); }

TEST(Schedule, IsDueWhenAnotherProgramSaysSo) {
  for (const DueCase& at : kDueCases) {
    SCOPED_TRACE(std::string(at.cron) + " " + at.zone);
    const auto schedule = Schedule::Parse(at.cron, at.zone);
    ASSERT_TRUE(schedule.ok()) << schedule.error().message;
    ASSERT_FALSE(at.due.empty());
    Timestamp after = At(at.due.front()) - Duration(1);
    for (const int64_t due : at.due) {
      EXPECT_EQ(FormatTimestamp(schedule->NextDue(after)), FormatTimestamp(At(due)));
      after = At(due);
    }
  }
}

TEST(Schedule, WasLastDueAtTheSameTimes) {
  for (const DueCase& at : kDueCases) {
    SCOPED_TRACE(std::string(at.cron) + " " + at.zone);
    const auto schedule = Schedule::Parse(at.cron, at.zone);
    ASSERT_TRUE(schedule.ok()) << schedule.error().message;
    for (size_t i = 0; i < at.due.size(); ++i) {
      const std::string due = FormatTimestamp(At(at.due[i]));
      // What is due at this very moment is due, and stays the last until the next.
      EXPECT_EQ(FormatTimestamp(schedule->LastDue(At(at.due[i]))), due);
      EXPECT_EQ(FormatTimestamp(schedule->LastDue(At(at.due[i]) + Duration(1))), due);
      if (i + 1 == at.due.size()) continue;
      EXPECT_EQ(FormatTimestamp(schedule->LastDue(At(at.due[i + 1]) - Duration(1))), due);
    }
  }
}

TEST(Schedule, KeepsItsLocalHourWhenTheClocksChange) {
  // Checked by hand: New York is 5 hours behind in winter, 4 in summer.
  const auto schedule = Schedule::Parse("0 23 * * *", "America/New_York");
  ASSERT_TRUE(schedule.ok());
  struct Case {
    const char* after;
    const char* due;
  };
  const Case cases[] = {{"2026-03-07T00:00:00Z", "2026-03-07T04:00:00Z"},
                        {"2026-03-08T04:00:00Z", "2026-03-09T03:00:00Z"},
                        {"2026-10-31T03:00:00Z", "2026-11-01T03:00:00Z"},
                        {"2026-11-01T03:00:00Z", "2026-11-02T04:00:00Z"}};
  for (const Case& at : cases) {
    EXPECT_EQ(FormatTimestamp(schedule->NextDue(AtText(at.after))), at.due);
  }
}

TEST(Schedule, RunsOnceWhatIsLeftOutAndWhatComesTwice) {
  // Europe/Berlin by hand: 2026-03-29 02:00 CET is 03:00 CEST (01:00 UTC); 2026-10-25 03:00 CEST is
  // 02:00 CET (01:00 UTC).
  const auto schedule = Schedule::Parse("30 2 * * *", "Europe/Berlin");
  ASSERT_TRUE(schedule.ok());
  EXPECT_EQ(FormatTimestamp(schedule->NextDue(AtText("2026-03-28T12:00:00Z"))),
            "2026-03-29T01:00:00Z");
  EXPECT_EQ(FormatTimestamp(schedule->NextDue(AtText("2026-03-29T01:00:00Z"))),
            "2026-03-30T00:30:00Z");
  EXPECT_EQ(FormatTimestamp(schedule->NextDue(AtText("2026-10-24T12:00:00Z"))),
            "2026-10-25T00:30:00Z");
  EXPECT_EQ(FormatTimestamp(schedule->NextDue(AtText("2026-10-25T00:30:00Z"))),
            "2026-10-26T01:30:00Z");
  EXPECT_EQ(FormatTimestamp(schedule->LastDue(AtText("2026-10-25T01:10:00Z"))),
            "2026-10-25T00:30:00Z");
}

TEST(Schedule, RefusesWhatIsNoneAndSaysWhere) {
  struct Case {
    const char* cron;
    const char* zone;
    const char* word;
  };
  const Case cases[] = {
      {"", "UTC", "expected minute"},
      {"0 1 * *", "UTC", "expected minute"},
      {"0 1 * * * *", "UTC", "expected minute"},
      {"60 1 * * *", "UTC", "minute"},
      {"0 24 * * *", "UTC", "hour"},
      {"0 0 0 * *", "UTC", "day of the month"},
      {"0 0 * 13 *", "UTC", "month"},
      {"0 0 * * 8", "UTC", "day of the week"},
      {"0 0 * * funday", "UTC", "day of the week"},
      {"5-1 0 * * *", "UTC", "ends before it begins"},
      {"*/0 0 * * *", "UTC", "step"},
      {"*/99 0 * * *", "UTC", "step"},
      {"1,,2 0 * * *", "UTC", "minute"},
      {"-1 0 * * *", "UTC", "minute"},
      {"0 0 30 2 *", "UTC", "never due"},
      {"@reboot", "UTC", "expected minute"},
      {"0 0 * * *", "America/Atlantis", "no time zone"},
      {"0 0 * * *", "../../etc/passwd", "no time zone"},
  };
  for (const Case& at : cases) {
    const auto schedule = Schedule::Parse(at.cron, at.zone);
    ASSERT_FALSE(schedule.ok()) << at.cron;
    EXPECT_EQ(schedule.error().id, ErrorId::kInvalidSchedule);
    EXPECT_NE(schedule.error().message.find(at.word), std::string::npos)
        << schedule.error().message;
  }
}

TEST(Schedule, RoundTripsThroughJson) {
  const auto schedule = Schedule::Parse("0 23 * * *", "America/New_York");
  ASSERT_TRUE(schedule.ok());
  const auto again = Schedule::FromJson(schedule->ToJson());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *schedule);
  EXPECT_EQ(Schedule::FromJson("0 2 * * *")->time_zone(), "UTC");
  EXPECT_FALSE(Schedule::FromJson(7).ok());
  EXPECT_FALSE(Schedule::FromJson({{"time_zone", "UTC"}}).ok());
}

}  // namespace
}  // namespace holdfast
