// An edited description makes a version of its own without a job, where the policy trusts counts.
#include "backup/metadata_unit.h"

#include <gtest/gtest.h>

#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

class NewDescription : public testing::Test {
 protected:
  void SetUp() override {
    policy_.trust_equal_counts = true;
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(fixture_.BackUp(policy_).ok());
    fixture_.clock().Advance(std::chrono::minutes{1});
    jobs_before_ = fixture_.cloud().JobsStarted("extract");
  }

  void Describe(const std::string& text) {
    ASSERT_TRUE(fixture_.cloud().warehouse().UpdateTable(kOrders, {{"description", text}}).ok());
  }
  Manifest ManifestOf(const std::string& backup) {
    const auto record = catalog::GetBackup(fixture_.catalog(), backup).value();
    auto repository =
        repository::Repository::Open(fixture_.cloud().objects(), {record.bucket, record.prefix})
            .value();
    return repository.ReadManifest(kOrders, backup).value();
  }
  int64_t JobsSince() { return fixture_.cloud().JobsStarted("extract") - jobs_before_; }

  SimFixture fixture_;
  BackupPolicy policy_;
  int64_t jobs_before_ = 0;
};

TEST_F(NewDescription, IsSavedWithTheDataOfTheBackupBeforeAndNoJob) {
  const auto first = catalog::LatestGood(fixture_.catalog(), kOrders).value();
  Describe("all of them");
  const auto report = fixture_.BackUp(policy_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  const ItemOutcome& item = ItemOf(*report, kOrders);
  EXPECT_EQ(item.outcome, Outcome::kMetadataOnly) << item.reason;
  EXPECT_EQ(JobsSince(), 0);
  const Manifest before = ManifestOf(first->backup);
  const Manifest after = ManifestOf(item.backup);
  EXPECT_EQ(after.table_resource.at("description"), "all of them");
  EXPECT_EQ(after.content_digest, before.content_digest);
  ASSERT_EQ(after.objects.size(), before.objects.size());
  EXPECT_NE(after.objects[0].name, before.objects[0].name) << "each backup has data of its own";
  EXPECT_EQ(after.objects[0].sha256, before.objects[0].sha256);
  // It is good without the backup before, and nothing is left to do.
  EXPECT_EQ(ItemOf(*fixture_.BackUp(policy_), kOrders).outcome, Outcome::kUnchanged);
}

TEST_F(NewDescription, IsReadWithTheDataWhereThePolicyDoesNotTrustCounts) {
  policy_.trust_equal_counts = false;
  Describe("all of them");
  EXPECT_EQ(ItemOf(*fixture_.BackUp(policy_), kOrders).outcome, Outcome::kMetadataOnly);
  EXPECT_EQ(JobsSince(), 1);
}

TEST_F(NewDescription, IsReadWithTheDataWhereThatOfTheBackupBeforeIsGone) {
  const auto first = catalog::LatestGood(fixture_.catalog(), kOrders).value();
  const DataObject lost = ManifestOf(first->backup).objects.at(0);
  ASSERT_TRUE(
      fixture_.cloud().objects().DeleteObject({first->bucket, lost.name, lost.generation}).ok());
  Describe("all of them");
  const auto report = fixture_.BackUp(policy_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kMetadataOnly);
  EXPECT_EQ(JobsSince(), 1);
}

TEST_F(NewDescription, WithRowsThatChangedIsABackupLikeAnyOther) {
  Describe("all of them");
  fixture_.cloud().AppendRows(kOrders, NumberedRows(11, 1));
  EXPECT_EQ(ItemOf(*fixture_.BackUp(policy_), kOrders).outcome, Outcome::kBackedUp);
  EXPECT_EQ(JobsSince(), 1);
}

// A table of three days, described anew after its backup; the report of the run that follows.
RunReport DescribePartitions(SimFixture& fixture, const BackupPolicy& policy) {
  fixture.cloud().AddTable(
      kOrders, {{{.name = "day", .type = FieldType::kDate}}},
      {{{"day", "2026-01-01"}}, {{"day", "2026-01-02"}}, {{"day", "2026-01-03"}}},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  EXPECT_TRUE(fixture.BackUp(policy).ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  EXPECT_TRUE(fixture.cloud().warehouse().UpdateTable(kOrders, {{"description", "by day"}}).ok());
  return fixture.BackUp(policy).value();
}

TEST(NewDescriptionOfPartitions, TakesNoJobAtAllWhereThePolicyTrustsCounts) {
  SimFixture fixture;
  BackupPolicy policy;
  policy.trust_equal_counts = true;
  const RunReport report = DescribePartitions(fixture, policy);
  EXPECT_EQ(report.totals.Of(Outcome::kMetadataOnly), 3);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), 3) << "those of the first run";
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), 1) << "the clone of the first run";
  EXPECT_EQ(fixture.BackUp(policy)->totals.Of(Outcome::kMetadataOnly), 0);
}

TEST(NewDescriptionOfPartitions, IsProvenByTheDataWhereThePolicyDoesNot) {
  SimFixture fixture;
  const RunReport report = DescribePartitions(fixture, {});
  EXPECT_EQ(report.totals.Of(Outcome::kMetadataOnly), 3);
  EXPECT_EQ(report.totals.Of(Outcome::kBackedUp), 0);
}

}  // namespace
}  // namespace holdfast::backup
