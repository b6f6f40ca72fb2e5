#include "restore/compare_partitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restore/unfinished.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing_support::kDays;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

Manifest RowsOf(const std::string& partition, int64_t rows) {
  Manifest manifest;
  manifest.object = kDays.WithPartition(partition);
  manifest.rows = rows;
  return manifest;
}

TEST(ComparePartitions, NamesThePartitionsThatHoldOtherNumbersOfRows) {
  const std::vector<Manifest> manifests = {RowsOf("20260101", 3), RowsOf("20260102", 5),
                                           RowsOf("20260103", 0)};
  EXPECT_THAT(ComparePartitions({{"20260101", 3}, {"20260102", 5}}, manifests), IsEmpty());
  EXPECT_THAT(ComparePartitions({{"20260101", 3}, {"20260102", 4}, {"20260109", 1}}, manifests),
              ElementsAre("partition 20260102 holds 4 rows, its backup 5",
                          "partition 20260109 holds 1 rows, its backup 0"));
  EXPECT_THAT(ComparePartitions({{"20260101", 3}, {"__UNPARTITIONED__", 5}}, manifests),
              ElementsAre(HasSubstr("20260102 holds 0"), HasSubstr("__UNPARTITIONED__ holds 5")));
}

TEST(ComparePartitions, LetsRowsWithoutAPartitionLieInAnyAndNoOthers) {
  for (const char* none : {"", "__UNPARTITIONED__", "__NULL__"}) {
    const std::vector<Manifest> manifests = {RowsOf("20260101", 3), RowsOf(none, 2)};
    EXPECT_THAT(ComparePartitions({{"20260101", 3}, {"20260107", 2}}, manifests), IsEmpty());
    EXPECT_THAT(ComparePartitions({{"20260101", 4}, {"20260107", 1}}, manifests), IsEmpty());
    EXPECT_THAT(ComparePartitions({{"20260101", 2}, {"20260107", 3}}, manifests),
                ElementsAre(HasSubstr("20260101 holds 2"), HasSubstr("20260107 holds 3")));
  }
}

TEST(ComparePartitions, SaysHowManyMoreDiffer) {
  std::map<std::string, int64_t> actual;
  for (int day = 10; day < 30; ++day) actual["202601" + std::to_string(day)] = 1;
  const auto differences = ComparePartitions(actual, {RowsOf("20260101", 1)});
  ASSERT_THAT(differences, SizeIs(6));
  EXPECT_EQ(differences.back(), "16 more partitions differ so");
}

// Four days of rows, more than one page of a listing holds, with the day in no column.
void AddDaysOfArrival(SimFixture& fixture) {
  fixture.cloud().AddTable(kDays, TwoColumns(), {}, {{"timePartitioning", {{"type", "DAY"}}}});
  for (int day = 1; day <= 4; ++day) {
    fixture.cloud().ReplaceRows(kDays.WithPartition("2026010" + std::to_string(day)),
                                NumberedRows(day * 10, day));
  }
}

TEST(Restore, GivesRowsOfATableByIngestionTimeTheirPartitionsBack) {
  SimFixture fixture;
  AddDaysOfArrival(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = testing_support::Restore(fixture, To(kDays, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "days", "20260104"}),
            fixture.cloud().ReadRows(kDays.WithPartition("20260104")));
}

TEST(Restore, FindsRowsOfATableByIngestionTimeInAnotherPartition) {
  SimFixture fixture;
  AddDaysOfArrival(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = To(kDays, "back");
  const auto plan = PlanRestore(request, fixture.restore_services());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  // The same rows, two days of them changed about.
  Services services = fixture.restore_services();
  services.on_step = [&](const std::string& step) {
    if (!step.starts_with("comparing")) return;
    const TableRef back{"acme-shop", "back", "days", ""};
    fixture.cloud().ReplaceRows(back.WithPartition("20260101"), NumberedRows(40, 4));
    fixture.cloud().ReplaceRows(back.WithPartition("20260104"), NumberedRows(10, 1));
  };
  const auto report = Apply(request, *plan, services);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->tables[0].outcome, TableOutcome::kDiffers);
  ASSERT_TRUE(report->tables[0].comparison.has_value());
  EXPECT_FALSE(report->tables[0].comparison->content_differs);
  EXPECT_THAT(report->tables[0].comparison->differences,
              ElementsAre("partition 20260101 holds 4 rows, its backup 1",
                          "partition 20260104 holds 1 rows, its backup 4"));
  ASSERT_TRUE(report->tables[0].error.has_value());
  EXPECT_THAT(report->tables[0].error->message, HasSubstr("20260101"));
}

}  // namespace
}  // namespace holdfast::restore
