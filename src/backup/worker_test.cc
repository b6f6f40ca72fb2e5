// Several workers on one bus, each with the stages that it was given.
#include "backup/worker.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::ItemOf;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

constexpr const char* kWorkedRun = "20270101T000000Z-00000001";

class WorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kTables; ++i) {
      fixture_.cloud().AddTable({"acme-shop", "sales", "w" + std::to_string(i), ""}, TwoColumns(),
                                NumberedRows(1, 3));
    }
    holdfast::Run run;
    run.id = kWorkedRun;
    run.started_ms = ToUnixMillis(fixture_.clock().Now());
    ASSERT_TRUE(EnsureBus(setup_).ok());
    ASSERT_TRUE(fixture_.catalog().BeginRun(run).ok());
    ASSERT_TRUE(PublishPending(setup_, fixture_.catalog(), run.id).ok());
  }

  catalog::RunProgress Progress() { return fixture_.catalog().GetProgress(kWorkedRun).value(); }

  static constexpr int kTables = 9;
  SimFixture fixture_;
  const BusSetup setup_{.bus = fixture_.cloud().bus(), .project = "platform"};
  const Services services_ = fixture_.services();
};

TEST_F(WorkerTest, ManyDoEverythingOnceAndLoseNothing) {
  std::vector<Worker> workers;
  for (const Stage stage : {Stage::kProjects, Stage::kScan, Stage::kScan, Stage::kBackup,
                            Stage::kBackup, Stage::kBackup}) {
    workers.emplace_back(setup_, services_, std::vector{stage});
  }
  for (int round = 0; round < 200 && !Progress().IsComplete(); ++round) {
    // What is on its way comes a second time to whoever is next.
    if (round % 5 == 4) {
      ASSERT_TRUE(PublishPending(setup_, fixture_.catalog(), kWorkedRun).ok());
    }
    for (Worker& worker : workers) ASSERT_TRUE(worker.RunOnce(Duration{0}).ok());
  }
  const catalog::RunProgress progress = Progress();
  EXPECT_TRUE(progress.IsComplete());
  EXPECT_EQ(progress.totals.objects, kTables + 1);
  EXPECT_EQ(progress.totals.Of(Outcome::kBackedUp), kTables + 1);
  EXPECT_EQ(fixture_.cloud().JobsStarted("extract"), kTables);
  EXPECT_EQ(fixture_.catalog().FindBackups({}, "")->items.size(), size_t{kTables + 1});
}

TEST_F(WorkerTest, OneServesTheStagesItWasGivenAndNoOther) {
  Worker without_backup(setup_, services_, {Stage::kScan, Stage::kProjects});
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(without_backup.RunOnce(Duration{0}).ok());
  }
  EXPECT_EQ(Progress().tasks_pending, kTables + 1) << "every backup is asked for, none was made";
  EXPECT_EQ(fixture_.cloud().JobsStarted("extract"), 0);
  Worker backup(setup_, services_, {Stage::kBackup});
  for (int round = 0; round < 50; ++round) ASSERT_TRUE(backup.RunOnce(Duration{0}).ok());
  EXPECT_TRUE(Progress().IsComplete());
}

TEST_F(WorkerTest, AMessageThatComesTwiceBringsBackWhatFollowsFromItAlone) {
  Worker all(setup_, services_);
  int rounds = 0;
  while (Progress().tasks_pending < kTables) {
    ASSERT_TRUE(all.RunOnce(Duration{0}).ok());
    ASSERT_LT(++rounds, 50);
  }
  // The first message again: what follows from it is done, so nothing comes of it.
  ASSERT_TRUE(PublishWork(setup_, {StartBackupProcess{kWorkedRun}}).ok());
  Worker projects(setup_, services_, {Stage::kProjects});
  ASSERT_TRUE(projects.RunOnce(Duration{0}).ok());
  const int64_t pending = Progress().tasks_pending;
  int handled = 0;
  Worker backup(setup_, services_, {Stage::kBackup});
  for (int round = 0; round < 100; ++round) handled += backup.RunOnce(Duration{0}).value();
  EXPECT_EQ(handled, pending);
}

