#include "restore/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restore/unfinished.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing_support::kFirst;
using testing_support::kSales;
using testing_support::NumberedRows;
using testing_support::Of;
using testing_support::Restore;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

const DatasetRef kSource{"acme-shop", "sales"};
const DatasetRef kBackDataset{"acme-shop", "back"};
// In order of name the first of them needs all others.
const TableRef kTop{"acme-shop", "sales", "a_top", ""};
const TableRef kMiddle{"acme-shop", "sales", "b_middle", ""};
const TableRef kFiles{"acme-shop", "sales", "c_files", ""};

TableRef In(const DatasetRef& dataset, const TableRef& object) {
  return {dataset.project, dataset.dataset, object.table, {}};
}

void AddDefinitions(SimFixture& fixture) {
  sim::SimCloud& cloud = fixture.cloud();
  cloud.AddTable(kFirst, TwoColumns(), NumberedRows(1, 10));
  cloud.PutView(kMiddle, "SELECT id FROM `acme-shop.sales.t1` -- of sales.t1");
  cloud.PutView(kTop, "SELECT sales.net(id) FROM sales.b_middle JOIN web.hits USING (id)");
  cloud.PutView(kFiles, "",
                {{"type", "EXTERNAL"},
                 {"externalDataConfiguration", {{"sourceUris", {"gs://files/*.csv"}}}}});
  cloud.PutRoutine(kSource, "net", "(SELECT MAX(x) FROM sales.b_middle)");
}

Json QueryOf(SimFixture& fixture, const TableRef& view) {
  const auto table = fixture.cloud().warehouse().GetTable(view);
  return table.ok() ? table->resource["view"]["query"] : Json(table.error().message);
}

const TableReport* ReportOf(const RestoreReport& report, const TableRef& source) {
  for (const TableReport& table : report.tables) {
    if (table.source == source) return &table;
  }
  return nullptr;
}

