#include "observe/catalog_export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "backup/scan_plan.h"
#include "model/staged_table.h"
#include "observe/export_views.h"
#include "tests/support/altered_warehouse.h"
#include "tests/support/sim_fixture.h"

namespace holdfast::observe {
namespace {

using testing_support::AlteredWarehouse;
using testing_support::kOrders;
using testing_support::NumberedRows;
using testing_support::SimFixture;
using testing_support::TwoColumns;

const DatasetRef kTarget{"acme-ops", "catalog"};

class ExportedCatalog : public testing::Test {
 protected:
  ExportedCatalog() {
    fixture_.cloud().AddProject("acme-shop");
    fixture_.cloud().AddProject("acme-ops");
  }

  void AddShop() {
    fixture_.cloud().AddDataset({"acme-shop", "sales"});
    fixture_.cloud().AddTable(kOrders, TwoColumns(), NumberedRows(0, 100));
  }

  ExportServices Services() {
    return {.warehouse = warehouse_,
            .objects = fixture_.cloud().objects(),
            .catalog = fixture_.catalog(),
            .clock = fixture_.clock(),
            .random = *random_,
            .staging_bucket_pattern = BackupPolicy().staging_bucket_pattern,
            .tool_version = "test",
            .visit_pins = visit_pins_,
            .keep_alive = keep_alive_,
            .holder = holder_,
            .part_bytes = part_bytes_};
  }

  Result<ExportReport> Export() {
    fixture_.clock().Advance(std::chrono::seconds{1});
    const ExportServices services = Services();
    HF_ASSIGN_OR_RETURN(const ExportPlan plan, PlanExport(services, {.dataset = kTarget}));
    return ExportCatalog(services,
                         {.projects = fixture_.cloud().projects(),
                          .warehouse = warehouse_,
                          .index = fixture_.catalog(),
                          .organization = "organizations/1",
                          .is_backed_up = backup::IsBackedUpDataset},
                         {.include = {}, .exclude = {"acme-ops"}}, plan);
  }

  static TableRef Target(std::string_view table) {
    return {kTarget.project, kTarget.dataset, std::string(table), ""};
  }
  sim::Rows RowsOf(std::string_view table) { return fixture_.cloud().ReadRows(Target(table)); }

  // The cells of one column, by its name.
  std::vector<Json> Column(ExportTable table, const std::string& name) {
    const Schema schema = ExportTableSchema(table);
    const auto field = std::ranges::find(schema.fields, name, &Field::name);
    EXPECT_NE(field, schema.fields.end()) << name;
    std::vector<Json> cells;
    for (const Json& row : RowsOf(ExportTableName(table))) {
      cells.push_back(row.at(static_cast<size_t>(field - schema.fields.begin())));
    }
    return cells;
  }

  std::set<std::string> TablesOfTarget() {
    std::set<std::string> names;
    const Status listed = cloud::ForEachPage<TableSummary>(
        [&](const std::string& token) {
          return fixture_.cloud().warehouse().ListTables(kTarget, token);
        },
        [&](TableSummary&& table) -> Status {
          names.insert(table.ref.table);
          return Ok();
        });
    EXPECT_TRUE(listed.ok()) << listed.error().message;
    return names;
  }

  size_t StagedObjects() {
    const auto page = fixture_.cloud().objects().ListObjects(
        FillBucketPattern(BackupPolicy().staging_bucket_pattern, kTarget.project, "US"),
        "catalog-export/", "");
    return page.ok() ? page->items.size() : 0;
  }

