// An edited description makes a version of its own without a job, where nothing was written since.
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
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    ASSERT_TRUE(fixture_.BackUp(policy_).ok());
    fixture_.clock().Advance(std::chrono::hours{3});
    jobs_before_ = fixture_.cloud().JobsStarted("extract");
  }

  // So long ago that the storage view tells what was written before.
  void Describe(const std::string& text, Duration ago = std::chrono::hours{2}) {
    ASSERT_TRUE(fixture_.cloud().warehouse().UpdateTable(kOrders, {{"description", text}}).ok());
    fixture_.clock().Advance(ago);
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

TEST_F(NewDescription, IsReadWithTheDataWhileTheStorageViewMayLagBehind) {
  Describe("all of them", std::chrono::minutes{59});
  EXPECT_EQ(ItemOf(*fixture_.BackUp(policy_), kOrders).outcome, Outcome::kMetadataOnly);
  EXPECT_EQ(JobsSince(), 1);
}

TEST_F(NewDescription, IsSavedAtOnceWhereThePolicyTrustsCounts) {
  policy_.trust_equal_counts = true;
  Describe("all of them", {});
  EXPECT_EQ(ItemOf(*fixture_.BackUp(policy_), kOrders).outcome, Outcome::kMetadataOnly);
  EXPECT_EQ(JobsSince(), 0);
}

TEST_F(NewDescription, DoesNotHideRowsThatWereWrittenAndCountTheSame) {
  fixture_.cloud().ReplaceRows(kOrders, NumberedRows(21, 10));
  fixture_.clock().Advance(std::chrono::minutes{30});
  Describe("all of them");
  const auto report = fixture_.BackUp(policy_);
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_EQ(JobsSince(), 1);
}

TEST_F(NewDescription, IsReadWithTheDataWhereTheServiceDoesNotTellOfWrites) {
  fixture_.cloud().faults().DenyAccess(kOrders.project + ".region-US");
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

// A table of three days, written in this order a day apart, described anew after its backup; the
// report of the run that follows.
RunReport DescribePartitions(SimFixture& fixture, const BackupPolicy& policy) {
  fixture.cloud().AddTable(
      kOrders, {{{.name = "day", .type = FieldType::kDate}}},
      {{{"day", "2026-01-01"}}, {{"day", "2026-01-02"}}, {{"day", "2026-01-03"}}},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  fixture.clock().Advance(std::chrono::hours{24});
  fixture.cloud().ReplaceRows(kOrders.WithPartition("20260103"), {{{"day", "2026-01-03"}}});
  fixture.clock().Advance(std::chrono::hours{1});
  EXPECT_TRUE(fixture.BackUp(policy).ok());
  fixture.clock().Advance(std::chrono::hours{24});
  EXPECT_TRUE(fixture.cloud().warehouse().UpdateTable(kOrders, {{"description", "by day"}}).ok());
  fixture.clock().Advance(std::chrono::hours{24});
  return fixture.BackUp(policy).value();
}

TEST(NewDescriptionOfPartitions, TakesNoJobAtAll) {
  SimFixture fixture;
  BackupPolicy policy;
  const RunReport report = DescribePartitions(fixture, policy);
  EXPECT_EQ(report.totals.Of(Outcome::kMetadataOnly), 3);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), 3) << "those of the first run";
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), 1) << "the clone of the first run";
  EXPECT_EQ(fixture.BackUp(policy)->totals.Of(Outcome::kMetadataOnly), 0);
}

TEST(NewDescriptionOfPartitions, IsProvenByTheDataWhereTheServiceDoesNotTellOfWrites) {
  SimFixture fixture;
  fixture.cloud().faults().DenyAccess(kOrders.project + ".region-US");
  const RunReport report = DescribePartitions(fixture, {});
  EXPECT_EQ(report.totals.Of(Outcome::kMetadataOnly), 3);
  EXPECT_EQ(report.totals.Of(Outcome::kBackedUp), 0);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), 6);
}

struct WriteCase {
  const char* name;
  int64_t written_ms;
  int64_t described_ms;
  int64_t told_ms;
  bool expected;
};

TEST(IsUnwritten, IsTrueOnlyWithoutDoubt) {
  constexpr int64_t kMinute = 60'000;
  Manifest before;
  before.source.last_modified_ms = 100 * kMinute;
  before.table_resource = {{"lastModifiedTime", std::to_string(190 * kMinute)}};
  before.consistent_through_ms = 9'000 * kMinute;  // by the clock of a worker that was ahead
  const WriteCase cases[] = {
      {"nothing since the object's time", 100 * kMinute, 300 * kMinute, 400 * kMinute, true},
      {"another partition, before the look", 190 * kMinute, 300 * kMinute, 400 * kMinute, true},
      {"after the look", 191 * kMinute, 300 * kMinute, 400 * kMinute, false},
      {"the view may lag", 100 * kMinute, 341 * kMinute, 400 * kMinute, false},
      {"the view may just not lag", 100 * kMinute, 340 * kMinute, 400 * kMinute, true},
  };
  for (const WriteCase& c : cases) {
    Fingerprint now;
    now.last_modified_ms = c.described_ms;
    EXPECT_EQ(IsUnwritten(before, now, {.at_ms = c.written_ms, .told_ms = c.told_ms}, 60 * kMinute),
              c.expected)
        << c.name;
  }
  Fingerprint now;
  now.last_modified_ms = 300 * kMinute;
  const cloud::DataWrite between{.at_ms = 190 * kMinute, .told_ms = 400 * kMinute};
  before.as_of_ms = 150 * kMinute;
  EXPECT_FALSE(IsUnwritten(before, now, between, 60 * kMinute)) << "it holds what was there before";
}

}  // namespace
}  // namespace holdfast::backup
