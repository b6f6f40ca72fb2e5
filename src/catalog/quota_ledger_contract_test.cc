// What every catalog promises as a ledger of quotas, over each kind of them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "catalog/catalog.h"
#include "model/work_message.h"
#include "tests/support/catalog_places.h"

namespace holdfast::catalog {
namespace {

constexpr int64_t kDay = int64_t{24} * 60 * 60 * 1000;
constexpr int64_t kToday = 20'000 * kDay;
const TableRef kWaiting{"acme", "sales", "orders", ""};

class QuotaLedgerContract : public testing_support::OverEachCatalog {};

TEST_P(QuotaLedgerContract, CountsAKeyOnce) {
  const QuotaUse use{.key = "t/1", .project = "p", .amounts = {1, 700, 0, 0}};
  ASSERT_TRUE(catalog_->CountUse(kToday, {use}).ok());
  ASSERT_TRUE(catalog_->CountUse(kToday, {use}).ok());
  ASSERT_TRUE(catalog_->CountUse(kToday + kDay, {use}).ok());
  EXPECT_EQ(catalog_->UsedOn(kToday).value(),
            (std::map<std::string, QuotaAmounts>{{"p", {1, 700, 0, 0}}}));
  EXPECT_TRUE(catalog_->UsedOn(kToday + kDay)->empty());
}

TEST_P(QuotaLedgerContract, AddsUpByProjectAndDay) {
  ASSERT_TRUE(catalog_
                  ->CountUse(kToday, {{.key = "a/1", .project = "p", .amounts = {0, 0, 2, 0}},
                                      {.key = "a/1", .project = "q", .amounts = {0, 0, 3, 3}},
                                      {.key = "b/1", .project = "p", .amounts = {1, 5, 0, 0}}})
                  .ok());
  ASSERT_TRUE(catalog_->CountUse(kToday + kDay, {{.key = "c/1", .project = "p"}}).ok());
  const auto used = catalog_->UsedOn(kToday);
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(used->at("p"), (QuotaAmounts{1, 5, 2, 0}));
  EXPECT_EQ(used->at("q"), (QuotaAmounts{0, 0, 3, 3}));
}

TEST_P(QuotaLedgerContract, KnowsAKeyEvenIfItUsedNothing) {
  EXPECT_FALSE(catalog_->IsCounted("used-up/r/p/copy").value());
  ASSERT_TRUE(catalog_->CountUse(kToday, {{.key = "used-up/r/p/copy", .project = "p"}}).ok());
  EXPECT_TRUE(catalog_->IsCounted("used-up/r/p/copy").value());
}

TEST_P(QuotaLedgerContract, ForgetsWhatIsOld) {
  ASSERT_TRUE(catalog_->CountUse(kToday, {{.key = "old", .project = "p"}}).ok());
  ASSERT_TRUE(catalog_->CountUse(kToday + 30 * kDay, {{.key = "new", .project = "p"}}).ok());
  EXPECT_TRUE(catalog_->IsCounted("old").value());
  ASSERT_TRUE(catalog_->CountUse(kToday + 31 * kDay, {}).ok());
  EXPECT_FALSE(catalog_->IsCounted("old").value());
  EXPECT_TRUE(catalog_->IsCounted("new").value());
}

constexpr size_t kCopies = static_cast<size_t>(Quota::kCopyJobs);

QuotaUse Copies(const std::string& key, int64_t copies, const std::string& project = "p") {
  QuotaUse use{.key = key, .project = project};
  use.amounts[kCopies] = copies;
  return use;
}

QuotaLimits CopyLimit(int64_t copies) {
  return QuotaLimits::FromJson({{"copy_jobs_per_day", copies}}).value();
}

TEST_P(QuotaLedgerContract, ReservesWhatTheDayHasRoomFor) {
  using Keys = std::vector<std::string>;
  const QuotaLimits limits = CopyLimit(5);
  ASSERT_TRUE(catalog_->CountUse(kToday, {Copies("before", 2)}).ok());
  EXPECT_EQ(catalog_->ReserveUse(kToday, {Copies("a", 2), Copies("b", 2), Copies("c", 1)}, limits)
                .value(),
            Keys{"b"})
      << "what is small enough goes on";
  EXPECT_EQ(catalog_->UsedOn(kToday)->at("p")[kCopies], 5);
  EXPECT_EQ(catalog_->ReserveUse(kToday, {Copies("a", 2), Copies("d", 1)}, limits).value(),
            Keys{"d"})
      << "what is reserved stays so";
  EXPECT_EQ(catalog_->ReserveUse(kToday, {Copies("q", 5, "q")}, limits).value(), Keys{})
      << "of another project";
  EXPECT_EQ(catalog_->ReserveUse(kToday + kDay, {Copies("d", 5)}, limits).value(), Keys{})
      << "the next day has its own";
  EXPECT_EQ(catalog_->ReserveUse(kToday, {Copies("e", 0)}, limits).value(), Keys{});
}

TEST_P(QuotaLedgerContract, ReservesAllOfAKeyOrNothing) {
  const QuotaLimits limits = CopyLimit(5);
  ASSERT_TRUE(catalog_->CountUse(kToday, {Copies("before", 4, "q")}).ok());
  EXPECT_EQ(
      catalog_->ReserveUse(kToday, {Copies("a", 2, "p"), Copies("a", 2, "q")}, limits).value(),
      std::vector<std::string>{"a"});
  EXPECT_FALSE(catalog_->IsCounted("a").value());
  EXPECT_FALSE(catalog_->UsedOn(kToday)->contains("p"));
}

TEST_P(QuotaLedgerContract, ManyWhoReserveAtOnceNeverPassTheLimit) {
  constexpr int kThreads = 4;
  constexpr int kUses = 12;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto catalog = Open();
      for (int i = 0; i < kUses; ++i) {
        const auto answer = catalog->ReserveUse(
            kToday, {Copies(std::to_string(t) + "/" + std::to_string(i), 1)}, CopyLimit(30));
        ASSERT_TRUE(answer.ok()) << answer.error().message;
        refused += static_cast<int>(answer->size());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(catalog_->UsedOn(kToday)->at("p")[kCopies], 30);
  EXPECT_EQ(refused, kThreads * kUses - 30);
}

TEST_P(QuotaLedgerContract, RemembersSinceWhenATableWaits) {
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), std::nullopt);
  ASSERT_TRUE(catalog_->NoteWaiting({kWaiting}, kToday).ok());
  ASSERT_TRUE(catalog_->NoteWaiting({kWaiting}, kToday + 20 * kDay).ok());
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), kToday);
  // Heard of 20 days ago: not forgotten yet, but 11 days later.
  const TableRef other{"acme", "sales", "other", ""};
  ASSERT_TRUE(catalog_->NoteWaiting({other}, kToday + 40 * kDay).ok());
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), kToday);
  ASSERT_TRUE(catalog_->NoteWaiting({other}, kToday + 51 * kDay).ok());
  EXPECT_EQ(catalog_->WaitingSince(kWaiting).value(), std::nullopt);
  EXPECT_EQ(catalog_->WaitingSince(other).value(), kToday + 40 * kDay);
  ASSERT_TRUE(catalog_->NoteServed({other}).ok());
  EXPECT_EQ(catalog_->WaitingSince(other).value(), std::nullopt);
}

