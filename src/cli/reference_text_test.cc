#include "cli/reference_text.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

std::string ReadPage(const std::string& name) {
  const std::filesystem::path top = std::filesystem::path(__FILE__).parent_path() / "../..";
  std::ifstream file(top / "docs/reference" / name);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// When one fails: holdfast help --markdown commands > docs/reference/cli.md (or settings, and
// configuration.md).
TEST(Reference, CommandsAreThoseOfTheProgram) {
  GlobalOptions global;
  Action action;
  const auto app = BuildCommandLine({.global = global, .action = action});
  EXPECT_EQ(ReadPage("cli.md"), CommandReference(DescribeCommands(*app)));
}

TEST(Reference, SettingsAreThoseOfTheProgram) {
  EXPECT_EQ(ReadPage("configuration.md"), SettingReference());
}

TEST(Reference, ABarDoesNotEndACell) {
  CommandDoc program{.path = "p", .name = "p", .summary = "Does"};
  program.flags.push_back({.names = {"--x"}, .value = "A|B", .doc = "One | other"});
  const std::string page = CommandReference(program);
  EXPECT_NE(page.find("| `--x A\\|B` | One \\| other |\n"), page.npos) << page;
}

}  // namespace
}  // namespace holdfast::cli
