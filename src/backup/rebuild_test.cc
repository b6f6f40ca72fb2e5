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

const TableRef kSalesDataset{kOrders.project, kOrders.dataset, "", ""};
const TableRef kPeople{"acme-hr", "staff", "people", ""};

void AddTables(SimFixture& fixture) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().AddTable(kPeople, TwoColumns(), NumberedRows(1, 4));
}

// The services of somebody with a catalog of their own.
Services WithCatalog(SimFixture& fixture, catalog::Catalog& catalog) {
  const Services mine = fixture.services();
  return {mine.warehouse, mine.definitions, mine.objects,      mine.projects,    catalog,
          mine.clock,     mine.random,      mine.organization, mine.tool_version};
}

// Another catalog, which knows all that there is so far.
std::unique_ptr<catalog::Catalog> SecondCatalog(SimFixture& fixture) {
  std::unique_ptr<catalog::Catalog> other = catalog::SqliteCatalog::Open(":memory:").value();
  const Services theirs = WithCatalog(fixture, *other);
  EXPECT_TRUE(RebuildFrom(theirs, FindRepositories(theirs, {})->repositories).ok());
  return other;
}

TEST(Rebuild, BringsBackEveryBackupAndRunOfALostCatalog) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto before = fixture.catalog().FindBackups({}, "").value();
  const holdfast::Run run = fixture.catalog().ListRuns(false, "").value().items.at(0);

  const auto empty = catalog::SqliteCatalog::Open(":memory:").value();
  const Services services = WithCatalog(fixture, *empty);
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

TEST(Rebuild, FindsWhatRulesOfThePolicyDocumentPutElsewhere) {
  SimFixture fixture;
  AddTables(fixture);
  const auto document = ReadPolicyText(
      "projects: {'*': {bucket_pattern: 'vault-{project}', prefix: deep/down}}", "policy.yaml");
  ASSERT_TRUE(document.ok());
  const BusSetup setup{.bus = fixture.cloud().bus(), .project = "platform"};
  ASSERT_TRUE(RunBackups({.policy = {}, .document = *document, .workers = 0}, setup,
                         fixture.services(), [](const BackupProgress&) {})
                  .ok());
  EXPECT_TRUE(FindRepositories(fixture.services(), {})->repositories.empty());
  EXPECT_EQ(FindRepositories(fixture.services(), {}, *document)->repositories.size(), 2U);
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

// One manifest is gone with the catalog: who restores must not be the one to find out.
TEST(Rebuild, NamesABackupThatIsGoneAndReadsEverythingElse) {
  for (const bool was_verified : {false, true}) {
    SimFixture fixture;
    AddTables(fixture);
    const TableRef late{"acme-shop", "sales", "late", ""};
    fixture.cloud().AddTable(late, TwoColumns(), NumberedRows(1, 2));
    ASSERT_TRUE(fixture.BackUp().ok());
    const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
    const repository::Location place{record->bucket, record->prefix};
    if (was_verified) {
      auto repository = repository::Repository::Open(fixture.cloud().objects(), place).value();
      ASSERT_TRUE(repository
                      .WriteEvidence(repository::kVerifyEvidence, record->backup + "-t",
                                     {{"backup", record->backup}, {"requested", "L1"}})
                      .ok());
    }
    fixture.cloud().RemoveObject(
        {place.bucket, repository::ManifestName("", kOrders, record->backup), 0});
    BackupPolicy narrow;  // the newest run does not tell of the one that is lost
    narrow.scope.include = {"acme-hr"};
    ASSERT_TRUE(fixture.BackUp(narrow).ok());
    fixture.LoseCatalog();
    const auto repositories = FindRepositories(fixture.services(), {});
    const auto report = RebuildFrom(fixture.services(), repositories->repositories);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->manifests, 4) << "two tables, and two datasets";
    EXPECT_EQ(report->damaged, 1);
    EXPECT_THAT(report->problems.at(0).message, testing::HasSubstr(record->backup));
    EXPECT_TRUE(*catalog::LatestGood(fixture.catalog(), late));
    EXPECT_TRUE(*catalog::LatestGood(fixture.catalog(), kPeople));
  }
}

TEST(Rebuild, KnowsWhatARestoreProved) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
  repository::Repository repository =
      repository::Repository::Open(fixture.cloud().objects(), {record->bucket, record->prefix})
          .value();
  ASSERT_TRUE(repository
                  .WriteEvidence(repository::kRestoreEvidence, "r1",
                                 {{"equal", true}, {"backups", {record->backup}}, {"target", "t"}})
                  .ok());
  fixture.LoseCatalog();
  const auto repositories = FindRepositories(fixture.services(), {});
  ASSERT_TRUE(RebuildFrom(fixture.services(), repositories->repositories).ok());
  EXPECT_EQ(catalog::GetBackup(fixture.catalog(), record->backup)->verified, VerifyLevel::kL3);
}

TEST(CatchUp, LearnsOfWhatAnotherCatalogBackedUp) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto other = SecondCatalog(fixture);
  const Services theirs = WithCatalog(fixture, *other);
  fixture.cloud().AppendRows(kOrders, NumberedRows(11, 5));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto newest = catalog::LatestGood(fixture.catalog(), kOrders).value();
  ASSERT_NE(catalog::LatestGood(*other, kOrders).value(), newest);

  const auto report = CatchUp(theirs, kSalesDataset);

  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->manifests, 1) << "what is known already is not read again";
  EXPECT_EQ(report->runs, 1);
  EXPECT_EQ(catalog::LatestGood(*other, kOrders).value(), newest);
  const auto again = CatchUp(theirs, kSalesDataset);
  EXPECT_EQ(again->manifests + again->runs, 0);
}

