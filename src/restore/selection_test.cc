// What is selected from the backups of real runs on the simulated cloud.
#include "restore/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restore/unfinished.h"
#include "tests/support/restore_fixture.h"

namespace holdfast::restore {
namespace {

using testing::HasSubstr;
using testing_support::AddTwo;
using testing_support::kDays;
using testing_support::kFirst;
using testing_support::kSales;
using testing_support::kSecond;
using testing_support::NumberedRows;
using testing_support::Of;
using testing_support::SimFixture;

void AddDays(SimFixture& fixture) {
  fixture.cloud().AddTable(
      kDays, {{{.name = "day", .type = FieldType::kDate}}},
      {Json{{"day", "2026-01-01"}}, Json{{"day", "2026-01-02"}}, Json{{"day", "2026-01-02"}}},
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
}

BackupPolicy Only(const std::string& pattern) {
  BackupPolicy policy;
  policy.scope.include = {pattern};
  return policy;
}

// "sales.t1:10 sales.t2:20": objects and rows, in order; the dataset itself is always there.
std::string Chosen(const Selection& selection) {
  std::map<TableRef, int64_t> rows;
  for (const SelectedBackup& chosen : selection.backups) {
    if (chosen.record.kind == ObjectKind::kDataset) continue;
    EXPECT_TRUE(rows.emplace(chosen.record.object, chosen.record.rows).second);
  }
  std::string text;
  for (const auto& [object, count] : rows) {
    text += (text.empty() ? "" : " ") + object.table +
            (object.partition.empty() ? "" : "$" + object.partition) + ":" + std::to_string(count);
  }
  return text;
}

std::string ChosenNow(SimFixture& fixture, const TableRef& source) {
  const auto selection = Select(fixture.catalog(), Of(source), fixture.clock().Now());
  return selection.ok() ? Chosen(*selection) : selection.error().message;
}

std::string NoteOf(const Selection& selection, const TableRef& object) {
  for (const SelectedBackup& chosen : selection.backups) {
    if (chosen.record.object == object) return chosen.note;
  }
  return "not selected";
}

// A run that had no quota left for a table told that it is there, and not what is in it.
TEST(Select, TakesTheBackupBeforeOfWhatTheLastRunCarried) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const holdfast::Run run{.id = "20990101T000000Z-aaaaaaaa",
                          .started_ms = ToUnixMillis(fixture.clock().Now()) + 1000};
  ASSERT_TRUE(fixture.catalog().BeginRun(run).ok());
  const auto second = catalog::LatestGood(fixture.catalog(), kSecond).value();
  const std::vector<ItemOutcome> items = {
      {.object = kFirst, .outcome = Outcome::kCarried, .reason = "no quota is left"},
      {.object = kSecond, .outcome = Outcome::kUnchanged, .backup = second->backup}};
  ASSERT_TRUE(
      fixture.catalog().CompleteTask(TaskId(StartBackupProcess{.run = run.id}), {}, items).ok());
  ASSERT_TRUE(fixture.catalog().FinishRun(run.id, run.started_ms + 10).ok());
  const auto selection = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "t1:10 t2:20");
  EXPECT_THAT(NoteOf(*selection, kFirst), HasSubstr("no quota is left"));
}

TEST(Select, TakesTheWholeDatasetAfterARunOfOneTable) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 5));
  ASSERT_TRUE(fixture.BackUp(Only("acme-shop.sales.t1")).ok());
  EXPECT_EQ(ChosenNow(fixture, kSales), "t1:15 t2:20");
}

TEST(Select, TakesThePartitionsOfATableThatTheLastRunCouldNotRead) {
  SimFixture fixture;
  AddDays(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().AppendRows(kDays, {Json{{"day", "2026-01-03"}}});
  fixture.cloud().faults().DenyAccess(kDays.ToString());
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto selection = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "days$20260101:1 days$20260102:2");
  EXPECT_THAT(NoteOf(*selection, kDays.WithPartition("20260101")), HasSubstr("could not read"));
}

TEST(Select, TakesTablesOfADatasetThatTheLastRunCouldNotList) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().faults().DenyAccess("acme-shop.sales");
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_EQ(ChosenNow(fixture, kSales), "t1:10 t2:20");
}

