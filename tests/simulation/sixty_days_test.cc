// Sixty days of an organization in virtual time: whatever was edited, dropped, emptied and made
// anew, whatever failed and died, each day every object restores to what it was at its last good
// backup.
//
// HOLDFAST_SIXTY_DAYS_SEED chooses another run; a failure names it. Source: issue "Done when".
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/simulation/virtual_days.h"

namespace holdfast::simulation {
namespace {

constexpr const char* kSeedVariable = "HOLDFAST_SIXTY_DAYS_SEED";

uint64_t Seed() {
  const char* const text = std::getenv(kSeedVariable);
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

// Runs follow the local clock: 23:00 in New York is 03:00 UTC in summer and 04:00 UTC from 1
// November 2026 on; 08:00 in Berlin is 06:00 UTC, and 07:00 UTC from 25 October on.
void ExpectLocalTimes(VirtualDays& days) {
  struct Case {
    const char* schedule;
    const char* change;
    int64_t hour_before;
    int64_t hour_after;
  };
  for (const Case& expected : {Case{"0 23 * * * America/New_York", "2026-11-01T06:00:00Z", 3, 4},
                               Case{"0 8 * * * Europe/Berlin", "2026-10-25T01:00:00Z", 6, 7}}) {
    const Timestamp change = ParseTimestamp(expected.change).value();
    int before = 0;
    int after = 0;
    for (const Timestamp start : days.StartsOf(expected.schedule)) {
      const bool is_before = start < change;
      const auto hour = (start.time_since_epoch() % std::chrono::hours{24}) / std::chrono::hours{1};
      (is_before ? before : after) +=
          hour == (is_before ? expected.hour_before : expected.hour_after) ? 1 : 0;
    }
    EXPECT_GE(before, 20) << expected.schedule;
    EXPECT_GE(after, 10) << expected.schedule;
  }
}

TEST(SixtyDays, EachDayEveryObjectRestores) {
  SCOPED_TRACE(std::string("replay with ") + kSeedVariable + "=" + std::to_string(Seed()));
  VirtualDays days(Seed());
  days.Live(60);
  days.ExpectAllIsWell();
  if (!HasFailure()) ExpectLocalTimes(days);
  if (HasFailure()) {
    for (const std::string& line : days.trace()) std::cerr << line << "\n";
    FAIL() << "what happened is on stderr";
  }
  for (const char* event : {"append",
                            "replace",
                            "empty",
                            "drop",
                            "make plain",
                            "make partitioned",
                            "describe",
                            "widen",
                            "label",
                            "stream",
                            "flush",
                            "delete a partition of",
                            "services failed",
                            "the process died",
                            "a project denied access",
                            "a quota was used up",
                            "the clock was set back",
                            "a run was gone on with",
                            "a prune was cut short",
                            "a restore was cut short",
                            "a backup is suspect",
                            "backups were deleted",
                            "outcome backed_up",
                            "outcome unchanged",
                            "outcome metadata_only",
                            "outcome failed",
                            "outcome not_due",
                            "a table was restored",
                            "a partition was restored",
                            "a routine was restored",
                            "restored as VIEW",
                            "restored as MATERIALIZED_VIEW",
                            "restored as EXTERNAL",
                            "row access policies were restored",
                            "a backup was lost",
                            "data of a backup was lost",
                            "restored from the second repository",
                            "a snapshot was newer than the export"}) {
    const auto found = days.happened().find(event);
    EXPECT_TRUE(found != days.happened().end() && found->second > 0) << event;
  }
}

TEST(SixtyDays, TheSameSeedHasTheSameTrace) {
  const auto trace_of = [](uint64_t seed) {
    VirtualDays days(seed);
    days.Live(6);
    return days.trace();
  };
  const auto first = trace_of(7);
  EXPECT_GT(first.size(), 100U);
  EXPECT_EQ(first, trace_of(7));
  EXPECT_NE(first, trace_of(8));
}

}  // namespace
}  // namespace holdfast::simulation