  SimFixture fixture_;
  AlteredWarehouse warehouse_{fixture_.cloud().warehouse()};
  std::unique_ptr<Random> random_ = MakeSeededRandom(7);
  decltype(ExportServices::visit_pins) visit_pins_;
  cloud::KeepAlive keep_alive_ = [] { return Status(); };
  std::string holder_ = "0a1b2c3d";
  size_t part_bytes_ = kUploadPartBytes;
};

const std::set<std::string> kAllNames = {"objects",
                                         "unseen",
                                         "backups",
                                         "verifications",
                                         "pins",
                                         "runs",
                                         "outcomes",
                                         "audit",
                                         "export",
                                         "latest_backups",
                                         "unprotected_objects",
                                         "differing_objects"};

TEST_F(ExportedCatalog, OfNothingIsEmptyTables) {
  const auto report = Export();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->plan.creates_dataset);
  EXPECT_EQ(TablesOfTarget(), kAllNames);
  for (int i = 0; i < kExportTables; ++i) {
    const auto table = static_cast<ExportTable>(i);
    EXPECT_EQ(RowsOf(ExportTableName(table)).size(), table == ExportTable::kExport ? 1U : 0U);
  }
}

TEST_F(ExportedCatalog, HoldsEveryRecordOfTheCatalog) {
  AddShop();
  const auto run = fixture_.BackUp();
  ASSERT_TRUE(run.ok()) << run.error().message;
  ASSERT_TRUE(fixture_.catalog()
                  .AppendAudit({.at_ms = 5,
                                .actor = "cli:o'hara \"x\"",
                                .action = "backup.run",
                                .subject = "bad \xFF byte",
                                .detail = {{"a", "b\"c"}}})
                  .ok());
  const auto report = Export();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(RowsOf("backups").size(), 2U) << "the table and its dataset";
  EXPECT_EQ(RowsOf("outcomes").size(), run->items.size());
  EXPECT_EQ(Column(ExportTable::kRuns, "backed_up"), std::vector<Json>{2});
  EXPECT_EQ(Column(ExportTable::kRuns, "policy"), std::vector<Json>{"default"});
  EXPECT_EQ(Column(ExportTable::kObjects, "row_count"), std::vector<Json>{100});
  EXPECT_EQ(Column(ExportTable::kAudit, "actor"), std::vector<Json>{"cli:o'hara \"x\""});
  EXPECT_EQ(Column(ExportTable::kAudit, "subject"), std::vector<Json>{"bad \xEF\xBF\xBD byte"});
  EXPECT_EQ(Column(ExportTable::kExport, "export_id"), std::vector<Json>{report->stamp.id});
  for (const Json& state : Column(ExportTable::kBackups, "state")) EXPECT_EQ(state, "good");
}

TEST_F(ExportedCatalog, IsReplacedByTheNextExport) {
  AddShop();
  ASSERT_TRUE(fixture_.BackUp().ok());
  ASSERT_TRUE(Export().ok());
  const sim::Rows first = RowsOf("backups");
  const auto again = Export();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(RowsOf("backups"), first);
  EXPECT_EQ(TablesOfTarget(), kAllNames);
  EXPECT_EQ(StagedObjects(), 0U);
  EXPECT_FALSE(again->plan.creates_dataset);
  EXPECT_TRUE(std::ranges::all_of(again->plan.items, &ExportPlan::Item::exists));
}

TEST_F(ExportedCatalog, IsSeenWholeOrNotAtAll) {
  AddShop();
  ASSERT_TRUE(fixture_.BackUp().ok());
  ASSERT_TRUE(Export().ok());
  const sim::Rows before = RowsOf("backups");
  fixture_.cloud().AppendRows(kOrders, NumberedRows(100, 10));
  ASSERT_TRUE(fixture_.BackUp().ok());
  std::vector<sim::Rows> seen;
  const auto look = [&] { seen.push_back(RowsOf("backups")); };
  warehouse_.change_job = [&](cloud::JobSpec&) { look(); };
  warehouse_.change_status = [&](cloud::JobStatus&) { look(); };
  ASSERT_TRUE(Export().ok());
  const sim::Rows after = RowsOf("backups");
  EXPECT_GT(after.size(), before.size());
  EXPECT_EQ(seen.front(), before);
  EXPECT_EQ(seen.back(), after);
  for (const sim::Rows& rows : seen) EXPECT_TRUE(rows == before || rows == after);
}

TEST_F(ExportedCatalog, GoesThroughAnyNumberOfPagesAndParts) {
  constexpr int kCount = 2'345;
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(fixture_.catalog()
                    .RecordBackup({.backup = "b" + std::to_string(i),
                                   .object = {"acme-shop", "sales", "t" + std::to_string(i), ""},
                                   .run = "run-" + std::to_string(i % 7),
                                   .rows = i})
                    .ok());
  }
  part_bytes_ = 10'000;
  const auto report = Export();
  ASSERT_TRUE(report.ok()) << report.error().message;
  std::set<std::string> ids;
  for (const Json& id : Column(ExportTable::kBackups, "backup_id")) ids.insert(id);
  EXPECT_EQ(ids.size(), static_cast<size_t>(kCount));
  EXPECT_EQ(report->tables.at(static_cast<size_t>(ExportTable::kBackups)).rows, kCount);
}