TEST(RestoreDefinition, BringsADatasetBackWithAllThatIsInIt) {
  SimFixture fixture;
  AddDefinitions(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To(kSales, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded()) << DumpJson(report->ToJson());
  EXPECT_EQ(report->Count(TableOutcome::kRestored), 6);
  EXPECT_EQ(QueryOf(fixture, In(kBackDataset, kMiddle)),
            "SELECT id FROM `acme-shop`.`back`.`t1` -- of sales.t1");
  EXPECT_EQ(QueryOf(fixture, In(kBackDataset, kTop)),
            "SELECT `acme-shop`.`back`.`net`(id) FROM `acme-shop`.`back`.`b_middle` JOIN web.hits "
            "USING (id)");
  const auto routine = fixture.cloud().definitions().GetRoutine(kBackDataset, "net");
  ASSERT_TRUE(routine.ok()) << routine.error().message;
  EXPECT_EQ(routine->resource["definitionBody"],
            "(SELECT MAX(x) FROM `acme-shop`.`back`.`b_middle`)");
  EXPECT_EQ(fixture.cloud().ReadRows(In(kBackDataset, kFirst)).size(), 10u);
  const auto files = fixture.cloud().warehouse().GetTable(In(kBackDataset, kFiles));
  EXPECT_EQ(files->kind, TableKind::kExternal);
}

TEST(RestoreDefinition, NamesWhatAViewRefersToAndIsNotRestored) {
  SimFixture fixture;
  AddDefinitions(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To(kTop, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->tables.size(), 1u);
  EXPECT_EQ(report->tables[0].kind, ObjectKind::kView);
  EXPECT_THAT(report->tables[0].notes,
              testing::ElementsAre(testing::HasSubstr("acme-shop.sales.b_middle"),
                                   testing::HasSubstr("acme-shop.sales.routine:net"),
                                   testing::HasSubstr("acme-shop.web.hits")));
  // What is not restored with it is still read where it is.
  EXPECT_EQ(QueryOf(fixture, In(kBackDataset, kTop)),
            "SELECT sales.net(id) FROM sales.b_middle JOIN web.hits USING (id)");
}

TEST(RestoreDefinition, OfARoutineTakesAnotherName) {
  SimFixture fixture;
  AddDefinitions(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  RestoreRequest request = Of(RoutineObject(kSource, "net"));
  request.to_table = "net_before";
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_TRUE(fixture.cloud().definitions().GetRoutine(kSource, "net_before").ok());
}

TEST(RestoreDefinition, MakesEachAfterWhatItRefersTo) {
  SimFixture fixture;
  AddDefinitions(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto plan = PlanRestore(To(kSales, "back"), fixture.restore_services());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  std::vector<std::string> order;
  for (const size_t index : OrderOfRestore(*plan, fixture.restore_services())) {
    order.push_back(plan->tables[index].source.table);
  }
  EXPECT_THAT(order, testing::ElementsAre("dataset:definition", "t1", "b_middle", "routine:net",
                                          "a_top", "c_files"));
}

TEST(RestoreDefinition, OfACircleMakesEachOnce) {
  SimFixture fixture;
  fixture.cloud().AddDataset(kSource);
  fixture.cloud().PutView(kTop, "SELECT 1 FROM sales.b_middle");
  fixture.cloud().PutView(kMiddle, "SELECT 1 FROM sales.a_top");
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To(kSales, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->Count(TableOutcome::kRestored), 3);
}

TEST(RestoreDefinition, LeavesAnotherObjectOfItsNameAlone) {
  SimFixture fixture;
  AddDefinitions(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().PutView(kMiddle, "SELECT 2");
  fixture.cloud().PutRoutine(kSource, "net", "2");
  for (const TableRef& object : {kMiddle, RoutineObject(kSource, "net")}) {
    const auto refused = Restore(fixture, Of(object));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::kAlreadyExists);
    RestoreRequest skip = Of(object);
    skip.if_exists = IfExists::kSkip;
    const auto skipped = Restore(fixture, skip);
    ASSERT_TRUE(skipped.ok()) << skipped.error().message;
    EXPECT_EQ(skipped->tables.at(0).outcome, TableOutcome::kSkipped);
  }
  EXPECT_EQ(QueryOf(fixture, kMiddle), "SELECT 2");
}

TEST(RestoreDefinition, CountsWhatIsThereAsItWasAsRestored) {
  SimFixture fixture;
  AddDefinitions(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, Of(kMiddle));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->tables.at(0).outcome, TableOutcome::kRestored);
  EXPECT_THAT(report->tables[0].notes, testing::ElementsAre(testing::HasSubstr("it was there")));
}

// Dies at each call in turn; the same command brings all of it back.
TEST(RestoreDefinition, WhereverTheProcessDiesTheSameCommandFinishes) {
  for (int64_t call = 1;; ++call) {
    SimFixture fixture;
    AddDefinitions(fixture);
    ASSERT_TRUE(fixture.BackUp().ok());
    fixture.cloud().faults().CrashAtCall(call, call % 2 == 0);
    const auto first = Restore(fixture, To(kSales, "back"));
    const bool crashed = fixture.cloud().faults().crashed();
    fixture.cloud().faults().Revive();
    if (!crashed) break;
    if (!first.ok() || !first->Succeeded()) {
      const auto again = Restore(fixture, To(kSales, "back"));
      ASSERT_TRUE(again.ok()) << "call " << call << ": " << again.error().message;
      EXPECT_TRUE(again->Succeeded()) << "call " << call << ": " << DumpJson(again->ToJson());
    }
    EXPECT_TRUE(fixture.cloud().HasTable(In(kBackDataset, kTop))) << "call " << call;
    EXPECT_TRUE(fixture.cloud().definitions().GetRoutine(kBackDataset, "net").ok())
        << "call " << call;
    ASSERT_LT(call, 1000);
  }
}

const Json kAccess = {{{"role", "READER"}, {"userByEmail", "ann@x.org"}},
                      {{"role", "READER"}, {"specialGroup", "projectReaders"}},
                      {{"role", "OWNER"}, {"specialGroup", "projectOwners"}},
                      {{"view", {{"projectId", "p"}, {"datasetId", "d"}, {"tableId", "v"}}}}};

TEST(TargetDatasetResource, IsReadableByNobodyWhoCouldNotReadTheSource) {
  const Json saved = {{"description", "d"}, {"access", kAccess}, {"defaultTableExpirationMs", "1"}};
  const Json same = TargetDatasetResource(saved, "acme", "acme");
  EXPECT_EQ(same["description"], "d");
  EXPECT_FALSE(same.contains("defaultTableExpirationMs"));
  EXPECT_EQ(same["access"], (Json{kAccess[0], kAccess[1], kAccess[2]}));
  EXPECT_EQ(AccessLeftOut(saved, "acme", "acme").size(), 1u) << "the authorized view";
  // The readers of another project are other people.
  const Json other = TargetDatasetResource(saved, "acme", "acme-restore");
  EXPECT_EQ(other["access"], (Json{kAccess[0], kAccess[2]}));
  EXPECT_EQ(AccessLeftOut(saved, "acme", "acme-restore").size(), 3u);
  // The service would let the project's readers in where no list is given.
  EXPECT_EQ(TargetDatasetResource({{"description", "d"}}, "acme", "acme")["access"],
            (Json{kAccess[2]}));
}

TEST(RestoreDefinition, MakesADatasetWithItsDescriptionAndAccess) {
  SimFixture fixture;
  AddDefinitions(fixture);
  fixture.cloud().PatchDataset(kSource, {{"description", "what we sell"}, {"access", kAccess}});
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, To(kSales, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  const Json made = fixture.cloud().DatasetResource(kBackDataset);
  EXPECT_EQ(made["description"], "what we sell");
  EXPECT_EQ(made["access"], (Json{kAccess[0], kAccess[1], kAccess[2]}));
  EXPECT_THAT(ReportOf(*report, DatasetObject(kSource))->notes,
              testing::ElementsAre(testing::HasSubstr("access left out")));
}

TEST(RestoreDefinition, LeavesADatasetThatIsThereAsItIs) {
  SimFixture fixture;
  AddDefinitions(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().AddDataset(kBackDataset);
  fixture.cloud().PatchDataset(kBackDataset, {{"description", "mine"}});
  const auto report = Restore(fixture, To(kSales, "back"));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_EQ(ReportOf(*report, DatasetObject(kSource))->outcome, TableOutcome::kSkipped);
  EXPECT_EQ(fixture.cloud().DatasetResource(kBackDataset)["description"], "mine");
}

}  // namespace
}  // namespace holdfast::restore
