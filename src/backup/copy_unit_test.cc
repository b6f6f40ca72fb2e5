// Backups of method copy: read once when they are made, so that they can be held to it.
#include "backup/copy_unit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/run_backup.h"
#include "tests/support/altered_warehouse.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify.h"

namespace holdfast::backup {
namespace {

using testing_support::AlteredWarehouse;
using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

Manifest ManifestOfBackup(SimFixture& fixture, const std::string& backup) {
  const auto record = catalog::GetBackup(fixture.catalog(), backup).value();
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {record.bucket, record.prefix});
  return repository->ReadManifest(record.object, record.backup).value();
}

Manifest CopyOrders(SimFixture& fixture, VerifyLevel level) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  BackupPolicy policy;
  policy.method = Method::kCopy;
  policy.verify = level;
  const RunReport report = fixture.BackUp(policy).value();
  return ManifestOfBackup(fixture, ItemOf(report, kOrders).backup);
}

Result<verify::VerifyReport> Verify(SimFixture& fixture, const Manifest& manifest,
                                    VerifyLevel level) {
  const Services services = fixture.services();
  const std::string bucket =
      EnsureStagingBucket(services, BackupPolicy(), "acme-shop", "US").value();
  const verify::TableReader reader{services.warehouse, services.objects, services.clock,
                                   services.random,    bucket,           [] { return Status(); }};
  return verify::VerifyCopy(reader, manifest, level);
}

TEST(CopyUnit, HoldsADigestOfItsRows) {
  SimFixture fixture;
  const Manifest manifest = CopyOrders(fixture, VerifyLevel::kL2);
  EXPECT_EQ(manifest.verified, VerifyLevel::kL2);
  EXPECT_EQ(verify::ContentDigest::Parse(manifest.content_digest)->rows(), 10u);
  const auto report = Verify(fixture, manifest, VerifyLevel::kL2);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Passed());
  EXPECT_EQ(report->rows_read, 10);
}

TEST(CopyUnit, IsFoundDamagedWhenItWasWrittenTo) {
  SimFixture fixture;
  const Manifest manifest = CopyOrders(fixture, VerifyLevel::kL2);
  fixture.clock().Advance(std::chrono::minutes{1});
  sim::Rows rows = NumberedRows(1, 10);
  rows[3]["name"] = "not what it was";
  fixture.cloud().ReplaceRows(*manifest.copy, rows);
  const auto by_time = Verify(fixture, manifest, VerifyLevel::kL0);
  ASSERT_TRUE(by_time.ok());
  EXPECT_FALSE(by_time->Passed());
  // Even if the time did not tell: the rows do.
  fixture.cloud().SetModificationTime(*manifest.copy, manifest.copy_modified_ms);
  EXPECT_TRUE(Verify(fixture, manifest, VerifyLevel::kL0)->Passed());
  const auto by_content = Verify(fixture, manifest, VerifyLevel::kL2);
  ASSERT_TRUE(by_content.ok());
  ASSERT_EQ(by_content->findings.size(), 1u);
  EXPECT_EQ(by_content->findings[0].id, ErrorId::kDataMismatch);
}

// A copy that expires with its source is no backup of it.
TEST(CopyUnit, KeepsNoExpirationOfItsSource) {
  SimFixture fixture;
  const TableRef days{"acme-shop", "sales", "days", ""};
  fixture.cloud().AddTable(
      days, {{{.name = "day", .type = FieldType::kDate}}}, {{{"day", "2026-01-01"}}},
      {{"timePartitioning",
        {{"type", "DAY"}, {"field", "day"}, {"expirationMs", "3153600000000"}}}});
  BackupPolicy policy;
  policy.method = Method::kCopy;
  const RunReport report = fixture.BackUp(policy).value();
  ASSERT_EQ(report.totals.Of(Outcome::kFailed), 0);
  const auto record =
      catalog::LatestGood(fixture.catalog(), days.WithPartition("20260101")).value().value();
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {record.bucket, record.prefix});
  const Manifest manifest = repository->ReadManifest(record.object, record.backup).value();
  const TableInfo copy = fixture.cloud().warehouse().GetTable(*manifest.copy).value();
  EXPECT_EQ(FindPath(copy.resource, {"timePartitioning", "expirationMs"}), nullptr)
      << DumpJson(copy.resource);
  EXPECT_EQ(copy.last_modified_ms, manifest.copy_modified_ms);
}

// As a copy of a table that has an expiration of its own.
TEST(CopyUnit, DoesNotExpireWhateverTheJobPutOnIt) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  AlteredWarehouse warehouse(fixture.cloud().warehouse());
  warehouse.change_job = [](cloud::JobSpec& spec) {
    auto* copy = std::get_if<cloud::CopyJob>(&spec);
    if (copy != nullptr) copy->destination_expiration_ms = 1'900'000'000'000;
  };
  BackupPolicy policy;
  policy.method = Method::kCopy;
  const RunReport report = fixture.BackUp(policy, fixture.services(warehouse)).value();
  const Manifest manifest = ManifestOfBackup(fixture, ItemOf(report, kOrders).backup);
  const TableInfo copy = fixture.cloud().warehouse().GetTable(*manifest.copy).value();
  EXPECT_EQ(FindField(copy.resource, "expirationTime"), nullptr) << DumpJson(copy.resource);
  EXPECT_EQ(copy.last_modified_ms, manifest.copy_modified_ms);
}

