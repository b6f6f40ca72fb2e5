#include "adapters/system_clock.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, TellsTheTimeOfTheMachine) {
  const SystemClock clock;
  const auto before = std::chrono::system_clock::now();
  const Timestamp now = clock.Now();
  const auto after = std::chrono::system_clock::now();
  EXPECT_GE(now, std::chrono::time_point_cast<Duration>(before));
  EXPECT_LE(now, std::chrono::time_point_cast<Duration>(after));
}

TEST(SystemClock, SleepsNoShorterThanAskedFor) {
  SystemClock clock;
  const auto before = std::chrono::steady_clock::now();
  clock.SleepFor(2ms);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 2ms);
}

TEST(SystemClock, DoesNotSleepForATimeThatHasPassed) {
  SystemClock clock;
  const auto before = std::chrono::steady_clock::now();
  clock.SleepFor(0s);
  clock.SleepFor(-1h);
  clock.SleepFor(Duration::min());
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1min);
}

}  // namespace
}  // namespace holdfast
