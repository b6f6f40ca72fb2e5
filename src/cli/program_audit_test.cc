// `audit`, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "catalog/sqlite_database.h"
#include "cli/exit_code.h"
#include "cli/program_for_test.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

TEST_F(ProgramTest, AuditVerifyFindsACutBySomeoneWithTheCatalog) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  EXPECT_THAT(Run({"audit", "verify"}).out,
              HasSubstr("Compared with 1 anchor in 1 repository: up to entry 1 nothing was"));
  const std::string id = RunJson({"backup", "list"})[0]["backup"].get<std::string>();
  ASSERT_EQ(Run({"backup", "pin", id, "--reason", "x"}).exit_code, 0);
  const Json verified = RunJson({"audit", "verify"});
  EXPECT_EQ(verified["anchored"], verified["entries"]);
  auto database = catalog::SqliteDatabase::Open(directory_ + "/data/catalog.sqlite", 1'000);
  ASSERT_TRUE(database.ok()) << database.error().message;
  ASSERT_TRUE((*database)->ExecuteScript("DELETE FROM audit WHERE sequence = 2").ok());
  const Ran cut = Run({"audit", "verify"});
  EXPECT_EQ(cut.exit_code, 4) << cut.out;
  EXPECT_THAT(cut.err, HasSubstr("entries 2 to 2 are missing"));
  ASSERT_TRUE((*database)->ExecuteScript("DELETE FROM audit").ok());
  EXPECT_THAT(Run({"audit", "verify"}).err, HasSubstr("entries 1 to 2 are missing"));
}

TEST_F(ProgramTest, LogsWhoDidWhatAndShowsAnEndThatWasCutOff) {
  MakeTables();
  EXPECT_EQ(RunJson({"audit", "verify"})["entries"], 0);
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const Json chain = RunJson({"audit", "verify"});
  EXPECT_EQ(chain["entries"], 1);
  EXPECT_THAT(Run({"audit", "list"}).out, HasSubstr("backup.run"));
  ASSERT_EQ(Run({"backup", "run"}).exit_code, 0);
  const std::string kept = chain["last_hash"].get<std::string>();
  EXPECT_EQ(Run({"audit", "verify", "--includes", kept}).exit_code, 0);
  EXPECT_EQ(Run({"audit", "verify", "--includes", std::string(64, '0')}).exit_code, kExitDamaged);
}

}  // namespace
}  // namespace holdfast::cli
