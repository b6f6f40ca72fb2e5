// What a restore leaves behind: unfinished plans, failed targets, expirations.
#include "restore/apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restore/target.h"
#include "restore/unfinished.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing_support::AddTwo;
using testing_support::kDays;
using testing_support::kFirst;
using testing_support::kSales;
using testing_support::kSecond;
using testing_support::NumberedRows;
using testing_support::Restore;
using testing_support::SimFixture;
using testing_support::To;
using testing_support::TwoColumns;

TableRef Back(const TableRef& source) { return {source.project, "back", source.table, ""}; }

RestoreRequest ToBack(const TableRef& source) { return To(source, "back"); }

size_t StoredPlans(SimFixture& fixture) {
  size_t plans = 0;
  for (const auto& object : fixture.cloud().AllObjects("acme-shop-holdfast-staging-us")) {
    if (object.ref.name.starts_with("restore-plans/")) ++plans;
  }
  return plans;
}

// Dies while the second table's target is there and not filled.
void DieInTheMiddle(SimFixture& fixture, const RestoreRequest& request) {
  Services services = fixture.restore_services();
  const auto plan = PlanRestore(request, services);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  services.on_step = [&](const std::string& step) {
    if (step.ends_with("t2")) fixture.cloud().faults().CrashAtCall(8);
  };
  (void)Apply(request, *plan, services);
  fixture.cloud().faults().Revive();
  ASSERT_TRUE(fixture.cloud().HasTable(Back(kSecond)));
  ASSERT_EQ(fixture.cloud().ReadRows(Back(kSecond)).size(), 0u);
}

TEST(Apply, TheSameCommandFinishesAKilledRestoreAlthoughNewerBackupsExist) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = ToBack(kSales);
  DieInTheMiddle(fixture, request);
  EXPECT_EQ(StoredPlans(fixture), 1u);
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 5));
  fixture.cloud().AppendRows(kSecond, NumberedRows(21, 5));
  ASSERT_TRUE(fixture.BackUp().ok());

  const auto plan = PlanRestore(request, fixture.restore_services());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(plan->resumes_ms.has_value());
  const auto report = Apply(request, *plan, fixture.restore_services());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_TRUE(report->resumes_ms.has_value());
  EXPECT_TRUE(report->tables[1].resumed);
  // One consistent set: that of the time when it was begun.
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), 10u);
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kSecond)).size(), 20u);
  EXPECT_EQ(StoredPlans(fixture), 0u);
}

TEST(Apply, NeverSkipsATargetOfAnUnfinishedRestore) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  DieInTheMiddle(fixture, ToBack(kSales));
  // Another request with the same target.
  RestoreRequest other = ToBack(kSecond);
  const auto conflict = Restore(fixture, other);
  ASSERT_FALSE(conflict.ok());
  EXPECT_EQ(conflict.error().id, ErrorId::kTableExists);
  EXPECT_THAT(conflict.error().message, HasSubstr("not finished"));
  EXPECT_THAT(conflict.error().hint,
              HasSubstr("holdfast restore run 'acme-shop.sales' --to-dataset back"));
  other.if_exists = IfExists::kSkip;
  const auto report = Restore(fixture, other);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->tables[0].outcome, TableOutcome::kFailed);
  EXPECT_THAT(report->tables[0].error->message, HasSubstr("not finished"));
}

TEST(Apply, SaysThatATargetIsNotFinishedWhenItsPlanIsLost) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  DieInTheMiddle(fixture, ToBack(kSales));
  for (const auto& object : fixture.cloud().AllObjects("acme-shop-holdfast-staging-us")) {
    if (object.ref.name.starts_with("restore-plans/")) fixture.cloud().RemoveObject(object.ref);
  }
  const auto report = Restore(fixture, ToBack(kSecond));
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().hint, HasSubstr("Drop it"));
}

TEST(Apply, BeginsAnewWhenNothingOfAStoredPlanIsThere) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = ToBack(kSales);
  DieInTheMiddle(fixture, request);
  fixture.cloud().DropTable(Back(kFirst));
  fixture.cloud().DropTable(Back(kSecond));
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 5));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_FALSE(report->resumes_ms.has_value());
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), 15u);
  EXPECT_EQ(StoredPlans(fixture), 0u);
}

