// A dry run says what the run then does, and does none of it.
#include "backup/dry_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kDropped{"acme-shop", "sales", "dropped", ""};
const TableRef kReplaced{"acme-shop", "sales", "replaced", ""};

// "acme-shop.sales.orders backed_up", in order.
std::vector<std::string> Lines(const std::vector<ItemOutcome>& items) {
  std::vector<std::string> lines;
  for (const ItemOutcome& item : items) {
    lines.push_back(item.object.ToString() + " " + std::string(OutcomeName(item.outcome)));
  }
  std::ranges::sort(lines);
  return lines;
}

TEST(DryRun, SaysWhatTheRunThenDoesAndDoesNothing) {
  SimFixture fixture;
  for (const TableRef& table : {kOrders, kDropped, kReplaced}) {
    fixture.cloud().AddTable(table, TwoColumns(), NumberedRows(1, 10));
  }
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().AppendRows(kOrders, NumberedRows(11, 1));
  fixture.cloud().DropTable(kDropped);
  fixture.cloud().DropTable(kReplaced);
  fixture.cloud().AddTable(kReplaced, TwoColumns(), {}, {{"type", "SNAPSHOT"}});
  const size_t objects_before = fixture.cloud().AllObjects("acme-shop-holdfast-us").size();

  std::vector<TableRef> planned;
  const auto scratch = catalog::SqliteCatalog::Open("").value();
  const Status plan = PlanBackups({}, std::nullopt, fixture.services(), *scratch,
                                  [&](const RunBackup& message) -> Status {
                                    planned.push_back(message.table_to_backup);
                                    return Ok();
                                  });
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(fixture.cloud().AllObjects("acme-shop-holdfast-us").size(), objects_before);
  EXPECT_EQ(fixture.catalog().ListRuns(false, "")->items.size(), 1U);
  EXPECT_EQ(planned, std::vector{kOrders});
  const auto foreseen = catalog::AllOutcomes(*scratch, kDryRunId).value();
  const auto report = fixture.BackUp();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(Lines(foreseen), Lines(report->items));
  EXPECT_EQ(Lines(foreseen),
            (std::vector<std::string>{
                "acme-shop.sales.dataset:definition unchanged", "acme-shop.sales.dropped vanished",
                "acme-shop.sales.orders backed_up", "acme-shop.sales.replaced unsupported"}));
  const auto replaced = std::ranges::find(report->items, kReplaced, &ItemOutcome::object);
  EXPECT_THAT(replaced->reason, testing::HasSubstr("the table that had this name is gone"));
}

}  // namespace
}  // namespace holdfast::backup