// The attempts of a table end when it cannot be read any more; what an earlier one has saved is
// told as saved.
TEST_F(WorkerTest, TellsWhatWasSavedBeforeATableCouldNotBeFinished) {
  const TableRef events{"acme-shop", "events", "clicks", ""};
  fixture_.cloud().AddTable(events, {{{.name = "day", .type = FieldType::kDate}}},
                            {{{"day", "2026-01-01"}}, {{"day", "2026-01-02"}}},
                            {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  Worker scan(setup_, services_, {Stage::kProjects, Stage::kScan});
  for (int round = 0; round < 50; ++round) ASSERT_TRUE(scan.RunOnce(Duration{0}).ok());
  Worker backup(setup_, services_, {Stage::kBackup});
  while (
      fixture_.catalog().FindBackups({.dataset = "events", .table = "clicks"}, "")->items.empty()) {
    fixture_.cloud().faults().FailJobs("extract", "backendError", 1);
    ASSERT_EQ(backup.RunOnce(Duration{0}).value(), 1);
  }
  fixture_.cloud().faults().DenyAccess("acme-shop.events");
  for (int round = 0; round < 50; ++round) ASSERT_TRUE(backup.RunOnce(Duration{0}).ok());
  ASSERT_TRUE(Progress().IsComplete());
  std::map<Outcome, std::vector<ItemOutcome>> outcomes;
  const auto page = fixture_.catalog().ListOutcomes(kWorkedRun, "");
  for (const ItemOutcome& item : page->items) {
    if (item.object.table == events.table) outcomes[item.outcome].push_back(item);
  }
  ASSERT_EQ(outcomes[Outcome::kFailed].size(), 1U);
  ASSERT_EQ(outcomes[Outcome::kBackedUp].size(), 1U);
  const ItemOutcome& saved = outcomes[Outcome::kBackedUp].front();
  EXPECT_TRUE(catalog::GetBackup(fixture_.catalog(), saved.backup).ok());
  EXPECT_EQ(saved.rows, 1);
}

// Made anew, divided by day, between its scan and its backup: as a whole it is not there any more.
TEST_F(WorkerTest, BacksUpNothingOfATableThatWasDividedOtherwiseSinceItsScan) {
  const TableRef table{"acme-shop", "sales", "w0", ""};
  Worker scan(setup_, services_, {Stage::kProjects, Stage::kScan});
  for (int round = 0; round < 50; ++round) ASSERT_TRUE(scan.RunOnce(Duration{0}).ok());
  fixture_.cloud().DropTable(table);
  fixture_.cloud().AddTable(table, {{{.name = "day", .type = FieldType::kDate}}},
                            {{{"day", "2026-01-01"}}},
                            {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  Worker backup(setup_, services_, {Stage::kBackup});
  for (int round = 0; round < 50; ++round) ASSERT_TRUE(backup.RunOnce(Duration{0}).ok());
  ASSERT_TRUE(Progress().IsComplete());
  EXPECT_EQ(Progress().totals.Of(Outcome::kVanished), 1);
  EXPECT_TRUE(
      fixture_.catalog().FindBackups({.dataset = "sales", .table = "w0"}, "")->items.empty());
  // The next run takes it as it is divided now.
  EXPECT_EQ(ItemOf(fixture_.BackUp().value(), table.WithPartition("20260101")).outcome,
            Outcome::kBackedUp);
}

TEST(Stage, IsFoundByItsName) {
  EXPECT_EQ(FindStage("scan"), Stage::kScan);
  EXPECT_EQ(FindStage("projects"), Stage::kProjects);
  EXPECT_EQ(FindStage("backup"), Stage::kBackup);
  EXPECT_EQ(FindStage("scna"), std::nullopt);
}

}  // namespace
}  // namespace holdfast::backup
