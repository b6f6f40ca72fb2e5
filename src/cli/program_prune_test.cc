// `backup prune`, and what keeps a backup, as a user sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "cli/program_for_test.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ProgramTest, PruneSaysOfWhatItMarksThatItIsMarked) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app) << "retention: {keep_last: 1}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  ASSERT_TRUE(
      RunDemoStatement(*Open(), "acme-shop", "INSERT INTO `acme-shop.sales.people` (id) VALUES (7)")
          .ok());
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const Ran ran = Run({"backup", "prune", "--yes"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("mark "));
  EXPECT_THAT(ran.out, Not(HasSubstr("remove ")));
}

TEST_F(ProgramTest, KeepsTheBackupsOfATableThatIsGoneByTheLabelsItHad) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults: {retention: {keep_last: 1}}\n"
         "  labels: {'keep=long': {retention: {keep_last: 9}}}\n";
  const auto change = [&](const std::string& sql) {
    const auto environment = Open();
    const Status done = RunDemoStatement(*environment, "acme-shop", sql);
    ASSERT_TRUE(done.ok()) << done.error().ToString();
  };
  ASSERT_TRUE(
      Open()
          ->warehouse()
          .UpdateTable({"acme-shop", "sales", "people", ""}, {{"labels", {{"keep", "long"}}}})
          .ok());
  for (int run = 0; run < 2; ++run) {
    ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
    change("INSERT INTO `acme-shop.sales.people` (id) VALUES (7)");
    change("INSERT INTO `acme-shop.sales.orders` (day, id) VALUES (DATE '2026-01-10', 7)");
  }
  const auto marked = [&] {
    std::set<std::string> objects;
    const Json plan = RunJson({"backup", "prune"});
    EXPECT_EQ(plan["problem_count"], 0) << DumpJson(plan["problems"]);
    for (const Json& item : plan["items"]) objects.insert(item["object"].get<std::string>());
    return objects;
  };
  const std::set<std::string> expected = {"acme-shop.sales.orders$20260110"};
  EXPECT_EQ(marked(), expected);
  ASSERT_TRUE(Open()->warehouse().DeleteTable({"acme-shop", "sales", "people", ""}).ok());
  EXPECT_EQ(marked(), expected) << "its newest backup tells the label";
}

TEST_F(ProgramTest, ShowsWhatKeepsABackupAndWhatAPolicyWouldSayOfATableThatIsNot) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "retention: {keep_last: 4}\n"
         "policies:\n  tables: {acme-shop.sales.people: {exclude: true}}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  EXPECT_THAT(Run({"status"}).out,
              HasSubstr("NOT PROTECTED, left out by the policy document: 1 object"));
  const Json before = RunJson({"backup", "list", "acme-shop.sales.orders$20260110"});
  const std::string id = before[0]["backup"].get<std::string>();
  EXPECT_EQ(before[0]["kept_by"], "");
  ASSERT_EQ(Run({"backup", "pin", id, "--reason", "year's end"}).exit_code, 0);
  EXPECT_EQ(RunJson({"backup", "list", "acme-shop.sales.orders$20260110"})[0]["kept_by"], "pin");
  const Json shown = RunJson({"backup", "show", id});
  EXPECT_EQ(shown["kept_by"][0]["reason"], "year's end");

  const Json known = RunJson({"policy", "show", "acme-shop.sales.orders"});
  EXPECT_EQ(known["known"], true);
  EXPECT_THAT(DumpJson(known["fields"]), HasSubstr("keep_last"));
  EXPECT_THAT(Run({"policy", "show", "acme-shop.sales.ordres"}).err, HasSubstr("is not there"));
}

}  // namespace
}  // namespace holdfast::cli
