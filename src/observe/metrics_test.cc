#include "observe/metrics.h"

#include <gtest/gtest.h>

#include <set>

#include "observe/collect_metrics.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::observe {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

TEST(Metrics, AreInOrderWithNamesThatPrometheusTakes) {
  std::set<std::string_view> names;
  int order = 0;
  for (const MetricEntry& entry : AllMetrics()) {
    EXPECT_EQ(static_cast<int>(entry.metric), order++);
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_TRUE(entry.name.starts_with("holdfast_"));
    EXPECT_EQ(entry.is_counter, entry.name.ends_with("_total")) << entry.name;
    EXPECT_EQ(entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), entry.name.npos);
    EXPECT_FALSE(entry.help.empty());
  }
}

TEST(MetricSet, WritesTheTextForm) {
  MetricSet metrics;
  metrics.Add(Metric::kBackupAttempts, {"a\"b\\c\nd"}, 2);
  metrics.Add(Metric::kBackupAttempts, {"z"}, 0);
  metrics.Set(Metric::kVerifyDefects, {}, 1.5);
  EXPECT_EQ(metrics.ToText(),
            "# HELP holdfast_backup_attempt_total Backup runs that were begun\n"
            "# TYPE holdfast_backup_attempt_total counter\n"
            "holdfast_backup_attempt_total{policy=\"a\\\"b\\\\c\\nd\"} 2\n"
            "holdfast_backup_attempt_total{policy=\"z\"} 0\n"
            "# HELP holdfast_verify_defects Backups, of whatever age, that were found damaged or "
            "lost for "
            "good, less what was accepted\n"
            "# TYPE holdfast_verify_defects gauge\n"
            "holdfast_verify_defects 1.5\n");
}

class CollectedMetrics : public testing::Test {
 protected:
  CollectedMetrics() {
    fixture_.cloud().AddProject("acme-shop");
    fixture_.cloud().AddDataset({"acme-shop", "sales"});
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(0, 100));
  }

  MetricSet Collect() {
    auto metrics =
        MetricsCollector(fixture_.catalog(), "default", Scope()).Collect(fixture_.clock().Now());
    EXPECT_TRUE(metrics.ok());
    return metrics.value_or(MetricSet());
  }

  // Counters never contradict one another.
  void ExpectSane(const MetricSet& metrics) {
    EXPECT_LE(metrics.Get(Metric::kBackupSuccesses, {"default"}) +
                  metrics.Get(Metric::kBackupPartialFailures, {"default"}) +
                  metrics.Get(Metric::kBackupFailures, {"default"}),
              metrics.Get(Metric::kBackupAttempts, {"default"}));
  }

  SimFixture fixture_;
};

TEST_F(CollectedMetrics, BeginAtZero) {
  const std::string text = Collect().ToText();
  for (const char* line :
       {"holdfast_backup_attempt_total{policy=\"default\"} 0\n",
        "holdfast_backup_failure_total{policy=\"default\"} 0\n", "holdfast_verify_defects 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST_F(CollectedMetrics, CountRunsByHowTheyEnded) {
  ASSERT_TRUE(fixture_.BackUp().ok());
  fixture_.cloud().AppendRows(kOrders, NumberedRows(100, 1));
  fixture_.cloud().faults().DenyAccess("acme-shop.sales.orders");
  ASSERT_TRUE(fixture_.BackUp().ok());
  fixture_.cloud().faults().DenyAccess("acme-shop");
  ASSERT_TRUE(fixture_.BackUp().ok());
  const MetricSet metrics = Collect();
  ExpectSane(metrics);
  EXPECT_EQ(metrics.Get(Metric::kBackupAttempts, {"default"}), 3);
  EXPECT_EQ(metrics.Get(Metric::kBackupSuccesses, {"default"}), 1);
  EXPECT_GE(metrics.Get(Metric::kBackupPartialFailures, {"default"}) +
                metrics.Get(Metric::kBackupFailures, {"default"}),
            2);
  EXPECT_GT(metrics.Get(Metric::kBackupLastSuccess, {"default"}), 0);
}

TEST_F(CollectedMetrics, TellRecoveryPointsAndOutcomes) {
  ASSERT_TRUE(fixture_.BackUp().ok());
  const double backed_up = Collect().Get(Metric::kRecoveryPoint, {"acme-shop.sales"});
  EXPECT_GT(backed_up, 0);
  fixture_.clock().Advance(std::chrono::hours{5});
  const MetricSet later = Collect();
  EXPECT_EQ(later.Get(Metric::kRecoveryPoint, {"acme-shop.sales"}), backed_up);
  EXPECT_GE(later.Get(Metric::kRecoveryPointAge, {"acme-shop.sales"}), 5 * 3600);
  EXPECT_GE(later.Get(Metric::kBackupObjects, {"backed_up"}), 1);
  EXPECT_GT(later.Get(Metric::kBackupStoredBytes, {}), 0);
  EXPECT_EQ(later.Get(Metric::kUnprotectedObjects, {}), 0);
  ASSERT_TRUE(fixture_.BackUp().ok());  // unchanged
  EXPECT_LT(Collect().Get(Metric::kRecoveryPointAge, {"acme-shop.sales"}), 3600);
}

TEST_F(CollectedMetrics, CountEveryObjectWithoutAGoodBackup) {
  holdfast::Run run{.id = "20260101T000000Z-00000001", .started_ms = 1, .policy = {}};
  ASSERT_TRUE(fixture_.catalog().BeginRun(run).ok());
  const auto item = [](const char* table, Outcome outcome) {
    return ItemOutcome{.object = {"acme-shop", "sales", table, ""}, .outcome = outcome};
  };
  ASSERT_TRUE(
      fixture_.catalog()
          .CompleteTask(TaskId(StartBackupProcess{.run = run.id}), {},
                        {item("carried", Outcome::kCarried), item("gone", Outcome::kVanished),
                         item("left_out", Outcome::kExcluded), item("odd", Outcome::kUnsupported),
                         item("failed", Outcome::kFailed)})
          .ok());
  ASSERT_TRUE(fixture_.catalog().FinishRun(run.id, 2).ok());
  EXPECT_EQ(Collect().Get(Metric::kUnprotectedObjects, {}), 3);
}

TEST_F(CollectedMetrics, KeepWhatIsKnownOfWhatNoRunCanLookAt) {
  fixture_.cloud().faults().DenyAccess("acme-shop.sales.orders");
  ASSERT_TRUE(fixture_.BackUp().ok());
  EXPECT_EQ(Collect().Get(Metric::kUnprotectedObjects, {}), 1);
  fixture_.cloud().faults().AllowAccess("acme-shop.sales.orders");
  for (const char* denied : {"acme-shop", "acme-shop.sales"}) {
    fixture_.cloud().faults().DenyAccess(denied);
    for (int runs = 0; runs < 6; ++runs) {
      ASSERT_TRUE(fixture_.BackUp().ok());
      EXPECT_EQ(Collect().Get(Metric::kUnprotectedObjects, {}), 1) << denied << runs;
    }
    fixture_.cloud().faults().AllowAccess(denied);
  }
  ASSERT_TRUE(fixture_.BackUp().ok());
  EXPECT_EQ(Collect().Get(Metric::kUnprotectedObjects, {}), 0);
}

}  // namespace
}  // namespace holdfast::observe
