#include "cli/run_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(GoingOnText, DoesNotSayThatTheOtherProcessEnded) {
  const std::string text = GoingOnText("r1");
  EXPECT_THAT(text, HasSubstr("Going on with run r1, which is not finished"));
  EXPECT_THAT(text, HasSubstr("both work on it"));
  EXPECT_THAT(text, Not(HasSubstr("was begun and not")));
}

}  // namespace
}  // namespace holdfast::cli