TEST_F(ExportedCatalog, LeavesATableOfSomeoneElseAlone) {
  fixture_.cloud().AddDataset(kTarget);
  fixture_.cloud().AddTable(Target("runs"), TwoColumns(), NumberedRows(0, 3));
  const auto refused = Export();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().id, ErrorId::kExportTableForeign);
  EXPECT_EQ(TablesOfTarget(), std::set<std::string>{"runs"});
  EXPECT_EQ(RowsOf("runs").size(), 3U);
}

TEST_F(ExportedCatalog, TakesOverATableThatLostItsLabelToACrash) {
  ASSERT_TRUE(Export().ok());
  ASSERT_TRUE(fixture_.cloud()
                  .warehouse()
                  .UpdateTable(Target("runs"), {{"labels", {{std::string(kExportLabel), nullptr}}}})
                  .ok());
  EXPECT_TRUE(Export().ok());
}

TEST_F(ExportedCatalog, StaysAsItWasWhenALoadLosesRows) {
  AddShop();
  ASSERT_TRUE(fixture_.BackUp().ok());
  ASSERT_TRUE(Export().ok());
  const sim::Rows before = RowsOf("outcomes");
  ASSERT_TRUE(fixture_.BackUp().ok());
  warehouse_.change_status = [](cloud::JobStatus& done) { ++done.output_rows; };
  const auto failed = Export();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().id, ErrorId::kDataMismatch);
  EXPECT_EQ(RowsOf("outcomes"), before);
  EXPECT_EQ(TablesOfTarget(), kAllNames) << "nothing staged is left";
  EXPECT_EQ(StagedObjects(), 0U);
}

// Wherever it is told to stop, readers see what they saw or the new export, and nothing is left.
TEST_F(ExportedCatalog, StopsInTheMiddle) {
  AddShop();
  ASSERT_TRUE(fixture_.BackUp().ok());
  ASSERT_TRUE(Export().ok());
  const sim::Rows before = RowsOf("backups");
  fixture_.cloud().AppendRows(kOrders, NumberedRows(100, 10));
  ASSERT_TRUE(fixture_.BackUp().ok());
  int asked = 0;
  int stop_at = 1;
  keep_alive_ = [&]() -> Status {
    if (++asked < stop_at) return Ok();
    return MakeError(ErrorId::kCancelled, "told to stop");
  };
  for (bool was_stopped = true; was_stopped; ++stop_at) {
    asked = 0;
    const auto report = Export();
    was_stopped = !report.ok();
    if (!was_stopped) break;
    EXPECT_EQ(report.error().id, ErrorId::kCancelled) << stop_at;
    EXPECT_EQ(asked, stop_at) << "it went on";
    EXPECT_EQ(TablesOfTarget(), kAllNames) << stop_at;
    EXPECT_EQ(StagedObjects(), 0U) << stop_at;
  }
  EXPECT_GT(stop_at, 15) << "each row, and the polls of the jobs";
  EXPECT_GT(RowsOf("backups").size(), before.size());
}

// An export that was killed when it had loaded what it was to show.
TEST_F(ExportedCatalog, TakesAwayWhatOneThatDiedHadStaged) {
  ASSERT_TRUE(Export().ok());
  const auto stage = [&](const std::string& holder, const Json& labels) {
    const TableRef table = Target(StagedTableName(holder, "20261121T101844Z-3fa9c1d2", "backups"));
    EXPECT_TRUE(fixture_.cloud()
                    .warehouse()
                    .CreateTable(table, {{"schema", TwoColumns().ToJson()}, {"labels", labels}})
                    .ok());
    return table.table;
  };
  const Json label = {{std::string(kExportLabel), "v1"}};
  stage(holder_, label);
  std::set<std::string> expected = kAllNames;
  expected.insert(stage("ffffffff", label));  // another machine may be at it
  ASSERT_TRUE(Export().ok());
  EXPECT_EQ(TablesOfTarget(), expected);
  expected.insert(stage(holder_, Json::object()));  // by its label not of an export
  ASSERT_TRUE(Export().ok());
  EXPECT_EQ(TablesOfTarget(), expected);
}

