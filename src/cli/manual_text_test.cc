#include "cli/manual_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

TEST(RoffText, EscapesWhatRoffWouldTakeForItsOwn) {
  EXPECT_EQ(RoffText("--dry-run"), "\\-\\-dry\\-run");
  EXPECT_EQ(RoffText(".TH x"), "\\&.TH x");
  EXPECT_EQ(RoffText("'x'"), "\\&'x'");
  EXPECT_EQ(RoffText("a\\b \"c\"\nd"), "a\\eb \\(dqc\\(dq d");
}

TEST(ManualPage, HoldsEveryCommandFlagAndExitCode) {
  GlobalOptions global;
  Action action;
  const auto app = BuildCommandLine({.global = global, .action = action});
  const CommandDoc program = DescribeCommands(*app);
  const std::string page = ManualPage(program, "1.2.3");
  EXPECT_TRUE(page.starts_with(".TH HOLDFAST 1 \"\" \"holdfast 1.2.3\""));
  for (const CommandDoc* command : AllCommands(program)) {
    EXPECT_THAT(page, HasSubstr(RoffText(command->path))) << command->path;
    for (const FlagDoc& flag : command->flags) {
      EXPECT_THAT(page, HasSubstr(".B " + RoffText(FlagHead(flag)))) << command->path;
    }
  }
  for (const ExitCodeEntry& entry : AllExitCodes()) {
    EXPECT_THAT(page, HasSubstr(".B " + std::to_string(entry.code) + "\n"));
  }
}

TEST(ManualPage, BeginsNoLineWithARequestThatIsNotMeant) {
  GlobalOptions global;
  Action action;
  const auto app = BuildCommandLine({.global = global, .action = action});
  std::istringstream page(ManualPage(DescribeCommands(*app), "1"));
  for (std::string line; std::getline(page, line);) {
    EXPECT_FALSE(line.empty()) << "an empty line breaks the page's layout";
    if (!line.starts_with('.')) continue;
    const std::string request = line.substr(1, line.find(' ') - 1);
    EXPECT_THAT(request, testing::AnyOf("TH", "SH", "SS", "TP", "PP", "B")) << line;
  }
}

}  // namespace
}  // namespace holdfast::cli
