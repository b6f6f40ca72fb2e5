#include "backup/definition_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/run_backup.h"
#include "repository/repository.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const DatasetRef kSales{"acme-shop", "sales"};
const TableRef kView{"acme-shop", "sales", "big_orders", ""};
const TableRef kMaterialized{"acme-shop", "sales", "totals", ""};
const TableRef kExternal{"acme-shop", "sales", "landing", ""};
const TableRef kRoutine = RoutineObject(kSales, "net_price");
const TableRef kDataset = DatasetObject(kSales);
const TableRef kAll[] = {kView, kMaterialized, kExternal, kRoutine, kDataset};

// A dataset with one object of each kind without data, beside one table.
void AddOneOfEach(SimFixture& fixture) {
  sim::SimCloud& cloud = fixture.cloud();
  cloud.AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  cloud.PatchDataset(kSales, {{"access", {{{"role", "READER"}, {"userByEmail", "ann@x.org"}}}}});
  cloud.PutView(kView, "SELECT * FROM sales.orders");
  cloud.PutView(kMaterialized, "",
                {{"type", "MATERIALIZED_VIEW"},
                 {"materializedView", {{"query", "SELECT COUNT(*) AS n FROM sales.orders"}}}});
  cloud.PutView(kExternal, "",
                {{"type", "EXTERNAL"},
                 {"externalDataConfiguration", {{"sourceUris", {"gs://landing/*.csv"}}}}});
  cloud.PutRoutine(kSales, "net_price", "price / 1.19");
}

ItemOutcome OutcomeFor(const Result<RunReport>& report, const TableRef& object) {
  EXPECT_TRUE(report.ok()) << report.error().message;
  for (const ItemOutcome& item : report->items) {
    if (item.object == object) return item;
  }
  ADD_FAILURE() << "no outcome for " << object.ToString();
  return {};
}

Manifest ManifestOf(SimFixture& fixture, const TableRef& object) {
  const auto record = catalog::LatestGood(fixture.catalog(), object).value();
  CHECK(record.has_value(), "no good backup of " + object.ToString());
  auto repository =
      repository::Repository::Open(fixture.cloud().objects(), {record->bucket, record->prefix});
  return repository->ReadManifest(object, record->backup).value();
}

TEST(DefinitionStage, SaysOfAViewThatATableHadItsNameBefore) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().DropTable(kOrders);
  fixture.cloud().PutView(kOrders, "SELECT 1 AS id");
  const ItemOutcome outcome = OutcomeFor(fixture.BackUp(), kOrders);
  EXPECT_EQ(outcome.outcome, Outcome::kBackedUp);
  EXPECT_THAT(outcome.reason, testing::HasSubstr("it is a view now, and was a table"));
  EXPECT_TRUE(outcome.suspect) << "its rows are gone: a person is to say that this is meant";
}

TEST(DefinitionStage, BacksUpWhatHasNoDataWithoutAJob) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  const auto report = fixture.BackUp();
  for (const TableRef& object : kAll) {
    EXPECT_EQ(OutcomeFor(report, object).outcome, Outcome::kBackedUp) << object.ToString();
    EXPECT_TRUE(IsDefinitionOnly(OutcomeFor(report, object).kind));
  }
  EXPECT_EQ(report->totals.objects, 6);
  EXPECT_EQ(report->totals.Of(Outcome::kBackedUp), 6);
  EXPECT_EQ(report->totals.rows, 10);
  EXPECT_EQ(fixture.cloud().JobsStarted("extract"), 1) << "of the table";
}

TEST(DefinitionStage, SavesTheWholeDefinition) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_EQ(ManifestOf(fixture, kView).Definition()["view"]["query"], "SELECT * FROM sales.orders");
  EXPECT_EQ(ManifestOf(fixture, kExternal).kind, ObjectKind::kExternal);
  EXPECT_EQ(ManifestOf(fixture, kRoutine).Definition()["definitionBody"], "price / 1.19");
  const Manifest dataset = ManifestOf(fixture, kDataset);
  EXPECT_EQ(dataset.Definition()["access"][0]["userByEmail"], "ann@x.org");
  EXPECT_EQ(dataset.location, "US");
}

TEST(DefinitionStage, MakesNoNewVersionOfWhatIsTheSame) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  // Looked at again, with another time; made anew as it was.
  fixture.clock().Advance(std::chrono::hours{24});
  fixture.cloud().PutView(kView, "SELECT * FROM sales.orders");
  fixture.cloud().DropRoutine(kSales, "net_price");
  fixture.cloud().PutRoutine(kSales, "net_price", "price / 1.19");
  const auto report = fixture.BackUp();
  for (const TableRef& object : kAll) {
    EXPECT_EQ(OutcomeFor(report, object).outcome, Outcome::kUnchanged) << object.ToString();
    EXPECT_FALSE(OutcomeFor(report, object).backup.empty());
  }
  EXPECT_EQ(report->totals.Of(Outcome::kUnchanged), report->totals.objects);
}

