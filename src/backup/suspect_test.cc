// Tables that shrank: kept as suspect, looked at once, good again when a person says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "backup/run_backup.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::ItemOf;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

// Ten rows backed up, then one; the report of the second run.
RunReport Shrink(SimFixture& fixture) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  CHECK(fixture.BackUp().ok(), "the first run");
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, NumberedRows(1, 1));
  return fixture.BackUp().value();
}

TEST(Suspect, IsMarkedInTheReportAndNeverTheLatestGoodBackup) {
  SimFixture fixture;
  const RunReport report = Shrink(fixture);
  EXPECT_TRUE(ItemOf(report, kOrders).suspect);
  EXPECT_EQ(CountSuspects(report.items), 1);
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->rows, 10);
}

TEST(Suspect, IsNotExportedAgainWhileNothingChanges) {
  SimFixture fixture;
  Shrink(fixture);
  const int64_t jobs = fixture.cloud().JobsStarted("extract");
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kUnchanged);
  EXPECT_TRUE(ItemOf(*report, kOrders).suspect);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), jobs);
}

TEST(Suspect, IsHeldAgainstTheLastGoodBackupAndNotAgainstAnotherSuspect) {
  SimFixture fixture;
  Shrink(fixture);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, NumberedRows(1, 2));
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(ItemOf(*report, kOrders).outcome, Outcome::kBackedUp);
  EXPECT_THAT(ItemOf(*report, kOrders).reason, testing::HasSubstr("from 10 to 2"));
}

TEST(Suspect, IsTheNewMeasureOnceItIsAccepted) {
  SimFixture fixture;
  const RunReport report = Shrink(fixture);
  ASSERT_TRUE(fixture.catalog().AcceptBackup(ItemOf(report, kOrders).backup).ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, NumberedRows(5, 1));
  const auto next = fixture.BackUp();
  ASSERT_TRUE(next.ok());
  EXPECT_FALSE(ItemOf(*next, kOrders).suspect) << ItemOf(*next, kOrders).reason;
}

