#include "observe/service_levels.h"

#include <gtest/gtest.h>

#include "backup/scan_plan.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::observe {
namespace {

using std::chrono::hours;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kStaff{"acme-shop", "sales", "people", ""};

class MeasuredLevels : public testing::Test {
 protected:
  MeasuredLevels() {
    fixture_.cloud().AddProject("acme-shop");
    fixture_.cloud().AddDataset({"acme-shop", "sales"});
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(0, 100));
    fixture_.cloud().AddTable(kStaff, TwoColumns(), NumberedRows(0, 10));
  }

  ServiceLevels Measure(const Scope& scope = {}) {
    misses_.clear();
    const auto levels = MeasureServiceLevels(
        {.projects = fixture_.cloud().projects(),
         .warehouse = fixture_.cloud().warehouse(),
         .index = fixture_.catalog(),
         .organization = "organizations/1",
         .is_backed_up = backup::IsBackedUpDataset},
        scope, fixture_.clock().Now(), [&](const ServiceLevelMiss& miss) -> Status {
          misses_.push_back(std::string(ServiceLevelMissName(miss.kind)) + " " +
                            StringOr(miss.ToJson(), "object", ""));
          return Ok();
        });
    EXPECT_TRUE(levels.ok()) << levels.error().message;
    return levels.value_or(ServiceLevels());
  }

  using Counts = std::array<int64_t, kUnprotectedDays.size()>;
  using Misses = std::vector<std::string>;
  SimFixture fixture_;
  Misses misses_;
};

TEST_F(MeasuredLevels, CountByTheDaysSinceTheLastChange) {
  const struct {
    int after_hours;
    Counts expected;
  } kCases[] = {{1, {2, 0, 0, 0}},
                {4 * 24 - 2, {2, 0, 0, 0}},
                {4 * 24 + 1, {2, 2, 0, 0}},
                {5 * 24 + 1, {2, 2, 2, 0}},
                {7 * 24 + 1, {2, 2, 2, 2}}};
  const Timestamp begin = fixture_.clock().Now();
  for (const auto& test : kCases) {
    fixture_.clock().Advance(begin + hours{test.after_hours} - fixture_.clock().Now());
    const ServiceLevels levels = Measure();
    EXPECT_EQ(levels.tables, 2);
    EXPECT_EQ(levels.unprotected, test.expected) << test.after_hours;
  }
  ASSERT_TRUE(fixture_.BackUp().ok());
  EXPECT_EQ(Measure().unprotected, (Counts{0, 0, 0, 0}));
  EXPECT_EQ(misses_, Misses());
}

TEST_F(MeasuredLevels, SeeWhatNoRunLookedAt) {
  ASSERT_TRUE(fixture_.BackUp().ok());
  fixture_.clock().Advance(hours{1});
  fixture_.cloud().AppendRows(kStaff, NumberedRows(10, 1));
  EXPECT_EQ(Measure().unprotected, (Counts{1, 0, 0, 0}));
  EXPECT_EQ(misses_, Misses{"unprotected acme-shop.sales.people"});
  EXPECT_EQ(Measure({.include = {"acme-shop.sales.orders"}, .exclude = {}}).tables, 1);
}

TEST_F(MeasuredLevels, TakeWhatReachesToTheVeryChangeForABackupOfIt) {
  ASSERT_TRUE(fixture_.BackUp().ok());
  const auto record = catalog::LatestGood(fixture_.catalog(), kStaff).value();
  ASSERT_TRUE(record.has_value());
  fixture_.cloud().SetModificationTime(kStaff, record->consistent_through_ms);
  EXPECT_EQ(Measure().unprotected, (Counts{0, 0, 0, 0}));
  fixture_.cloud().SetModificationTime(kStaff, record->consistent_through_ms + 1);
  EXPECT_EQ(Measure().unprotected, (Counts{1, 0, 0, 0}));
}

TEST_F(MeasuredLevels, FindABackupThatDiffersOnceTheSourceIsStill) {
  ASSERT_TRUE(fixture_.BackUp().ok());
  // The time of the change lies before the backup: what a clock or a late stream can do.
  const int64_t before_ms = fixture_.cloud().warehouse().GetTable(kStaff).value().last_modified_ms;
  fixture_.cloud().AppendRows(kStaff, NumberedRows(10, 1));
  fixture_.cloud().SetModificationTime(kStaff, before_ms);
  fixture_.clock().Advance(hours{2 * 24});
  EXPECT_EQ(Measure().different, 0) << "not for 3 days yet";
  fixture_.clock().Advance(hours{2 * 24});
  EXPECT_EQ(Measure().different, 1);
  EXPECT_EQ(misses_, Misses{"different acme-shop.sales.people"});
}

TEST_F(MeasuredLevels, SayWhatCouldNotBeListed) {
  fixture_.cloud().faults().DenyAccess("acme-shop");
  const ServiceLevels levels = Measure();
  EXPECT_EQ(levels.unseen, 1);
  EXPECT_EQ(misses_, Misses{"unseen acme-shop"});
}

TEST_F(MeasuredLevels, LeaveOutResultsOfQueries) {
  const DatasetRef results{"acme-shop", "_457c1aa68890d3d2857f47b1fb4974971675811e"};
  fixture_.cloud().AddDataset(results);
  fixture_.cloud().AddTable({results.project, results.dataset, "anon1", ""}, TwoColumns(),
                            NumberedRows(0, 1));
  EXPECT_EQ(Measure().tables, 2);
}

TEST_F(MeasuredLevels, SurviveTheirDocumentAndBecomeMetrics) {
  fixture_.clock().Advance(hours{5 * 24 + 1});
  const ServiceLevels levels = Measure();
  EXPECT_EQ(ServiceLevels::FromJson(levels.ToJson()).value(), levels);
  MetricSet metrics;
  levels.AddTo(metrics);
  EXPECT_EQ(metrics.Get(Metric::kServiceLevelUnprotected, {"5"}), 2);
  EXPECT_EQ(metrics.Get(Metric::kServiceLevelUnprotected, {"7"}), 0);
}

}  // namespace
}  // namespace holdfast::observe