TEST(DefinitionStage, MakesANewVersionOfWhatWasEdited) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().PutView(kView, "SELECT id FROM sales.orders");
  fixture.cloud().PutRoutine(kSales, "net_price", "price / 1.07");
  fixture.cloud().PatchDataset(kSales, {{"description", "what we sell"}});
  const auto report = fixture.BackUp();
  for (const TableRef& object : {kView, kRoutine, kDataset}) {
    EXPECT_EQ(OutcomeFor(report, object).outcome, Outcome::kBackedUp) << object.ToString();
    EXPECT_EQ(OutcomeFor(report, object).reason, "its definition changed");
  }
  EXPECT_EQ(report->totals.Of(Outcome::kBackedUp), 3);
  EXPECT_EQ(ManifestOf(fixture, kRoutine).Definition()["definitionBody"], "price / 1.07");
}

// No time of a view moves with an edit of its IAM policy: it is looked at once in a while.
TEST(DefinitionStage, SavesAnEditOfAccessAloneInThePeriodOfForcedBackups) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::hours{24 * 7});
  EXPECT_EQ(OutcomeFor(fixture.BackUp(), kView).outcome, Outcome::kUnchanged);
  const Json readers = {
      {"bindings", {{{"role", "roles/bigquery.dataViewer"}, {"members", {"user:ann@x.org"}}}}}};
  fixture.cloud().PutIamPolicy(kView, readers);
  fixture.clock().Advance(std::chrono::hours{24 * 7});
  EXPECT_EQ(OutcomeFor(fixture.BackUp(), kView).outcome, Outcome::kBackedUp);
  ASSERT_TRUE(ManifestOf(fixture, kView).access);
  EXPECT_NE(DumpJson(*ManifestOf(fixture, kView).access).find("ann@x.org"), std::string::npos);
  EXPECT_EQ(OutcomeFor(fixture.BackUp(), kView).outcome, Outcome::kUnchanged);
}

TEST(DefinitionStage, NamesWhatIsGone) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DropTable(kView);
  fixture.cloud().DropRoutine(kSales, "net_price");
  const auto report = fixture.BackUp();
  EXPECT_EQ(OutcomeFor(report, kView).outcome, Outcome::kVanished);
  EXPECT_EQ(OutcomeFor(report, kRoutine).outcome, Outcome::kVanished);
  EXPECT_EQ(report->totals.objects, 6) << "each is counted once";
}

TEST(DefinitionStage, AViewInPlaceOfATableWithRowsIsSuspect) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().DropTable(kOrders);
  fixture.cloud().PutView(kOrders, "SELECT 1 AS id, 'x' AS name");
  const ItemOutcome item = OutcomeFor(fixture.BackUp(), kOrders);
  EXPECT_EQ(item.outcome, Outcome::kBackedUp);
  EXPECT_TRUE(item.suspect);
  // The table's backup stays the good one.
  EXPECT_EQ(ManifestOf(fixture, kOrders).rows, 10);
  EXPECT_EQ(OutcomeFor(fixture.BackUp(), kOrders).outcome, Outcome::kUnchanged);
}

TEST(DefinitionStage, ALostCatalogLearnsWhatTheRepositoryHas) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.LoseCatalog();
  fixture.clock().Advance(std::chrono::minutes{1});
  const auto report = fixture.BackUp();
  for (const TableRef& object : kAll) {
    EXPECT_EQ(OutcomeFor(report, object).outcome, Outcome::kUnchanged) << object.ToString();
  }
}

TEST(DefinitionStage, ASnapshotOfSomebodyElseStaysUnprotected) {
  SimFixture fixture;
  AddOneOfEach(fixture);
  const TableRef snapshot{"acme-shop", "sales", "monday", ""};
  fixture.cloud().AddTable(snapshot, TwoColumns(), {}, {{"type", "SNAPSHOT"}});
  EXPECT_EQ(OutcomeFor(fixture.BackUp(), snapshot).outcome, Outcome::kUnsupported);
}

// Dies at each call of a run in turn; the next start finishes it, with one backup of each object.
TEST(DefinitionStage, WhereverTheProcessDiesTheNextOneFinishes) {
  for (const bool after_effect : {false, true}) {
    for (int64_t call = 1;; ++call) {
      SimFixture fixture;
      fixture.cloud().AddDataset(kSales);
      fixture.cloud().PutView(kView, "SELECT 1 AS n");
      fixture.cloud().PutRoutine(kSales, "net_price", "price / 1.19");
      fixture.cloud().faults().CrashAtCall(call, after_effect);
      (void)fixture.BackUp();
      const bool crashed = fixture.cloud().faults().crashed();
      fixture.cloud().faults().Revive();
      fixture.clock().Advance(std::chrono::hours{1});
      const auto report = fixture.BackUp();
      ASSERT_TRUE(report.ok()) << "call " << call << ": " << report.error().message;
      EXPECT_EQ(report->totals.objects, 3);
      for (const TableRef& object : {kView, kRoutine, kDataset}) {
        const auto all = fixture.catalog().FindBackups(
            {.project = object.project, .dataset = object.dataset, .table = object.table}, "");
        EXPECT_EQ(all->items.size(), 1u) << object.ToString() << ", call " << call;
      }
      if (!crashed) break;
      ASSERT_LT(call, 1000);
    }
  }
}

}  // namespace
}  // namespace holdfast::backup