TEST(Select, ListsATableThatHasNoBackupAsMissing) {
  SimFixture fixture;
  AddTwo(fixture);
  fixture.cloud().faults().DenyAccess(kSecond.ToString());
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto selection = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "t1:10");
  ASSERT_EQ(selection->missing.size(), 1u);
  EXPECT_EQ(selection->missing[0].object, kSecond);
  EXPECT_FALSE(selection->missing[0].unsupported);
  const auto plan = MakePlan(Of(kSales), *selection);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->ToJson()["missing"][0]["object"], kSecond.ToString());
  // Alone it is an error that says why.
  const auto alone = Select(fixture.catalog(), Of(kSecond), fixture.clock().Now());
  ASSERT_FALSE(alone.ok());
  EXPECT_EQ(alone.error().id, ErrorId::kNothingToRestore);
  EXPECT_THAT(alone.error().message, HasSubstr("could not back it up"));
}

TEST(Select, LeavesOutATableThatWasDroppedButGivesItBackWhenItIsNamed) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DropTable(kSecond);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto dataset = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(Chosen(*dataset), "t1:10");
  EXPECT_THAT(dataset->notes, testing::ElementsAre(testing::AllOf(
                                  HasSubstr("1 table, deleted at the source"), HasSubstr("t2"))));
  const auto named = Select(fixture.catalog(), Of(kSecond), fixture.clock().Now());
  ASSERT_TRUE(named.ok()) << named.error().message;
  EXPECT_EQ(Chosen(*named), "t2:20");
  EXPECT_THAT(named->notes.at(0), HasSubstr("was gone"));
}

TEST(Select, TellsOfTheTableThatASnapshotTookTheNameOf) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DropTable(kSecond);
  fixture.cloud().AddTable(kSecond, testing_support::TwoColumns(), {}, {{"type", "SNAPSHOT"}});
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto dataset = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  ASSERT_EQ(dataset->missing.size(), 1U);
  EXPECT_THAT(dataset->missing[0].reason, HasSubstr("a table of that name was there before"));
  const auto named = Select(fixture.catalog(), Of(kSecond), fixture.clock().Now());
  ASSERT_FALSE(named.ok());
  EXPECT_THAT(named.error().message, HasSubstr("--as-of TIME"));
}

TEST(Select, GivesADatasetBackAsItLastWasWhenAllOfItIsGone) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DropTable(kFirst);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DropTable(kSecond);
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_EQ(ChosenNow(fixture, kSales), "t2:20");
}

TEST(Select, PassesOverASuspectBackupForTheGoodOneBefore) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().ReplaceRows(kFirst, {});
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto selection = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "t1:10 t2:20");
  EXPECT_THAT(NoteOf(*selection, kFirst), HasSubstr("is suspect: rows fell from 10 to 0"));
  EXPECT_THAT(NoteOf(*selection, kFirst), HasSubstr("; using "));
  EXPECT_EQ(NoteOf(*selection, kSecond), "");
}

TEST(Select, SaysWhichPartitionsItLeavesOut) {
  SimFixture fixture;
  AddTwo(fixture);
  AddDays(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().DeletePartition(kDays.WithPartition("20260102"));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto selection = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "days$20260101:1 t1:10 t2:20");
  EXPECT_THAT(selection->notes,
              testing::ElementsAre(testing::AllOf(
                  HasSubstr("days: not restored: 1 partition with 2 rows"), HasSubstr("--as-of"))));
  // Nobody who asks for one partition, or restores it by name, is told of the others.
  EXPECT_THAT(
      Select(fixture.catalog(), Of(kDays.WithPartition("20260102")), fixture.clock().Now())->notes,
      testing::Each(testing::Not(HasSubstr("not restored"))));
}

TEST(Select, PassesOverADamagedBackupForTheGoodOneBefore) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 1));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto newest = catalog::LatestGood(fixture.catalog(), kFirst);
  ASSERT_TRUE(newest.ok() && *newest);
  ASSERT_TRUE(
      fixture.catalog()
          .RecordVerification(
              {.backup = (*newest)->backup, .at_ms = 1, .level = VerifyLevel::kL1, .passed = false})
          .ok());
  const auto selection = Select(fixture.catalog(), Of(kFirst), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "t1:10");
  EXPECT_THAT(NoteOf(*selection, kFirst), HasSubstr("is damaged"));

  RestoreRequest named = Of(kFirst);
  named.backup = (*newest)->backup;
  const auto by_id = Select(fixture.catalog(), named, fixture.clock().Now());
  ASSERT_TRUE(by_id.ok()) << by_id.error().message;
  EXPECT_EQ(Chosen(*by_id), "t1:11");
  EXPECT_THAT(NoteOf(*by_id, kFirst), HasSubstr("is damaged"));
}