// What an export has staged is nobody's data: a scan passes over it, and so do the service levels.
TEST_F(ExportedCatalog, ItsStagedTablesAreNotBackedUp) {
  AddShop();
  std::optional<RunReport> run;
  warehouse_.change_job = [&](cloud::JobSpec&) {
    if (run) return;
    auto done = fixture_.BackUp();
    ASSERT_TRUE(done.ok()) << done.error().message;
    run = *std::move(done);
  };
  ASSERT_TRUE(Export().ok());
  ASSERT_TRUE(run);
  EXPECT_TRUE(std::ranges::any_of(run->items,
                                  [](const ItemOutcome& item) { return item.object == kOrders; }));
  for (const ItemOutcome& item : run->items) {
    EXPECT_FALSE(item.object.table.starts_with("holdfast_export_")) << item.object.ToString();
  }
  fixture_.cloud().AddTable(
      {"acme-shop", "sales", StagedTableName(holder_, "20261121T101844Z-3fa9c1d2", "backups"), ""},
      TwoColumns(), NumberedRows(0, 5));
  ASSERT_TRUE(Export().ok());
  EXPECT_EQ(Column(ExportTable::kObjects, "table_id"), std::vector<Json>{"orders"});
}

TEST_F(ExportedCatalog, NamesWhatCouldNotBeLookedInto) {
  AddShop();
  ASSERT_TRUE(fixture_.BackUp().ok());
  fixture_.cloud().faults().DenyAccess("acme-shop");
  visit_pins_ = [](const repository::Location&, const auto&) -> Status {
    return MakeError(ErrorId::kAccessDenied, "no");
  };
  const auto report = Export();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->unseen, 2);
  const auto names = Column(ExportTable::kUnseen, "name");
  EXPECT_EQ(names.at(0), "acme-shop");
  EXPECT_TRUE(names.at(1).get<std::string>().starts_with("gs://")) << names.at(1);
}

TEST_F(ExportedCatalog, HoldsPinsOfEveryRepository) {
  AddShop();
  ASSERT_TRUE(fixture_.BackUp().ok());
  visit_pins_ = [](const repository::Location&, const auto& visit) -> Status {
    return visit(ExportedPin{.backup = "b1", .kind = "hold", .reason = "case 7"});
  };
  ASSERT_TRUE(Export().ok());
  EXPECT_EQ(Column(ExportTable::kPins, "reason"), std::vector<Json>{"case 7"});
}

TEST_F(ExportedCatalog, PlanChangesNothing) {
  AddShop();
  const auto plan = PlanExport(Services(), {.dataset = kTarget, .location = "EU"});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(plan->creates_dataset);
  EXPECT_EQ(plan->location, "EU");
  EXPECT_EQ(plan->items.size(), kAllNames.size());
  EXPECT_EQ(fixture_.cloud().warehouse().GetDataset(kTarget).error().id, ErrorId::kDatasetNotFound);
  fixture_.cloud().AddDataset(kTarget, "US");
  EXPECT_EQ(PlanExport(Services(), {.dataset = kTarget, .location = "EU"}).error().id,
            ErrorId::kLocationMismatch);
}

TEST(ExportColumns, AreNoReservedWords) {
  const std::set<std::string> reserved = {
      "all",    "and",    "any",     "array",     "as",     "at",    "by",     "case",   "contains",
      "cross",  "cube",   "current", "default",   "define", "desc",  "else",   "end",    "enum",
      "except", "false",  "fetch",   "following", "for",    "from",  "group",  "groups", "hash",
      "having", "if",     "ignore",  "in",        "into",   "is",    "join",   "like",   "limit",
      "lookup", "new",    "no",      "not",       "null",   "nulls", "of",     "on",     "or",
      "order",  "outer",  "over",    "partition", "proto",  "range", "rows",   "select", "set",
      "some",   "struct", "then",    "to",        "true",   "union", "unnest", "using",  "when",
      "where",  "window", "with",    "within"};
  for (int i = 0; i < kExportTables; ++i) {
    std::set<std::string> names;
    for (const Field& field : ExportTableSchema(static_cast<ExportTable>(i)).fields) {
      EXPECT_FALSE(reserved.contains(field.name)) << field.name;
      EXPECT_TRUE(names.insert(field.name).second) << field.name;
    }
    EXPECT_FALSE(names.empty());
  }
}

TEST(ExportViews, NameTheirTablesThroughTheOneQuotingFunction) {
  const std::vector<ExportView> views = ExportViews({"example.com:p-1", "d"});
  ASSERT_EQ(views.size(), 3U);
  EXPECT_NE(views[0].sql.find("`example.com:p-1.d.backups`"), std::string::npos) << views[0].sql;
  for (const ExportView& view : views) EXPECT_EQ(view.sql.find('{'), std::string::npos);
}

TEST(ValidText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(ValidText("plain"), "plain");
  EXPECT_EQ(ValidText("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(ValidText("a\xFF"
                      "b\xC3"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

}  // namespace
}  // namespace holdfast::observe
