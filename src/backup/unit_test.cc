#include "backup/unit.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/sim_fixture.h"

namespace holdfast::backup {
namespace {

using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const TableRef kVisits{"acme-shop", "sales", "visits", ""};

Json Visit(const std::string& what) { return {{"day", "2026-01-01"}, {"what", what}}; }

// An export that holds `captured` rows of a table that had 10 when scanned.
Status CheckCaptured(SimFixture& fixture, int64_t captured,
                     const std::function<void()>& meanwhile) {
  if (!fixture.cloud().HasTable(kOrders)) {
    fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  }
  const Services services = fixture.services();
  const StageContext context;
  const TableInfo table = fixture.cloud().warehouse().GetTable(kOrders).value();
  const TableBackup common{
      .context = context,
      .services = services,
      .table = table,
      .dataset = {},
      .repository = OpenRepositoryFor(services, BackupPolicy(), "acme-shop", "US").value()};
  Unit unit;
  unit.object = kOrders;
  unit.scanned.fingerprint = FingerprintOf(table);
  fixture.clock().Advance(std::chrono::minutes{1});
  meanwhile();
  return CheckRows(common, unit, captured);
}

TEST(CheckRows, RefusesAnExportWithFewerRowsThanAnUnchangedTable) {
  SimFixture fixture;
  const Status checked = CheckCaptured(fixture, 9, [] {});
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().id, ErrorId::kRowsMissing);
}

TEST(CheckRows, DoesNotTakeRowsThatStreamInForRowsThatAreMissing) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.cloud().StreamRows(kOrders, NumberedRows(11, 8));
  const Status checked = CheckCaptured(fixture, 4, [] {});
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().id, ErrorId::kRowsMissing);
}

TEST(CheckRows, TakesWhatTheTableHoldsBeforeOrAfterAWrite) {
  for (const int64_t captured : {10, 12}) {
    SimFixture fixture;
    EXPECT_TRUE(CheckCaptured(fixture, captured,
                              [&] { fixture.cloud().AppendRows(kOrders, NumberedRows(11, 2)); })
                    .ok())
        << captured;
  }
}

TEST(CheckRows, AsksForAnotherTryWhenTheTableWasWrittenMeanwhile) {
  SimFixture fixture;
  const Status checked =
      CheckCaptured(fixture, 11, [&] { fixture.cloud().AppendRows(kOrders, NumberedRows(11, 2)); });
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().id, ErrorId::kSourceChanged);
}

// Rows that were counted in the partition of the streaming buffer and are in no export.
TEST(CheckRows, MissesOfTheStreamingBufferNoMoreThanIsInIt) {
  const struct {
    uint64_t buffered;  // as the table tells it
    int64_t captured;   // of three rows that the partition counts
    bool taken;
  } cases[] = {{3, 0, true},  {2, 1, true}, {2, 0, false},
               {0, 2, false}, {0, 3, true}, {3, 4, false}};
  for (const auto& [buffered, captured, taken] : cases) {
    SimFixture fixture;
    fixture.cloud().AddTable(
        kVisits,
        {{{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}},
        {Visit("a")}, {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    fixture.cloud().StreamRows(kVisits, {Visit("x"), Visit("y"), Visit("z")});
    const Services services = fixture.services();
    const StageContext context;
    TableBackup common{
        .context = context,
        .services = services,
        .table = services.warehouse.GetTable(kVisits).value(),
        .dataset = {},
        .repository = OpenRepositoryFor(services, BackupPolicy(), "acme-shop", "US").value()};
    Unit unit;
    unit.object = kVisits.WithPartition(std::string(kUnpartitionedPartition));
    unit.scanned.fingerprint = CurrentFingerprint(common, unit).value();
    ASSERT_EQ(unit.scanned.fingerprint.rows, 3);
    common.table.streaming_buffer->estimated_rows = buffered;
    const Status checked = CheckRows(common, unit, captured);
    ASSERT_EQ(checked.ok(), taken) << captured << " of 3, " << buffered << " in the buffer";
    if (!taken) {
      EXPECT_EQ(checked.error().id, ErrorId::kRowsMissing);
    }
  }
}

// Rows that stream in are in no backup before they have landed: a restore as of a moment behind the
// first of them may not take one that lacks them.
TEST(Commit, HoldsATableOnlyToTheFirstRowThatStreamsIn) {
  SimFixture fixture;
  fixture.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(1, 10));
  fixture.clock().Advance(std::chrono::minutes{1});
  const int64_t streamed_ms = ToUnixMillis(fixture.clock().Now());
  fixture.cloud().StreamRows(kOrders, NumberedRows(11, 2));
  fixture.clock().Advance(std::chrono::minutes{10});
  ASSERT_TRUE(fixture.BackUp().ok());
  const auto record = catalog::LatestGood(fixture.catalog(), kOrders).value();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->consistent_through_ms, streamed_ms);
}

}  // namespace
}  // namespace holdfast::backup
