#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "restore/apply.h"
#include "restore/unfinished.h"
#include "tests/simulation/virtual_days.h"

namespace holdfast::simulation {

namespace {

// Whether the rows are those that were there, with nothing in a column that the table got since.
bool IsContent(sim::Rows before, const sim::Rows& restored) {
  for (Json& row : before) {
    while (!restored.empty() && row.is_array() && row.size() < restored.front().size()) {
      row.push_back(nullptr);
    }
  }
  std::ranges::sort(before);
  return before == restored;
}

}  // namespace

void VirtualDays::RestoreEverything() {
  for (const DatasetRef& dataset : organization_.datasets()) RestoreDataset(dataset);
}

Result<restore::RestoreReport> VirtualDays::Restore(const DatasetRef& dataset,
                                                    const std::string& to) {
  restore::RestoreRequest request;
  request.source = {.project = dataset.project, .dataset = dataset.dataset};
  request.to_project = "acme-scratch";
  request.to_dataset = to;
  restore::Services services = fixture_.restore_services();
  services.further_places = verify_services().further_places;
  HF_ASSIGN_OR_RETURN(const auto plan, restore::PlanRestore(request, services));
  return restore::Apply(request, plan, services);
}

void VirtualDays::RestoreDataset(const DatasetRef& dataset) {
  if (ExpectedIn(dataset).empty()) return;  // of the first day: not due yet
  if (Chance(15)) LoseBackups(dataset);
  const std::string to = fmt::format("{}_{}", dataset.dataset, ++restores_);
  sim::FaultPlan& faults = fixture_.cloud().faults();
  if (Chance(20)) {
    faults.CrashAtCall(1 + static_cast<int64_t>(Below(150)), Chance(50));
    const auto cut = Restore(dataset, to);
    const bool done = cut.ok() && cut->Count(restore::TableOutcome::kFailed) == 0;
    if (faults.crashed()) Note("a restore was cut short");
    faults.Revive();
    if (done) return ExpectRestored(dataset, to, *cut);
  }
  const auto report = Restore(dataset, to);
  ASSERT_TRUE(report.ok()) << dataset.ToString() << ": " << report.error().message;
  ExpectRestored(dataset, to, *report);
}

void VirtualDays::ExpectRestored(const DatasetRef& dataset, const std::string& to,
                                 const restore::RestoreReport& report) {
  SCOPED_TRACE(dataset.ToString() + " restored as " + to);
  EXPECT_EQ(report.Count(restore::TableOutcome::kFailed), 0) << DumpJson(report.ToJson());
  EXPECT_EQ(report.Count(restore::TableOutcome::kDiffers), 0) << DumpJson(report.ToJson());
  std::set<TableRef> missing_objects;
  for (const restore::MissingObject& missing : report.missing) {
    missing_objects.insert(missing.object);
    const bool never_good = OracleOf(missing.object).GoodOf(missing.object) == nullptr;
    const bool other_columns = HasOtherColumns(missing.object);
    EXPECT_TRUE(never_good || other_columns || IsUncertain(missing.object))
        << missing.object.ToString() << ": " << missing.reason;
    Note(other_columns ? "a good backup has other columns" : "an object has no good backup yet");
  }
  std::map<TableRef, const Good*> newest;  // of each table
  for (const restore::TableReport& table : report.tables) {
    if (table.notes.end() != std::ranges::find_if(table.notes, [](const std::string& note) {
          return note.find("its copy in gs://") != note.npos;
        })) {
      Note("restored from the second repository");
    }
  }
  for (const TableRef& object : ExpectedIn(dataset)) {
    const Good* const good = OracleOf(object).GoodOf(object);
    if (good == nullptr || IsUncertain(object)) continue;
    if (missing_objects.contains(object)) continue;
    ExpectObject(object, {"acme-scratch", to, object.table, object.partition}, *good);
    const Good*& of_table = newest[object.WholeTable()];
    if (of_table == nullptr || of_table->backup < good->backup) of_table = good;
  }
  ExpectDefinitions(newest, to);
  ExpectNothingElse(dataset, to);
  Say(fmt::format("{} restored: {} tables", dataset.ToString(), report.tables.size()));
  fixture_.cloud().DropDataset({"acme-scratch", to});
}

// Whether the last good backup of a partition has columns that the table's newest one has not: it
// is of another table of that name, and is not put among the rows of this one.
bool VirtualDays::HasOtherColumns(const TableRef& object) const {
  const Good* const good = OracleOf(object).GoodOf(object);
  if (good == nullptr || good->definitions.empty()) return false;
  const Good* newest = good;
  for (const TableRef& other : ExpectedIn(object.dataset_ref())) {
    const Good* const found = OracleOf(other).GoodOf(other);
    const bool same_table = other.WholeTable() == object.WholeTable();
    if (same_table && found != nullptr && newest->backup < found->backup) newest = found;
  }
  const Json& now = newest->definitions.back().at("schema").at("fields");
  const Json& before = good->definitions.back().at("schema").at("fields");
  return !std::ranges::all_of(
      before, [&](const Json& field) { return std::ranges::find(now, field) != now.end(); });
}

void VirtualDays::ExpectObject(const TableRef& object, const TableRef& back, const Good& good) {
  const std::string name = object.ToString() + " from backup " + good.backup;
  const auto reserved = ParseReservedName(object.table);
  if (reserved && reserved->routine.empty()) return;  // the dataset itself: its tables are there
  const auto equals = [&](const sim::Rows& actual) {
    return std::ranges::any_of(good.contents,
                               [&](const Content& content) { return IsContent(*content, actual); });
  };
  if (reserved) {
    const auto routine =
        fixture_.cloud().definitions().GetRoutine(back.dataset_ref(), reserved->routine);
    ASSERT_TRUE(routine.ok()) << name;
    EXPECT_TRUE(equals(*DefinitionContent(fixture_.cloud(), back))) << name;
    return Note("a routine was restored");
  }
  ASSERT_TRUE(fixture_.cloud().HasTable(back)) << name;
  const auto table = fixture_.cloud().warehouse().GetTable(back);
  ASSERT_TRUE(table.ok());
  if (table->kind != TableKind::kTable) {
    EXPECT_TRUE(equals(*DefinitionContent(fixture_.cloud(), back))) << name;
    return Note(fmt::format("restored as {}", TableKindName(table->kind)));
  }
  const sim::Rows rows = fixture_.cloud().ReadRows(back);
  EXPECT_TRUE(equals(rows)) << name << ": " << rows.size() << " rows came back, "
                            << good.contents.back()->size() << " were there";
  if (&OracleOf(object) == &snapshots_) return Note("a snapshot was newer than the export");
  Note(back.partition.empty() ? "a table was restored" : "a partition was restored");
}

// Schema, partitioning, description and labels are those of the table's newest backup, and so is
// who may read it.
void VirtualDays::ExpectDefinitions(const std::map<TableRef, const Good*>& newest,
                                    const std::string& to) {
  for (const auto& [object, good] : newest) {
    if (good->definitions.empty()) continue;
    const TableRef back{"acme-scratch", to, object.table, ""};
    const auto table = fixture_.cloud().warehouse().GetTable(back);
    ASSERT_TRUE(table.ok()) << back.ToString();
    const Json actual = DefinitionOf(*table);
    EXPECT_TRUE(std::ranges::find(good->definitions, actual) != good->definitions.end())
        << object.ToString() << " is " << DumpJson(actual) << " and was "
        << DumpJson(good->definitions.back());
    const auto before = fixture_.cloud().definitions().ListRowAccessPolicies(object);
    const auto after = fixture_.cloud().definitions().ListRowAccessPolicies(back);
    if (!before.ok()) continue;  // it is gone by now
    ASSERT_TRUE(after.ok());
    EXPECT_EQ(*after, *before) << object.ToString();
    if (!before->empty()) Note("row access policies were restored");
  }
}

// No table that was gone.
void VirtualDays::ExpectNothingElse(const DatasetRef& dataset, const std::string& to) {
  std::set<std::string> expected;
  for (const TableRef& object : ExpectedIn(dataset)) expected.insert(object.table);
  const Status listed = cloud::ForEachPage<TableSummary>(
      [&](const std::string& token) {
        return fixture_.cloud().warehouse().ListTables({"acme-scratch", to}, token);
      },
      [&](TableSummary&& summary) -> Status {
        const TableRef source{dataset.project, dataset.dataset, summary.ref.table, ""};
        EXPECT_TRUE(expected.contains(source.table) || IsUncertain(source))
            << summary.ref.ToString();
        return Ok();
      });
  EXPECT_TRUE(listed.ok()) << listed.error().message;
}

}  // namespace holdfast::simulation