// Trap 1: a job that succeeds may have seen less than what is there. Here it is given a table of
// nine rows in place of the one with ten.
TEST(CopyUnit, IsNoBackupWhenItLacksARow) {
  const TableRef nine{"acme-shop", "sales", "nine", ""};
  const struct {
    const char* what;
    std::function<void(cloud::JobSpec& spec)> change_job;
  } cases[] = {{"the copy",
                [&](cloud::JobSpec& spec) {
                  auto* copy = std::get_if<cloud::CopyJob>(&spec);
                  if (copy != nullptr) copy->sources = {nine};
                }},
               {"what can be read of it", [&](cloud::JobSpec& spec) {
                  auto* extract = std::get_if<cloud::ExtractJob>(&spec);
                  if (extract != nullptr) extract->source = nine;
                }}};
  for (const auto& [what, change_job] : cases) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    fixture.cloud().AddTable(nine, TwoColumns(), NumberedRows(1, 9));
    AlteredWarehouse warehouse(fixture.cloud().warehouse());
    warehouse.change_job = change_job;
    BackupPolicy policy;
    policy.method = Method::kCopy;
    policy.verify = VerifyLevel::kL2;
    policy.scope.include = {kOrders.ToString()};
    const RunReport report = fixture.BackUp(policy, fixture.services(warehouse)).value();
    EXPECT_EQ(ItemOf(report, kOrders).outcome, Outcome::kFailed) << what;
    EXPECT_EQ(ItemOf(report, kOrders).error_id, FindError(ErrorId::kRowsMissing).id) << what;
    EXPECT_FALSE(catalog::LatestGood(fixture.catalog(), kOrders).value()) << what;
  }
}

TEST(CopyUnit, IsNotMadeInADatasetOfSomebodyElse) {
  const struct {
    Json resource;
    const char* text;
  } cases[] = {{{{"labels", Json::object()}}, "lacks the label"},
               {{{"labels", {{"holdfast", "copies"}}}, {"defaultPartitionExpirationMs", "1000"}},
                "defaultPartitionExpirationMs"},
               {{{"labels", {{"holdfast", "copies"}}}, {"defaultTableExpirationMs", "3600000"}},
                "defaultTableExpirationMs"}};
  for (const auto& [resource, text] : cases) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    const DatasetRef copies = PlaceOfCopy({}, kOrders, "US", "b", 1).dataset_ref();
    fixture.cloud().AddDataset(copies);
    fixture.cloud().PatchDataset(copies, resource);
    BackupPolicy policy;
    policy.method = Method::kCopy;
    const RunReport report = fixture.BackUp(policy).value();
    EXPECT_EQ(report.totals.Of(Outcome::kFailed), 1) << text;
    const auto failed = std::ranges::find(report.items, kOrders, &ItemOutcome::object);
    ASSERT_NE(failed, report.items.end());
    EXPECT_THAT(failed->reason, testing::HasSubstr(text));
  }
}

TEST(CopyUnit, IsFoundMissingWhenItWasDropped) {
  SimFixture fixture;
  const Manifest manifest = CopyOrders(fixture, VerifyLevel::kL2);
  fixture.cloud().DropTable(*manifest.copy);
  const auto report = Verify(fixture, manifest, VerifyLevel::kL0);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->findings.size(), 1u);
  EXPECT_EQ(report->findings[0].id, ErrorId::kObjectMissing);
}

TEST(CopyUnit, ThatWasNotReadIsVerifiedAtL0AndNotCalledDamaged) {
  SimFixture fixture;
  const Manifest manifest = CopyOrders(fixture, VerifyLevel::kL0);
  EXPECT_EQ(manifest.verified, VerifyLevel::kL0);
  EXPECT_EQ(manifest.content_digest, "");
  const auto report = Verify(fixture, manifest, VerifyLevel::kL2);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->Passed());
  EXPECT_EQ(report->reached, VerifyLevel::kL0);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().SetDescription(*manifest.copy, "touched");
  const int64_t jobs = fixture.cloud().JobsStarted("extract");
  const auto touched = Verify(fixture, manifest, VerifyLevel::kL0);
  ASSERT_TRUE(touched.ok()) << touched.error().message;
  ASSERT_EQ(touched->findings.size(), 1u);
  EXPECT_EQ(touched->findings[0].id, ErrorId::kObjectChanged);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), jobs) << "there is no digest to read it for";
}

TEST(CopyUnit, ThatWasTouchedAndHoldsTheSameRowsIsWhole) {
  SimFixture fixture;
  const Manifest manifest = CopyOrders(fixture, VerifyLevel::kL2);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().SetDescription(*manifest.copy, "touched");
  EXPECT_TRUE(Verify(fixture, manifest, VerifyLevel::kL0)->Passed());
}

TEST(CopyUnit, ASecondAttemptIsNotInTheWayOfTheFirst) {
  const TableRef first = PlaceOfCopy({}, kOrders, "US", "b", 1);
  EXPECT_NE(first, PlaceOfCopy({}, kOrders, "US", "b", 2));
  EXPECT_EQ(first, PlaceOfCopy({}, kOrders, "US", "b", 1));
}

}  // namespace
}  // namespace holdfast::backup
