// Runs of what a person asks for by name: a partition, what did not change, and what is left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing::HasSubstr;
using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kClicks{"acme-shop", "sales", "events", ""};

class OnDemand : public testing::Test {
 protected:
  void SetUp() override {
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    fixture_.cloud().AddTable(
        kClicks, {{{.name = "day", .type = FieldType::kDate}}},
        {{{"day", "2026-01-01"}}, {{"day", "2026-01-02"}}, {{"day", "2026-01-03"}}},
        {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    ASSERT_TRUE(fixture_.BackUp().ok());
    fixture_.clock().Advance(std::chrono::minutes{1});
  }

  static BackupPolicy Partition(const std::string& partition) {
    BackupPolicy policy;
    policy.scope.include = {kClicks.ToString()};
    policy.scope.partitions = {kClicks.WithPartition(partition)};
    return policy;
  }

  SimFixture fixture_;
};

TEST_F(OnDemand, TakesOnePartitionAndTellsNothingOfTheOthers) {
  BackupPolicy policy = Partition("20260102");
  const RunReport as_is = fixture_.BackUp(policy).value();
  ASSERT_EQ(as_is.items.size(), 1U);
  EXPECT_EQ(ItemOf(as_is, kClicks.WithPartition("20260102")).outcome, Outcome::kUnchanged);
  policy.force = true;
  const RunReport forced = fixture_.BackUp(policy).value();
  ASSERT_EQ(forced.items.size(), 1U) << "the others are not gone";
  EXPECT_EQ(ItemOf(forced, kClicks.WithPartition("20260102")).outcome, Outcome::kBackedUp);
  // Nor are they for the next whole run.
  const RunReport whole = fixture_.BackUp().value();
  EXPECT_EQ(whole.totals.Of(Outcome::kVanished), 0);
  EXPECT_EQ(whole.totals.Of(Outcome::kUnchanged), whole.totals.objects);
}

TEST_F(OnDemand, FailsAPartitionThatIsNotThere) {
  for (const Method method : {Method::kExport, Method::kSnapshot}) {
    BackupPolicy policy = Partition("20300101");
    policy.method = method;
    const RunReport report = fixture_.BackUp(policy).value();
    ASSERT_EQ(report.items.size(), 1U);
    EXPECT_EQ(report.items[0].outcome, Outcome::kFailed);
    EXPECT_EQ(report.items[0].object, kClicks.WithPartition("20300101"));
  }
}

TEST_F(OnDemand, TakesAnewWhatDidNotChangeWhereItIsForced) {
  BackupPolicy policy;
  policy.force = true;
  const RunReport report = fixture_.BackUp(policy).value();
  EXPECT_EQ(report.totals.Of(Outcome::kBackedUp), report.totals.objects);
  EXPECT_GE(report.totals.objects, 5) << "partitions, a table, the dataset";
}

TEST_F(OnDemand, TellsWhatTheScopeLeavesOutByName) {
  fixture_.cloud().AddTable({"acme-shop", "scratch", "a", ""}, TwoColumns(), {});
  fixture_.cloud().AddTable({"acme-shop", "sales", "tmp_1", ""}, TwoColumns(), {});
  fixture_.cloud().AddTable({"acme-old", "sales", "b", ""}, TwoColumns(), {});
  BackupPolicy policy;
  policy.scope.exclude = {"acme-shop.scratch", "*.*.tmp_*", "acme-old"};
  const RunReport report = fixture_.BackUp(policy).value();
  EXPECT_EQ(report.totals.Of(Outcome::kExcluded), 3);
  const ItemOutcome& dataset = ItemOf(report, {.project = "acme-shop", .dataset = "scratch"});
  EXPECT_THAT(dataset.reason, HasSubstr("acme-shop.scratch"));
  EXPECT_EQ(ItemOf(report, {"acme-shop", "sales", "tmp_1", ""}).outcome, Outcome::kExcluded);
  EXPECT_EQ(ItemOf(report, {.project = "acme-old"}).outcome, Outcome::kExcluded);
  policy.scope.include = {kOrders.ToString()};
  EXPECT_EQ(fixture_.BackUp(policy)->totals.Of(Outcome::kExcluded), 0) << "not asked for";
}

}  // namespace
}  // namespace holdfast::backup
