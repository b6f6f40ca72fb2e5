// Snapshots, several methods at once, and tables that are taken as they were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/copy_unit.h"
#include "backup/run_backup.h"
#include "sim/sim_definitions.h"
#include "tests/support/altered_warehouse.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing::HasSubstr;
using testing_support::AlteredWarehouse;
using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kDailyTable{"acme-shop", "sales", "days", ""};

Json Row(const std::string& day, const std::string& what) { return {{"day", day}, {"what", what}}; }

// Partitioned by day, with rows of two days.
void AddDailyTable(SimFixture& fixture) {
  fixture.cloud().AddTable(
      kDailyTable,
      {{{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}},
      {Row("2026-01-01", "a"), Row("2026-01-02", "b"), Row("2026-01-02", "c")},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
}

BackupPolicy PolicyOfMethods(std::vector<Method> methods) {
  BackupPolicy policy;
  policy.method = methods.front();
  policy.further_methods.assign(methods.begin() + 1, methods.end());
  return policy;
}

Manifest ManifestById(SimFixture& fixture, const std::string& backup) {
  const auto record = catalog::GetBackup(fixture.catalog(), backup).value();
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {record.bucket, record.prefix});
  return repository->ReadManifest(record.object, record.backup).value();
}

std::vector<catalog::BackupRecord> RecordsOf(SimFixture& fixture, const TableRef& object,
                                             std::optional<Method> method = std::nullopt) {
  return fixture.catalog()
      .FindBackups({.project = object.project,
                    .dataset = object.dataset,
                    .table = object.table,
                    .partition = object.partition,
                    .method = method},
                   "")
      .value()
      .items;
}

TEST(Snapshot, IsATableSnapshotWithTheRowsCountedAndNoneRead) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10),
                           {{"expirationTime", "1890000000000"}});
  const RunReport report = fixture.BackUp(PolicyOfMethods({Method::kSnapshot})).value();
  const ItemOutcome& item = ItemOf(report, kOrders);
  ASSERT_EQ(item.outcome, Outcome::kBackedUp) << item.reason;
  EXPECT_EQ(item.rows, 10);
  const Manifest manifest = ManifestById(fixture, item.backup);
  EXPECT_EQ(manifest.method, Method::kSnapshot);
  EXPECT_EQ(manifest.verified, VerifyLevel::kL0);
  const TableInfo snapshot = fixture.cloud().warehouse().GetTable(*manifest.copy).value();
  EXPECT_EQ(snapshot.kind, TableKind::kSnapshot);
  EXPECT_FALSE(snapshot.resource.contains("expirationTime")) << "retention deletes it";
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), 0);
  const RunReport second = fixture.BackUp(PolicyOfMethods({Method::kSnapshot})).value();
  EXPECT_EQ(ItemOf(second, kOrders).outcome, Outcome::kUnchanged);
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), 1);
}

TEST(Snapshot, IsOneOfAPartitionedTableAsAWhole) {
  SimFixture fixture;
  AddDailyTable(fixture);
  const BackupPolicy policy = PolicyOfMethods({Method::kSnapshot});
  const RunReport report = fixture.BackUp(policy).value();
  EXPECT_EQ(ItemOf(report, kDailyTable).rows, 3);
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), 1);
  EXPECT_EQ(ItemOf(fixture.BackUp(policy).value(), kDailyTable).outcome, Outcome::kUnchanged);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().AppendRows(kDailyTable, {Row("2026-01-03", "d")});
  EXPECT_EQ(ItemOf(fixture.BackUp(policy).value(), kDailyTable).rows, 4);
}

TEST(SeveralMethods, MakeABackupEachAndOneOutcome) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  const BackupPolicy policy = PolicyOfMethods({Method::kExport, Method::kSnapshot, Method::kCopy});
  const RunReport report = fixture.BackUp(policy).value();
  const ItemOutcome& item = ItemOf(report, kOrders);
  EXPECT_EQ(item.outcome, Outcome::kBackedUp);
  ASSERT_EQ(item.by_method.size(), 3u);
  EXPECT_EQ(item.backup, item.by_method[0].backup) << "the export's";
  for (const ItemOutcome& each : item.by_method) {
    EXPECT_EQ(ManifestById(fixture, each.backup).method, *each.method);
    EXPECT_EQ(ManifestById(fixture, each.backup).rows, 10);
    EXPECT_EQ(each.reason, "first backup");
  }
  const int64_t jobs = fixture.cloud().JobsStarted("copy");
  const RunReport second = fixture.BackUp(policy).value();
  EXPECT_EQ(ItemOf(second, kOrders).outcome, Outcome::kUnchanged);
  EXPECT_EQ(ItemOf(second, kOrders).by_method.size(), 3u);
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), jobs);
  EXPECT_EQ(RecordsOf(fixture, kOrders).size(), 3u);
}

