// `restore run`, `plan` and `apply`, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/program_for_test.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(ProgramTest, ADatasetComesBackWithItsViews) {
  MakeTables();
  {
    const auto environment = Open();
    const auto made = environment->warehouse().CreateTable(
        {"acme-shop", "sales", "latest", ""},
        {{"view", {{"query", "SELECT 1 AS one"}, {"useLegacySql", false}}}});
    ASSERT_TRUE(made.ok()) << made.error().ToString();
  }
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const Ran ran = Run({"restore", "run", "acme-shop.sales", "--to-dataset", "back"});
  EXPECT_EQ(ran.exit_code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out,
              HasSubstr("restored  acme-shop.sales.latest -> acme-shop.back.latest  view"));
  EXPECT_THAT(ran.out, Not(HasSubstr("NOT restored")));
  const Ran alone =
      Run({"restore", "run", "acme-shop.sales.dataset:definition", "--to-dataset", "empty"});
  EXPECT_EQ(alone.exit_code, kExitOk) << alone.err;
  EXPECT_THAT(alone.out + alone.err, Not(HasSubstr("was gone")));
  EXPECT_THAT(Run({"status"}).out, Not(HasSubstr("NOT PROTECTED")));
}

TEST_F(ProgramTest, APartitionWhoseTableIsThereIsNotToBeHadByDroppingIt) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const Ran refused = Run({"restore", "run", "acme-shop.sales.orders$20260110"});
  EXPECT_EQ(refused.exit_code, kExitRefused);
  EXPECT_THAT(refused.err, Not(HasSubstr("drop that table,")));
  EXPECT_THAT(refused.err, Not(HasSubstr("--if-exists=skip")));
  EXPECT_THAT(refused.err, HasSubstr("Do not drop that table"));
  EXPECT_THAT(refused.err,
              HasSubstr("\n    holdfast restore run 'acme-shop.sales.orders$20260110' --to-table "
                        "'orders_20260110'\n"));
  EXPECT_THAT(refused.err, HasSubstr("\n    bq cp -f 'acme-shop:sales.orders_20260110$20260110' "
                                     "'acme-shop:sales.orders$20260110'\n"));
  // The command that it prints does it.
  const Json report = RunJson(
      {"restore", "run", "acme-shop.sales.orders$20260110", "--to-table", "orders_20260110"});
  EXPECT_EQ(report["tables"][0]["target"], "acme-shop.sales.orders_20260110");
  EXPECT_EQ(report["succeeded"], true);

  // A whole table may be dropped, so its own hint stays.
  EXPECT_THAT(Run({"restore", "run", "acme-shop.sales.people"}).err, HasSubstr("drop that table"));
}

TEST_F(ProgramTest, ADryRunOfARestoreIsRefusedWhereTheRestoreIs) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  for (const bool dry : {true, false}) {
    std::vector<std::string> command = {"restore", "run", "acme-shop.sales.people"};
    if (dry) command.emplace_back("--dry-run");
    const Ran ran = Run(command);
    EXPECT_EQ(ran.exit_code, kExitRefused) << dry << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("exists already")) << dry;
  }
}

TEST_F(ProgramTest, WhatASecondRepositoryHoldsComesBackWhenTheFirstIsGone) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "policies:\n  defaults:\n    repositories:\n"
         "      - {bucket_pattern: '{project}-second', prefix: copies}\n";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const std::string second = "gs://acme-shop-second/copies";
  const auto remove = [&](const std::string& bucket, const std::string& ending) {
    const auto environment = Open();
    const Status done = cloud::ForEachPage<cloud::ObjectInfo>(
        [&](const std::string& token) {
          return environment->objects().ListObjects(bucket, "", token);
        },
        [&](cloud::ObjectInfo&& object) -> Status {
          if (!object.ref.name.ends_with(ending)) return Ok();
          return environment->objects().DeleteObject(object.ref);
        });
    ASSERT_TRUE(done.ok()) << done.error().ToString();
  };
  EXPECT_EQ(Run({"backup", "verify", "--repository", second}).exit_code, kExitOk);
  remove("acme-shop-holdfast-us", "");

  const Ran asked = Run({"backup", "query", "acme-shop.sales.orders",
                         "select count(*) as n from orders", "--format=json"});
  EXPECT_EQ(asked.exit_code, kExitOk) << asked.err;
  EXPECT_GT(ParseJson(asked.out).value()["rows"][0]["n"], 0);
  EXPECT_THAT(asked.err, HasSubstr("its copy in " + second));
  const Json report = RunJson({"restore", "run", "acme-shop.sales", "--to-dataset", "back"});
  EXPECT_EQ(report["succeeded"], true);
  EXPECT_THAT(DumpJson(report), HasSubstr("its copy in " + second));
  for (const Json& backup : RunJson({"backup", "list", "acme-shop.sales.orders"})) {
    EXPECT_EQ(backup["verified"], "L3") << DumpJson(backup);
    EXPECT_EQ(backup["repository"], second);
  }
  EXPECT_EQ(Run({"backup", "verify"}).exit_code, kExitOk);
  remove("acme-shop-second", ".avro");
  const Ran damaged = Run({"backup", "verify", "--repository", second, "--level", "L0"});
  EXPECT_EQ(damaged.exit_code, kExitDamaged);
  EXPECT_THAT(damaged.out, HasSubstr("DAMAGED"));
  EXPECT_EQ(Run({"backup", "verify", "--repository", second, "--level", "L3"}).exit_code,
            kExitUsage);
}