TEST(Apply, ATableThatFailedIsTriedAgainByTheSameCommandAndTheOthersKept) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().faults().FailJobs("load", "quotaExceeded", 1);
  const RestoreRequest request = ToBack(kSales);
  const auto partial = Restore(fixture, request);
  ASSERT_TRUE(partial.ok()) << partial.error().message;
  EXPECT_EQ(partial->Count(TableOutcome::kFailed), 1);
  EXPECT_EQ(partial->Count(TableOutcome::kRestored), 2) << "a table, and the dataset";
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->Count(TableOutcome::kRestored), 3);
  EXPECT_TRUE(report->Succeeded());
}

TEST(Apply, TakesAwayAnEmptyTargetThatCouldNotBeFilled) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().faults().FailJobs("load", "invalid", 1);
  const auto failed = Restore(fixture, ToBack(kFirst));
  ASSERT_TRUE(failed.ok()) << failed.error().message;
  EXPECT_FALSE(fixture.cloud().HasTable(Back(kFirst)));
  EXPECT_FALSE(failed->tables[0].left_behind);
  EXPECT_THAT(failed->tables[0].error->message, HasSubstr("was taken away again"));
}

TEST(Apply, TheSameCommandTakesTheGoodBackupBeforeOneThatItFoundDamaged) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 1));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto newest = catalog::LatestGood(fixture.catalog(), kFirst);
  ASSERT_TRUE(newest.ok() && *newest);
  for (const auto& object : fixture.cloud().AllObjects((*newest)->bucket)) {
    if (object.ref.name.find((*newest)->backup) != std::string::npos &&
        object.ref.name.ends_with(".avro")) {
      fixture.cloud().RemoveObject(object.ref);
    }
  }
  // The other table is restored, and stays so: the same command gives the one that failed.
  const auto failed = Restore(fixture, ToBack(kSales));
  ASSERT_TRUE(failed.ok()) << failed.error().message;
  EXPECT_EQ(failed->Count(TableOutcome::kFailed), 1);
  const auto report = Restore(fixture, ToBack(kSales));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_THAT(report->tables[0].notes.at(0), HasSubstr("is damaged"));
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), 10u);
}

TEST(Apply, ATableThatKeepsFailingDoesNotKeepTheOthersToAnOldTime) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = ToBack(kSales);
  fixture.cloud().faults().FailJobs("load", "quotaExceeded", 1);
  ASSERT_EQ(Restore(fixture, request)->Count(TableOutcome::kFailed), 1);
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 5));
  fixture.cloud().AppendRows(kSecond, NumberedRows(21, 5));
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DropTable(Back(kSecond));
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), 15u);
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kSecond)).size(), 25u);
}

TEST(Apply, LeavesATableThatWasFinishedAloneWhileAnotherIsTriedAgain) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = ToBack(kSales);
  fixture.cloud().faults().FailJobs("load", "quotaExceeded", 1);
  ASSERT_EQ(Restore(fixture, request)->Count(TableOutcome::kRestored), 2)
      << "a table, and the dataset";
  // It is in use: what is in it now is no business of the restore.
  fixture.cloud().AppendRows(Back(kSecond), NumberedRows(90, 1));
  for (const bool last : {false, true}) {
    if (!last) fixture.cloud().faults().FailJobs("load", "quotaExceeded", 1);
    const auto report = Restore(fixture, request);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->Succeeded(), last);
    EXPECT_EQ(report->tables[1].outcome, TableOutcome::kRestored);
    EXPECT_FALSE(report->tables[1].comparison.has_value());
  }
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), 10u);
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kSecond)).size(), 21u);
  EXPECT_EQ(StoredPlans(fixture), 0u);
}

TEST(Apply, RestoresATableAnewThatWasFinishedAndThenDropped) {
  SimFixture fixture;
  AddTwo(fixture);
  const TableRef third{"acme-shop", "sales", "t3", ""};
  fixture.cloud().AddTable(third, TwoColumns(), NumberedRows(1, 30));
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = ToBack(kSales);
  fixture.cloud().faults().FailJobs("load", "quotaExceeded", 1);
  ASSERT_EQ(Restore(fixture, request)->Count(TableOutcome::kRestored), 3)
      << "two tables, and the dataset";
  fixture.cloud().DropTable(Back(kSecond));
  const auto plan = PlanRestore(request, fixture.restore_services());
  ASSERT_TRUE(plan.ok() && plan->resumes_ms.has_value()) << "the third is there";
  const auto report = Apply(request, *plan, fixture.restore_services());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  ASSERT_TRUE(fixture.cloud().HasTable(Back(kSecond)));
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kSecond)).size(), 20u);
}

