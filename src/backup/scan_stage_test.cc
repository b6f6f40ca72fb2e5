// A project is scanned in bounded pieces, and however often a piece is done, each object is told of
// once.
#include "backup/scan_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/altered_warehouse.h"
#include "tests/support/sim_fixture.h"
#include "tests/support/synthetic_warehouse.h"

namespace holdfast::backup {
namespace {

using testing_support::AlteredWarehouse;
using testing_support::NoDefinitions;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::SyntheticWarehouse;
using testing_support::TwoColumns;

constexpr ScanLimits kSmall = {.tables = 3, .items = 5};

TableRef Numbered(int number) {
  return {"acme-shop", "sales", "t" + std::to_string(100 + number), ""};
}

// Scans the run's project to its end, each task as often as `times` says, and tells in how many
// tasks.
int ScanAll(SimFixture& fixture, const Services& services, const std::string& run, int times,
            const ScanLimits& limits = kSmall) {
  StageContext context;
  context.run = fixture.catalog().GetRun(run).value();
  context.is_last_attempt = true;
  int tasks = 0;
  bool any = true;
  while (any) {
    any = false;
    const auto pending = fixture.catalog().PendingTasks(run, "").value();
    for (const catalog::Task& task : pending.items) {
      const auto* check = std::get_if<CheckProjectTables>(&task.message);
      if (check == nullptr) continue;
      any = true;
      ++tasks;
      // A worker that dies before it completes the task leaves it to another one.
      for (int time = 0; time < times; ++time) {
        const auto result = ScanProject(*check, context, services, limits);
        EXPECT_TRUE(result.ok()) << result.error().message;
        EXPECT_LE(result->outcomes.size() + result->follow_ups.size(), limits.items + 20);
        if (time + 1 < times) continue;
        EXPECT_TRUE(
            fixture.catalog().CompleteTask(task.id, result->follow_ups, result->outcomes).ok());
      }
    }
  }
  return tasks;
}

std::string BeginScan(SimFixture& fixture, const std::string& id,
                      const std::string& project = "acme-shop") {
  Run run;
  run.id = id;
  run.started_ms = ToUnixMillis(fixture.clock().Now());
  EXPECT_TRUE(fixture.catalog().BeginRun(run).ok());
  CheckProjectTables check;
  check.run = id;
  check.project_to_check = project;
  EXPECT_TRUE(fixture.catalog().CompleteTask(TaskId(StartBackupProcess{id}), {check}, {}).ok());
  return id;
}

// How often each object is asked for or told of.
std::map<std::string, int> Told(SimFixture& fixture, const std::string& run) {
  std::map<std::string, int> told;
  const auto outcomes = catalog::AllOutcomes(fixture.catalog(), run).value();
  for (const ItemOutcome& item : outcomes) {
    ++told[item.object.ToString()];
  }
  std::string token;
  do {
    const auto pending = fixture.catalog().PendingTasks(run, token).value();
    for (const catalog::Task& task : pending.items) {
      const auto& backup = std::get<RunBackup>(task.message);
      for (const BackupUnit& unit : backup.units) {
        ++told[backup.table_to_backup.WithPartition(unit.partition).ToString()];
      }
    }
    token = pending.next_page_token;
  } while (!token.empty());
  return told;
}

TEST(ScanInPieces, TellsOfEveryObjectOnceHoweverOftenAPieceIsDone) {
  SimFixture fixture;
  constexpr int kTables = 25;
  for (int i = 0; i < kTables; ++i) {
    fixture.cloud().AddTable(Numbered(i), TwoColumns(), NumberedRows(1, 2));
  }
  fixture.cloud().AddTable({"acme-shop", "other", "single", ""}, TwoColumns(), NumberedRows(1, 2));
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  for (const int changed : {0, 7, 24}) {
    fixture.cloud().AppendRows(Numbered(changed), NumberedRows(9, 1));
  }
  const std::string run = BeginScan(fixture, "20270101T000000Z-00000001");
  EXPECT_GT(ScanAll(fixture, fixture.services(), run, 2), 9) << "pieces are small";
  const auto told = Told(fixture, run);
  EXPECT_EQ(told.size(), static_cast<size_t>(kTables + 3)) << "with two datasets themselves";
  for (const auto& [object, times] : told) EXPECT_EQ(times, 1) << object;
  const RunTotals totals = fixture.catalog().GetProgress(run)->totals;
  EXPECT_EQ(totals.Of(Outcome::kUnchanged), kTables);
  EXPECT_EQ(totals.Of(Outcome::kFailed), 0);
}

// Refuses one token as a service does that has forgotten it.
class ForgetfulWarehouse final : public AlteredWarehouse {
 public:
  using AlteredWarehouse::AlteredWarehouse;
  int refuse_at = 0;  // which of the listings that go on is refused; those after it are too
  int refused_max = 1;
  int refused = 0;
  int went_on = 0;