TEST_F(ProgramTest, APlanIsAppliedOrRefusedWhenItIsEditedOrStale) {
  MakeTables();
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const std::string path = directory_ + "/plan.json";
  const Ran planned =
      Run({"restore", "plan", "acme-shop.sales", "--to-dataset", "back", "-o", path});
  ASSERT_EQ(planned.exit_code, kExitOk) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("acme-shop.sales.orders -> acme-shop.back.orders"));
  EXPECT_THAT(planned.out, HasSubstr("jobs: 2 load jobs, 0 copy jobs, 2 extract jobs; about"));
  EXPECT_THAT(planned.out, HasSubstr("2 of 100,000 load_jobs_per_day of acme-shop"));
  EXPECT_THAT(planned.err, HasSubstr("holdfast restore apply " + path));
  std::string text = (std::stringstream() << std::ifstream(path).rdbuf()).str();

  std::ofstream(directory_ + "/edited.json") << text.replace(text.find("back"), 4, "lack");
  const Ran edited = Run({"restore", "apply", directory_ + "/edited.json"});
  EXPECT_EQ(edited.exit_code, kExitFailed);
  EXPECT_THAT(edited.err, HasSubstr("error[T0006]"));

  const TableRef target{"acme-shop", "back", "people", ""};
  {
    const auto environment = Open();
    ASSERT_TRUE(environment->warehouse()
                    .EnsureDataset({.ref = target.dataset_ref(), .location = "US"})
                    .ok());
    ASSERT_TRUE(
        environment->warehouse()
            .CreateTable(
                target,
                {{"schema", {{"fields", Json::array({{{"name", "id"}, {"type", "INTEGER"}}})}}}})
            .ok());
  }
  const Ran stale = Run({"restore", "apply", path});
  EXPECT_EQ(stale.exit_code, kExitRefused) << stale.err;
  EXPECT_THAT(stale.err, HasSubstr("error[T0005]"));
  EXPECT_THAT(stale.err, HasSubstr("acme-shop.back is there now"));
  EXPECT_THAT(stale.err, HasSubstr("acme-shop.back.people is there now"));
  EXPECT_FALSE(Open()->warehouse().GetTable({"acme-shop", "back", "orders", ""}).ok());

  // All that is in the way is shown at once.
  const Ran again = Run({"restore", "plan", "acme-shop.sales", "--to-source", "--format", "json"});
  EXPECT_EQ(again.exit_code, kExitRefused);
  const auto document = ParseJson(again.out);
  ASSERT_TRUE(document.ok()) << again.out;
  EXPECT_EQ((*document)["conflicts"].size(), 2u);
  EXPECT_EQ((*document)["conflicts"][0]["error"], "G0005");
  EXPECT_EQ((*document)["jobs"]["load"], 2);
}

TEST_F(ProgramTest, APlanHoldsItsBackupsAgainstAPruneUntilItIsApplied) {
  MakeTables();
  std::ofstream(directory_ + "/config.yaml", std::ios::app)
      << "retention: {keep_last: 1}\nprune: {grace_hours: 0, share_max: 1}\n";
  const std::string path = directory_ + "/plan.json";
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  ASSERT_EQ(Run({"restore", "plan", "acme-shop.sales.people", "--to-dataset", "back", "-o", path})
                .exit_code,
            kExitOk);
  ASSERT_TRUE(
      RunDemoStatement(*Open(), "acme-shop", "INSERT INTO `acme-shop.sales.people` (id) VALUES (7)")
          .ok());
  ASSERT_EQ(Run({"backup", "run"}).exit_code, kExitOk);
  const auto prune_twice = [&] {
    EXPECT_EQ(Run({"backup", "prune", "--yes"}).exit_code, kExitOk);
    EXPECT_EQ(Run({"backup", "prune", "--yes"}).exit_code, kExitOk);
    return RunJson({"backup", "list", "acme-shop.sales.people"}).size();
  };
  EXPECT_EQ(prune_twice(), 2u) << "the plan holds the older one";
  const Json report = RunJson({"restore", "apply", path});
  EXPECT_EQ(report["succeeded"], true) << DumpJson(report);
  EXPECT_EQ(report["tables"][0]["rows"], 1) << "as it was planned";
  EXPECT_EQ(prune_twice(), 1u) << "and not any longer";
}

}  // namespace
}  // namespace holdfast::cli
