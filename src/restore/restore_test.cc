#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/repository.h"
#include "restore/plan.h"
#include "restore/target.h"
#include "restore/unfinished.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::Restore;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

const TableRef kEvents{"acme-shop", "sales", "events", ""};

Schema EventSchema() {
  return {{{.name = "day", .type = FieldType::kDate},
           {.name = "at", .type = FieldType::kDateTime},
           {.name = "what", .type = FieldType::kString}}};
}

Json Event(const std::string& day, const std::string& what) {
  return {{"day", day}, {"at", day + "T01:02:03.000004"}, {"what", what}};
}

void AddTables(SimFixture& fixture) {
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10),
                           {{"description", "what people bought"}});
  fixture.cloud().AddTable(
      kEvents, EventSchema(),
      {Event("2026-01-01", "a"), Event("2026-01-02", "b"), Event("2026-01-02", "c")},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}, {"expirationMs", "1000"}}}});
}

TEST(Restore, GivesADroppedTableBackWithItsDefinition) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const sim::Rows before = fixture.cloud().ReadRows(kOrders);
  fixture.cloud().DropTable(kOrders);
  ASSERT_TRUE(fixture.BackUp().ok());

  const auto report = Restore(fixture, To(kOrders, "back"));

  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_TRUE(report->tables[0].comparison->Equal());
  const TableRef back{"acme-shop", "back", "orders", ""};
  EXPECT_EQ(fixture.cloud().ReadRows(back), before);
  const auto table = fixture.cloud().warehouse().GetTable(back);
  EXPECT_EQ(StringOr(table->resource, "description", ""), "what people bought");
  EXPECT_FALSE(table->resource.contains("labels") &&
               table->resource["labels"].contains(std::string(kRestoreLabel)));
}

TEST(Restore, LoadsAllPartitionsOfAColumnInOneJobWithDateTimesIntact) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To(kEvents, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "events", ""}),
            fixture.cloud().ReadRows(kEvents));
  EXPECT_EQ(fixture.cloud().JobsStarted("load"), 1);
}

TEST(Restore, TakesOnePartitionOnly) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To(kEvents.WithPartition("20260102"), "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "events", ""}).size(), 2u);
}

TEST(Restore, LeavesOutAPartitionThatWasDeletedBeforeTheLastRun) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().DeletePartition(kEvents.WithPartition("20260101"));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto now = Restore(fixture, To(kEvents, "now"));
  ASSERT_TRUE(now.ok()) << now.error().message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "now", "events", ""}).size(), 2u);
}

TEST(Restore, GoesBackToATime) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const int64_t then = ToUnixMillis(fixture.clock().Now());
  fixture.clock().Advance(std::chrono::hours{1});
  fixture.cloud().AppendRows(kOrders, NumberedRows(11, 5));
  ASSERT_TRUE(fixture.BackUp().ok());
  RestoreRequest request = To(kOrders, "then");
  request.as_of_ms = then;
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "then", "orders", ""}).size(), 10u);
}

TEST(Restore, RefusesATargetThatIsSomebodysTable) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To(kOrders, ""));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kTableExists);
  EXPECT_EQ(fixture.cloud().ReadRows(kOrders).size(), 10u);
}

TEST(Restore, LeavesAnExistingTargetWhenAskedToSkip) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  RestoreRequest request = To(kOrders, "");
  request.if_exists = IfExists::kSkip;
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->tables[0].outcome, TableOutcome::kSkipped);
}

TEST(Restore, NamesWhatThereIsWhenTheNameIsWrong) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To({"acme-shop", "sales", "ordres", ""}, "back"));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().id, ErrorId::kNothingToRestore);
  EXPECT_THAT(report.error().hint, testing::HasSubstr("acme-shop.sales.orders"));
  EXPECT_THAT(report.error().hint, testing::HasSubstr("holdfast catalog rebuild"));
}

