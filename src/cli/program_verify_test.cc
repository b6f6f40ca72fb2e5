// `backup verify`, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "cli/exit_code.h"
#include "cli/program_for_test.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

TEST_F(ProgramTest, VerifyLooksAtTheBackupThatARestoreWouldTake) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  ASSERT_TRUE(
      RunDemoStatement(*Open(), "acme-shop", "DELETE FROM `acme-shop.sales.people` WHERE true")
          .ok());
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitPartial) << "no row is left: suspect";
  EXPECT_EQ(RunJson({"backup", "verify", "acme-shop.sales.people"}).size(), 2U);
  EXPECT_EQ(RunJson({"backup", "verify", "acme-shop.sales.orders"}).size(), 2U)
      << "one of each partition";
}

TEST_F(ProgramTest, VerifiesByRestoringAndAgainstTheSourceAndWhatIsDue) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  for (const char* level : {"L3", "L4"}) {
    const Json rows = RunJson({"backup", "verify", "acme-shop.sales.orders", "--level", level});
    ASSERT_EQ(rows.size(), 2U) << "two partitions";
    for (const Json& row : rows) {
      EXPECT_EQ(row["result"], "ok") << DumpJson(row);
      EXPECT_EQ(row["level_reached"], level);
      EXPECT_GT(row["rows_read"], 0);
    }
  }
  const Ran all = Run({"backup", "verify", "--level", "L3", "--json"});
  EXPECT_EQ(all.exit_code, kExitOk) << "what has no rows to restore is read: " << all.out;
  {
    const auto environment = Open();
    const auto page =
        environment->warehouse().ListTables({"acme-shop", "holdfast_backup_rehearsal_us"}, "");
    ASSERT_TRUE(page.ok()) << page.error().message;
    EXPECT_TRUE(page->items.empty()) << "rehearsals are taken away";
  }
  const Json again = RunJson({"backup", "run"});
  EXPECT_EQ(again["totals"]["unchanged"], again["totals"]["objects"])
      << "the scratch dataset is not backed up";

  EXPECT_THAT(Run({"backup", "verify", "--due"}).out, HasSubstr("Nothing is due."));
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "verification: {read_within: 2h, restore_within: 2h}\n";
  const Json due = RunJson({"backup", "verify", "--due", "--every", "3h"});
  std::map<std::string, int> levels;
  for (const Json& row : due) ++levels[row["level_reached"].get<std::string>()];
  EXPECT_EQ(levels["L2"], 4) << DumpJson(due);
  EXPECT_EQ(levels["L3"], 3) << "of what has rows";
  EXPECT_EQ(Run({"backup", "verify", "--due", "--every", "soon"}).exit_code, kExitUsage);
}

TEST_F(ProgramTest, VerifiesTheBackupsOfADatasetThatIsGone) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "verification: {read_within: 2h}\n"
         "policies:\n  labels: {'keep=long': {codec: NONE}}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  {
    const auto environment = Open();
    const Status dropped =
        RunDemoStatement(*environment, "acme-shop", "DROP SCHEMA `acme-shop.sales` CASCADE");
    ASSERT_TRUE(dropped.ok()) << dropped.error().ToString();
  }
  const Json due = RunJson({"backup", "verify", "--due", "--every", "3h"});
  EXPECT_EQ(due.size(), 4U) << "two partitions, a table, the dataset";
  for (const Json& row : due) EXPECT_EQ(row["result"], "ok") << DumpJson(row);
}

TEST_F(ProgramTest, ADamagedCopyIsFoundByTheRotationAndAcceptedByAPerson) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "verification: {read_within: 1d}\npolicies:\n  defaults:\n    repositories:\n"
         "      - {bucket_pattern: '{project}-second', prefix: copies}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  EXPECT_EQ(Run({"backup", "verify", "--due", "--every", "2d"}).exit_code, kExitOk);
  ASSERT_EQ(Run({"backup", "run", "--force", "acme-shop.sales.people"}).exit_code, kExitOk);
  const Json backups = RunJson({"backup", "list", "acme-shop.sales.people", "--latest"});
  const std::string backup = backups[0]["backup"];
  {
    const auto environment = Open();
    const Status done = cloud::ForEachPage<cloud::ObjectInfo>(
        [&](const std::string& token) {
          return environment->objects().ListObjects("acme-shop-second", "", token);
        },
        [&](cloud::ObjectInfo&& object) -> Status {
          const std::string& name = object.ref.name;
          const bool is_it = name.find(backup) != name.npos && name.ends_with(".avro");
          return is_it ? environment->objects().DeleteObject(object.ref) : Ok();
        });
    ASSERT_TRUE(done.ok()) << done.error().ToString();
  }
  const Ran due = Run({"backup", "verify", "--due", "--every", "2d"});
  EXPECT_EQ(due.exit_code, kExitDamaged) << due.out << due.err;
  EXPECT_THAT(due.out, HasSubstr("acme-shop.sales.people (copy in gs://acme-shop-second/copies)"));
  EXPECT_EQ(RunJson({"status"})["damaged_copies"]["first"][0], "acme-shop.sales.people");
  EXPECT_EQ(RunJson({"status"})["damaged"]["count"], 0);
  EXPECT_THAT(Run({"metrics"}).out, HasSubstr("holdfast_copy_defects 1\n"));

  EXPECT_EQ(Run({"backup", "accept-loss", "acme-shop.sales.people"}).exit_code, kExitUsage);
  EXPECT_EQ(Run({"backup", "accept-loss", "acme-shop.nosuch", "--reason", "x"}).exit_code,
            kExitNotFound);
  ASSERT_EQ(Run({"backup", "accept-loss", "acme-shop.sales", "--reason", "a test"}).exit_code, 0);
  EXPECT_EQ(RunJson({"status"})["damaged_copies"]["count"], 0);
  EXPECT_EQ(RunJson({"status"})["accepted_losses"]["first"][0], "acme-shop.sales.people");
  EXPECT_EQ(RunJson({"backup", "accept-loss", "--list"})[0]["backup"], backup);
  EXPECT_THAT(Run({"audit", "list"}).out, HasSubstr("backup.accept_loss"));
  ASSERT_EQ(Run({"backup", "accept-loss", backup, "--withdraw", "--reason", "no"}).exit_code, 0);
  EXPECT_EQ(RunJson({"status"})["damaged_copies"]["count"], 1);
}

}  // namespace
}  // namespace holdfast::cli