TEST(SeveralMethods, OneThatFailsDoesNotHideTheOther) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  const BackupPolicy policy = PolicyOfMethods({Method::kExport, Method::kSnapshot});
  fixture.cloud().faults().FailJobs("copy", "accessDenied", 1);
  const RunReport report = fixture.BackUp(policy).value();
  const ItemOutcome& item = ItemOf(report, kOrders);
  EXPECT_EQ(item.outcome, Outcome::kFailed);
  EXPECT_EQ(report.totals.Of(Outcome::kFailed), 1);
  EXPECT_THAT(item.reason, HasSubstr("export: first backup"));
  EXPECT_THAT(item.reason, HasSubstr("snapshot: "));
  EXPECT_NE(item.error_id, "");
  EXPECT_EQ(ManifestById(fixture, item.backup).method, Method::kExport);

  const int64_t extracts = fixture.cloud().JobsStarted("extract");
  const RunReport second = fixture.BackUp(policy).value();
  EXPECT_EQ(ItemOf(second, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_THAT(ItemOf(second, kOrders).reason, HasSubstr("export: as in its last backup"));
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), extracts) << "it is unchanged by that method";
  EXPECT_EQ(RecordsOf(fixture, kOrders, Method::kSnapshot).size(), 1u);
}

// The partitions go one by one, the snapshot as a whole: neither looks like a change of the other.
TEST(SeveralMethods, DivideAPartitionedTableEachInItsOwnWay) {
  SimFixture fixture;
  AddDailyTable(fixture);
  const BackupPolicy policy = PolicyOfMethods({Method::kExport, Method::kSnapshot});
  for (int run = 0; run < 3; ++run) {
    const RunReport report = fixture.BackUp(policy).value();
    const Outcome expected = run == 1 ? Outcome::kUnchanged : Outcome::kBackedUp;
    EXPECT_EQ(ItemOf(report, kDailyTable).outcome, expected) << run;
    EXPECT_EQ(ItemOf(report, kDailyTable.WithPartition("20260102")).outcome, expected) << run;
    for (const ItemOutcome& item : report.items) {
      EXPECT_FALSE(item.suspect) << item.reason;
      EXPECT_NE(item.outcome, Outcome::kVanished) << item.reason;
    }
    if (run != 1) continue;
    fixture.clock().Advance(std::chrono::minutes{1});
    fixture.cloud().AppendRows(kDailyTable, {Row("2026-01-02", "d")});
  }
}

TEST(SeveralMethods, SaveAViewOnce) {
  SimFixture fixture;
  const TableRef view{"acme-shop", "sales", "view", ""};
  fixture.cloud().AddTable(view, TwoColumns(), {},
                           {{"type", "VIEW"}, {"view", {{"query", "SELECT 1"}}}});
  const RunReport report =
      fixture.BackUp(PolicyOfMethods({Method::kExport, Method::kSnapshot})).value();
  EXPECT_EQ(ItemOf(report, view).outcome, Outcome::kBackedUp);
  EXPECT_TRUE(ItemOf(report, view).by_method.empty());
}

TEST(TimeTravel, TakesATableAsItWas) {
  for (const Method method : {Method::kExport, Method::kCopy, Method::kSnapshot}) {
    SimFixture fixture;
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    fixture.clock().Advance(std::chrono::hours{47});
    fixture.cloud().AppendRows(kOrders, NumberedRows(11, 5));
    fixture.clock().Advance(std::chrono::hours{2});
    BackupPolicy policy = PolicyOfMethods({method});
    policy.time_travel_days = 2;
    const RunReport report = fixture.BackUp(policy).value();
    const ItemOutcome& item = ItemOf(report, kOrders);
    ASSERT_EQ(item.outcome, Outcome::kBackedUp) << item.reason;
    const Manifest manifest = ManifestById(fixture, item.backup);
    EXPECT_EQ(manifest.rows, 10) << MethodName(method);
    EXPECT_EQ(manifest.as_of_ms, report.run.started_ms - int64_t{48} * 3'600'000);
    EXPECT_EQ(manifest.consistent_through_ms, manifest.as_of_ms);
    // What was there when the table was looked at, and not in the backup, is not forgotten.
    fixture.clock().Advance(std::chrono::hours{48});
    const RunReport later = fixture.BackUp(policy).value();
    EXPECT_EQ(ItemOf(later, kOrders).outcome, Outcome::kBackedUp) << ItemOf(later, kOrders).reason;
    EXPECT_EQ(ItemOf(later, kOrders).rows, 15) << MethodName(method);
    EXPECT_EQ(ItemOf(fixture.BackUp(policy).value(), kOrders).outcome, Outcome::kUnchanged);
    const auto left = fixture.cloud().warehouse().ListTables(
        {"acme-shop", std::string(kCopyDatasetPrefix) + "us"}, "");
    EXPECT_EQ(left->items.size(), method == Method::kExport ? 0u : 2u) << "frozen ones are dropped";
  }
}

