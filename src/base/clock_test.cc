#include "base/clock.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/virtual_clock.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp At(int64_t micros) { return Timestamp{Duration{micros}}; }

TEST(FormatTimestamp, ShowsMicrosecondsOnlyWhereThereAreAny) {
  EXPECT_EQ(FormatTimestamp(At(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(At(1'795'256'324'500'000)), "2026-11-21T10:18:44.5Z");
  EXPECT_EQ(FormatTimestamp(At(1)), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(FormatTimestamp(At(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(ParseTimestamp, ReadsOffsetsAndFractions) {
  const struct {
    std::string text;
    int64_t micros;
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01t00:00:00z", 0},
      {"1970-01-01 00:00:01Z", 1'000'000},
      {"1970-01-01T02:00:00+02:00", 0},
      {"1969-12-31T19:30:00-04:30", 0},
      {"1970-01-01T00:00:00.123456789Z", 123'456},
      {"1970-01-01T00:00:00.5Z", 500'000},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000'000},
      {"0001-01-01T00:00:00Z", -62'135'596'800'000'000},
      {"9999-12-31T23:59:59.999999Z", 253'402'300'799'999'999},
  };
  for (const auto& expected : cases) {
    const auto parsed = ParseTimestamp(expected.text);
    ASSERT_TRUE(parsed.ok()) << expected.text;
    EXPECT_EQ(parsed->time_since_epoch().count(), expected.micros) << expected.text;
  }
}

TEST(ParseTimestamp, RefusesWhatIsNoTime) {
  for (const char* text : {"", "now", "2026-11-21", "2026-11-21T10:18:44", "2026-13-01T00:00:00Z",
                           "2025-02-29T00:00:00Z", "2026-00-10T00:00:00Z", "2026-11-21T24:00:00Z",
                           "2026-11-21T10:60:00Z", "2026-11-21T10:18:61Z", "2026-11-21T10:18:44Zx",
                           "2026-11-21T10:18:44+02", "2026-11-21T10:18:44+0200",
                           "-026-11-21T10:18:44Z", "26-11-21T10:18:44Z", "2026-1-21T10:18:44Z"}) {
    EXPECT_FALSE(ParseTimestamp(text).ok()) << text;
  }
}

RC_GTEST_PROP(ParseTimestamp, IsTheInverseOfFormat, ()) {
  const int64_t micros =
      *rc::gen::inRange<int64_t>(-62'135'596'800'000'000, 253'402'300'800'000'000);
  RC_ASSERT(ParseTimestamp(FormatTimestamp(At(micros))).value() == At(micros));
}

TEST(FormatCompact, SortsAsTheTimesDo) {
  EXPECT_EQ(FormatCompact(At(1'795'256'324'999'999)), "20261121T101844Z");
  EXPECT_LT(FormatCompact(At(1'795'256'324'000'000)), FormatCompact(At(1'795'256'325'000'000)));
}

TEST(UnixMillis, RoundDownBeforeTheEpochToo) {
  EXPECT_EQ(ToUnixMillis(At(1'999)), 1);
  EXPECT_EQ(ToUnixMillis(At(-1)), -1);
  EXPECT_EQ(FromUnixMillis(-1), At(-1000));
}

TEST(VirtualClock, SleepingMovesTheTime) {
  VirtualClock clock(At(0));
  clock.SleepFor(10min);
  EXPECT_EQ(clock.Now(), At(600'000'000));
  clock.Advance(-1min);
  EXPECT_EQ(clock.Now(), At(540'000'000));
}

}  // namespace
}  // namespace holdfast
