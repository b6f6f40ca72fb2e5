#include "cli/status_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "catalog/sqlite_catalog.h"
#include "cli/status_text.h"

namespace holdfast::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Scope kWhole{.include = {}, .exclude = {"acme-restore"}};
const Scope kOrdersOnly{.include = {"acme-shop.sales.orders"}, .exclude = {"acme-restore"}};

TableRef Sales(const std::string& table, const std::string& partition = "") {
  return {"acme-shop", "sales", table, partition};
}

class StatusTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "status-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                 std::to_string(getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    auto catalog = catalog::SqliteCatalog::Open(directory_ + "/catalog.sqlite");
    ASSERT_TRUE(catalog.ok()) << catalog.error().ToString();
    catalog_ = std::move(*catalog);
  }
  void TearDown() override {
    catalog_.reset();
    std::filesystem::remove_all(directory_);
  }

  // A backup made at `at_ms`, of 10 rows.
  void AddBackup(const TableRef& object, int64_t at_ms, const std::string& suspect = "") {
    catalog::BackupRecord record;
    record.backup = "b" + std::to_string(at_ms) + "-" + object.table + object.partition;
    record.object = object;
    record.run = "r";
    record.created_ms = at_ms;
    record.consistent_through_ms = at_ms;
    record.rows = 10;
    record.stored_bytes = 100;
    record.suspect = suspect;
    ASSERT_TRUE(catalog_->RecordBackup(record).ok());
  }

  void Damage(const TableRef& object, int64_t at_ms) {
    const std::string backup = "b" + std::to_string(at_ms) + "-" + object.table + object.partition;
    ASSERT_TRUE(catalog_
                    ->RecordVerification({.backup = backup,
                                          .at_ms = at_ms + 1,
                                          .level = VerifyLevel::kL1,
                                          .passed = false,
                                          .detail = "x"})
                    .ok());
  }

  void AddRun(const std::string& id, int64_t started_ms, const Scope& scope,
              const std::vector<ItemOutcome>& outcomes, bool finished = true) {
    holdfast::Run run{.id = id, .started_ms = started_ms, .policy = {}};
    run.policy.scope = scope;
    ASSERT_TRUE(catalog_->BeginRun(run).ok());
    if (!finished) return;
    ASSERT_TRUE(catalog_->CompleteTask(TaskId(StartBackupProcess{.run = id}), {}, outcomes).ok());
    ASSERT_TRUE(catalog_->FinishRun(id, started_ms + 1).ok());
  }

  StatusSummary Summarize() {
    auto summary = SummarizeStatus(*catalog_, kWhole);
    EXPECT_TRUE(summary.ok()) << summary.error().ToString();
    return *std::move(summary);
  }

  std::string Print(Format format) {
    std::ostringstream out;
    PrintStatus(out, format, Summarize(), "a cloud");
    return out.str();
  }

  std::string directory_;
  std::unique_ptr<catalog::SqliteCatalog> catalog_;
};

ItemOutcome Of(const TableRef& object, Outcome outcome, bool suspect = false) {
  return {.object = object,
          .outcome = outcome,
          .error_id = outcome == Outcome::kFailed ? "B0001" : "",
          .suspect = suspect};
}

