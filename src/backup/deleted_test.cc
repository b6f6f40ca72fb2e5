#include "backup/deleted.h"

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

}  // namespace
}  // namespace holdfast::backup
