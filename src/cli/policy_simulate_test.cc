// `holdfast policy simulate` as a whole: files in, verdicts out.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/command.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

class PolicySimulateTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "simulate-" + std::to_string(getpid());
    std::filesystem::create_directories(directory_);
    Write("history.json", R"([
        {"object": "p.d.t", "id": "a", "time": "2026-11-19T01:00:00Z", "rows": 5},
        {"object": "p.d.t", "id": "b", "time": "2026-11-20T01:00:00Z", "pinned": true},
        {"object": "p.d.t", "id": "c", "time": "2026-11-21T01:00:00Z", "state": "suspect"},
        {"object": "p.d.t", "id": "d", "time": "2026-11-21T03:00:00Z"},
        {"object": "p.d.u", "id": "e", "time": "2026-11-21T03:00:00Z"}])");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
  }

  // The exit code; what was printed is in out_ and err_.
  int Simulate(const std::string& policy, const std::string& format) {
    Write("policy", policy);
    const std::string policy_path = directory_ + "/policy";
    const std::string history_path = directory_ + "/history.json";
    const char* argv[] = {"holdfast",
                          "policy",
                          "simulate",
                          "--policy",
                          policy_path.c_str(),
                          "--history",
                          history_path.c_str(),
                          "--now",
                          "2026-11-21T12:00:00Z",
                          "--format",
                          format.c_str()};
    std::ostringstream out;
    std::ostringstream err;
    std::streambuf* const out_before = std::cout.rdbuf(out.rdbuf());
    std::streambuf* const err_before = std::cerr.rdbuf(err.rdbuf());
    const int exit_code = RunCommandLine(std::size(argv), argv);
    std::cout.rdbuf(out_before);
    std::cerr.rdbuf(err_before);
    out_ = out.str();
    err_ = err.str();
    return exit_code;
  }

  // "a remove" and so on, of what --format json printed.
  std::vector<std::string> Actions() const {
    std::vector<std::string> actions;
    const auto rows = ParseJson(out_);
    for (const Json& row : rows.ok() ? *rows : Json::array()) {
      actions.push_back(StringOr(row, "id", "") + " " + StringOr(row, "action", ""));
      EXPECT_FALSE(row["reasons"].empty());
    }
    return actions;
  }

  std::string directory_;
  std::string out_;
  std::string err_;
};

TEST_F(PolicySimulateTest, PrintsEachBackupWithItsReasons) {
  for (const char* policy :
       {"retention:\n  keep_last: 1\n", "version: 1\ndefaults:\n  retention: {keep_last: 1}\n",
        R"({"defaults": {"retention": {"keep_last": 1}}})", "keep_last: 1"}) {
    ASSERT_EQ(Simulate(policy, "json"), kExitOk) << policy << err_;
    EXPECT_EQ(Actions(),
              (std::vector<std::string>{"d keep", "c remove", "b keep", "a remove", "e keep"}))
        << policy;
  }
}

TEST_F(PolicySimulateTest, JudgesEachObjectByWhatHoldsForIt) {
  const char* const document = R"(
defaults: {retention: {keep_last: 9}}
tables:
  p.d.t: {retention: {keep_last: 1}}
)";
  ASSERT_EQ(Simulate(document, "json"), kExitOk) << err_;
  EXPECT_EQ(Actions(),
            (std::vector<std::string>{"d keep", "c remove", "b keep", "a remove", "e keep"}));
  ASSERT_EQ(Simulate("policies:\n  tables: {p.d.t: {retention: {keep_last: 1}}}\n", "json"),
            kExitOk)
      << err_;
  EXPECT_EQ(Actions(),
            (std::vector<std::string>{"d keep", "c remove", "b keep", "a remove", "e keep"}))
      << "of the other nothing is said: it is kept";
  EXPECT_EQ(Simulate("defaults: {retention: {keep_last: 1}}\ntabels: {}\n", "json"), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("tabels"));
}

TEST_F(PolicySimulateTest, TakesTheSettingRetentionWhereTheDocumentSaysNothing) {
  const std::vector<std::string> last_only = {"d keep", "c remove", "b keep", "a remove", "e keep"};
  ASSERT_EQ(Simulate("retention: {keep_last: 1}\n"
                     "policies: {tables: {p.d.u: {retention: {keep_last: 5}}}}\n",
                     "json"),
            kExitOk)
      << err_;
  EXPECT_EQ(Actions(), last_only);
  ASSERT_EQ(Simulate("retention: {keep_last: 1}\npolicies: {defaults: {codec: DEFLATE}}\n", "json"),
            kExitOk)
      << err_;
  EXPECT_EQ(Actions(), last_only);
  ASSERT_EQ(Simulate("retention: {keep_last: 1}\n"
                     "policies: {tables: {p.d.t: {retention: {keep_last: 5}}}}\n",
                     "json"),
            kExitOk);
  EXPECT_EQ(Actions()[3], "a keep");
  ASSERT_EQ(Simulate("policies: {defaults: {codec: DEFLATE}}\n", "json"), kExitOk) << err_;
  EXPECT_EQ(Actions()[3], "a keep") << "nothing is said at all: everything is kept";
}

TEST_F(PolicySimulateTest, SaysWhyAFileCannotBeRead) {
  std::filesystem::remove(directory_ + "/history.json");
  EXPECT_EQ(Simulate("keep_last: 1", "json"), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("cannot be read: No such file or directory"));
}

TEST_F(PolicySimulateTest, ShowsACalendar) {
  ASSERT_EQ(Simulate("retention: {keep_last: 1}", "pretty"), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("p.d.t: 2 of 4 backups kept"));
  EXPECT_THAT(out_, HasSubstr("  2026-11 ..................x##........."));
  EXPECT_THAT(out_, HasSubstr("it is pinned"));
}

TEST_F(PolicySimulateTest, NamesWhatIsWrongWithThePolicy) {
  EXPECT_EQ(Simulate("retention: {keep_dayly: 1}", "json"), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("keep_dayly"));
  EXPECT_EQ(Simulate("retention: [", "json"), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("line 1"));
  EXPECT_EQ(Simulate("defaults: {method: copy}", "json"), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("\"retention\" nowhere"));
  Write("history.json", R"([{"object": "a"}])");
  EXPECT_EQ(Simulate("retention: {}", "json"), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("entry 1"));
}

}  // namespace
}  // namespace holdfast::cli
