// A lost catalog comes back from the buckets; a lost bucket is noticed.
#include "backup/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/run_backup.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify_recorded.h"

namespace holdfast::backup {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kPeople{"acme-hr", "staff", "people", ""};

void AddTables(SimFixture& fixture) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().AddTable(kPeople, TwoColumns(), NumberedRows(1, 4));
}

TEST(Rebuild, BringsBackEveryBackupAndRunOfALostCatalog) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto before = fixture.catalog().FindBackups({}, "").value();
  const holdfast::Run run = fixture.catalog().ListRuns(false, "").value().items.at(0);

  const auto empty = catalog::SqliteCatalog::Open(":memory:").value();
  const Services old = fixture.services();
  const Services services{old.warehouse, old.definitions, old.objects,      old.projects,    *empty,
                          old.clock,     old.random,      old.organization, old.tool_version};
  const auto repositories = FindRepositories(services, {});
  ASSERT_TRUE(repositories.ok()) << repositories.error().message;
  EXPECT_EQ(repositories->repositories.size(), 2u);
  const auto report = RebuildFrom(services, repositories->repositories);

  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->manifests, 4) << "two tables, and the dataset of each";
  EXPECT_EQ(empty->FindBackups({}, "").value().items, before.items);
  EXPECT_EQ(empty->GetRun(run.id).value().finished_ms, run.finished_ms);
  EXPECT_EQ(empty->ListOutcomes(run.id, "").value().items.size(), 4u);
}

TEST(Rebuild, FindsTheRepositoryOfAProjectThatLostAllItsDatasets) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DropDataset(kPeople.dataset_ref());
  const auto repositories = FindRepositories(fixture.services(), {});
  ASSERT_TRUE(repositories.ok()) << repositories.error().message;
  EXPECT_EQ(repositories->repositories.size(), 2u);
  EXPECT_TRUE(repositories->unsearched.empty());
}

TEST(Rebuild, KnowsWhatAVerificationFoundDamaged) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
  for (const cloud::ObjectInfo& object : fixture.cloud().AllObjects(record->bucket)) {
    if (object.ref.name.ends_with(".avro")) fixture.cloud().CorruptObject(object.ref, 40);
  }
  const Services services = fixture.services();
  const verify::Services verifying{services.warehouse, services.objects,
                                   services.catalog,   services.clock,
                                   services.random,    BackupPolicy().staging_bucket_pattern};
  const auto verified = verify::VerifyRecorded(verifying, *record, VerifyLevel::kL2);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  ASSERT_FALSE(verified->Passed());

  fixture.LoseCatalog();
  const auto repositories = FindRepositories(fixture.services(), {});
  const auto report = RebuildFrom(fixture.services(), repositories->repositories);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->verifications, 1);
  EXPECT_EQ(report->runs, 1) << "its file is in two repositories";
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), record->backup)->damaged);
  EXPECT_FALSE(*catalog::LatestGood(fixture.catalog(), kOrders));
}

TEST(Rebuild, NamesAProjectThatDeniesAccess) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().faults().DenyAccess("acme-hr");
  const auto repositories = FindRepositories(fixture.services(), {});
  ASSERT_TRUE(repositories.ok());
  EXPECT_EQ(repositories->repositories.size(), 2u) << "its bucket can be read all the same";
  ASSERT_EQ(repositories->unsearched.size(), 1u);
  EXPECT_THAT(repositories->unsearched[0].message, testing::HasSubstr("acme-hr"));
}

TEST(Rebuild, ReadsEverythingButARunFileThatWasCut) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string bucket = FillBucketPattern(BackupPolicy().bucket_pattern, "acme-hr", "US");
  for (const auto& object : fixture.cloud().AllObjects(bucket)) {
    if (!object.ref.name.starts_with("runs/")) continue;
    fixture.cloud().RemoveObject(object.ref);
    ASSERT_TRUE(CreateObjectFromString(fixture.cloud().objects(), {bucket, object.ref.name, 0},
                                       "{\"run\": {")
                    .ok());
  }
  fixture.LoseCatalog();
  const Services services = fixture.services();
  const auto report = RebuildFrom(services, FindRepositories(services, {})->repositories);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->manifests, 4);
  EXPECT_EQ(report->damaged, 1);
  EXPECT_EQ(report->runs, 1);
}

TEST(Rebuild, WhatAnEmptiedBucketHeldIsBackedUpAgain) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const std::string bucket = FillBucketPattern(BackupPolicy().bucket_pattern, "acme-hr", "US");
  for (const auto& object : fixture.cloud().AllObjects(bucket)) {
    fixture.cloud().RemoveObject(object.ref);
  }
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->totals.Of(Outcome::kBackedUp), 2) << "a table and its dataset";
  EXPECT_EQ(report->totals.Of(Outcome::kUnchanged), 2);
  EXPECT_FALSE(fixture.cloud().AllObjects(bucket).empty());
}

}  // namespace
}  // namespace holdfast::backup
