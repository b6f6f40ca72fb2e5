#include "cli/reference_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

std::string ReadFile(const std::string& name) {
  const std::filesystem::path top = std::filesystem::path(__FILE__).parent_path() / "../..";
  std::ifstream file(top / name);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string ReadPage(const std::string& name) { return ReadFile("docs/reference/" + name); }

// A line of a shell as its words: quotes and what follows a '#' taken away.
std::vector<std::string> WordsOf(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool is_quoted = false;
  for (const char c : line.substr(0, line.find(" #")) + " ") {
    if (c == '\'' || c == '"') {
      is_quoted = !is_quoted;
    } else if (c != ' ' || is_quoted) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

TEST(Readme, NamesCommandsThatThereAre) {
  std::istringstream readme(ReadFile("README.md"));
  int commands = 0;
  for (std::string line; std::getline(readme, line);) {
    if (!line.starts_with("holdfast ")) continue;
    ++commands;
    GlobalOptions global;
    Action action;
    const auto app = BuildCommandLine({.global = global, .action = action});
    std::vector<std::string> words = WordsOf(line);
    words.erase(words.begin());
    std::ranges::reverse(words);
    EXPECT_NO_THROW(app->parse(words)) << line;
    EXPECT_TRUE(action) << line;
  }
  EXPECT_GE(commands, 10);
}

TEST(Readme, SaysWhatANewcomerCannotGuess) {
  const std::string readme = ReadFile("README.md");
  for (const char* text : {"| L0 |", "| L1 |", "| L2 |", "| L3 |", "policy.bucket_pattern",
                           "Views, materialized views", "Snapshots", "streaming buffer",
                           "export PATH=", "demo/config.yaml status", "four projects"}) {
    EXPECT_NE(readme.find(text), readme.npos) << text;
  }
  EXPECT_EQ(readme.find("schedule, API or command"), readme.npos);
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

TEST(Reference, FieldsOfAPolicyAreThoseOfTheProgram) {
  EXPECT_EQ(ReadPage("policy.md"), PolicyReference());
}

TEST(Reference, QuotasAreThoseOfTheProgram) { EXPECT_EQ(ReadPage("quotas.md"), QuotaReference()); }

TEST(Reference, ABarDoesNotEndACell) {
  CommandDoc program{.path = "p", .name = "p", .summary = "Does"};
  program.flags.push_back({.names = {"--x"}, .value = "A|B", .doc = "One | other"});
  const std::string page = CommandReference(program);
  EXPECT_NE(page.find("| `--x A\\|B` | One \\| other |\n"), page.npos) << page;
}

}  // namespace
}  // namespace holdfast::cli