// Without the label it may be one that was released by the process that died, or somebody's.
TEST(Apply, TakesATableWithoutItsLabelForFinishedOnlyByItsContent) {
  for (const int64_t rows : {10, 9}) {
    SimFixture fixture;
    AddTwo(fixture);
    ASSERT_TRUE(fixture.BackUp().ok());
    const RestoreRequest request = ToBack(kSales);
    DieInTheMiddle(fixture, request);
    fixture.cloud().DropTable(Back(kFirst));
    fixture.cloud().AddTable(Back(kFirst), TwoColumns(), NumberedRows(1, rows));
    const auto report = Restore(fixture, request);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_TRUE(report->resumes_ms.has_value());
    const TableReport& first = report->tables[0];
    if (rows == 10) {
      EXPECT_EQ(first.outcome, TableOutcome::kRestored) << first.error->message;
    } else {
      ASSERT_EQ(first.outcome, TableOutcome::kFailed);
      EXPECT_EQ(first.error->id, ErrorId::kTableExists);
    }
    EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), static_cast<size_t>(rows));
    EXPECT_EQ(report->tables[1].outcome, TableOutcome::kRestored);
  }
}

TEST(Apply, NamesATargetThatItHasToLeaveUnfinished) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const RestoreRequest request = ToBack(kFirst);
  const auto plan = PlanRestore(request, fixture.restore_services());
  ASSERT_TRUE(plan.ok());
  Services services = fixture.restore_services();
  services.on_step = [&](const std::string& step) {
    if (step.starts_with("comparing")) fixture.cloud().faults().FailJobs("extract", "invalid", 1);
  };
  const auto failed = Apply(request, *plan, services);
  ASSERT_TRUE(failed.ok()) << failed.error().message;
  ASSERT_EQ(failed->tables[0].outcome, TableOutcome::kFailed);
  EXPECT_TRUE(failed->tables[0].left_behind);
  EXPECT_THAT(failed->tables[0].error->message, HasSubstr("filled and was not compared"));
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), 10u);
  // The same command compares it and is done, without loading twice.
  const auto report = Restore(fixture, request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->Succeeded());
  EXPECT_EQ(fixture.cloud().ReadRows(Back(kFirst)).size(), 10u);
}

TEST(Apply, TargetsDoNotExpireWhateverTheirDatasetSays) {
  SimFixture fixture;
  AddTwo(fixture);
  fixture.cloud().AddTable(
      kDays, {{{.name = "day", .type = FieldType::kDate}}}, {Json{{"day", "2026-01-01"}}},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}, {"expirationMs", "86400000"}}}});
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().AddDataset(Back(kDays).dataset_ref());
  fixture.cloud().PatchDataset(
      Back(kDays).dataset_ref(),
      {{"defaultTableExpirationMs", "3600000"}, {"defaultPartitionExpirationMs", "3600000"}});
  const auto report = Restore(fixture, ToBack(kSales));
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->Succeeded());
  for (const TableRef& table : {kFirst, kDays}) {
    const auto restored = fixture.cloud().warehouse().GetTable(Back(table));
    ASSERT_TRUE(restored.ok());
    EXPECT_THAT(ExpirationsOf(restored->resource), SizeIs(0)) << table.ToString();
  }
  ASSERT_EQ(report->tables[0].source, kDays);
  ASSERT_THAT(report->tables[0].expirations, SizeIs(1));
  EXPECT_THAT(report->tables[0].expirations[0],
              HasSubstr("--time_partitioning_expiration 86400 'acme-shop:back.days'"));
}

TEST(CheckTargets, RefusesADatasetInAnotherLocationBeforeAnythingIsDone) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().AddDataset({"acme-shop", "elsewhere"}, "EU");
  const RestoreRequest request = To(kSales, "elsewhere");
  const auto plan = PlanRestore(request, fixture.restore_services());
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const Status refused = CheckTargets(request, *plan, fixture.restore_services());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, ErrorId::kLocationMismatch);
  const auto applied = Apply(request, *plan, fixture.restore_services());
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().id, ErrorId::kLocationMismatch);
  EXPECT_TRUE(CheckTargets(To(kSales, "new"),
                           *PlanRestore(To(kSales, "new"), fixture.restore_services()),
                           fixture.restore_services())
                  .ok());
}

TEST(CompareDefinitions, FindsATableThatIsGoingToExpire) {
  TableInfo restored;
  restored.resource = {{"expirationTime", "1800000000000"},
                       {"timePartitioning", {{"type", "DAY"}, {"expirationMs", "1000"}}}};
  const auto differences = CompareDefinitions(restored, Manifest());
  EXPECT_THAT(differences, testing::Contains(HasSubstr("the table expires at 2027")));
  EXPECT_THAT(differences, testing::Contains(HasSubstr("partitions expire after 1 seconds")));
}

