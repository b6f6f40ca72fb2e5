#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

using Words = std::vector<std::string>;

// The live parser, and what it makes of arguments.
class Arguments : public testing::Test {
 protected:
  // nullopt: accepted. Otherwise the refusal, diagnosed.
  std::optional<Error> Refusal(const Words& arguments) {
    Words reversed = NormalizeArguments(arguments, program_);
    std::ranges::reverse(reversed);
    try {
      app_->parse(std::move(reversed));
    } catch (const CLI::ParseError& refusal) {
      return DiagnoseArguments(*app_, program_, refusal);
    }
    return std::nullopt;
  }

  GlobalOptions global_;
  Action action_;
  std::unique_ptr<CLI::App> app_ = BuildCommandLine({.global = global_, .action = action_});
  CommandDoc program_ = DescribeCommands(*app_);
};

TEST_F(Arguments, UnderscoresAreDashesInAFlagsNameOnly) {
  EXPECT_EQ(
      NormalizeArguments({"--project_id=my_project", "--data_dir", "my_dir", "my_table"}, program_),
      (Words{"--project-id=my_project", "--data-dir", "my_dir", "my_table"}));
  EXPECT_EQ(NormalizeArguments({"--", "--project_id"}, program_), (Words{"--", "--project_id"}));
}

TEST_F(Arguments, WhatIsOnCanBeTurnedOff) {
  EXPECT_EQ(NormalizeArguments({"--no-quiet", "--noquiet", "--no_dry_run"}, program_),
            (Words{"--quiet=false", "--quiet=false", "--dry-run=false"}));
  // A flag of its own, and one that is none.
  EXPECT_EQ(NormalizeArguments({"--no-compare", "--no-format", "--no-such"}, program_),
            (Words{"--no-compare", "--no-format", "--no-such"}));
}

TEST_F(Arguments, TheLastOfOnAndOffCounts) {
  EXPECT_EQ(Refusal({"status", "--quiet", "--verbose", "--no-quiet", "--verbose=true"}),
            std::nullopt);
  EXPECT_FALSE(global_.quiet);
  EXPECT_TRUE(global_.verbose);
}

TEST_F(Arguments, FlagsOfTheProgramStandAnywhere) {
  for (const Words& words : {Words{"--format=csv", "backup", "list", "acme-shop"},
                             Words{"backup", "--format=csv", "list", "acme-shop"},
                             Words{"backup", "list", "--format", "csv", "acme-shop"},
                             Words{"backup", "list", "acme-shop", "--format=csv"}}) {
    global_ = {};
    EXPECT_EQ(Refusal(words), std::nullopt);
    EXPECT_EQ(global_.OutputFormat(), Format::kCsv);
    EXPECT_TRUE(action_);
  }
}

TEST_F(Arguments, JsonIsAShortcut) {
  EXPECT_EQ(Refusal({"status", "--json"}), std::nullopt);
  EXPECT_EQ(global_.OutputFormat(), Format::kJson);
}

TEST_F(Arguments, FlagsOfSettingsKeepTheirText) {
  EXPECT_EQ(Refusal({"status", "--project_id=p", "--workers=9"}), std::nullopt);
  EXPECT_EQ(global_.settings, (FlagTexts{{"project", "p"}, {"workers", "9"}}));
}

TEST_F(Arguments, ARefusalSaysWhatWasMeant) {
  const struct {
    Words words;
    const char* message;
    const char* hint;
  } kCases[] = {
      {{"bakup", "run"},
       "\"bakup\" is no command of `holdfast`",
       "Did you mean `holdfast backup`?"},
      {{"backup", "verfy"},
       "\"verfy\" is no command of `holdfast backup`",
       "Did you mean `holdfast backup verify`?"},
      {{"backup"},
       "`holdfast backup` needs a command: run, list, show, report, query, diff, export, "
       "accept, accept-loss, verify, prune, pin, unpin, hold, release",
       "See `holdfast backup --help`"},
      {{"backup", "list", "--formt=json"},
       "`holdfast backup list` has no flag --formt",
       "Did you mean --format?"},
      {{"restore", "run", "--to_projct", "x"},
       "`holdfast restore run` has no flag --to-projct",
       "Did you mean --to-project?"},
      {{"--frobnicate", "status"},
       "`holdfast status` has no flag --frobnicate",
       "See `holdfast status --help`"},
      {{"status", "-x"}, "`holdfast status` has no flag -x", "See `holdfast status --help`"},
      {{"version", "extra"},
       "`holdfast version` takes no argument \"extra\"",
       "See `holdfast version --help`"},
      {{"status", "--format=jsn"},
       "--format: \"jsn\" is not one of pretty, sparse, json, prettyjson, jsonl, csv, yaml, value; "
       "did you mean \"json\"?",
       "See `holdfast status --help`"},
      {{"backup", "show"}, "backup is required", "See `holdfast backup show --help`"},
  };
  for (const auto& test : kCases) {
    const auto refusal = Refusal(test.words);
    ASSERT_TRUE(refusal.has_value()) << test.message;
    EXPECT_EQ(refusal->id, ErrorId::kUsage);
    EXPECT_EQ(refusal->message, test.message);
    EXPECT_EQ(refusal->hint, test.hint);
  }
}

}  // namespace
}  // namespace holdfast::cli