TEST(Restore, SaysHowToFillACatalogThatWasLost) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto latest = catalog::LatestGood(fixture.catalog(), kOrders);
  ASSERT_TRUE(latest.ok() && latest->has_value());
  fixture.LoseCatalog();
  RestoreRequest by_backup = To(kOrders, "back");
  by_backup.backup = (*latest)->backup;
  const struct {
    RestoreRequest request;
    ErrorId id;
  } cases[] = {{To(kOrders, "back"), ErrorId::kNothingToRestore},
               {by_backup, ErrorId::kBackupNotFound}};
  for (const auto& [request, id] : cases) {
    const auto report = Restore(fixture, request);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().id, id);
    EXPECT_THAT(report.error().hint, testing::HasSubstr("holdfast backup list"));
    EXPECT_THAT(report.error().hint, testing::HasSubstr("holdfast catalog rebuild"));
  }
}

TEST(Restore, FailsForADamagedBackupAndRestoresTheOtherTables) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto record = catalog::LatestGood(fixture.catalog(), kOrders);
  for (const auto& object : fixture.cloud().AllObjects((*record)->bucket)) {
    if (object.ref.name.find("/orders/") != std::string::npos &&
        object.ref.name.ends_with(".avro")) {
      fixture.cloud().RemoveObject(object.ref);
    }
  }
  const auto report = Restore(fixture, To({"acme-shop", "sales", "", ""}, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->Count(TableOutcome::kFailed), 1);
  EXPECT_EQ(report->Count(TableOutcome::kRestored), 2) << "the other table, and the dataset";
  EXPECT_FALSE(fixture.cloud().HasTable({"acme-shop", "back", "orders", ""}));
}

TEST(Restore, SaysThatTheRestoredTableDiffersWhenItDoes) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  // Bytes that are damaged and whose checksums match: only the content tells.
  fixture.cloud().faults().SetRates({.corrupt_write = 1});
  const auto report = Restore(fixture, To(kOrders, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->Succeeded());
}

TEST(Restore, ComparesByContentAndNotByCountAlone) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = To(kOrders, "back");
  const auto backups = Select(fixture.catalog(), request, fixture.clock().Now());
  ASSERT_TRUE(backups.ok());
  const auto plan = MakePlan(request, *backups);
  ASSERT_TRUE(plan.ok());
  // As many rows, one of them another, between the load and the look at it.
  Services services = fixture.restore_services();
  services.on_step = [&](const std::string& step) {
    if (!step.starts_with("comparing")) return;
    sim::Rows rows = NumberedRows(1, 10);
    rows[4]["name"] = "row 6";
    fixture.cloud().ReplaceRows({"acme-shop", "back", "orders", ""}, rows);
  };
  const auto report = Apply(request, *plan, services);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->tables[0].outcome, TableOutcome::kDiffers);
  EXPECT_EQ(report->tables[0].comparison->actual_rows, 10);
  EXPECT_THAT(report->tables[0].comparison->differences,
              testing::Contains(testing::HasSubstr("not the same content")));
}

// The backup of the first partition is from before the table got a column.
void BackUpBeforeAndAfterANewColumn(SimFixture& fixture, const BackupPolicy& policy = {}) {
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp(policy).ok());
  Schema wider = EventSchema();
  wider.fields.push_back({.name = "y", .type = FieldType::kString});
  ASSERT_TRUE(fixture.cloud().warehouse().UpdateTable(kEvents, {{"schema", wider.ToJson()}}).ok());
  Json row = Event("2026-01-03", "d");
  row["y"] = "new";
  fixture.cloud().AppendRows(kEvents, {row});
  ASSERT_TRUE(fixture.BackUp(policy).ok());
  const auto newest = catalog::LatestGood(fixture.catalog(), kEvents.WithPartition("20260101"));
  ASSERT_TRUE(newest.ok() && *newest);
  const Status damaged = fixture.catalog().RecordVerification(
      {.backup = (*newest)->backup, .at_ms = 1, .level = VerifyLevel::kL1, .passed = false});
  ASSERT_TRUE(damaged.ok());
}

TEST(Restore, GivesABackupFromBeforeANewColumnNullInIt) {
  SimFixture fixture;
  BackUpBeforeAndAfterANewColumn(fixture);
  const auto report = Restore(fixture, To(kEvents, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "events", ""}),
            fixture.cloud().ReadRows(kEvents));
}