TEST(CompareDefinitions, FindsWhatTheTargetLostOfItsDefinition) {
  const struct {
    Json saved;
    Json restored;
    std::string difference;
  } cases[] = {
      {{{"labels", {{"team", "sales"}}}}, {{"labels", Json::object()}}, "label team is null, was"},
      {{{"labels", {{"flag", ""}}}}, Json::object(), "label flag is null, was \"\""},
      {Json::object(), {{"labels", {{"new", "1"}}}}, "label new is \"1\", was null"},
      {{{"requirePartitionFilter", true}}, Json::object(), "requirePartitionFilter is false, was"},
      {{{"timePartitioning", {{"type", "DAY"}, {"requirePartitionFilter", true}}}},
       {{"timePartitioning", {{"type", "DAY"}}}},
       "requirePartitionFilter is false, was true"},
      {{{"tableConstraints", {{"primaryKey", {{"columns", {"id"}}}}}}},
       Json::object(),
       "the primary key is null, was {\"columns\":[\"id\"]}"},
      {{{"defaultCollation", "und:ci"}}, Json::object(), "defaultCollation is null, was"},
      {Json::object(),
       {{"defaultCollation", "und:ci"}},
       "defaultCollation is \"und:ci\", was null"},
      {{{"clustering", {{"fields", {"id"}}}}}, Json::object(), "clustering is null, was"},
  };
  for (const auto& [saved, restored, difference] : cases) {
    Manifest manifest;
    manifest.table_resource = saved;
    TableInfo table;
    table.resource = restored;
    EXPECT_THAT(CompareDefinitions(table, manifest), ElementsAre(HasSubstr(difference)));
  }
}

TEST(CompareDefinitions, FindsWhatAColumnLost) {
  const auto table_of = [](const Json& member) {
    Json inner = {{"name", "c"}, {"type", "STRING"}};
    inner.update(member);
    const Json outer = {{"name", "r"}, {"type", "RECORD"}, {"fields", Json::array({inner})}};
    return Json{{"schema", {{"fields", Json::array({outer})}}}};
  };
  const std::pair<Json, const char*> cases[] = {
      {{{"description", "what it is"}}, "description of column r.c is null, was \"what it is\""},
      {{{"defaultValueExpression", "'x'"}}, "defaultValueExpression of column r.c"},
      {{{"maxLength", "10"}}, "maxLength of column r.c"},
      {{{"policyTags", {{"names", {"t"}}}}}, "policyTags of column r.c"},
      {{{"collation", "und:ci"}}, "collation of column r.c"}};
  for (const auto& [member, difference] : cases) {
    Manifest manifest;
    manifest.table_resource = table_of(member);
    TableInfo table;
    table.resource = table_of(Json::object());
    EXPECT_THAT(CompareDefinitions(table, manifest), ElementsAre(HasSubstr(difference)));
    table.resource = manifest.table_resource;
    EXPECT_THAT(CompareDefinitions(table, manifest), IsEmpty());
  }
}

TEST(CompareDefinitions, TakesWhatNobodySetForWhatIsAbsent) {
  Manifest manifest;
  manifest.table_resource = {{"description", ""},
                             {"labels", {{"team", "sales"}}},
                             {"requirePartitionFilter", false},
                             {"timePartitioning", {{"type", "DAY"}}},
                             {"defaultCollation", ""},
                             {"tableConstraints", Json::object()}};
  TableInfo restored;
  // The restore's own label is no difference, nor is the place of the filter's member.
  restored.resource = {{"labels", {{"team", "sales"}, {std::string(kRestoreLabel), "0123-4567"}}},
                       {"timePartitioning", {{"type", "DAY"}, {"requirePartitionFilter", false}}}};
  EXPECT_THAT(CompareDefinitions(restored, manifest), IsEmpty());
}

Json NumberedLabels(size_t count) {
  Json labels = Json::object();
  for (size_t i = 10; i < 10 + count; ++i) labels["l" + std::to_string(i)] = std::to_string(i);
  return labels;
}

