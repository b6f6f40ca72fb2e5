#include "cli/command_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The live tree: the parser that the program parses with.
class CommandTree : public testing::Test {
 protected:
  GlobalOptions global_;
  Action action_;
  std::unique_ptr<CLI::App> app_ = BuildCommandLine({.global = global_, .action = action_});
  CommandDoc program_ = DescribeCommands(*app_);
};

const FlagDoc& FlagOf(const CommandDoc& command, const std::string& name) {
  for (const FlagDoc& flag : command.flags) {
    if (flag.names.front() == name) return flag;
  }
  ADD_FAILURE() << command.path << " has no flag " << name;
  return command.flags.front();
}

TEST_F(CommandTree, HoldsEveryCommandWithAnExample) {
  std::set<std::string> paths;
  for (const CommandDoc* command : AllCommands(program_)) {
    EXPECT_TRUE(paths.insert(command->path).second) << command->path;
    EXPECT_FALSE(command->summary.empty()) << command->path;
    EXPECT_FALSE(command->summary.ends_with('.')) << command->path;
    if (!command->commands.empty()) continue;
    EXPECT_FALSE(command->examples.empty()) << command->path;
    for (const ExampleDoc& example : command->examples) {
      EXPECT_THAT(example.command, HasSubstr(command->path));
    }
  }
  for (const char* path : {"holdfast", "holdfast backup run", "holdfast restore run",
                           "holdfast config show", "holdfast completion"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
}

TEST_F(CommandTree, EveryFlagSaysWhatItDoesAndWhatItTakes) {
  for (const CommandDoc* command : AllCommands(program_)) {
    for (const FlagDoc& flag : command->flags) {
      SCOPED_TRACE(command->path + " " + flag.names.front());
      EXPECT_FALSE(flag.doc.empty());
      EXPECT_FALSE(flag.doc.ends_with('.'));
      EXPECT_NE(flag.value, "TEXT") << "a flag's value has a name that says what it is";
      EXPECT_NE(flag.value, "INT") << "a flag's value has a name that says what it is";
      for (const std::string& name : flag.names) EXPECT_THAT(name, testing::Not(HasSubstr("_")));
    }
    for (const ArgumentDoc& argument : command->arguments) EXPECT_FALSE(argument.doc.empty());
  }
}

TEST_F(CommandTree, NoCommandTakesAFlagOfTheProgramForItself) {
  std::set<std::string> taken;
  for (const FlagDoc& flag : program_.flags) taken.insert(flag.names.begin(), flag.names.end());
  for (const CommandDoc* command : AllCommands(program_)) {
    if (command == &program_) continue;
    for (const FlagDoc& flag : command->flags) {
      for (const std::string& name : flag.names) EXPECT_FALSE(taken.contains(name)) << name;
    }
  }
}

TEST_F(CommandTree, ReadsChoicesRangesAndDefaultsOffTheParser) {
  const FlagDoc& format = FlagOf(program_, "--format");
  EXPECT_EQ(format.choices, FormatNames());
  EXPECT_EQ(format.fallback, "pretty");
  EXPECT_EQ(format.value, "FORMAT");
  const CommandDoc& list = **FindCommand(program_, {"backup", "list"});
  const FlagDoc& limit = FlagOf(list, "--limit");
  EXPECT_EQ(limit.range, "1 to 1000000");
  EXPECT_EQ(FlagText(limit), "At most so many (1 to 1000000; default: 100)");
  EXPECT_EQ(FlagOf(list, "--latest").value, "");
  const CommandDoc& run = **FindCommand(program_, {"backup", "run"});
  EXPECT_TRUE(FlagOf(run, "--exclude").repeatable);
  EXPECT_THAT(FlagOf(run, "--dry-run").names, ElementsAre("--dry-run", "-n"));
  EXPECT_EQ(FlagHead(FlagOf(run, "--dry-run")), "-n, --dry-run");
  EXPECT_EQ(UsageOf(run), "holdfast backup run [SCOPE...] [FLAGS]");
  EXPECT_EQ(UsageOf(**FindCommand(program_, {"backup", "show"})),
            "holdfast backup show BACKUP [FLAGS]");
}

TEST_F(CommandTree, FindsACommandOrOffersTheNearest) {
  EXPECT_EQ((*FindCommand(program_, {}))->path, "holdfast");
  EXPECT_EQ((*FindCommand(program_, {"backup", "list"}))->path, "holdfast backup list");
  const auto mistyped = FindCommand(program_, {"backup", "lsit"});
  ASSERT_FALSE(mistyped.ok());
  EXPECT_EQ(mistyped.error().message, "\"lsit\" is no command of `holdfast backup`");
  EXPECT_EQ(mistyped.error().hint, "Did you mean `holdfast backup list`?");
  EXPECT_EQ(FindCommand(program_, {"frobnicate"}).error().hint, "See `holdfast --help`");
}

TEST(OneOf, OffersTheNearestChoice) {
  const CLI::Validator check = OneOf({"pretty", "json"});
  EXPECT_EQ(check(std::string("json")), "");
  EXPECT_EQ(check(std::string("jsn")),
            "\"jsn\" is not one of pretty, json; did you mean \"json\"?");
  EXPECT_EQ(check(std::string("table")), "\"table\" is not one of pretty, json");
  EXPECT_EQ(check.get_description(), "{pretty,json}");
}

TEST(Between, IsInclusive) {
  const CLI::Validator check = Between(1, 64);
  for (const char* good : {"1", "64"}) EXPECT_EQ(check(std::string(good)), "") << good;
  for (const char* bad : {"0", "65", "-1", "", "4x", "1e3", "99999999999999999999"}) {
    EXPECT_NE(check(std::string(bad)), "") << bad;
  }
}

}  // namespace
}  // namespace holdfast::cli