TEST(Select, DoesNotTakeTheOnlyBackupWhenItIsDamaged) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto only = catalog::LatestGood(fixture.catalog(), kFirst);
  ASSERT_TRUE(
      fixture.catalog()
          .RecordVerification(
              {.backup = (*only)->backup, .at_ms = 1, .level = VerifyLevel::kL1, .passed = false})
          .ok());
  const auto selection = Select(fixture.catalog(), Of(kFirst), fixture.clock().Now());
  ASSERT_FALSE(selection.ok());
  EXPECT_THAT(selection.error().message, HasSubstr("damaged"));
  EXPECT_THAT(selection.error().hint, HasSubstr("--backup"));
}

TEST(Select, TakesNothingThatWasReadAfterTheTime) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const int64_t then = ToUnixMillis(fixture.clock().Now());
  fixture.clock().Advance(std::chrono::hours{1});
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 5));
  fixture.cloud().DropTable(kSecond);
  ASSERT_TRUE(fixture.BackUp().ok());
  RestoreRequest request = Of(kSales);
  request.as_of_ms = then;
  const auto selection = Select(fixture.catalog(), request, fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "t1:10 t2:20");
}

// The run began before the time, and came to one of its tables after it.
TEST(Select, TakesOfARunThatWasUnderWayAtTheTimeOnlyWhatItHadReadByThen) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::hours{1});
  fixture.cloud().AppendRows(kFirst, NumberedRows(11, 5));
  fixture.cloud().AppendRows(kSecond, NumberedRows(21, 5));
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto first = catalog::LatestGood(fixture.catalog(), kFirst).value().value();
  const auto second = catalog::LatestGood(fixture.catalog(), kSecond).value().value();
  ASSERT_LT(first.consistent_through_ms, second.consistent_through_ms);
  RestoreRequest request = Of(kSales);
  for (const bool had_read_both : {false, true}) {
    request.as_of_ms = second.consistent_through_ms - (had_read_both ? 0 : 1);
    const auto selection = Select(fixture.catalog(), request, fixture.clock().Now());
    ASSERT_TRUE(selection.ok()) << selection.error().message;
    EXPECT_EQ(Chosen(*selection), had_read_both ? "t1:15 t2:25" : "t1:15 t2:20");
    if (!had_read_both) {
      EXPECT_THAT(NoteOf(*selection, kSecond), HasSubstr("after that time"));
    }
  }
}