TEST(DropIfEmpty, TakesAwayNothingThatHoldsRowsOrIsOfAnother) {
  constexpr const char* kMine = "0123abcd-1";
  const struct {
    const char* what;
    const char* label;  // empty: none
    int64_t rows;
    int64_t streaming;
    bool is_dropped;
  } cases[] = {{"empty and mine", kMine, 0, 0, true},
               {"with a row", kMine, 1, 0, false},
               {"with a row that streams in", kMine, 0, 1, false},
               {"of another restore", "0123abcd-2", 0, 0, false},
               {"of nobody's restore", "", 0, 0, false}};
  for (const auto& [what, label, rows, streaming, is_dropped] : cases) {
    SimFixture fixture;
    Json extra = Json::object();
    if (*label != 0) extra = {{"labels", {{std::string(kRestoreLabel), label}}}};
    fixture.cloud().AddTable(kFirst, TwoColumns(), NumberedRows(1, rows), extra);
    if (streaming != 0) fixture.cloud().StreamRows(kFirst, NumberedRows(1, streaming));
    const OwnedTable owned{.table = fixture.cloud().warehouse().GetTable(kFirst).value(),
                           .restore_id = kMine};
    const auto dropped = DropIfEmpty(fixture.restore_services(), owned);
    ASSERT_TRUE(dropped.ok()) << what;
    EXPECT_EQ(*dropped, is_dropped) << what;
    EXPECT_EQ(fixture.cloud().HasTable(kFirst), !is_dropped) << what;
  }
}

TEST(TargetResource, HasAsManyLabelsAsATableMayHaveAndTheRestoresAmongThem) {
  for (const size_t count : {kTableLabelsMax - 1, kTableLabelsMax}) {
    const Json saved = {{"labels", NumberedLabels(count)}};
    const Json resource = TargetResource(saved, "0123-4567");
    EXPECT_EQ(resource["labels"].size(), kTableLabelsMax);
    EXPECT_EQ(resource["labels"][std::string(kRestoreLabel)], "0123-4567");
    EXPECT_THAT(LabelsLeftOut(saved), SizeIs(count == kTableLabelsMax ? 1 : 0));
  }
  // A source that was once left unfinished has the same label itself.
  Json labels = NumberedLabels(kTableLabelsMax - 1);
  labels[std::string(kRestoreLabel)] = "of old";
  EXPECT_THAT(LabelsLeftOut({{"labels", labels}}), SizeIs(0));
}

TEST(Apply, GivesATableAllOfItsLabelsBackAlthoughItHasNoRoomForAnother) {
  const Json labels = NumberedLabels(kTableLabelsMax);
  for (const bool killed : {false, true}) {
    SimFixture fixture;
    AddTwo(fixture);
    fixture.cloud().warehouse().UpdateTable(kSecond, {{"labels", labels}}).value();
    ASSERT_TRUE(fixture.BackUp().ok());
    const RestoreRequest request = ToBack(kSales);
    if (killed) {
      DieInTheMiddle(fixture, request);
      const auto filled = fixture.cloud().warehouse().GetTable(Back(kSecond));
      ASSERT_TRUE(filled.ok());
      EXPECT_EQ(filled->resource["labels"].size(), kTableLabelsMax);
      EXPECT_FALSE(RestoreLabelOf(*filled).empty());
    }
    const auto report = Restore(fixture, request);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_TRUE(report->Succeeded()) << report->tables[1].error->message;
    const auto restored = fixture.cloud().warehouse().GetTable(Back(kSecond));
    ASSERT_TRUE(restored.ok());
    EXPECT_EQ(restored->resource["labels"], labels);
  }
}

TEST(CompareDefinitions, MissesTheLabelThatMadeRoomOnlyOnceTheTargetIsReleased) {
  Manifest manifest;
  manifest.table_resource = {{"labels", NumberedLabels(kTableLabelsMax)}};
  TableInfo restored;
  restored.resource = TargetResource(manifest.table_resource, "0123-4567");
  EXPECT_THAT(CompareDefinitions(restored, manifest), IsEmpty());
  restored.resource["labels"].erase(std::string(kRestoreLabel));
  EXPECT_THAT(CompareDefinitions(restored, manifest), ElementsAre(HasSubstr("is null, was")));
}

TEST(RequestKeyOfLabel, IsEmptyForLabelsOfOthers) {
  EXPECT_EQ(RequestKeyOfLabel("0123abcd-99"), "0123abcd");
  EXPECT_EQ(RequestKeyOfLabel(""), "");
  EXPECT_EQ(RequestKeyOfLabel("theirs"), "");
  EXPECT_EQ(RequestKeyOfLabel("the-irs"), "");
}

}  // namespace
}  // namespace holdfast::restore
