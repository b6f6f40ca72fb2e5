#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "cli/command.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Completion : public testing::Test {
 protected:
  // What bash offers for the last of `words`, by the script itself.
  std::vector<std::string> Offered(const std::vector<std::string>& words) {
    const std::string path = directory_.path() + "/completion.bash";
    std::ofstream(path) << *CompletionScript(program_, "bash");
    std::string command = "bash --norc -c 'set -eu; source " + path + "; COMP_WORDS=(holdfast";
    for (const std::string& word : words) command += " \"" + word + "\"";
    command += "); COMP_CWORD=" + std::to_string(words.size()) +
               "; _holdfast; printf \"%s\\n\" \"${COMPREPLY[@]:-}\"'";
    FILE* pipe = popen(command.c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    std::string text;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << command;
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      if (!line.empty()) lines.push_back(line);
    }
    return lines;
  }

  GlobalOptions global_;
  Action action_;
  std::unique_ptr<CLI::App> app_ = BuildCommandLine({.global = global_, .action = action_});
  CommandDoc program_ = DescribeCommands(*app_);
  testing_support::TemporaryDirectory directory_;
};

TEST_F(Completion, OffersCommands) {
  EXPECT_THAT(Offered({"ba"}), ElementsAre("backup"));
  EXPECT_THAT(Offered({"backup", "l"}), ElementsAre("list"));
  EXPECT_THAT(Offered({"--json", "backup", "--quiet", "l"}), ElementsAre("list"));
  EXPECT_THAT(Offered({""}), AllOf(Contains("status"), Contains("--format"), Contains("-q")));
  EXPECT_THAT(Offered({"frobnicate"}), IsEmpty());
}

TEST_F(Completion, OffersFlagsOfTheCommandAndOfTheProgram) {
  EXPECT_THAT(Offered({"backup", "list", "--la"}), ElementsAre("--latest"));
  EXPECT_THAT(Offered({"backup", "list", "--fo"}), ElementsAre("--format"));
  EXPECT_THAT(Offered({"backup", "run", "--la"}), IsEmpty());
}

TEST_F(Completion, OffersTheChoicesOfAFlagAndOfAnArgument) {
  EXPECT_THAT(Offered({"status", "--format", "j"}), ElementsAre("json", "jsonl"));
  // As bash parts "--format=j".
  EXPECT_THAT(Offered({"status", "--format", "=", "j"}), ElementsAre("json", "jsonl"));
  EXPECT_THAT(Offered({"status", "--format", "="}), Contains("yaml"));
  EXPECT_THAT(Offered({"restore", "run", "x", "--if-exists", ""}), ElementsAre("fail", "skip"));
  EXPECT_THAT(Offered({"completion", "z"}), ElementsAre("zsh"));
  EXPECT_THAT(Offered({"restore", "run", "--to-project", ""}), IsEmpty());
}

TEST_F(Completion, OffersFilesAndDirectories) {
  const std::string path = directory_.path();
  std::ofstream(path + "/a-file") << "x";
  EXPECT_THAT(Offered({"--config", path + "/a-"}), ElementsAre(path + "/a-file"));
  EXPECT_THAT(Offered({"--data-dir", path + "/a-"}), IsEmpty());
}

TEST_F(Completion, KnowsEveryCommandAndFlagInEveryShell) {
  for (const std::string& shell : CompletionShells()) {
    const auto script = CompletionScript(program_, shell);
    ASSERT_TRUE(script.ok()) << shell;
    for (const CommandDoc* command : AllCommands(program_)) {
      EXPECT_THAT(*script, HasSubstr(command->path)) << shell;
      for (const FlagDoc& flag : command->flags) {
        const std::string name = flag.names.front().substr(2);
        EXPECT_THAT(*script, HasSubstr(shell == "fish" ? "-l " + name : "--" + name)) << shell;
      }
    }
  }
  EXPECT_FALSE(CompletionScript(program_, "cmd").ok());
}

TEST(CompletionScript, LetsNoTextOutOfItsQuotes) {
  CommandDoc program{.path = "p", .name = "p", .summary = "Does"};
  program.flags.push_back(
      {.names = {"--x"}, .value = "X", .doc = "It's $(touch /x) `y` [a]:b", .choices = {"one's"}});
  EXPECT_THAT(*CompletionScript(program, "fish"), HasSubstr("-d 'It'\\''s $(touch /x) `y` [a]:b'"));
  EXPECT_THAT(*CompletionScript(program, "zsh"),
              HasSubstr("'--x=[It'\\''s $(touch /x) `y` \\[a\\]\\:b]:X:(one'\\''s)'"));
  EXPECT_THAT(*CompletionScript(program, "bash"), HasSubstr("--x) offer=(-W 'one'\\''s')"));
}

}  // namespace
}  // namespace holdfast::cli
