#include "backup/deleted.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::kOrders;

const TableRef kDaily{"acme-shop", "sales", "daily", ""};

ItemOutcome Item(const TableRef& object, Outcome outcome) {
  return {.object = object, .outcome = outcome, .backup = "b"};
}

TEST(FindDeleted, NamesWhatWasThereAndIsNot) {
  const auto deleted =
      FindDeleted({Item(kDaily, Outcome::kBackedUp), Item(kOrders, Outcome::kUnchanged)},
                  {Item(kDaily, Outcome::kUnchanged)}, {});
  ASSERT_EQ(deleted.size(), 1u);
  EXPECT_EQ(deleted[0].object, kOrders);
  EXPECT_EQ(deleted[0].outcome, Outcome::kVanished);
}

TEST(FindDeleted, DoesNotCallATableDeletedThatHasPartitionsNow) {
  const auto deleted =
      FindDeleted({Item(kDaily, Outcome::kBackedUp)},
                  {Item(kDaily.WithPartition("20260101"), Outcome::kBackedUp)}, {});
  ASSERT_EQ(deleted.size(), 1u);
  EXPECT_THAT(deleted[0].reason, testing::HasSubstr("has partitions now"));
}

TEST(FindDeleted, SaysNothingOfThePartitionsOfATableThatWasNotSeen) {
  const TableRef first = kDaily.WithPartition("20260101");
  const std::vector<ItemOutcome> before = {
      Item(first, Outcome::kBackedUp), Item(kDaily.WithPartition("20260102"), Outcome::kUnchanged),
      Item(kOrders, Outcome::kBackedUp)};
  for (const Outcome unseen : {Outcome::kFailed, Outcome::kExcluded, Outcome::kNotDue}) {
    const auto deleted =
        FindDeleted(before, {Item(kDaily, unseen), Item(kOrders, Outcome::kUnchanged)}, {});
    EXPECT_TRUE(deleted.empty()) << OutcomeName(unseen);
  }
  // Nor of those that are not told of where one of them failed.
  EXPECT_TRUE(
      FindDeleted(before, {Item(first, Outcome::kFailed), Item(kOrders, Outcome::kUnchanged)}, {})
          .empty());
}

TEST(FindDeleted, SaysNothingOfWhatCouldNotBeLookedAt) {
  const std::vector<ItemOutcome> before = {Item(kOrders, Outcome::kBackedUp)};
  EXPECT_TRUE(FindDeleted(before, {Item({.project = "acme-shop"}, Outcome::kFailed)}, {}).empty());
  EXPECT_TRUE(FindDeleted(before,
                          {Item({.project = "acme-shop", .dataset = "sales"}, Outcome::kFailed),
                           Item(kDaily, Outcome::kUnchanged)},
                          {})
                  .empty());
  EXPECT_TRUE(FindDeleted(before, {}, {.include = {"other"}, .exclude = {}}).empty());
  EXPECT_TRUE(FindDeleted({Item(kOrders, Outcome::kVanished)}, {}, {}).empty());
}

// Ten days of twenty rows, of which those from `first` to `last` are there.
sim::Rows Days(int first, int last) {
  sim::Rows rows;
  for (int day = first; day <= last; ++day) {
    for (int i = 0; i < 20; ++i) {
      rows.push_back({{"day", fmt::format("2026-01-{:02}", day)}, {"n", i}});
    }
  }
  return rows;
}