TEST_P(QuotaLedgerContract, KnowsWhetherARunStillLooksForWork) {
  const holdfast::Run run{.id = "r1"};
  ASSERT_TRUE(catalog_->BeginRun(run).ok());
  EXPECT_TRUE(catalog_->IsLookingForWork("r1").value());
  const WorkMessage check =
      CheckProjectTables{.run = "r1", .project_to_check = "acme", .folders = {}, .labels = {}};
  ASSERT_TRUE(catalog_->CompleteTask(TaskId(StartBackupProcess{"r1"}), {check}, {}).ok());
  EXPECT_TRUE(catalog_->IsLookingForWork("r1").value());
  const WorkMessage backup = RunBackup{
      .run = "r1", .table_to_backup = kWaiting, .method = Method::kCopy, .units = {BackupUnit{}}};
  ASSERT_TRUE(catalog_->CompleteTask(TaskId(check), {backup}, {}).ok());
  EXPECT_FALSE(catalog_->IsLookingForWork("r1").value());
}

TEST_P(QuotaLedgerContract, WhatManyCountAtOnceIsCountedOnce) {
  constexpr int kUses = 20;
  std::vector<QuotaUse> uses;
  std::vector<TableRef> tables;
  for (int i = 0; i < kUses; ++i) {
    uses.push_back({.key = "t/" + std::to_string(i), .project = "p", .amounts = {1, 10, 0, 0}});
    tables.push_back({"acme", "sales", "t" + std::to_string(i), ""});
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {  // half of them in the other order
      const auto catalog = Open();
      const bool turned = t % 2 != 0;
      const auto mine = turned ? std::vector(uses.rbegin(), uses.rend()) : uses;
      const auto waiting = turned ? std::vector(tables.rbegin(), tables.rend()) : tables;
      EXPECT_TRUE(catalog->CountUse(kToday, mine).ok());
      EXPECT_TRUE(catalog->NoteWaiting(waiting, kToday).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(catalog_->UsedOn(kToday)->at("p"), (QuotaAmounts{kUses, 10 * kUses, 0, 0}));
  for (const TableRef& table : tables) EXPECT_EQ(*catalog_->WaitingSince(table), kToday);
}

INSTANTIATE_TEST_SUITE_P(Kinds, QuotaLedgerContract,
                         testing::ValuesIn(testing_support::kCatalogKinds),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace holdfast::catalog
