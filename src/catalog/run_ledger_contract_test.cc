// What every catalog promises as a ledger of runs, over each kind of them.
#include <gtest/gtest.h>

#include <thread>

#include "catalog/catalog.h"
#include "tests/support/catalog_places.h"

namespace holdfast::catalog {
namespace {

class RunLedgerContract : public testing_support::OverEachCatalog {};

Run SomeRun(const std::string& id, int64_t started_ms) {
  return {.id = id, .started_ms = started_ms};
}

ItemOutcome Item(const std::string& table, Outcome outcome, int64_t rows) {
  return {.object = {"p", "d", table, ""}, .outcome = outcome, .rows = rows, .bytes = rows};
}

TEST_P(RunLedgerContract, ARunGoesThroughItsTasks) {
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  auto pending = catalog_->PendingTasks("r1", "");
  ASSERT_EQ(pending->items.size(), 1);
  const std::string start = pending->items[0].id;
  const std::vector<WorkMessage> follow_ups = {CheckProjectTables{"r1", "pa"},
                                               CheckProjectTables{"r1", "pb"}};
  ASSERT_TRUE(catalog_->CompleteTask(start, follow_ups, {}).ok());
  ASSERT_TRUE(catalog_->CompleteTask(start, {CheckProjectTables{"r1", "pc"}}, {}).ok());
  pending = catalog_->PendingTasks("r1", "");
  ASSERT_EQ(pending->items.size(), 2) << "a task that is done adds nothing";
  EXPECT_EQ(catalog_->FinishRun("r1", 50).error().id, ErrorId::kRunNotComplete);

  const std::vector<ItemOutcome> items = {Item("a", Outcome::kBackedUp, 5),
                                          Item("b", Outcome::kFailed, 0)};
  ASSERT_TRUE(catalog_->CompleteTask(pending->items[0].id, {}, items).ok());
  ASSERT_TRUE(
      catalog_->CompleteTask(pending->items[1].id, {}, {Item("a", Outcome::kFailed, 9)}).ok());
  const auto progress = catalog_->GetProgress("r1");
  EXPECT_TRUE(progress->IsComplete());
  EXPECT_EQ(progress->tasks_done, 3);
  EXPECT_EQ(progress->totals.objects, 2) << "an object keeps its first outcome";
  EXPECT_EQ(progress->totals.Of(Outcome::kBackedUp), 1);
  EXPECT_EQ(progress->totals.rows, 5);
  const auto outcomes = catalog_->ListOutcomes("r1", "");
  ASSERT_EQ(outcomes->items.size(), 2);
  EXPECT_EQ(MakeRunReport({}, outcomes->items).totals, progress->totals);

  ASSERT_TRUE(catalog_->FinishRun("r1", 50).ok());
  ASSERT_TRUE(catalog_->FinishRun("r1", 60).ok());
  EXPECT_EQ(catalog_->GetRun("r1")->finished_ms, 50);
  EXPECT_EQ(catalog_->GetRun("r1")->state, RunState::kFinished);
}

TEST_P(RunLedgerContract, ATaskThatIsDoneNamesWhatFollowsFromItAlone) {
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  const std::string start = TaskId(StartBackupProcess{"r1"});
  const CheckProjectTables first{"r1", "pa"};
  const CheckProjectTables second{"r1", "pb"};
  const CheckProjectTables below{"r1", "pc"};
  ASSERT_TRUE(catalog_->CompleteTask(start, {first, second}, {}).ok());
  ASSERT_TRUE(catalog_->CompleteTask(TaskId(first), {below, second}, {}).ok());
  const auto ids = [&](const std::string& task) {
    std::vector<std::string> found;
    const auto page = catalog_->PendingFollowUps(task, "").value();
    for (const Task& pending : page.items) found.push_back(pending.id);
    return found;
  };
  EXPECT_EQ(ids(start), std::vector{TaskId(second)});
  EXPECT_EQ(ids(TaskId(first)), std::vector{TaskId(below)});
  EXPECT_EQ(ids(TaskId(below)), std::vector<std::string>());
  EXPECT_EQ(catalog_->PendingFollowUps("t9", "").error().id, ErrorId::kTaskNotFound);
  EXPECT_EQ(catalog_->GetProgress("r1")->tasks_pending, 2);
}

TEST_P(RunLedgerContract, OutcomesOfNoTaskTakeTheOlderOnesPlaceUntilTheRunIsFinished) {
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  ASSERT_TRUE(
      catalog_
          ->CompleteTask(TaskId(StartBackupProcess{"r1"}), {}, {Item("a", Outcome::kBackedUp, 5)})
          .ok());
  for (int time = 1; time <= 2; ++time) {
    ASSERT_TRUE(catalog_
                    ->RecordOutcomes("r1", {Item("a", Outcome::kUnsupported, 2),
                                            Item("b", Outcome::kVanished, 0)})
                    .ok());
  }
  const RunTotals totals = catalog_->GetProgress("r1")->totals;
  EXPECT_EQ(totals, MakeRunReport({}, catalog_->ListOutcomes("r1", "")->items).totals);
  EXPECT_EQ(totals.objects, 2);
  EXPECT_EQ(totals.rows, 2);
  ASSERT_TRUE(catalog_->FinishRun("r1", 50).ok());
  ASSERT_TRUE(catalog_->RecordOutcomes("r1", {Item("c", Outcome::kFailed, 0)}).ok());
  EXPECT_EQ(catalog_->GetProgress("r1")->totals.objects, 2);
}

TEST_P(RunLedgerContract, WhatIsUnknownIsToldApart) {
  EXPECT_EQ(catalog_->GetRun("r9").error().id, ErrorId::kRunNotFound);
  EXPECT_EQ(catalog_->PendingTasks("r9", "").error().id, ErrorId::kRunNotFound);
  EXPECT_EQ(catalog_->GetProgress("r9").error().id, ErrorId::kRunNotFound);
  EXPECT_EQ(catalog_->GetTask("t9").error().id, ErrorId::kTaskNotFound);
  EXPECT_EQ(catalog_->AdvanceAttempt("t9", 1).error().id, ErrorId::kTaskNotFound);
  EXPECT_EQ(catalog_->CompleteTask("t9", {}, {}).error().id, ErrorId::kTaskNotFound);
}

TEST_P(RunLedgerContract, TellsWhenARunLastFoundAnObject) {
  const auto run = [&](const std::string& id, int64_t at_ms, std::vector<ItemOutcome> items) {
    ASSERT_TRUE(catalog_->BeginRun(SomeRun(id, at_ms)).ok());
    const std::string task = catalog_->PendingTasks(id, "")->items[0].id;
    ASSERT_TRUE(catalog_->CompleteTask(task, {}, items).ok());
  };
  run("r1", 10, {Item("a", Outcome::kBackedUp, 5), Item("b", Outcome::kUnchanged, 0)});
  run("r2", 20, {Item("a", Outcome::kFailed, 0), Item("b", Outcome::kVanished, 0)});
  run("r3", 30, {});
  EXPECT_EQ(*catalog_->LastSeen(Item("a", Outcome::kFailed, 0).object), 20);
  EXPECT_EQ(*catalog_->LastSeen(Item("b", Outcome::kFailed, 0).object), 10);
  EXPECT_EQ(*catalog_->LastSeen(Item("c", Outcome::kFailed, 0).object), std::nullopt);
}

TEST_P(RunLedgerContract, AnAttemptAdvancesOncePerFailure) {
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  const std::string task = catalog_->PendingTasks("r1", "")->items[0].id;
  EXPECT_EQ(catalog_->GetTask(task)->attempt, 1);
  EXPECT_EQ(*catalog_->AdvanceAttempt(task, 1), 2);
  EXPECT_EQ(*catalog_->AdvanceAttempt(task, 1), 2) << "told twice of the same failure";
  EXPECT_EQ(*catalog_->AdvanceAttempt(task, 2), 3);
}

TEST_P(RunLedgerContract, TheOldestUnfinishedRunIsGoneOnWith) {
  EXPECT_FALSE(UnfinishedRun(*catalog_)->has_value());
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r2", 20)).ok());
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  EXPECT_EQ((*UnfinishedRun(*catalog_))->id, "r1");
  EXPECT_EQ(catalog_->ListRuns(false, "")->items.front().id, "r2");
  const std::string task = catalog_->PendingTasks("r1", "")->items[0].id;
  ASSERT_TRUE(catalog_->CompleteTask(task, {}, {}).ok());
  ASSERT_TRUE(catalog_->FinishRun("r1", 30).ok());
  EXPECT_EQ((*UnfinishedRun(*catalog_))->id, "r2");
  EXPECT_EQ(catalog_->ListRuns(false, "")->items.size(), 2);
}

TEST_P(RunLedgerContract, ATaskThatTwoCompleteAtOnceIsCompletedByOne) {
  constexpr int kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    const std::string run = "r" + std::to_string(round);
    ASSERT_TRUE(catalog_->BeginRun({.id = run, .started_ms = round}).ok());
    const std::string task = catalog_->PendingTasks(run, "")->items[0].id;
    std::vector<std::thread> threads;
    for (const char* project : {"pa", "pb", "pc"}) {
      threads.emplace_back([&, project] {
        const Status done = Open()->CompleteTask(task, {CheckProjectTables{run, project}}, {});
        EXPECT_TRUE(done.ok()) << done.error().ToString();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(catalog_->PendingTasks(run, "")->items.size(), 1);
  }
}

TEST_P(RunLedgerContract, TasksOfOneObjectThatAreCompletedAtOnceAllCount) {
  constexpr int kRounds = 20;
  const std::vector<Method> methods = {Method::kExport, Method::kSnapshot, Method::kCopy};
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  std::vector<WorkMessage> tasks;
  for (size_t i = 0; i < methods.size() * kRounds; ++i) {
    tasks.push_back(CheckProjectTables{"r1", "p" + std::to_string(i)});
  }
  ASSERT_TRUE(catalog_->CompleteTask(TaskId(StartBackupProcess{"r1"}), tasks, {}).ok());
  std::vector<std::thread> threads;
  for (size_t m = 0; m < methods.size(); ++m) {
    threads.emplace_back([&, m] {
      const auto catalog = Open();
      for (size_t round = 0; round < kRounds; ++round) {
        ItemOutcome item = Item("t" + std::to_string(round), Outcome::kBackedUp, 5);
        item.method = methods[m];
        const std::string task = TaskId(tasks[round * methods.size() + m]);
        EXPECT_TRUE(catalog->NoteAlive(task, static_cast<int64_t>(100 * m + round)).ok());
        const Status done =
            catalog->CompleteTask(task, {}, {item, Item("all", Outcome::kUnchanged, 1)});
        EXPECT_TRUE(done.ok()) << done.error().ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto outcomes = catalog_->ListOutcomes("r1", "");
  ASSERT_EQ(outcomes->items.size(), kRounds + 1);
  for (const ItemOutcome& item : outcomes->items) {
    EXPECT_EQ(item.by_method.size(), item.object.table == "all" ? 0 : methods.size());
  }
  const auto progress = catalog_->GetProgress("r1");
  EXPECT_TRUE(progress->IsComplete());
  EXPECT_EQ(progress->tasks_done, 1 + methods.size() * kRounds);
  EXPECT_EQ(progress->alive_ms, 100 * 2 + kRounds - 1) << "the latest sign of life";
  EXPECT_EQ(progress->totals, MakeRunReport({}, outcomes->items).totals);
  EXPECT_EQ(progress->totals.rows, 5 * methods.size() * kRounds + 1);
}

TEST_P(RunLedgerContract, FindsTheOutcomesOfOneDatasetOrTableAndThoseOfNone) {
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  std::vector<ItemOutcome> items;
  for (const char* name : {"p.d.t", "p.d.t$20260101", "p.d.u", "p.d2.t", "p2.d.t"}) {
    ItemOutcome item = Item("t", Outcome::kBackedUp, 1);
    item.object = ParseTableRef(name).value();
    items.push_back(item);
  }
  for (const TableRef& above : {TableRef{"p", "d", "", ""}, TableRef{"folders/7", "", "", ""}}) {
    ItemOutcome item = Item("t", Outcome::kFailed, 0);
    item.object = above;
    items.push_back(item);
  }
  ASSERT_TRUE(catalog_->RecordOutcomes("r1", items).ok());
  const auto names = [&](const OutcomeFilter& filter) {
    std::string text;
    const auto page = catalog_->FindOutcomes("r1", filter, "").value();
    for (const ItemOutcome& item : page.items) {
      text += item.object.ToString() + " ";
    }
    return text;
  };
  EXPECT_EQ(names({.project = "p", .dataset = "d", .table = "t"}), "p.d.t p.d.t$20260101 ");
  EXPECT_EQ(names({.project = "p", .dataset = "d2"}), "p.d2.t ");
  const auto above = catalog_->FindOutcomes("r1", {.above_tables = true}, "");
  ASSERT_EQ(above->items.size(), 2u);
  EXPECT_EQ(above->items[0].object.project, "folders/7");
  EXPECT_EQ(above->items[1].object.dataset, "d");
  EXPECT_EQ(catalog_->FindOutcomes("r1", {}, "")->items.size(), items.size());
}

TEST_P(RunLedgerContract, AFinishedRunTakesNoOutcomeHoweverManyWriteAtOnce) {
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    const std::string run = "r" + std::to_string(round);
    ASSERT_TRUE(catalog_->BeginRun(SomeRun(run, round)).ok());
    ASSERT_TRUE(catalog_->CompleteTask(TaskId(StartBackupProcess{run}), {}, {}).ok());
    std::vector<std::thread> threads;
    for (const int64_t rows : {1, 2, 3}) {
      threads.emplace_back([&, rows] {
        const auto catalog = Open();
        EXPECT_TRUE(catalog->RecordOutcomes(run, {Item("a", Outcome::kBackedUp, rows)}).ok());
        EXPECT_TRUE(catalog->FinishRun(run, rows).ok());
        const RunTotals seen = catalog->GetProgress(run)->totals;
        EXPECT_EQ(catalog_->GetProgress(run)->totals, seen) << "it stays as it was finished";
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto items = catalog_->ListOutcomes(run, "")->items;
    EXPECT_EQ(catalog_->GetProgress(run)->totals, MakeRunReport({}, items).totals);
  }
}

TEST_P(RunLedgerContract, ThreadsShareOneCatalog) {
  ASSERT_TRUE(catalog_->BeginRun(SomeRun("r1", 10)).ok());
  std::vector<WorkMessage> work;
  for (int i = 0; i < 40; ++i) work.push_back(CheckProjectTables{"r1", "p" + std::to_string(i)});
  const std::string start = catalog_->PendingTasks("r1", "")->items[0].id;
  ASSERT_TRUE(catalog_->CompleteTask(start, work, {}).ok());
  std::vector<std::thread> workers;
  for (int w = 0; w < 4; ++w) {
    workers.emplace_back([&] {  // each completes every task: a message that comes four times
      for (const WorkMessage& message : work) {
        const std::string name = std::get<CheckProjectTables>(message).project_to_check;
        const Status done =
            catalog_->CompleteTask(TaskId(message), {}, {Item(name, Outcome::kBackedUp, 1)});
        EXPECT_TRUE(done.ok());
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(catalog_->GetProgress("r1")->totals.rows, 40);
  EXPECT_TRUE(catalog_->GetProgress("r1")->IsComplete());
}

INSTANTIATE_TEST_SUITE_P(Kinds, RunLedgerContract,
                         testing::ValuesIn(testing_support::kCatalogKinds),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace holdfast::catalog