  Result<cloud::Page<TableSummary>> ListTables(const DatasetRef& dataset,
                                               const std::string& page_token) override {
    if (!page_token.empty() && ++went_on >= refuse_at && refused < refused_max) {
      ++refused;
      return MakeError(ErrorId::kServiceRejected, "invalid page token");
    }
    return AlteredWarehouse::ListTables(dataset, page_token);
  }
};

TEST(ScanInPieces, AForgottenPageTokenBeginsTheListingAnewBehindWhatWasLookedAt) {
  for (int refuse_at = 1; refuse_at < 12; ++refuse_at) {
    SimFixture fixture;
    for (int i = 0; i < 12; ++i) {
      fixture.cloud().AddTable(Numbered(i), TwoColumns(), NumberedRows(1, 2));
    }
    ForgetfulWarehouse warehouse(fixture.cloud().warehouse());
    warehouse.refuse_at = refuse_at;
    const std::string run = BeginScan(fixture, "20270101T000000Z-00000001");
    ScanAll(fixture, fixture.services(warehouse), run, 1);
    const auto told = Told(fixture, run);
    EXPECT_EQ(told.size(), 13U) << refuse_at;
    for (const auto& [object, times] : told) EXPECT_EQ(times, 1) << object << " " << refuse_at;
    EXPECT_EQ(fixture.catalog().GetProgress(run)->totals.Of(Outcome::kFailed), 0);
  }
}

TEST(ScanInPieces, ATokenThatIsNeverTakenIsAFailureOfTheDataset) {
  SimFixture fixture;
  for (int i = 0; i < 12; ++i) {
    fixture.cloud().AddTable(Numbered(i), TwoColumns(), NumberedRows(1, 2));
  }
  ForgetfulWarehouse warehouse(fixture.cloud().warehouse());
  warehouse.refuse_at = 1;
  warehouse.refused_max = 1'000;
  const std::string run = BeginScan(fixture, "20270101T000000Z-00000001");
  ScanAll(fixture, fixture.services(warehouse), run, 1);
  const auto told = Told(fixture, run);
  EXPECT_EQ(told.count("acme-shop.sales."), 1U) << "the dataset failed, and that is said";
  EXPECT_EQ(fixture.catalog().GetProgress(run)->totals.Of(Outcome::kFailed), 1);
}

TEST(ScanInPieces, OneTaskHoldsNoMoreOfABigDatasetThanOfASmallOne) {
  constexpr ScanLimits kLimits = {.tables = 200, .items = 1'000};
  for (const int64_t tables : {2'000, 20'000}) {
    SimFixture fixture;
    SyntheticWarehouse warehouse({.tables = tables, .partitions = 4, .page_rows = 500});
    NoDefinitions definitions;
    const Services mine = fixture.services(warehouse);
    const Services services{warehouse,     definitions,       mine.objects,
                            mine.projects, mine.catalog,      mine.clock,
                            mine.random,   mine.organization, mine.tool_version};
    StageContext context;
    context.run.id = "20270101T000000Z-00000001";
    size_t largest = 0;
    size_t units = 0;
    CheckProjectTables check;
    check.run = context.run.id;
    check.project_to_check = "acme-synthetic";
    std::vector<CheckProjectTables> waiting = {check};
    while (!waiting.empty()) {
      const CheckProjectTables piece = waiting.back();
      waiting.pop_back();
      const auto result = ScanProject(piece, context, services, kLimits);
      ASSERT_TRUE(result.ok()) << result.error().message;
      size_t items = result->outcomes.size();
      for (const WorkMessage& follow_up : result->follow_ups) {
        if (const auto* next = std::get_if<CheckProjectTables>(&follow_up)) {
          waiting.push_back(*next);
        } else {
          items += std::get<RunBackup>(follow_up).units.size();
        }
      }
      largest = std::max(largest, items);
      units += items;
      ASSERT_LE(waiting.size(), 2U);
    }
    EXPECT_EQ(units, static_cast<size_t>(tables * 4 + 1));
    EXPECT_LE(largest, kLimits.items + 4);
  }
}

// Bulk listings alone settle what did not change: partitions are no reason to ask for a table.
TEST(ScanInPieces, AsksForNoTableThatDidNotChange) {
  SimFixture fixture;
  const Schema schema{
      {{.name = "day", .type = FieldType::kDate}, {.name = "what", .type = FieldType::kString}}};
  for (int i = 0; i < 4; ++i) {
    fixture.cloud().AddTable(
        Numbered(i), schema,
        {{{"day", "2026-01-01"}, {"what", "a"}}, {{"day", "2026-01-02"}, {"what", "b"}}},
        {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  }
  ASSERT_TRUE(fixture.BackUp().ok());
  fixture.clock().Advance(std::chrono::minutes{1});
  fixture.cloud().AppendRows(Numbered(2), {{{"day", "2026-01-02"}, {"what", "c"}}});

  class CountingWarehouse final : public AlteredWarehouse {
   public:
    using AlteredWarehouse::AlteredWarehouse;
    std::vector<std::string> asked_for;
    Result<TableInfo> GetTable(const TableRef& table) override {
      asked_for.push_back(table.table);
      return AlteredWarehouse::GetTable(table);
    }
  } warehouse(fixture.cloud().warehouse());
  const std::string run = BeginScan(fixture, "20270101T000000Z-00000001");
  ScanAll(fixture, fixture.services(warehouse), run, 1);
  EXPECT_EQ(warehouse.asked_for, std::vector<std::string>{Numbered(2).table});
  const auto told = Told(fixture, run);
  EXPECT_EQ(told.size(), 9U);
  EXPECT_EQ(fixture.catalog().GetProgress(run)->totals.Of(Outcome::kUnchanged), 8);
}

}  // namespace
}  // namespace holdfast::backup