TEST(TimeTravel, LeavesForLaterWhatWasNotThereYet) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  BackupPolicy policy;
  policy.time_travel_days = 2;
  const RunReport report = fixture.BackUp(policy).value();
  EXPECT_EQ(ItemOf(report, kOrders).outcome, Outcome::kNotDue);
  EXPECT_THAT(ItemOf(report, kOrders).reason, HasSubstr("as of which its policy takes it"));
  fixture.clock().Advance(std::chrono::hours{49});
  EXPECT_EQ(ItemOf(fixture.BackUp(policy).value(), kOrders).outcome, Outcome::kBackedUp);
}

TEST(TimeTravel, IsBoundedByTheWindowOfTheDataset) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().PatchDataset(kOrders.dataset_ref(), {{"maxTimeTravelHours", "48"}});
  fixture.clock().Advance(std::chrono::hours{24 * 8});
  BackupPolicy policy;
  policy.time_travel_days = 3;
  const RunReport report = fixture.BackUp(policy).value();
  EXPECT_EQ(ItemOf(report, kOrders).error_id, FindError(ErrorId::kTimeTravelWindow).id);
  // At the edge of the window an hour is left for the jobs.
  policy.time_travel_days = 2;
  const RunReport edge = fixture.BackUp(policy).value();
  EXPECT_EQ(ManifestById(fixture, ItemOf(edge, kOrders).backup).as_of_ms,
            edge.run.started_ms - int64_t{47} * 3'600'000);
}

// Every extract finds the table written to once more; what is read is of one moment all the same.
TEST(Freeze, MakesTheBackupsOfAllPartitionsOfOneMoment) {
  for (const Method method : {Method::kExport, Method::kCopy}) {
    SimFixture fixture;
    AddDailyTable(fixture);
    AlteredWarehouse warehouse(fixture.cloud().warehouse());
    int jobs = 0;
    warehouse.change_job = [&](cloud::JobSpec& spec) {
      const auto* copy = std::get_if<cloud::CopyJob>(&spec);
      if (copy != nullptr && copy->operation == cloud::CopyOperation::kClone) return;
      fixture.clock().Advance(std::chrono::seconds{1});
      fixture.cloud().AppendRows(kDailyTable,
                                 {Row("2026-01-01", "late"), Row("2026-01-02", "late")});
      ++jobs;
    };
    BackupPolicy policy = PolicyOfMethods({method});
    const RunReport report = fixture.BackUp(policy, fixture.services(warehouse)).value();
    EXPECT_GE(jobs, 2);
    const Manifest first =
        ManifestById(fixture, ItemOf(report, kDailyTable.WithPartition("20260101")).backup);
    const Manifest second =
        ManifestById(fixture, ItemOf(report, kDailyTable.WithPartition("20260102")).backup);
    EXPECT_EQ(first.rows, 1) << MethodName(method);
    EXPECT_EQ(second.rows, 2) << MethodName(method);
    EXPECT_EQ(first.as_of_ms, second.as_of_ms);
    // The next run takes what came since.
    const RunReport next = fixture.BackUp(policy).value();
    EXPECT_GT(ItemOf(next, kDailyTable.WithPartition("20260101")).rows, 1);
  }
}

TEST(Freeze, IsLeftOutWhereThePolicySaysSo) {
  SimFixture fixture;
  AddDailyTable(fixture);
  BackupPolicy policy;
  policy.freeze = false;
  const RunReport report = fixture.BackUp(policy).value();
  EXPECT_EQ(ItemOf(report, kDailyTable.WithPartition("20260102")).outcome, Outcome::kBackedUp);
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), 0);
}

// Rows that land out of the streaming buffer carry the time at which they came: in the listing of a
// moment before they landed nothing tells that they are missing from it.
TEST(Freeze, DoesNotMissRowsThatLandWithAnEarlierTime) {
  SimFixture fixture;
  AddDailyTable(fixture);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().StreamRows(kDailyTable, {Row("2026-01-01", "x"), Row("2026-01-02", "y")});
  fixture.clock().Advance(std::chrono::hours{1});
  fixture.cloud().FlushStreaming(kDailyTable);
  fixture.clock().Advance(std::chrono::minutes{-30});  // ours is slow
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::hours{2});
  ASSERT_TRUE(fixture.BackUp().ok());
  for (const auto& [day, rows] : std::map<std::string, int64_t>{{"20260101", 2}, {"20260102", 3}}) {
    const auto latest =
        catalog::LatestGood(fixture.catalog(), kDailyTable.WithPartition(day)).value();
    EXPECT_EQ(latest->rows, rows) << day;
  }
}

// The past of such a table is for its administrators.
TEST(Freeze, IsNotTriedOfATableUnderRowAccessPolicies) {
  SimFixture fixture;
  AddDailyTable(fixture);
  fixture.cloud().PutRowAccessPolicy(kDailyTable,
                                     {"all_rows", "TRUE", {std::string(sim::kSimIdentity)}});
  const RunReport report = fixture.BackUp().value();
  EXPECT_EQ(ItemOf(report, kDailyTable.WithPartition("20260102")).outcome, Outcome::kBackedUp);
  EXPECT_EQ(fixture.cloud().JobsStarted("copy"), 0);
}

}  // namespace
}  // namespace holdfast::backup
