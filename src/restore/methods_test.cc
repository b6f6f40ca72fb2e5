// Restores of what several methods have backed up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/rebuild.h"
#include "repository/repository.h"
#include "restore/plan.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::Restore;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

const TableRef kDaily{"acme-shop", "sales", "days", ""};

void AddOrdersAndDays(SimFixture& fixture) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10),
                           {{"description", "what people bought"}});
  const Schema schema{
      {{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}};
  fixture.cloud().AddTable(
      kDaily, schema,
      {{{"day", "2026-01-01"}, {"what", "a"}}, {{"day", "2026-01-02"}, {"what", "b"}}},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
}

BackupPolicy ExportAndSnapshot() {
  BackupPolicy policy;
  policy.method = Method::kExport;
  policy.further_methods = {Method::kSnapshot};
  return policy;
}

TEST(RestoreOfMethods, GivesATableBackFromItsSnapshot) {
  SimFixture fixture;
  AddOrdersAndDays(fixture);
  BackupPolicy policy;
  policy.method = Method::kSnapshot;
  ASSERT_TRUE(fixture.BackUp(policy).ok());
  for (const TableRef& table : {kOrders, kDaily}) {
    const sim::Rows before = fixture.cloud().ReadRows(table);
    fixture.cloud().DropTable(table);
    const auto report = Restore(fixture, To(table, "back"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
    EXPECT_TRUE(report->tables[0].comparison->Equal());
    EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", table.table, ""}), before);
  }
  EXPECT_EQ(fixture.cloud().JobsStarted("load"), 0);
  const auto back = fixture.cloud().warehouse().GetTable({"acme-shop", "back", "orders", ""});
  EXPECT_EQ(back->kind, TableKind::kTable);
  EXPECT_EQ(StringOr(back->resource, "description", ""), "what people bought");
}

// Together the partitions and the snapshot would hold every row twice.
TEST(RestoreOfMethods, TakesTheRowsOfOneMethod) {
  SimFixture fixture;
  AddOrdersAndDays(fixture);
  ASSERT_TRUE(fixture.BackUp(ExportAndSnapshot()).ok());
  for (const bool has_run : {true, false}) {
    const std::string to = has_run ? "back" : "again";
    if (!has_run) {
      // A catalog that was rebuilt knows no runs.
      std::vector<catalog::BackupRecord> records =
          fixture.catalog().FindBackups({}, "").value().items;
      fixture.LoseCatalog();
      for (const auto& record : records) ASSERT_TRUE(fixture.catalog().RecordBackup(record).ok());
    }
    for (const TableRef& table : {kOrders, kDaily}) {
      const auto report = Restore(fixture, To(table, to));
      ASSERT_TRUE(report.ok()) << report.error().message;
      ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
      EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", to, table.table, ""}),
                fixture.cloud().ReadRows(table));
    }
  }
  EXPECT_EQ(fixture.cloud().JobsStarted("load"), 4) << "the exports";
}

TEST(RestoreOfMethods, TakesOnePartitionFromTheMethodThatHasIt) {
  SimFixture fixture;
  AddOrdersAndDays(fixture);
  ASSERT_TRUE(fixture.BackUp(ExportAndSnapshot()).ok());
  const auto report = Restore(fixture, To(kDaily.WithPartition("20260102"), "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "days", ""}).size(), 1U);
}

TEST(RestoreOfMethods, TakesTheSnapshotWhenTheExportIsDamagedOrOlder) {
  for (const bool damaged : {true, false}) {
    SimFixture fixture;
    AddOrdersAndDays(fixture);
    ASSERT_TRUE(fixture.BackUp(ExportAndSnapshot()).ok());
    if (damaged) {
      const auto exports = fixture.catalog().FindBackups({.method = Method::kExport}, "").value();
      for (const auto& record : exports.items) {
        ASSERT_TRUE(fixture.catalog()
                        .RecordVerification({.backup = record.backup,
                                             .at_ms = 1,
                                             .level = VerifyLevel::kL1,
                                             .passed = false,
                                             .detail = "a bit flipped"})
                        .ok());
      }
    } else {
      fixture.clock().Advance(std::chrono::minutes{1});
      fixture.cloud().AppendRows(kOrders, NumberedRows(11, 1));
      fixture.cloud().AppendRows(kDaily, {{{"day", "2026-01-02"}, {"what", "c"}}});
      fixture.cloud().faults().FailJobs("extract", "accessDenied", 10);
      ASSERT_TRUE(fixture.BackUp(ExportAndSnapshot()).ok());
      fixture.cloud().faults().FailJobs("extract", "accessDenied", 0);
    }
    for (const TableRef& table : {kOrders, kDaily}) {
      const auto report = Restore(fixture, To(table, "back"));
      ASSERT_TRUE(report.ok()) << report.error().message;
      ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
      EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", table.table, ""}),
                fixture.cloud().ReadRows(table));
    }
    EXPECT_EQ(fixture.cloud().JobsStarted("load"), 0) << damaged;
  }
}

// The newest partitions and the newest snapshot are suspect, all of them: what both held before
// would come back twice.
TEST(RestoreOfMethods, TakesTheRowsOfOneMethodWhenTheNewestOfAllAreSuspect) {
  SimFixture fixture;
  AddOrdersAndDays(fixture);
  fixture.cloud().AppendRows(kDaily, {{{"day", "2026-01-01"}, {"what", "c"}},
                                      {{"day", "2026-01-01"}, {"what", "d"}},
                                      {{"day", "2026-01-02"}, {"what", "e"}},
                                      {{"day", "2026-01-02"}, {"what", "f"}}});
  const sim::Rows before = fixture.cloud().ReadRows(kDaily);
  ASSERT_TRUE(fixture.BackUp(ExportAndSnapshot()).ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  for (const char* day : {"2026-01-01", "2026-01-02"}) {
    std::string partition = day;
    std::erase(partition, '-');
    fixture.cloud().ReplaceRows(kDaily.WithPartition(partition), {{{"day", day}, {"what", "x"}}});
  }
  ASSERT_TRUE(fixture.BackUp(ExportAndSnapshot()).ok());
  const auto newest =
      fixture.catalog().FindBackups({.table = "days", .newest_only = true}, "").value();
  ASSERT_EQ(newest.items.size(), 3U) << "two partitions and the snapshot";
  for (const auto& record : newest.items) {
    ASSERT_NE(record.suspect, "") << record.object.ToString();
  }
  const auto report = Restore(fixture, To(kDaily, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "days", ""}).size(), before.size());
}

// The bucket is gone, and so is the machine with the catalog.
TEST(RestoreOfFurtherRepository, WorksWhenTheFirstIsLost) {
  SimFixture fixture;
  AddOrdersAndDays(fixture);
  BackupPolicy policy;
  policy.repositories = {{.bucket_pattern = "{project}-elsewhere",
                          .prefix = "second",
                          .project = "vault",
                          .location = "US"}};
  ASSERT_TRUE(fixture.BackUp(policy).ok());
  for (const auto& object : fixture.cloud().AllObjects("acme-shop-holdfast-us")) {
    ASSERT_TRUE(fixture.cloud().objects().DeleteObject(object.ref).ok());
  }
  fixture.LoseCatalog();
  ASSERT_TRUE(backup::RebuildFrom(fixture.services(), {{"acme-shop-elsewhere", "second"}}).ok());
  for (const TableRef& table : {kOrders, kDaily}) {
    const auto report = Restore(fixture, To(table, "back"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
    EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", table.table, ""}),
              fixture.cloud().ReadRows(table));
  }
}

}  // namespace
}  // namespace holdfast::restore