TEST(CatchUp, FindsATableThatOnlyOthersBackedUp) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto other = SecondCatalog(fixture);
  const Services theirs = WithCatalog(fixture, *other);
  const TableRef late{"acme-shop", "new", "late", ""};
  fixture.cloud().AddTable(late, TwoColumns(), NumberedRows(1, 3));
  ASSERT_TRUE(fixture.BackUp().ok());
  ASSERT_FALSE(*catalog::LatestGood(*other, late));
  ASSERT_TRUE(CatchUp(theirs, late).ok());
  EXPECT_TRUE(*catalog::LatestGood(*other, late));
}

// What a restore of the scope chooses from.
struct Known {
  std::vector<catalog::BackupRecord> backups;  // with what is known to be damaged, or accepted
  std::vector<std::string> outcomes;           // of the finished runs
};

Known KnownOf(catalog::Catalog& catalog, const TableRef& scope) {
  Known known;
  known.backups =
      catalog.FindBackups({.project = scope.project, .dataset = scope.dataset}, "").value().items;
  const auto runs = catalog.ListRuns(false, "").value();
  for (const holdfast::Run& run : runs.items) {
    if (run.state != RunState::kFinished) continue;
    const auto items = catalog::AllOutcomes(catalog, run.id).value();
    for (const ItemOutcome& item : items) {
      known.outcomes.push_back(run.id + " " + DumpJson(item.ToJson()));
    }
  }
  return known;
}

// Two runs over three tables: one shrank between them, and its suspect backup was accepted; of one
// the first backup was found damaged; one was dropped.
void AddHistory(SimFixture& fixture) {
  const TableRef late{kOrders.project, kOrders.dataset, "late", ""};
  const TableRef gone{kOrders.project, kOrders.dataset, "gone", ""};
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().AddTable(late, TwoColumns(), NumberedRows(1, 5));
  fixture.cloud().AddTable(gone, TwoColumns(), NumberedRows(1, 2));
  ASSERT_TRUE(fixture.BackUp().ok());
  const Services services = fixture.services();
  const verify::Services verifying{services.warehouse, services.objects,
                                   services.catalog,   services.clock,
                                   services.random,    BackupPolicy().staging_bucket_pattern};
  const auto damaged = catalog::LatestGood(fixture.catalog(), late).value();
  for (const cloud::ObjectInfo& object : fixture.cloud().AllObjects(damaged->bucket)) {
    if (object.ref.name.find("/late/") != std::string::npos && object.ref.name.ends_with(".avro")) {
      fixture.cloud().CorruptObject(object.ref, 40);
    }
  }
  ASSERT_TRUE(verify::VerifyRecorded(verifying, *damaged, VerifyLevel::kL2).ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, NumberedRows(1, 1));
  fixture.cloud().DropTable(gone);
  const RunReport report = fixture.BackUp().value();
  const auto item = std::ranges::find(report.items, kOrders, &ItemOutcome::object);
  ASSERT_TRUE(item->suspect);
  const auto record = catalog::GetBackup(fixture.catalog(), item->backup).value();
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {record.bucket, record.prefix});
  ASSERT_TRUE(
      repository
          ->WriteEvidence(repository::kAcceptedEvidence, record.backup, {{"backup", record.backup}})
          .ok());
  ASSERT_TRUE(fixture.catalog().AcceptBackup(record.backup).ok());
}

// Wherever a rebuild was killed, the restore that comes next knows all that a whole one would have
// told it - or finds nothing, which it says.
TEST(CatchUp, ReadsWhatAKilledRebuildLeftOut) {
  SimFixture fixture;
  AddHistory(fixture);
  const Known whole = KnownOf(*SecondCatalog(fixture), kSalesDataset);
  ASSERT_EQ(whole.backups.size(), 6u) << "three tables, two of them twice, and the dataset";
  const auto repositories = FindRepositories(fixture.services(), {})->repositories;
  bool is_over = false;
  for (int64_t call = 1; !is_over; ++call) {
    const auto other = catalog::SqliteCatalog::Open(":memory:").value();
    const Services theirs = WithCatalog(fixture, *other);
    fixture.cloud().faults().CrashAtCall(call);
    is_over = RebuildFrom(theirs, repositories).ok();
    ASSERT_TRUE(call > 10 || !is_over) << "of a rebuild with so few calls this proves nothing";
    fixture.cloud().faults().Revive();
    const bool knows_nothing = KnownOf(*other, kSalesDataset).backups.empty();
    const auto report = CatchUp(theirs, kSalesDataset);
    ASSERT_TRUE(report.ok()) << report.error().message;
    if (knows_nothing) continue;
    const Known now = KnownOf(*other, kSalesDataset);
    EXPECT_EQ(now.backups, whole.backups) << "killed at call " << call;
    EXPECT_EQ(now.outcomes, whole.outcomes) << "killed at call " << call;
  }
}

// A restore goes on to the copies, and a verification says what is wrong.
TEST(CatchUp, LeavesOutARepositoryThatIsGoneOrDamaged) {
  for (const bool is_damaged : {false, true}) {
    SimFixture fixture;
    AddTables(fixture);
    ASSERT_TRUE(fixture.BackUp().ok());
    const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
    for (const cloud::ObjectInfo& object : fixture.cloud().AllObjects(record->bucket)) {
      if (!is_damaged) {
        fixture.cloud().RemoveObject(object.ref);
      } else if (object.ref.name == "repository.json") {
        fixture.cloud().CorruptObject({record->bucket, object.ref.name, 0}, 3);
      }
    }
    const auto report = CatchUp(fixture.services(), kOrders);
    ASSERT_TRUE(report.ok()) << is_damaged << report.error().message;
    EXPECT_EQ(report->manifests, 0);
    EXPECT_EQ(ForgetPruned(fixture.services(), {}).value(), 0);
  }
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