// A copy job takes tables of the same columns only.
TEST(Restore, GivesACopyFromBeforeANewColumnNullInItWhereverTheProcessDies) {
  BackupPolicy copies;
  copies.method = Method::kCopy;
  SimFixture first;
  BackUpBeforeAndAfterANewColumn(first, copies);
  int64_t calls = first.cloud().faults().calls();
  ASSERT_TRUE(Restore(first, To(kEvents, "back"))->Succeeded());
  calls = first.cloud().faults().calls() - calls;
  ASSERT_GT(calls, 20);
  for (int64_t call = 1; call <= calls; ++call) {
    SCOPED_TRACE(call);
    SimFixture fixture;
    BackUpBeforeAndAfterANewColumn(fixture, copies);
    fixture.cloud().faults().CrashAtCall(call, call % 2 == 0);
    (void)Restore(fixture, To(kEvents, "back"));
    fixture.cloud().faults().Revive();
    if (!fixture.cloud().HasTable({"acme-shop", "back", "events", ""}) || call < calls) {
      (void)Restore(fixture, To(kEvents, "back"));
    }
    EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "events", ""}),
              fixture.cloud().ReadRows(kEvents));
    const auto tables = fixture.cloud().warehouse().ListTables({"acme-shop", "back"}, "");
    EXPECT_EQ(tables->items.size(), 1U) << "something of the restore is left";
  }
}

// Dropped and made anew with other columns; one of its partitions could not be backed up since.
TEST(Restore, SaysWhichPartitionHasOnlyABackupWithOtherColumnsAndRestoresTheRest) {
  SimFixture fixture;
  BackUpBeforeAndAfterANewColumn(fixture);
  fixture.cloud().DropTable(kEvents);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().AddTable(kEvents, EventSchema(),
                           {Event("2026-01-02", "x"), Event("2026-01-03", "y")},
                           {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto newest = catalog::LatestGood(fixture.catalog(), kEvents.WithPartition("20260103"));
  ASSERT_TRUE(
      fixture.catalog()
          .RecordVerification(
              {.backup = (*newest)->backup, .at_ms = 1, .level = VerifyLevel::kL1, .passed = false})
          .ok());
  const auto report = Restore(fixture, To(kEvents, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->Count(TableOutcome::kRestored), 1) << report->tables[0].error->message;
  ASSERT_EQ(report->CountMissing(), 1);
  EXPECT_EQ(report->missing[0].object, kEvents.WithPartition("20260103"));
  EXPECT_THAT(report->missing[0].reason, testing::HasSubstr("--backup"));
  EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "events", ""}),
            fixture.cloud().ReadRows(kEvents.WithPartition("20260102")));
}

TEST(Restore, ComparesTheColumnThatABackupDoesNotHave) {
  SimFixture fixture;
  BackUpBeforeAndAfterANewColumn(fixture);
  const RestoreRequest request = To(kEvents, "back");
  Services services = fixture.restore_services();
  services.on_step = [&](const std::string& step) {
    if (!step.starts_with("comparing")) return;
    Json row = Event("2026-01-01", "a");
    row["y"] = "never there";
    fixture.cloud().ReplaceRows({"acme-shop", "back", "events", "20260101"}, {row});
  };
  const auto plan = PlanRestore(request, services);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const auto report = Apply(request, *plan, services);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->tables[0].outcome, TableOutcome::kDiffers);
}

