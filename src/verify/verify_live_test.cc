// A backup against its source as it was then: equal, different, or not to be had any more.
#include "verify/verify_live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sim_fixture.h"

namespace holdfast::verify {
namespace {

using std::chrono::hours;

using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kShopOrders = testing_support::kOrders;

class VerifyLiveTest : public testing::Test {
 protected:
  void SetUp() override {
    fixture_.cloud().AddTable(kShopOrders, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(fixture_.BackUp().ok());
    record_ = **catalog::LatestGood(fixture_.catalog(), kShopOrders);
  }

  Result<VerifyReport> Verify() {
    const backup::Services with = fixture_.services();
    fixture_.clock().Advance(std::chrono::seconds{1});
    return VerifyRecorded({with.warehouse, with.objects, with.catalog, with.clock, with.random,
                           BackupPolicy().staging_bucket_pattern},
                          record_, VerifyLevel::kL4);
  }

  SimFixture fixture_;
  catalog::BackupRecord record_;
};

TEST_F(VerifyLiveTest, HoldsABackupAgainstTheMomentThatItIsOf) {
  fixture_.clock().Advance(hours{1});
  fixture_.cloud().ReplaceRows(kShopOrders, NumberedRows(500, 3));
  const auto report = Verify();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Passed());
  EXPECT_EQ(report->reached, VerifyLevel::kL4);
  EXPECT_EQ(report->rows_read, 20) << "ten of the backup and ten of the source";
  EXPECT_EQ(catalog::GetBackup(fixture_.catalog(), record_.backup)->verified, VerifyLevel::kL4);
}

// As if the extract had lost a row and the count of the table been wrong as well.
TEST_F(VerifyLiveTest, FindsRowsThatAreNotThoseOfTheSource) {
  auto repository =
      repository::Repository::Open(fixture_.cloud().objects(), {record_.bucket, record_.prefix});
  Manifest manifest = repository->ReadManifest(kShopOrders, record_.backup).value();
  const backup::Services with = fixture_.services();
  const Services services{with.warehouse, with.objects, with.catalog,
                          with.clock,     with.random,  BackupPolicy().staging_bucket_pattern};
  VerifyReport report{.content_digest = {}, .findings = {}};
  manifest.content_digest = "hf1:10:00000000000000000000000000000000";
  ASSERT_TRUE(VerifyLive(services, manifest, report).ok());
  EXPECT_FALSE(report.Passed());
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].id, ErrorId::kDataMismatch);
  EXPECT_THAT(report.findings[0].message, testing::HasSubstr("has 10 rows"));
}

// Rows arrive between the look at the table and the end of the extract: of which moment the backup
// is, nobody knows, and it is not damaged for that.
TEST_F(VerifyLiveTest, BlamesNoBackupOfATableThatWasWrittenToMeanwhile) {
  auto repository =
      repository::Repository::Open(fixture_.cloud().objects(), {record_.bucket, record_.prefix});
  Manifest manifest = repository->ReadManifest(kShopOrders, record_.backup).value();
  fixture_.clock().Advance(std::chrono::seconds{1});
  fixture_.cloud().AppendRows(kShopOrders, NumberedRows(11, 1));
  fixture_.clock().Advance(std::chrono::seconds{1});
  fixture_.cloud().AppendRows(kShopOrders, NumberedRows(12, 1));
  fixture_.clock().Advance(hours{2});
  const backup::Services with = fixture_.services();
  const Services services{with.warehouse, with.objects, with.catalog,
                          with.clock,     with.random,  BackupPolicy().staging_bucket_pattern};
  manifest.rows = 11;  // it has the first of them
  manifest.content_digest = "hf1:11:00000000000000000000000000000000";
  VerifyReport report{.content_digest = {}, .findings = {}};
  report.objects_checked = 1;
  report.requested = report.reached = VerifyLevel::kL2;
  ASSERT_TRUE(VerifyLive(services, manifest, report).ok());
  EXPECT_TRUE(report.Passed());
  EXPECT_EQ(report.requested, VerifyLevel::kL2);
  // Where the moment is known, it is blamed.
  manifest.as_of_ms = manifest.consistent_through_ms;
  ASSERT_TRUE(VerifyLive(services, manifest, report).ok());
  EXPECT_FALSE(report.Passed());
}

TEST_F(VerifyLiveTest, LeavesItAtL2WhereRowsStreamIn) {
  fixture_.cloud().StreamRows(kShopOrders, NumberedRows(11, 1));
  const auto report = Verify();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Passed());
  EXPECT_EQ(report->requested, VerifyLevel::kL2);
}

TEST_F(VerifyLiveTest, LeavesItAtL2WhereThatMomentCannotBeHad) {
  fixture_.clock().Advance(hours{49});
  auto report = Verify();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Passed());
  EXPECT_EQ(report->requested, VerifyLevel::kL2);
  EXPECT_EQ(report->rows_read, 10);
  EXPECT_EQ(catalog::GetBackup(fixture_.catalog(), record_.backup)->verified, VerifyLevel::kL2);

  ASSERT_TRUE(fixture_.BackUp({.forced_full_days = 1}).ok());
  record_ = **catalog::LatestGood(fixture_.catalog(), kShopOrders);
  fixture_.cloud().DropTable(kShopOrders);
  report = Verify();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->requested, VerifyLevel::kL2) << "it is gone";
  fixture_.cloud().AddTable(kShopOrders, TwoColumns(), NumberedRows(7, 2));
  report = Verify();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Passed()) << "a table made anew is another";
  EXPECT_EQ(report->requested, VerifyLevel::kL2);
}

}  // namespace
}  // namespace holdfast::verify