// A table of two days, each with rows.
void AddDays(SimFixture& fixture, const TableRef& table) {
  const Schema schema{
      {{.name = "day", .type = FieldType::kDate}, {.name = "n", .type = FieldType::kInt64}}};
  fixture.cloud().AddTable(table, schema,
                           {{{"day", "2026-01-01"}, {"n", 1}}, {{"day", "2026-01-02"}, {"n", 2}}},
                           {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
}

const Schema kDayAndNumber{
    {{.name = "day", .type = FieldType::kDate}, {.name = "n", .type = FieldType::kInt64}}};
const Json kByDay = {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}};

sim::Rows RowsOfOneDay(int count) {
  sim::Rows rows;
  for (int i = 0; i < count; ++i) rows.push_back({{"day", "2026-01-01"}, {"n", i}});
  return rows;
}

// Forty rows backed up, then made anew in the other layout with `rows_after`; the report of that
// run.
RunReport DivideOtherwise(SimFixture& fixture, bool by_day_before, int rows_after) {
  const Json whole = Json::object();
  fixture.cloud().AddTable(kOrders, kDayAndNumber, RowsOfOneDay(40),
                           by_day_before ? kByDay : whole);
  CHECK(fixture.BackUp().ok(), "the first run");
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().DropTable(kOrders);
  fixture.cloud().AddTable(kOrders, kDayAndNumber, RowsOfOneDay(rows_after),
                           by_day_before ? whole : kByDay);
  return fixture.BackUp().value();
}

// An object of another layout has no earlier backup: without a look at the table's, a table that
// was made anew with a hundredth of its rows would pass for a first backup.
TEST(Suspect, IsATableThatLostItsRowsWhenItWasDividedOtherwise) {
  for (const bool by_day_before : {false, true}) {
    SimFixture fixture;
    const RunReport report = DivideOtherwise(fixture, by_day_before, 1);
    ASSERT_EQ(CountSuspects(report.items), 1) << DumpJson(report.ToJson());
    const auto suspect = std::ranges::find_if(report.items, &ItemOutcome::suspect);
    EXPECT_THAT(suspect->reason, testing::HasSubstr("rows fell from 40 to 1"));

    fixture.clock().Advance(std::chrono::minutes{1});
    fixture.cloud().ReplaceRows(kOrders, RowsOfOneDay(2));
    EXPECT_EQ(CountSuspects(fixture.BackUp()->items), 1) << "of what it was, not of the suspect";
  }
}

TEST(Suspect, IsNotATableThatKeptItsRowsWhenItWasDividedOtherwise) {
  for (const bool by_day_before : {false, true}) {
    SimFixture fixture;
    const RunReport report = DivideOtherwise(fixture, by_day_before, 39);
    EXPECT_EQ(CountSuspects(report.items), 0) << DumpJson(report.ToJson());
  }
}

// Backups of partitions from before it was whole say nothing of those it had afterwards.
TEST(Suspect, IsNotATableThatIsDividedAndWholeInTurns) {
  const auto rows_of = [](const char* day, int count) {
    sim::Rows rows = RowsOfOneDay(count);
    for (Json& row : rows) row["day"] = day;
    return rows;
  };
  const std::tuple<Json, const char*, int> turns[] = {{kByDay, "2026-01-01", 40},
                                                      {Json::object(), "2026-01-01", 30},
                                                      {kByDay, "2026-01-02", 30},
                                                      {Json::object(), "2026-01-02", 30}};
  SimFixture fixture;
  for (const auto& [layout, day, count] : turns) {
    if (fixture.cloud().HasTable(kOrders)) fixture.cloud().DropTable(kOrders);
    fixture.clock().Advance(std::chrono::minutes{1});
    fixture.cloud().AddTable(kOrders, kDayAndNumber, rows_of(day, count), layout);
    const auto report = fixture.BackUp();
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(CountSuspects(report->items), 0) << DumpJson(report->ToJson());
  }
}

TEST(Suspect, IsAPartitionedTableThatWasEmptied) {
  SimFixture fixture;
  AddDays(fixture, kOrders);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, {});
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(CountSuspects(report->items), 1);
  EXPECT_EQ(*catalog::LatestGood(fixture.catalog(), kOrders), std::nullopt);
}

TEST(Suspect, IsAnEmptiedTableThoughThePolicyHasNoBound) {
  SimFixture fixture;
  BackupPolicy policy;
  policy.shrink_threshold = 0;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.BackUp(policy).ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, {});
  EXPECT_TRUE(ItemOf(fixture.BackUp(policy).value(), kOrders).suspect);
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->rows, 10);
}

TEST(Suspect, IsATableWhoseRowsLostMostOfTheirBytes) {
  SimFixture fixture;
  sim::Rows full = NumberedRows(1, 10);
  for (Json& row : full) row["name"] = std::string(1000, 'x');
  fixture.cloud().AddTable(kOrders, TwoColumns(), full);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, NumberedRows(1, 10));
  const RunReport report = fixture.BackUp().value();
  EXPECT_TRUE(ItemOf(report, kOrders).suspect);
  EXPECT_THAT(ItemOf(report, kOrders).reason, testing::HasSubstr("bytes fell"));
}

TEST(Suspect, IsNotAPartitionedTableThatWasAlwaysEmpty) {
  SimFixture fixture;
  AddDays(fixture, kOrders);
  fixture.cloud().ReplaceRows(kOrders, {});
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(CountSuspects(report->items), 0);
}

TEST(Suspect, IsToldByTheRepositoryWhenTheCatalogWasLost) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().ReplaceRows(kOrders, {});
  fixture.LoseCatalog();
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(CountSuspects(report->items), 1);
  EXPECT_EQ((*catalog::LatestGood(fixture.catalog(), kOrders))->rows, 10);
}

}  // namespace
}  // namespace holdfast::backup