TEST(Restore, RefusesACopyThatWasWrittenToAndRecordsTheDamage) {
  SimFixture fixture;
  AddTables(fixture);
  BackupPolicy policy;
  policy.method = Method::kCopy;
  const auto backed_up = fixture.BackUp(policy);
  ASSERT_TRUE(backed_up.ok());
  const auto latest = catalog::LatestGood(fixture.catalog(), kOrders);
  ASSERT_TRUE(latest.ok() && latest->has_value());
  auto repository = repository::Repository::Open(fixture.cloud().objects(),
                                                 {(*latest)->bucket, (*latest)->prefix});
  const auto manifest = repository->ReadManifest(kOrders, (*latest)->backup);
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().AppendRows(*manifest->copy, NumberedRows(99, 1));

  const auto report = Restore(fixture, To(kOrders, "back"));

  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_FALSE(report->Succeeded());
  EXPECT_EQ(report->tables[0].error->code, Code::kDataLoss);
  EXPECT_TRUE(catalog::GetBackup(fixture.catalog(), (*latest)->backup)->damaged);
}

TEST(Restore, RestoresFromACopyInTheWarehouse) {
  SimFixture fixture;
  AddTables(fixture);
  BackupPolicy policy;
  policy.method = Method::kCopy;
  const auto run = fixture.BackUp(policy);
  ASSERT_TRUE(run.ok() && run->totals.Of(Outcome::kFailed) == 0);
  const auto report = Restore(fixture, To(kOrders, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded()) << report->tables[0].error->message;
  EXPECT_TRUE(report->tables[0].comparison->Equal());
}

// The process dies at every single call; the same restore again finishes it, with each row once.
TEST(Restore, AJobThatFailedForGoodDoesNotKeepTheSameCommandFromFinishing) {
  SimFixture fixture;
  AddTables(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = To(kOrders, "back");
  // More often than one process would try: each of these ids stays failed for ever.
  for (int i = 0; i < 6; ++i) {
    fixture.cloud().faults().FailJobs("load", "quotaExceeded", 1);
    const auto failed = Restore(fixture, request);
    ASSERT_TRUE(failed.ok()) << failed.error().message;
    ASSERT_FALSE(failed->Succeeded());
    EXPECT_EQ(fixture.cloud().JobsStarted("load"), i + 1);
  }
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_TRUE(report->tables[0].comparison->Equal());
}

TEST(Restore, FinishesAfterACrashAtAnyCall) {
  SimFixture undisturbed;
  AddTables(undisturbed);
  ASSERT_TRUE(undisturbed.BackUp().ok());
  const int64_t before = undisturbed.cloud().faults().calls();
  const RestoreRequest request = To({"acme-shop", "sales", "", ""}, "back");
  ASSERT_TRUE(Restore(undisturbed, request).ok());
  const int64_t calls = undisturbed.cloud().faults().calls() - before;
  ASSERT_GT(calls, 10);
  for (int64_t call = 1; call <= calls; ++call) {
    for (const bool after_effect : {false, true}) {
      SimFixture fixture;
      AddTables(fixture);
      ASSERT_TRUE(fixture.BackUp().ok());
      fixture.cloud().faults().CrashAtCall(call, after_effect);
      (void)Restore(fixture, request);
      fixture.cloud().faults().Revive();
      const auto report = Restore(fixture, request);
      // Dead after the last label came off, the restore was complete.
      if (!report.ok()) {
        EXPECT_EQ(report.error().id, ErrorId::kTableExists) << "call " << call;
      }
      EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "orders", ""}).size(), 10u)
          << "call " << call << (after_effect ? " after" : " before");
      EXPECT_EQ(fixture.cloud().ReadRows({"acme-shop", "back", "events", ""}).size(), 3u)
          << "call " << call << (after_effect ? " after" : " before");
    }
  }
}

TEST(TargetResource, HasNoExpirationAndTheLabel) {
  const Json resource =
      TargetResource({{"expirationTime", "1"},
                      {"timePartitioning", {{"type", "DAY"}, {"expirationMs", "9"}}},
                      {"labels", {{"team", "sales"}}}},
                     "plan-1");
  EXPECT_FALSE(resource.contains("expirationTime"));
  EXPECT_FALSE(resource["timePartitioning"].contains("expirationMs"));
  EXPECT_EQ(resource["timePartitioning"]["type"], "DAY");
  EXPECT_EQ(resource["labels"]["team"], "sales");
  EXPECT_EQ(resource["labels"][std::string(kRestoreLabel)], "plan-1");
}

}  // namespace
}  // namespace holdfast::restore