class LostPartitions : public testing::Test {
 protected:
  LostPartitions() {
    fixture_.cloud().AddTable(
        kDaily,
        {{{.name = "day", .type = FieldType::kDate}, {.name = "n", .type = FieldType::kInt64}}},
        Days(1, 20), {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  }

  // The partitions that the next run tells of as vanished: "20260101 suspect".
  std::vector<std::string> BackUp() {
    const RunReport report = fixture_.BackUp().value();
    std::vector<std::string> gone;
    for (const ItemOutcome& item : report.items) {
      if (item.outcome != Outcome::kVanished) continue;
      gone.push_back(item.object.partition.substr(6) + (item.suspect ? " suspect" : "") +
                     (IsLoss(item) && !item.suspect ? " accepted" : ""));
    }
    return gone;
  }

  void Accept(int day) {
    ASSERT_TRUE(
        fixture_.catalog()
            .RecordAcceptance({.object = kDaily.WithPartition(fmt::format("202601{:02}", day)),
                               .backup = {},
                               .at_ms = ToUnixMillis(fixture_.clock().Now()),
                               .actor = "cli:ada",
                               .reason = "meant so"})
            .ok());
  }

  testing_support::SimFixture fixture_;
};

TEST_F(LostPartitions, AreJudgedApartFromThoseThatGoLater) {
  using testing::ElementsAre;
  EXPECT_THAT(BackUp(), ElementsAre());
  fixture_.cloud().ReplaceRows(kDaily, Days(12, 20));
  const auto lost = BackUp();
  ASSERT_EQ(lost.size(), 11U);
  EXPECT_EQ(lost.front(), "01 suspect");
  // Expired: one of nine.
  fixture_.cloud().ReplaceRows(kDaily, Days(13, 20));
  auto later = BackUp();
  ASSERT_EQ(later.size(), 12U);
  EXPECT_EQ(later.back(), "12") << "told once, and no part of the loss";
  later.pop_back();
  EXPECT_EQ(later, lost);
  EXPECT_EQ(BackUp(), lost);
  // A second loss is one of its own.
  fixture_.cloud().ReplaceRows(kDaily, Days(20, 20));
  EXPECT_EQ(BackUp().size(), 11U + 7U);
}

TEST_F(LostPartitions, AreNotSuspectOnceTheyAreAcceptedUntilTheyAreLostAnew) {
  using testing::ElementsAre;
  BackUp();
  fixture_.cloud().ReplaceRows(kDaily, Days(4, 6));
  ASSERT_EQ(BackUp().size(), 17U);
  for (int day = 1; day <= 20; ++day) Accept(day);
  EXPECT_THAT(BackUp(), testing::Each(testing::HasSubstr("accepted")));
  EXPECT_EQ(BackUp().size(), 17U) << "told, so that it can be taken back";
  fixture_.cloud().ReplaceRows(kDaily, Days(1, 20));
  EXPECT_THAT(BackUp(), ElementsAre());
  fixture_.cloud().ReplaceRows(kDaily, Days(4, 6));
  const auto again = BackUp();
  EXPECT_EQ(again.size(), 17U);
  EXPECT_THAT(again, testing::Each(testing::HasSubstr("suspect")));
}

// Whatever could not be looked at in between: what was seen before counts.
TEST(RecordDeleted, IsNotMisledByARunThatCouldNotLook) {
  using testing_support::NumberedRows;
  using testing_support::TwoColumns;
  for (const char* denied : {"acme-shop", "acme-shop.sales", "organizations/1"}) {
    testing_support::SimFixture fixture;
    const TableRef kept{"acme-shop", "sales", "kept", ""};
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
    fixture.cloud().AddTable(kept, TwoColumns(), NumberedRows(1, 10));
    const auto vanished = [&] {
      const auto report = fixture.BackUp();
      std::vector<std::string> gone;
      if (!report.ok()) return gone;
      for (const ItemOutcome& item : report->items) {
        if (item.outcome == Outcome::kVanished) gone.push_back(item.object.table);
      }
      return gone;
    };
    vanished();
    fixture.cloud().faults().DenyAccess(denied);
    fixture.cloud().DropTable(kOrders);
    EXPECT_THAT(vanished(), testing::ElementsAre()) << denied;
    EXPECT_THAT(vanished(), testing::ElementsAre()) << denied;
    fixture.cloud().faults().AllowAccess(denied);
    EXPECT_THAT(vanished(), testing::ElementsAre("orders")) << denied;
    EXPECT_THAT(vanished(), testing::ElementsAre()) << "told once";
  }
}

// Of the partitions of a table that could not be looked at, too.
TEST_F(LostPartitions, AreFoundBehindARunThatCouldNotLookAtTheTable) {
  BackUp();
  fixture_.cloud().faults().DenyAccess("acme-shop.sales.daily");
  EXPECT_THAT(BackUp(), testing::ElementsAre());
  fixture_.cloud().ReplaceRows(kDaily, Days(19, 20));
  fixture_.cloud().faults().AllowAccess("acme-shop.sales.daily");
  EXPECT_EQ(BackUp().size(), 18U);
}

// One of several days: each is told of where the runs before tell of it, whoever's scope it was.
TEST(RecordDeleted, ReadsRunsSideBySideAndMayBeDoneAgain) {
  testing_support::SimFixture fixture;
  using testing_support::NumberedRows;
  using testing_support::TwoColumns;
  std::vector<TableRef> tables;
  for (int i = 0; i < 30; ++i) {
    tables.push_back({"acme-shop", i % 2 == 0 ? "sales" : "stock", "t" + std::to_string(i), ""});
    fixture.cloud().AddTable(tables.back(), TwoColumns(), NumberedRows(1, 1));
  }
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  BackupPolicy narrow;
  narrow.scope.include = {"acme-shop.stock"};
  fixture.cloud().DropTable(tables[1]);
  ASSERT_TRUE(fixture.BackUp(narrow).ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  for (const int gone : {0, 3, 29}) fixture.cloud().DropTable(tables[static_cast<size_t>(gone)]);
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  std::vector<std::string> vanished;
  for (const ItemOutcome& item : report->items) {
    if (item.outcome == Outcome::kVanished) vanished.push_back(item.object.table);
  }
  // What the narrower run saw gone is not gone again.
  EXPECT_THAT(vanished, testing::UnorderedElementsAre("t0", "t3", "t29"));
  EXPECT_EQ(report->totals.Of(Outcome::kVanished), 3);

  // A process dies after it recorded them: done again, it says the same.
  holdfast::Run again = report->run;
  again.id = "20270101T000000Z-00000001";
  again.state = RunState::kRunning;
  ASSERT_TRUE(fixture.catalog().BeginRun(again).ok());
  std::vector<ItemOutcome> found;
  for (const ItemOutcome& item : report->items) {
    if (item.object.table != "t5" && item.outcome != Outcome::kVanished) found.push_back(item);
  }
  ASSERT_TRUE(fixture.catalog().RecordOutcomes(again.id, found).ok());
  std::vector<Json> first;
  for (int time = 1; time <= 2; ++time) {
    ASSERT_TRUE(RecordDeleted(fixture.catalog(), fixture.catalog(), again).ok());
    std::vector<Json> told;
    const auto outcomes = catalog::AllOutcomes(fixture.catalog(), again.id).value();
    for (const ItemOutcome& item : outcomes) {
      told.push_back(item.ToJson());
    }
    if (time == 1) first = told;
    EXPECT_EQ(told, first);
  }
  EXPECT_EQ(fixture.catalog().GetProgress(again.id)->totals.Of(Outcome::kVanished), 1);
}

}  // namespace
}  // namespace holdfast::backup
