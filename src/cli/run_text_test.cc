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

ItemOutcome Failed(const TableRef& object, const std::string& error_id) {
  return {.object = object, .outcome = Outcome::kFailed, .error_id = error_id};
}

TEST(FailureText, CallsObjectsOnlyWhatIsAnObject) {
  const ItemOutcome table = Failed({"acme-shop", "sales", "orders", ""}, "B0001");
  const ItemOutcome dataset = Failed({"acme-shop", "hr", "", ""}, "G0006");
  const ItemOutcome project = Failed({"acme-bank", "", "", ""}, "G0006");
  const ItemOutcome nothing = Failed({"organization", "", "", ""}, "B0004");
  EXPECT_EQ(FailureText({}), "");
  EXPECT_THAT(FailureText({table}), HasSubstr("1 object could not be backed up; earlier"));
  EXPECT_THAT(FailureText({table}), Not(HasSubstr("dataset")));
  const std::string all = FailureText({table, table, dataset, project});
  EXPECT_THAT(all, HasSubstr("2 objects could not be backed up"));
  EXPECT_THAT(all, HasSubstr("1 dataset could not be listed"));
  EXPECT_THAT(all, HasSubstr("1 project could not be looked into"));
  EXPECT_THAT(FailureText({nothing}), HasSubstr("No project was looked into"));
  EXPECT_THAT(FailureText({nothing}), Not(HasSubstr("object")));
}

}  // namespace
}  // namespace holdfast::cli