TEST(Select, TakesANamedBackupOnlyForWhatItIsOf) {
  SimFixture fixture;
  AddTwo(fixture);
  AddDays(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto whole = catalog::LatestGood(fixture.catalog(), kFirst);
  const TableRef day = kDays.WithPartition("20260102");
  const auto partition = catalog::LatestGood(fixture.catalog(), day);
  ASSERT_TRUE(*whole && *partition);
  struct Asked {
    TableRef source;
    std::string backup;
    bool taken;
  };
  const std::vector<Asked> cases = {
      {kFirst, (*whole)->backup, true},
      {{}, (*whole)->backup, true},
      {day, (*partition)->backup, true},
      {kSecond, (*whole)->backup, false},
      {kSales, (*whole)->backup, false},
      {kDays, (*partition)->backup, false},
      {{}, (*partition)->backup, false},
      {kDays.WithPartition("20260101"), (*partition)->backup, false},
      {kFirst.WithPartition("1"), (*whole)->backup, false},
  };
  for (const Asked& asked : cases) {
    RestoreRequest request = Of(asked.source);
    request.backup = asked.backup;
    const auto selection = Select(fixture.catalog(), request, fixture.clock().Now());
    EXPECT_EQ(selection.ok(), asked.taken) << asked.source.ToString();
    if (selection.ok()) continue;
    EXPECT_EQ(selection.error().id, ErrorId::kUsage);
    EXPECT_THAT(selection.error().hint, HasSubstr(asked.backup));
  }
}

// A backup like the newest of `like`, made an hour later by a run that never finished.
catalog::BackupRecord OfAKilledRun(SimFixture& fixture, const TableRef& like,
                                   const TableRef& object, int64_t rows) {
  constexpr int64_t kHourMs = 3'600'000;
  catalog::BackupRecord record = **catalog::LatestGood(fixture.catalog(), like);
  record.object = object;
  record.backup = "20991231T000000Z-" + std::to_string(100'000'000'000 + rows);
  record.run = "killed";
  record.created_ms += kHourMs;
  record.consistent_through_ms += kHourMs;
  record.rows = rows;
  return record;
}

TEST(Select, TakesNewerBackupsOfARunThatNeverFinished) {
  SimFixture fixture;
  AddDays(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const TableRef first = kDays.WithPartition("20260101");
  const TableRef third = kDays.WithPartition("20260103");
  for (const auto& record :
       {OfAKilledRun(fixture, first, first, 7), OfAKilledRun(fixture, first, third, 4)}) {
    ASSERT_TRUE(fixture.catalog().RecordBackup(record).ok());
  }
  const auto selection = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "days$20260101:7 days$20260102:2 days$20260103:4");
  EXPECT_THAT(NoteOf(*selection, first), HasSubstr("had not finished"));
  EXPECT_THAT(NoteOf(*selection, third), HasSubstr("had not finished"));
  EXPECT_EQ(NoteOf(*selection, kDays.WithPartition("20260102")), "");
  // A run that looks after that decides again: there is no such partition.
  fixture.clock().Advance(std::chrono::hours{2});
  ASSERT_TRUE(fixture.BackUp().ok());
  EXPECT_THAT(ChosenNow(fixture, kSales), testing::Not(HasSubstr("20260103")));
}

TEST(Select, TakesOfARunThatNeverFinishedOnlyWhatIsGoodAndFits) {
  SimFixture fixture;
  AddDays(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  const TableRef first = kDays.WithPartition("20260101");
  catalog::BackupRecord suspect = OfAKilledRun(fixture, first, first, 7);
  suspect.suspect = "rows fell";
  ASSERT_TRUE(fixture.catalog().RecordBackup(suspect).ok());
  ASSERT_TRUE(fixture.catalog().RecordBackup(OfAKilledRun(fixture, first, kDays, 9)).ok());
  const auto selection = Select(fixture.catalog(), Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "days$20260101:1 days$20260102:2");
  EXPECT_THAT(selection->notes, testing::Contains(HasSubstr("otherwise")));
}

TEST(Select, WithoutRunsTakesTheNewestGoodBackupOfEach) {
  SimFixture fixture;
  AddTwo(fixture);
  ASSERT_TRUE(fixture.BackUp().ok());
  // As after the index was rebuilt from manifests: the backups are known, the runs are not.
  auto rebuilt = catalog::SqliteCatalog::Open(":memory:").value();
  const auto page = fixture.catalog().FindBackups({}, "");
  for (const auto& record : page->items) ASSERT_TRUE(rebuilt->RecordBackup(record).ok());
  const auto selection = Select(*rebuilt, Of(kSales), fixture.clock().Now());
  ASSERT_TRUE(selection.ok()) << selection.error().message;
  EXPECT_EQ(Chosen(*selection), "t1:10 t2:20");
  EXPECT_THAT(selection->notes.at(0), HasSubstr("no finished run"));
}

TEST(ValidateRequest, NamesTheFormThatATargetMustHave) {
  struct Asked {
    RestoreRequest request;
    std::string hint;
  };
  std::vector<Asked> cases(5);
  cases[0].request.to_dataset = "bad-name";
  cases[0].hint = "--to-dataset sales_rescued";
  cases[1].request.to_table = "a.b";
  cases[1].hint = "--to-table orders_rescued";
  cases[2].request.to_project = "Acme";
  cases[2].hint = "--to-project acme-restore";
  cases[3].request.backup = "b";
  cases[3].request.as_of_ms = 1;
  cases[3].hint = "not both";
  cases[4].request.to_table = "one";
  cases[4].hint = "Name one table";
  for (size_t i = 0; i < cases.size(); ++i) {
    RestoreRequest& request = cases[i].request;
    request.source = i == 1 ? kFirst : kSales;
    const Status valid = ValidateRequest(request);
    ASSERT_FALSE(valid.ok()) << i;
    EXPECT_EQ(valid.error().id, i < 3 ? ErrorId::kInvalidName : ErrorId::kUsage) << i;
    EXPECT_THAT(valid.error().hint, HasSubstr(cases[i].hint)) << i;
  }
  EXPECT_TRUE(ValidateRequest(Of(kSales)).ok());
}

}  // namespace
}  // namespace holdfast::restore
