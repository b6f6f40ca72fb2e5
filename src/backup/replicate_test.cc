// Backups that are kept once more, in a repository elsewhere.
#include "backup/replicate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/run_backup.h"
#include "tests/support/altered_store.h"
#include "tests/support/sim_fixture.h"
#include "verify/verify.h"

namespace holdfast::backup {
namespace {

using testing::HasSubstr;
using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

constexpr const char* kFurtherBucket = "acme-shop-elsewhere";

BackupPolicy PolicyWithFurther() {
  BackupPolicy policy;
  policy.repositories = {{.bucket_pattern = "{project}-elsewhere",
                          .prefix = "second",
                          .project = "vault",
                          .location = "EU"}};
  return policy;
}

Result<repository::Repository> OpenFurther(SimFixture& fixture) {
  return repository::Repository::Open(fixture.cloud().objects(), {kFurtherBucket, "second"});
}

TEST(FurtherRepository, HoldsTheSameBackupInAnotherProjectAndLocation) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  const RunReport report = fixture.BackUp(PolicyWithFurther()).value();
  const ItemOutcome& item = ItemOf(report, kOrders);
  ASSERT_EQ(item.outcome, Outcome::kBackedUp) << item.reason;
  const auto bucket = fixture.cloud().objects().GetBucket(kFurtherBucket);
  ASSERT_TRUE(bucket.ok());
  EXPECT_EQ(bucket->project, "vault");
  EXPECT_EQ(bucket->location, "EU");
  auto further = OpenFurther(fixture);
  ASSERT_TRUE(further.ok()) << further.error().message;
  const Manifest manifest = further->ReadManifest(kOrders, item.backup).value();
  EXPECT_EQ(manifest.bucket, kFurtherBucket);
  const auto verified = verify::VerifyBackup(fixture.cloud().objects(), manifest, VerifyLevel::kL2);
  ASSERT_TRUE(verified.ok());
  EXPECT_TRUE(verified->Passed());
  EXPECT_EQ(verified->rows_read, 10);
  const ItemOutcome& dataset = ItemOf(report, DatasetObject(kOrders.dataset_ref()));
  EXPECT_TRUE(further->HasManifest(dataset.object, dataset.backup).value());
}

TEST(FurtherRepository, ThatCannotTakeABackupFailsItByNameAndLeavesTheFirst) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  // Somebody's bucket has the name, in another location.
  ASSERT_TRUE(fixture.cloud()
                  .objects()
                  .EnsureBucket({.name = kFurtherBucket, .project = "vault", .location = "US"})
                  .ok());
  const RunReport report = fixture.BackUp(PolicyWithFurther()).value();
  const ItemOutcome& item = ItemOf(report, kOrders);
  EXPECT_EQ(item.outcome, Outcome::kFailed);
  EXPECT_EQ(item.error_id, FindError(ErrorId::kLocationMismatch).id);
  EXPECT_THAT(item.reason, HasSubstr("further repository gs://acme-shop-elsewhere/second"));
  EXPECT_NE(item.backup, "");
  EXPECT_TRUE(catalog::LatestGood(fixture.catalog(), kOrders).value());
}

// The service tells of another object than the one that it was to copy.
TEST(FurtherRepository, HoldsNoBackupOfWhichACopyIsAnother) {
  struct Case {
    const char* what;
    void (*change)(cloud::ObjectInfo& copy);
  };
  for (const Case& wrong : {Case{"size", [](cloud::ObjectInfo& copy) { --copy.size_bytes; }},
                            Case{"checksum", [](cloud::ObjectInfo& copy) { ++copy.crc32c; }}}) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    testing_support::AlteredStore objects(fixture.cloud().objects());
    objects.change_copy = [&](cloud::ObjectInfo& copy) {
      if (copy.ref.bucket == kFurtherBucket) wrong.change(copy);
    };
    const Services mine = fixture.services();
    const Services with{mine.warehouse,    mine.definitions, objects,     mine.projects,
                        mine.catalog,      mine.clock,       mine.random, mine.organization,
                        mine.tool_version, mine.quotas};
    const RunReport report = fixture.BackUp(PolicyWithFurther(), with).value();
    const ItemOutcome& item = ItemOf(report, kOrders);
    EXPECT_EQ(item.outcome, Outcome::kFailed) << wrong.what;
    EXPECT_EQ(item.error_id, FindError(ErrorId::kObjectCorrupt).id) << wrong.what;
    EXPECT_FALSE(OpenFurther(fixture)->HasManifest(kOrders, item.backup).value()) << wrong.what;
  }
}

// A service that is away for a moment: the attempt fails, the next one makes up for it.
TEST(FurtherRepository, IsAskedAgainWhereTheFailureMayPass) {
  for (int64_t call = 1; call < 400; ++call) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    const int64_t before = fixture.cloud().faults().calls();
    fixture.cloud().faults().FailAtCall(call);
    const auto report = fixture.BackUp(PolicyWithFurther());
    if (fixture.cloud().faults().calls() - before < call) {
      EXPECT_GT(call, 30) << "no call failed";
      return;
    }
    if (!report.ok()) continue;  // a call of the run itself, not of a task
    EXPECT_EQ(report->totals.Of(Outcome::kFailed), 0) << call << DumpJson(report->ToJson());
  }
  FAIL() << "no run went through";
}

TEST(FurtherRepository, GetsLaterWhatItLacksWithoutAnotherExport) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  const std::string backup = ItemOf(fixture.BackUp().value(), kOrders).backup;
  const int64_t extracts = fixture.cloud().JobsStarted("extract");
  // The policy names it from now on.
  const RunReport second = fixture.BackUp(PolicyWithFurther()).value();
  EXPECT_EQ(ItemOf(second, kOrders).outcome, Outcome::kUnchanged);
  EXPECT_THAT(ItemOf(second, kOrders).reason, HasSubstr("in every further repository now"));
  EXPECT_TRUE(OpenFurther(fixture)->HasManifest(kOrders, backup).value());
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), extracts);
  const RunReport third = fixture.BackUp(PolicyWithFurther()).value();
  EXPECT_EQ(ItemOf(third, kOrders).reason, "as in its last backup");
}

TEST(FurtherRepository, IsWholeAfterACrashAtAnyCall) {
  for (int64_t call = 1; call < 400; ++call) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    fixture.cloud().faults().CrashAtCall(call, true);
    const auto crashed = fixture.BackUp(PolicyWithFurther());
    fixture.cloud().faults().Revive();
    if (crashed.ok()) {
      EXPECT_GT(call, 30) << "nothing crashed";
      return;
    }
    fixture.clock().Advance(std::chrono::minutes{10});
    const auto report = fixture.BackUp(PolicyWithFurther());
    ASSERT_TRUE(report.ok()) << call << ": " << report.error().message;
    auto further = OpenFurther(fixture);
    ASSERT_TRUE(further.ok()) << call;
    const auto manifest = further->ReadManifest(kOrders, ItemOf(*report, kOrders).backup);
    ASSERT_TRUE(manifest.ok()) << call << ": " << manifest.error().message;
    EXPECT_TRUE(
        verify::VerifyBackup(fixture.cloud().objects(), *manifest, VerifyLevel::kL1)->Passed())
        << call;
    const auto copies = fixture.catalog().FindCopies({.backup = manifest->backup}, "")->items;
    ASSERT_EQ(copies.size(), 1U) << call << ": nobody would miss it";
    EXPECT_EQ(copies[0].state, catalog::CopyState::kWhole) << call;
  }
  FAIL() << "no run went through";
}

}  // namespace
}  // namespace holdfast::backup
