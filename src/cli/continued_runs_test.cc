#include "cli/continued_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

TEST(ContinuedRuns, TellsOnceWhatIsGoneOnWithAndOnceThatItEnded) {
  ContinuedRuns runs;
  const struct {
    const char* run;
    bool resumed;
    const char* going_on_with;
    const char* ended;
  } kSteps[] = {
      {"r1", true, "r1", ""}, {"r1", true, "", ""},    {"r2", true, "r2", "r1"},
      {"r2", true, "", ""},   {"r3", false, "", "r2"}, {"r3", false, "", ""},
  };
  for (const auto& step : kSteps) {
    const auto news = runs.Follow({.run = step.run, .resumed = step.resumed, .progress = {}});
    EXPECT_EQ(news.going_on_with, step.going_on_with) << step.run;
    EXPECT_EQ(news.ended, step.ended) << step.run;
  }
  EXPECT_THAT(runs.ids(), testing::ElementsAre("r1", "r2"));
}

TEST(ContinuedRuns, AFreshRunIsNoNews) {
  ContinuedRuns runs;
  const auto news = runs.Follow({.run = "r1", .resumed = false, .progress = {}});
  EXPECT_EQ(news.going_on_with + news.ended, "");
  EXPECT_TRUE(runs.ids().empty());
}

}  // namespace
}  // namespace holdfast::cli