TEST_F(StatusTest, CountsAndNamesWhatIsSuspectDamagedOrWithoutAGoodBackup) {
  AddBackup(Sales("good"), 1'000);
  AddBackup(Sales("shrank"), 1'000);
  AddBackup(Sales("shrank"), 2'000, "rows went from 10 to 1");
  AddBackup(Sales("broken"), 1'000);
  Damage(Sales("broken"), 1'000);
  AddRun("r1", 500, kWhole,
         {Of(Sales("good"), Outcome::kBackedUp), Of(Sales("shrank"), Outcome::kBackedUp, true),
          Of(Sales("broken"), Outcome::kBackedUp), Of(Sales("never"), Outcome::kFailed)});

  const StatusSummary summary = Summarize();
  EXPECT_THAT(summary.suspect.first, ElementsAre("acme-shop.sales.shrank"));
  EXPECT_THAT(summary.damaged.first, ElementsAre("acme-shop.sales.broken"));
  EXPECT_THAT(summary.without_good_backup.first,
              ElementsAre("acme-shop.sales.broken", "acme-shop.sales.never"));
  EXPECT_EQ(summary.deleted.count, 0);

  const ProjectStatus& shop = summary.projects.at("acme-shop");
  EXPECT_EQ(shop.objects, 4) << "what is not protected stays in the denominator";
  EXPECT_EQ(shop.rows, 20) << "of the good ones, the older one of what shrank";
  EXPECT_EQ(shop.oldest_ms, 1'000);
  EXPECT_EQ(shop.suspect, 1);
  EXPECT_EQ(shop.damaged, 1);
  EXPECT_EQ(shop.without_good_backup, 2);
  EXPECT_EQ(summary.last_run->suspect, 1);
  EXPECT_THAT(summary.last_run->failed.first, ElementsAre("acme-shop.sales.never"));
}

TEST_F(StatusTest, TellsOfDamageOfAnOlderBackupAndOfWhatIsGoneWithMostRows) {
  AddBackup(Sales("older"), 1'000);
  Damage(Sales("older"), 1'000);
  AddBackup(Sales("older"), 2'000);
  AddBackup(Sales("daily", "20260101"), 1'000);
  AddBackup(Sales("daily", "20260102"), 1'000);
  AddRun("r1", 3'000, kWhole,
         {Of(Sales("daily", "20260101"), Outcome::kVanished, true),
          Of(Sales("daily", "20260102"), Outcome::kUnchanged),
          Of(Sales("odd"), Outcome::kUnsupported), Of(Sales("older"), Outcome::kUnchanged)});
  const StatusSummary summary = Summarize();
  EXPECT_THAT(summary.damaged.first, ElementsAre("acme-shop.sales.older"));
  EXPECT_THAT(summary.suspect.first, ElementsAre("acme-shop.sales.daily$20260101"));
  EXPECT_THAT(summary.lost.first, ElementsAre("acme-shop.sales.daily$20260101"));
  EXPECT_THAT(summary.unsupported.first, ElementsAre("acme-shop.sales.odd"));
  EXPECT_EQ(summary.projects.at("acme-shop").suspect, 1);
  EXPECT_EQ(summary.without_good_backup.count, 0);
  const std::string text = Print(Format::kPretty);
  EXPECT_THAT(text, HasSubstr("GONE with most rows of their table: 1: "));
  EXPECT_THAT(text, HasSubstr("NOT PROTECTED, of a kind that is not backed up: 1 object\n"));
}

TEST_F(StatusTest, NamesWhatIsReadFromCopiesAndWhatWasAccepted) {
  AddBackup(Sales("orders"), 1'000);
  AddBackup(Sales("daily", "20260101"), 1'000);
  ItemOutcome lost = Of(Sales("daily", "20260101"), Outcome::kVanished, true);
  lost.lost_ms = 2'000;
  AddRun("r1", 2'000, kWhole, {lost, Of(Sales("orders"), Outcome::kUnchanged)});
  const auto backup = catalog_->FindBackups({.table = "orders"}, "").value().items.at(0).backup;
  ASSERT_TRUE(catalog_
                  ->RecordCopy({Sales("orders"), backup, "first", "", catalog::CopyState::kLeft,
                                VerifyLevel::kNone, 2'000, ""})
                  .ok());
  EXPECT_THAT(Summarize().from_copies.first, ElementsAre("acme-shop.sales.orders"));
  EXPECT_EQ(Summarize().lost.count, 1);
  EXPECT_THAT(Print(Format::kPretty),
              HasSubstr("read from its COPY: a backup of: 1: acme-shop.sales.orders\n"));
  ASSERT_TRUE(
      catalog_->RecordAcceptance({Sales("daily", "20260101"), "", 3'000, "a", "meant", false})
          .ok());
  EXPECT_EQ(Summarize().lost.count, 0);
  EXPECT_EQ(Summarize().suspect.count, 0);
  EXPECT_THAT(Summarize().accepted.first, ElementsAre("acme-shop.sales.daily$20260101"));
  EXPECT_THAT(Print(Format::kPretty), HasSubstr("Lost, and ACCEPTED: 1: acme-shop.sales.daily$"));
}

TEST_F(StatusTest, TellsWhatWasDeletedFromWhatCouldNotBeSeen) {
  for (const char* table : {"dropped", "kept", "locked", "shaped"}) AddBackup(Sales(table), 1'000);
  AddBackup({"acme-bank", "ledger", "book", ""}, 1'000);
  AddBackup({"acme-restore", "copies", "orders", ""}, 1'000);
  AddBackup({"acme-shop", "hr", "people", ""}, 1'000);
  AddBackup(Sales("kept", "20260101"), 1'000);
  AddBackup(Sales("vanished"), 1'000);
  AddRun("r2", 2'000, kWhole,
         {Of({"acme-bank", "", "", ""}, Outcome::kFailed),
          Of({"acme-shop", "hr", "", ""}, Outcome::kFailed), Of(Sales("kept"), Outcome::kUnchanged),
          Of(Sales("locked"), Outcome::kFailed), Of(Sales("shaped", "1"), Outcome::kBackedUp),
          Of(Sales("vanished"), Outcome::kVanished)});
  AddBackup(Sales("younger"), 3'000);  // than the run, which cannot have seen it

  const StatusSummary summary = Summarize();
  EXPECT_THAT(summary.deleted.first,
              ElementsAre("acme-shop.sales.dropped", "acme-shop.sales.kept$20260101",
                          "acme-shop.sales.vanished"));
  EXPECT_THAT(summary.last_run->failed.first,
              ElementsAre("acme-bank", "acme-shop.hr", "acme-shop.sales.locked"));
}

TEST_F(StatusTest, ARunThatSawNothingDeletesNothing) {
  AddBackup(Sales("orders"), 1'000);
  AddRun("r2", 2'000, kWhole, {Of({"organizations/1", "", "", ""}, Outcome::kFailed)});
  EXPECT_EQ(Summarize().deleted.count, 0);
}

TEST_F(StatusTest, ANarrowRunDoesNotHideTheFailuresOfTheWholeOne) {
  AddRun("r1", 1'000, kWhole,
         {Of(Sales("mended"), Outcome::kFailed), Of(Sales("orders"), Outcome::kBackedUp),
          Of(Sales("people"), Outcome::kFailed)});
  AddBackup(Sales("orders"), 1'000);
  AddBackup(Sales("mended"), 2'500);
  AddRun("r2", 2'000, kOrdersOnly, {Of(Sales("orders"), Outcome::kFailed)});

  const StatusSummary summary = Summarize();
  EXPECT_EQ(summary.last_run->run.id, "r2");
  EXPECT_FALSE(summary.last_run->whole_scope);
  EXPECT_THAT(summary.last_run->failed.first, ElementsAre("acme-shop.sales.orders"));
  ASSERT_TRUE(summary.last_whole_run);
  EXPECT_EQ(summary.last_whole_run->run.id, "r1");
  EXPECT_THAT(summary.last_whole_run->failed.first, ElementsAre("acme-shop.sales.people"))
      << "what was backed up since is mended";

  const std::string text = Print(Format::kPretty);
  EXPECT_THAT(text, HasSubstr("only over acme-shop.sales.orders but acme-restore"));
  EXPECT_THAT(text, HasSubstr("FAILED in it: 1: acme-shop.sales.orders\n"));
  EXPECT_THAT(text, HasSubstr("not backed up since: 1: acme-shop.sales.people\n"));
  EXPECT_THAT(text, HasSubstr("WITHOUT A GOOD BACKUP: 1: acme-shop.sales.people\n"));
}

TEST_F(StatusTest, WithoutAWholeRunItSaysWhatItCannotKnow) {
  AddBackup(Sales("orders"), 1'000);
  AddRun("r1", 1'000, kOrdersOnly, {Of(Sales("orders"), Outcome::kBackedUp)});
  EXPECT_THAT(Print(Format::kPretty), HasSubstr("No run over the whole scope has finished"));
  EXPECT_EQ(Summarize().deleted.count, 0);
}

TEST_F(StatusTest, NamesFiveAndCountsTheRest) {
  std::vector<ItemOutcome> outcomes;
  for (int i = 0; i < 2'500; ++i) {  // more than two pages
    outcomes.push_back(Of(Sales("t" + std::to_string(10'000 + i)), Outcome::kFailed));
  }
  AddRun("r1", 1'000, kWhole, outcomes);
  const StatusSummary summary = Summarize();
  EXPECT_EQ(summary.last_run->failed.count, 2'500);
  EXPECT_EQ(summary.last_run->failed.first.size(), kStatusNamesMax);
  EXPECT_EQ(summary.without_good_backup.count, 2'500);
  EXPECT_THAT(Print(Format::kPretty), HasSubstr("acme-shop.sales.t10004 and 2,495 more\n"));
}

TEST_F(StatusTest, JsonHasEveryCountAsANumberAndTablesHaveARowForEachProject) {
  AddBackup(Sales("orders"), 1'000, "it shrank");
  AddBackup({"acme-bank", "ledger", "book", ""}, 1'000);
  AddRun("r1", 500, kWhole,
         {Of({"acme-bank", "ledger", "book", ""}, Outcome::kBackedUp),
          Of(Sales("orders"), Outcome::kBackedUp, true)});

  const auto json = ParseJson(Print(Format::kJson));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["suspect"], Json({{"count", 1}, {"first", {"acme-shop.sales.orders"}}}));
  EXPECT_EQ((*json)["damaged"]["count"], 0);
  EXPECT_EQ((*json)["last_run"]["whole_scope"], true);
  EXPECT_EQ((*json)["last_run"]["scope"]["exclude"], Json::array({"acme-restore"}));
  EXPECT_EQ((*json)["projects"][0]["rows"], 10);
  EXPECT_EQ((*json)["projects"][1]["oldest_recovery_point"], Json());

  EXPECT_EQ(Print(Format::kCsv),
            "project,objects,rows,bytes,verified,suspect,damaged,without_good_backup,deleted,"
            "oldest_recovery_point\n"
            "acme-bank,1,10,100,0,0,0,0,0,1970-01-01T00:00:01Z\n"
            "acme-shop,1,0,0,0,1,0,1,0,\n");
  EXPECT_THAT(Print(Format::kValue), testing::StartsWith("acme-bank\t1\t10\t100\t"));
}

TEST_F(StatusTest, ARunThatIsNotFinishedIsNotCalledInterrupted) {
  AddRun("r1", 1'000, kWhole, {}, false);
  const std::string text = Print(Format::kPretty);
  EXPECT_THAT(text, HasSubstr("Last run: r1 running"));
  EXPECT_THAT(text, HasSubstr("Not finished, 0 of 1 task done: if no process is running it, "
                              "`holdfast backup run` goes on with it."));
  EXPECT_THAT(text, Not(HasSubstr("nterrupted")));
}

TEST_F(StatusTest, AnEmptyCatalogNamesTheWayBackToo) {
  const std::string text = Print(Format::kPretty);
  EXPECT_THAT(text, HasSubstr("holdfast backup run"));
  EXPECT_THAT(text, HasSubstr("holdfast catalog rebuild"));
}

TEST_F(StatusTest, ACatalogWithNothingButAFailedRunNamesTheWayBackToo) {
  AddRun("r1", 1'000, kWhole, {Of({"organization", "", "", ""}, Outcome::kFailed)});
  EXPECT_THAT(Print(Format::kPretty), HasSubstr("holdfast catalog rebuild"));
}

TEST_F(StatusTest, ARebuiltCatalogWithoutRunsStillShowsItsBackups) {
  AddBackup(Sales("orders"), 1'000);
  const std::string text = Print(Format::kPretty);
  EXPECT_THAT(text, HasSubstr("acme-shop"));
  EXPECT_THAT(text, Not(HasSubstr("No backups are known")));
}

}  // namespace
}  // namespace holdfast::cli
