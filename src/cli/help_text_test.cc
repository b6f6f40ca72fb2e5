#include "cli/help_text.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

TEST(TwoColumns, AlignsWrapsAndBreaksAfterALongHead) {
  const std::string words =
      "word word word word word word word word word word word word word word "
      "word word word word word word end";
  EXPECT_EQ(
      TwoColumns({{"-a", "first"}, {std::string(40, 'x'), "second"}, {"--long", words}}),
      "  -a      first\n"
      "  " +
          std::string(40, 'x') +
          "\n"
          "          second\n"
          "  --long  word word word word word word word word word word word word word word word "
          "word word word\n"
          "          word word end\n");
  EXPECT_EQ(TwoColumns({{"a", ""}}), "  a\n");
}

TEST(HelpText, PutsExamplesFirstAndOwnFlagsBeforeThoseOfAll) {
  GlobalOptions global;
  Action action;
  const auto app = BuildCommandLine({.global = global, .action = action});
  const CommandDoc program = DescribeCommands(*app);
  const std::string help = HelpText(**FindCommand(program, {"backup", "list"}), program);
  size_t last = 0;
  for (const char* part : {"List backups", "Usage: holdfast backup list", "Examples:", "Arguments:",
                           "--limit N", "Flags of every command:", "--config FILE"}) {
    const size_t at = help.find(part);
    ASSERT_NE(at, help.npos) << part << " is not in\n" << help;
    EXPECT_GT(at + 1, last) << part;
    last = at;
  }
  EXPECT_EQ(help, app->get_subcommand("backup")->get_subcommand("list")->help());
}

TEST(HelpText, OfTheProgramNamesEveryCommandAndExitCode) {
  GlobalOptions global;
  Action action;
  const auto app = BuildCommandLine({.global = global, .action = action});
  const CommandDoc program = DescribeCommands(*app);
  const std::string help = HelpText(program, program);
  for (const CommandDoc& command : program.commands) {
    EXPECT_NE(help.find("\n  " + command.name + " "), help.npos) << command.name;
  }
  for (const ExitCodeEntry& entry : AllExitCodes()) {
    EXPECT_NE(help.find("\n  " + std::to_string(entry.code) + " "), help.npos) << entry.code;
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

}  // namespace
}  // namespace holdfast::cli
