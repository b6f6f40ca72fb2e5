// `backup run` and `backup list`, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/directory_lock.h"
#include "cli/exit_code.h"
#include "cli/program_for_test.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ProgramTest, ADryRunCallsAFirstBackupWhatTheRunCallsIt) {
  MakeTables();
  EXPECT_THAT(Run({"backup", "run", "--dry-run"}).out, HasSubstr("first backup"));
  for (const Json& row : RunJson({"backup", "run", "--dry-run"})) {
    EXPECT_EQ(row["change"], "first_backup");
  }
  ASSERT_THAT(Run({"backup", "run"}).out, HasSubstr("(first backup)"));
  {
    const auto environment = Open();
    ASSERT_TRUE(RunDemoStatement(*environment, "acme-shop",
                                 "INSERT INTO `acme-shop.sales.people` (id) VALUES (2)")
                    .ok());
  }
  const Json rows = RunJson({"backup", "run", "--dry-run"});
  ASSERT_EQ(rows.size(), 1U) << rows;
  EXPECT_EQ(rows[0]["object"], "acme-shop.sales.people");
  EXPECT_EQ(rows[0]["change"], "data_changed");
}

TEST_F(ProgramTest, AProjectThatIsNotThereIsNotCalledAnObject) {
  MakeTables();
  const Ran ran = Run({"backup", "run", "acme-shp"});
  EXPECT_EQ(ran.exit_code, kExitPartial);
  EXPECT_THAT(ran.err, HasSubstr("No project was looked into"));
  EXPECT_THAT(ran.err, Not(HasSubstr("1 object")));
}

TEST_F(ProgramTest, BacksUpOnDemandWhatIsNamedAndSaysWhatItCouldNot) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const Json listed = RunJson({"backup", "list", "acme-shop.sales.orders"});
  const std::string partition = listed[0]["object"].get<std::string>();
  ASSERT_THAT(partition, HasSubstr("$"));
  const Json forced = RunJson({"backup", "run", "--force", partition});
  ASSERT_EQ(forced["items"].size(), 1U) << DumpJson(forced);
  EXPECT_EQ(forced["items"][0]["object"], partition);
  EXPECT_EQ(forced["items"][0]["outcome"], "backed_up");
  EXPECT_EQ(Run({"backup", "run", partition}).exit_code, 0) << "unchanged is well";

  EXPECT_EQ(Run({"backup", "run", "acme-shop.sales.orders$20300101"}).exit_code, kExitPartial);
  const Ran typo = Run({"backup", "run", "acme-shop.sales.orders", "acme-shop.sales.ordres"});
  EXPECT_EQ(typo.exit_code, kExitPartial);
  EXPECT_THAT(typo.err, HasSubstr("NOT BACKED UP: acme-shop.sales.ordres: there is no such table"));
  const Ran excluded =
      Run({"backup", "run", "acme-shop.sales.orders", "--exclude", "acme-shop.sales.orders"});
  EXPECT_NE(excluded.exit_code, kExitOk);
  EXPECT_THAT(excluded.err, HasSubstr("excluded"));
}

TEST_F(ProgramTest, RunsWhatIsDueOnce) {
  MakeTables();
  EXPECT_THAT(Run({"backup", "run", "--due"}).err,
              HasSubstr("no policy document gives a schedule"));
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  tables:\n    acme-shop.sales.people: {schedule: '0 2 * * *'}\n"
         "    acme-shop.sales.orders: {exclude: true}\n";
  const Ran part = Run({"backup", "run", "--due", "acme-shop.sales.people"});
  EXPECT_EQ(part.exit_code, kExitUsage) << "it would use up the schedule of the other tables";
  const Json run = RunJson({"backup", "run", "--due"});
  EXPECT_EQ(run["totals"]["backed_up"], 1);
  EXPECT_EQ(run["totals"]["excluded"], 1);
  EXPECT_EQ(run["run"]["due"], Json::array({"0 2 * * * UTC"}));
  const Ran again = Run({"backup", "run", "--due"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("Nothing is due; next at "));
  const auto lock = DirectoryLock::Take(directory_ + "/data/schedules");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(Run({"backup", "run", "--due"}).exit_code, kExitLocked) << "one process at a time";
}

TEST_F(ProgramTest, ARunThatWasGoneOnWithHasItsOwnSummary) {
  MakeTables();
  const auto begin_run = [&](const std::string& id) {
    const auto environment = Open();
    ASSERT_TRUE(
        environment->catalog().BeginRun({.id = id, .started_ms = 1'000, .policy = {}}).ok());
  };
  const std::string id = "19700101T000001Z-00000001";
  begin_run(id);
  const Ran ran = Run({"backup", "run"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("Going on with run " + id));
  const size_t first = ran.out.find("Run " + id +
                                    ", begun 1970-01-01T00:00:01Z and gone on with: 4 objects "
                                    "backed up; 4 rows, ");
  const size_t second = ran.out.find(": 0 objects backed up, 4 unchanged; ");
  ASSERT_NE(first, ran.out.npos) << ran.out;
  ASSERT_NE(second, ran.out.npos) << ran.out;
  EXPECT_LT(first, second);

  const std::string other = "19700101T000002Z-00000002";
  begin_run(other);
  EXPECT_EQ(RunJson({"backup", "run"})["continued"], Json::array({other}));
  EXPECT_EQ(RunJson({"backup", "run"})["continued"], Json::array());
}

TEST_F(ProgramTest, ListAndVerifySayTheSameOfANameWithoutBackups) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run", "acme-shop.sales.people"}).exit_code, 0);
  for (const char* verb : {"list", "verify"}) {
    const Ran ran = Run({"backup", verb, "acme-shop.sales.nosuch"});
    EXPECT_EQ(ran.exit_code, kExitNotFound) << verb;
    EXPECT_THAT(ran.err, HasSubstr("C0004")) << verb;
    EXPECT_THAT(ran.err, HasSubstr("there are no backups of acme-shop.sales.nosuch")) << verb;
    EXPECT_EQ(ran.out, "") << verb;
  }
  EXPECT_EQ(Run({"backup", "list", "acme-shop.sales.people"}).exit_code, 0);
}

}  // namespace
}  // namespace holdfast::cli
