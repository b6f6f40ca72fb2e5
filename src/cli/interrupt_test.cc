#include "cli/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace holdfast::cli {
namespace {

void EndBy(int signal_number) {
  EndOnInterrupt();
  std::raise(signal_number);
}

TEST(InterruptDeathTest, EndsWithTheCodeOfTheSignal) {
  EXPECT_EXIT(EndBy(SIGINT), testing::ExitedWithCode(130), "run the same command again");
  EXPECT_EXIT(EndBy(SIGTERM), testing::ExitedWithCode(143), "run the same command again");
}

}  // namespace
}  // namespace holdfast::cli
