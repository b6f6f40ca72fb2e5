#include "backup/scan_plan.h"

#include <gtest/gtest.h>

namespace holdfast::backup {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;
constexpr int64_t kDay = 24LL * 60 * 60 * 1000;

TableRef Orders() { return {"acme", "shop", "orders", ""}; }

TableInfo PlainTable() {
  TableInfo table;
  table.ref = Orders();
  table.kind = TableKind::kTable;
  table.creation_ms = 100;
  table.last_modified_ms = 200;
  table.rows = 10;
  table.bytes = 80;
  table.schema.fields = {{.name = "id", .type = FieldType::kInt64}};
  table.resource = {{"description", "orders"}};
  return table;
}

TableInfo PartitionedTable() {
  TableInfo table = PlainTable();
  table.partitioning = {.kind = Partitioning::Kind::kDay, .field = "day"};
  return table;
}

PartitionInfo Partition(const std::string& id, int64_t modified, int64_t rows) {
  return {.ref = Orders().WithPartition(id),
          .last_modified_ms = modified,
          .rows = rows,
          .bytes = rows * 8};
}

catalog::BackupRecord RecordFor(const TableRef& object, const Fingerprint& source) {
  catalog::BackupRecord record;
  record.backup = "b-" + object.partition;
  record.object = object;
  record.created_ms = kNow - kDay;
  record.source = source;
  return record;
}

LastBackups LastOf(const TableInfo& table) {
  return {{"", RecordFor(table.ref, FingerprintOf(table))}};
}

TableSummary SummaryOf(const TableInfo& table) {
  return {.ref = table.ref,
          .kind = table.kind,
          .creation_ms = table.creation_ms,
          .last_modified_ms = table.last_modified_ms,
          .rows = table.rows,
          .bytes = table.bytes};
}

TEST(PlanFromSummary, SettlesAnUnchangedTableWithoutLookingAtIt) {
  const TableInfo table = PlainTable();
  const auto outcome = PlanFromSummary(SummaryOf(table), LastOf(table), {}, kNow);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->outcome, Outcome::kUnchanged);
  EXPECT_EQ(outcome->backup, "b-");
}

TEST(PlanFromSummary, LooksAtATableThatHasBackupsOfPartitionsToo) {
  const TableInfo table = PlainTable();
  LastBackups last = LastOf(table);
  const TableRef partition = Orders().WithPartition("20240101");
  last.emplace(partition.partition, RecordFor(partition, FingerprintOf(table)));
  EXPECT_FALSE(PlanFromSummary(SummaryOf(table), last, {}, kNow));
}

struct ChangedNumber {
  const char* what;
  void (*change)(TableSummary&);
};

class PlanFromSummaryChanged : public testing::TestWithParam<ChangedNumber> {};

TEST_P(PlanFromSummaryChanged, LooksAtATableWithAnotherNumber) {
  TableSummary summary = SummaryOf(PlainTable());
  GetParam().change(summary);
  EXPECT_FALSE(PlanFromSummary(summary, LastOf(PlainTable()), {}, kNow).has_value());
}

INSTANTIATE_TEST_SUITE_P(
    EachNumber, PlanFromSummaryChanged,
    testing::Values(ChangedNumber{"later", [](TableSummary& s) { s.last_modified_ms += 1; }},
                    ChangedNumber{"earlier", [](TableSummary& s) { s.last_modified_ms -= 1; }},
                    ChangedNumber{"rows", [](TableSummary& s) { s.rows = 11; }},
                    ChangedNumber{"bytes", [](TableSummary& s) { s.bytes = 81; }},
                    ChangedNumber{"recreated", [](TableSummary& s) { s.creation_ms = 101; }},
                    ChangedNumber{"kind", [](TableSummary& s) { s.kind = TableKind::kUnknown; }}),
    [](const auto& parameter) { return parameter.param.what; });

TEST(PlanFromSummary, LooksAtATableThatHadRowsInTheStreamingBuffer) {
  const TableInfo table = PlainTable();
  LastBackups last = LastOf(table);
  last[""].source.streaming = true;
  EXPECT_FALSE(PlanFromSummary(SummaryOf(table), last, {}, kNow).has_value());
}

TEST(PlanFromSummary, LooksAgainWhenAFullBackupIsDueExactlyNow) {
  const TableInfo table = PlainTable();
  LastBackups last = LastOf(table);
  BackupPolicy policy;
  policy.forced_full_days = 7;
  last[""].created_ms = kNow - 7 * kDay;
  EXPECT_FALSE(PlanFromSummary(SummaryOf(table), last, policy, kNow).has_value());
  last[""].created_ms = kNow - 7 * kDay + 1;
  EXPECT_TRUE(PlanFromSummary(SummaryOf(table), last, policy, kNow).has_value());
}

TEST(PlanFromSummary, CountsASnapshotOfSomebodyElseAsUnprotected) {
  TableSummary summary = SummaryOf(PlainTable());
  summary.kind = TableKind::kSnapshot;
  const auto outcome = PlanFromSummary(summary, {}, {}, kNow);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->outcome, Outcome::kUnsupported);
}

// A view as the warehouse has it, and the backup of it.
TableInfo View(const std::string& sql) {
  TableInfo view = PlainTable();
  view.kind = TableKind::kView;
  view.resource = {{"type", "VIEW"},
                   {"view", {{"query", sql}}},
                   {"creationTime", std::to_string(view.creation_ms)},
                   {"lastModifiedTime", std::to_string(view.last_modified_ms)}};
  return view;
}

LastBackups LastOfView(const TableInfo& view) {
  catalog::BackupRecord record = RecordFor(view.ref, FingerprintOfDefinition(view.resource));
  record.kind = ObjectKind::kView;
  record.method = Method::kDefinition;
  return {{"", record}};
}

TEST(PlanFromSummary, SettlesAViewWhoseTimesDidNotMove) {
  const TableInfo view = View("SELECT 1");
  TableSummary summary = SummaryOf(view);
  const auto outcome = PlanFromSummary(summary, LastOfView(view), {}, kNow);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->outcome, Outcome::kUnchanged);
  EXPECT_EQ(outcome->kind, ObjectKind::kView);
  summary.last_modified_ms += 1;
  EXPECT_FALSE(PlanFromSummary(summary, LastOfView(view), {}, kNow).has_value());
  EXPECT_FALSE(PlanFromSummary(SummaryOf(view), {}, {}, kNow).has_value()) << "never backed up";
  EXPECT_FALSE(PlanFromSummary(SummaryOf(view), LastOf(PlainTable()), {}, kNow).has_value())
      << "it was a table";
}

TEST(PlanFromSummary, LooksAtAnOldViewOnceInThePeriodOfForcedBackups) {
  const TableInfo view = View("SELECT 1");
  BackupPolicy policy;
  policy.forced_full_days = 7;
  const auto is_settled = [&](int64_t days) {
    const int64_t now_ms = kNow - kDay + days * kDay;  // the backup was made at kNow - kDay
    return PlanFromSummary(SummaryOf(view), LastOfView(view), policy, now_ms).has_value();
  };
  EXPECT_TRUE(is_settled(0));
  EXPECT_TRUE(is_settled(6));
  EXPECT_FALSE(is_settled(7));
  EXPECT_TRUE(is_settled(8));
  EXPECT_TRUE(is_settled(20));
  EXPECT_FALSE(is_settled(21));
}

// An export cuts such a time to microseconds, and would pass for equal ever after.
TEST(PlanTable, LeavesATimeOfPicosecondsToTheMethodThatKeepsIt) {
  TableInfo table = PlainTable();
  Field inner{.name = "at", .type = FieldType::kTimestamp};
  inner.extras = {{"timestampPrecision", "12"}};
  table.schema.fields.push_back({.name = "r", .type = FieldType::kRecord, .fields = {inner}});
  BackupPolicy policy;
  const TablePlan exported = PlanTable(table, {}, {}, policy, kNow);
  EXPECT_TRUE(exported.units.empty());
  ASSERT_EQ(exported.outcomes.size(), 1U);
  EXPECT_EQ(exported.outcomes[0].outcome, Outcome::kUnsupported);
  EXPECT_NE(exported.outcomes[0].reason.find("r.at"), std::string::npos);
  policy.method = Method::kCopy;
  EXPECT_EQ(PlanTable(table, {}, {}, policy, kNow).units.size(), 1U);
  table.schema.fields.back().fields.front().extras = {{"timestampPrecision", "6"}};
  EXPECT_EQ(PlanTable(table, {}, {}, {}, kNow).units.size(), 1U);
}

TEST(PlanTable, TakesAViewWhoseDefinitionChangedAndNoOther) {
  const TableInfo view = View("SELECT 1");
  EXPECT_EQ(PlanTable(view, {}, LastOfView(view), {}, kNow).outcomes.at(0).outcome,
            Outcome::kUnchanged);
  const TablePlan changed = PlanTable(View("SELECT 2"), {}, LastOfView(view), {}, kNow);
  ASSERT_EQ(changed.units.size(), 1u);
  EXPECT_EQ(changed.method, Method::kDefinition);
  // Whatever the policy's method is, and however long ago: there is nothing more to keep of it.
  BackupPolicy policy;
  policy.method = Method::kCopy;
  policy.forced_full_days = 1;
  const TablePlan looked = PlanTable(view, {}, LastOfView(view), policy, kNow + 9 * kDay);
  ASSERT_EQ(looked.units.size(), 1u) << "who may use it is to be looked at";
  EXPECT_EQ(looked.units[0].change, Change::kMetadataOnly);
  policy.forced_full_days = 0;
  EXPECT_TRUE(PlanTable(view, {}, LastOfView(view), policy, kNow + 9 * kDay).units.empty());
}

TEST(PlanTable, TakesATableAnewThatWasAViewAndTheReverse) {
  const TableInfo view = View("SELECT 1");
  const TablePlan table = PlanTable(PlainTable(), {}, LastOfView(view), {}, kNow);
  ASSERT_EQ(table.units.size(), 1u);
  EXPECT_EQ(table.method, Method::kExport);
  EXPECT_EQ(PlanTable(view, {}, LastOf(PlainTable()), {}, kNow).units.size(), 1u);
}

// A kind that is not told by the definition alone is compared all the same.
TEST(PlanTable, TakesADefinitionAnewThatWasOfAnotherKind) {
  const TableInfo view = View("SELECT 1");
  for (const ObjectKind kind : {ObjectKind::kTable, ObjectKind::kMaterializedView,
                                ObjectKind::kExternal, ObjectKind::kView}) {
    LastBackups last = LastOfView(view);
    last[""].kind = kind;
    const bool same = kind == ObjectKind::kView;
    EXPECT_EQ(PlanTable(view, {}, last, {}, kNow).units.empty(), same) << ObjectKindName(kind);
    EXPECT_EQ(PlanFromSummary(SummaryOf(view), last, {}, kNow).has_value(), same)
        << ObjectKindName(kind);
  }
}

TEST(PlanTable, TakesATableThatWasNeverBackedUp) {
  const TablePlan plan = PlanTable(PlainTable(), {}, {}, {}, kNow);
  ASSERT_EQ(plan.units.size(), 1u);
  EXPECT_EQ(plan.units[0].partition, "");
  EXPECT_EQ(plan.units[0].change, Change::kDataChanged);
}

TEST(PlanTable, TakesOnlyThePartitionsThatChanged) {
  const TableInfo table = PartitionedTable();
  const auto monday = Partition("20260101", 200, 5);
  const auto tuesday = Partition("20260102", 200, 7);
  const LastBackups last = {{"20260101", RecordFor(monday.ref, FingerprintOf(table, monday))},
                            {"20260102", RecordFor(tuesday.ref, FingerprintOf(table, tuesday))}};
  const auto tuesday_now = Partition("20260102", 300, 9);
  const auto wednesday = Partition("20260103", 300, 1);

  const TablePlan plan = PlanTable(table, {monday, tuesday_now, wednesday}, last, {}, kNow);

  ASSERT_EQ(plan.units.size(), 2u);
  EXPECT_EQ(plan.units[0].partition, "20260102");
  EXPECT_EQ(plan.units[1].partition, "20260103");
  ASSERT_EQ(plan.outcomes.size(), 1u);
  EXPECT_EQ(plan.outcomes[0].object, monday.ref);
  EXPECT_EQ(plan.outcomes[0].outcome, Outcome::kUnchanged);
}

TEST(PlanTable, TreatsATableThatBecamePartitionedAsNewObjects) {
  const LastBackups last = LastOf(PlainTable());
  const TablePlan plan =
      PlanTable(PartitionedTable(), {Partition("20260101", 200, 10)}, last, {}, kNow);
  ASSERT_EQ(plan.units.size(), 1u);
  EXPECT_EQ(plan.units[0].partition, "20260101");
}

TEST(PlanTable, BacksUpAPartitionedTableWithoutPartitionsWhole) {
  const TablePlan plan = PlanTable(PartitionedTable(), {}, {}, {}, kNow);
  ASSERT_EQ(plan.units.size(), 1u);
  EXPECT_EQ(plan.units[0].partition, "");
}

TEST(PlanTable, ExportsNothingOfThePartitionThatIsTheStreamingBuffer) {
  TableInfo table = PartitionedTable();
  table.streaming_buffer = StreamingBuffer{5, 40, 100};
  const auto monday = Partition("20260101", 200, 5);
  const auto buffered = Partition("__UNPARTITIONED__", 200, 5);
  const TablePlan plan = PlanTable(table, {monday, buffered}, {}, {}, kNow);
  ASSERT_EQ(plan.units.size(), 1u);
  EXPECT_EQ(plan.units[0].partition, "20260101");
  // Nothing but the buffer: the definition is backed up, and the table looked at again next time.
  const TablePlan only = PlanTable(table, {buffered}, {}, {}, kNow);
  ASSERT_EQ(only.units.size(), 1u);
  EXPECT_EQ(only.units[0].partition, "");
  EXPECT_TRUE(only.units[0].fingerprint.streaming);
  // Outside of an integer range there are rows that an export has.
  table.partitioning = {.kind = Partitioning::Kind::kIntegerRange, .field = "id"};
  EXPECT_EQ(PlanTable(table, {buffered}, {}, {}, kNow).units.at(0).partition, "__UNPARTITIONED__");
}

TEST(PlanTable, CountsATableWithoutColumnsAsUnprotected) {
  TableInfo table = PlainTable();
  table.schema.fields.clear();
  const TablePlan plan = PlanTable(table, {}, {}, {}, kNow);
  EXPECT_TRUE(plan.units.empty());
  ASSERT_EQ(plan.outcomes.size(), 1u);
  EXPECT_EQ(plan.outcomes[0].outcome, Outcome::kUnsupported);
}

TEST(PlanTable, ComparesWithASuspectBackupAndSaysThatItIsOne) {
  const TableInfo table = PlainTable();
  LastBackups last = LastOf(table);
  last[""].suspect = "rows fell from 900 to 10";
  const TablePlan plan = PlanTable(table, {}, last, {}, kNow);
  EXPECT_TRUE(plan.units.empty());
  ASSERT_EQ(plan.outcomes.size(), 1u);
  EXPECT_EQ(plan.outcomes[0].outcome, Outcome::kUnchanged);
  EXPECT_TRUE(plan.outcomes[0].suspect);
}

TEST(PlanTable, TakesAnUnchangedTableForAnotherMethod) {
  const TableInfo table = PlainTable();
  BackupPolicy policy;
  policy.method = Method::kCopy;
  EXPECT_EQ(PlanTable(table, {}, LastOf(table), policy, kNow).units.size(), 1u);
}

TEST(PlanTable, CallsAnEditedDescriptionMetadataOnly) {
  const TableInfo before = PlainTable();
  TableInfo after = before;
  after.last_modified_ms = 300;
  after.resource["description"] = "orders, edited";
  const TablePlan plan = PlanTable(after, {}, LastOf(before), {}, kNow);
  ASSERT_EQ(plan.units.size(), 1u);
  EXPECT_EQ(plan.units[0].change, Change::kMetadataOnly);
}

TEST(IsBackedUpDataset, LeavesOutResultsOfQueriesAndOurOwnCopies) {
  const auto dataset = [](const std::string& name, const Json& resource = Json::object()) {
    return DatasetInfo{.ref = {"acme", name}, .location = "US", .resource = resource};
  };
  const Json ours = {{"labels", {{"holdfast", "copies"}}}};
  EXPECT_TRUE(IsBackedUpDataset(dataset("sales")));
  EXPECT_TRUE(IsBackedUpDataset(dataset("_staging")));
  EXPECT_TRUE(IsBackedUpDataset(dataset("_9cfc6ad1d908631d0d9fb5b56915a6b531abfdxy")));
  EXPECT_FALSE(IsBackedUpDataset(dataset("_9cfc6ad1d908631d0d9fb5b56915a6b531abfd14")));
  EXPECT_FALSE(IsBackedUpDataset(dataset("holdfast_backup_us", ours)));
  EXPECT_TRUE(IsBackedUpDataset(dataset("holdfast_backup_notes"))) << "somebody's own";
  EXPECT_TRUE(IsBackedUpDataset(dataset("sales", ours)));
}

TEST(MessagesFor, BoundsThePartitionsOfOneMessage) {
  std::vector<BackupUnit> units(25);
  for (size_t i = 0; i < units.size(); ++i) units[i].partition = std::to_string(i);
  const auto messages = MessagesFor(
      {.run = "r", .table_to_backup = Orders(), .method = Method::kExport, .units = {}}, units, 10);
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(std::get<RunBackup>(messages[0]).units.size(), 10u);
  EXPECT_EQ(std::get<RunBackup>(messages[2]).units.size(), 5u);
  EXPECT_NE(TaskId(messages[0]), TaskId(messages[1]));
  // None of them is the last to read what they share.
  for (const WorkMessage& message : messages) {
    EXPECT_TRUE(std::get<RunBackup>(message).shares_moment);
  }
  const auto one = MessagesFor(
      {.run = "r", .table_to_backup = Orders(), .method = Method::kExport, .units = {}}, units, 25);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_FALSE(std::get<RunBackup>(one[0]).shares_moment);
}

struct ListedTable {
  TableSummary summary;
  std::vector<PartitionInfo> partitions;
  LastBackups last;
};

ListedTable TwoListedPartitions() {
  const TableInfo table = PartitionedTable();
  ListedTable listed{.summary = SummaryOf(table),
                     .partitions = {Partition("20240101", 150, 4), Partition("20240102", 200, 6)},
                     .last = {}};
  for (const PartitionInfo& partition : listed.partitions) {
    listed.last.emplace(partition.ref.partition,
                        RecordFor(partition.ref, FingerprintOf(table, partition)));
  }
  return listed;
}

TEST(PlanFromPartitions, SettlesATableWhosePartitionsAreAsInTheirBackups) {
  const ListedTable listed = TwoListedPartitions();
  const auto outcomes =
      PlanFromPartitions(listed.summary, listed.partitions, listed.last, {}, kNow);
  ASSERT_TRUE(outcomes.has_value());
  ASSERT_EQ(outcomes->size(), 2U);
  EXPECT_EQ(outcomes->at(1).outcome, Outcome::kUnchanged);
  EXPECT_EQ(outcomes->at(1).backup, "b-20240102");
}

TEST(PlanFromPartitions, LooksAtATableOfWhichAnythingIsOther) {
  const std::pair<const char*, void (*)(ListedTable&)> changes[] = {
      {"made anew", [](ListedTable& at) { ++at.summary.creation_ms; }},
      {"edited, its rows not", [](ListedTable& at) { ++at.summary.last_modified_ms; }},
      {"written to", [](ListedTable& at) { ++at.partitions[0].last_modified_ms; }},
      {"rows", [](ListedTable& at) { ++at.partitions[0].rows; }},
      {"bytes", [](ListedTable& at) { ++at.partitions[1].bytes; }},
      {"streamed into", [](ListedTable& at) { at.last.at("20240101").source.streaming = true; }},
      {"taken as of then", [](ListedTable& at) { at.last.at("20240101").as_of_ms = 150; }},
      {"another method", [](ListedTable& at) { at.last.at("20240102").method = Method::kCopy; }},
      {"never backed up", [](ListedTable& at) { at.last.erase("20240102"); }},
      {"a view now", [](ListedTable& at) { at.summary.kind = TableKind::kView; }},
      {"no partition", [](ListedTable& at) { at.partitions.clear(); }},
      {"full backup due", [](ListedTable& at) { at.last.at("20240101").created_ms = 0; }}};
  for (const auto& [what, change] : changes) {
    ListedTable listed = TwoListedPartitions();
    change(listed);
    BackupPolicy policy;
    policy.forced_full_days = 30;
    EXPECT_FALSE(PlanFromPartitions(listed.summary, listed.partitions, listed.last, policy, kNow))
        << what;
  }
}

TEST(PlanTable, TakesPartitionsAsOfAMomentBehindWhatWasSeenOfThem) {
  BackupPolicy policy;
  policy.freeze = true;
  const auto plan =
      PlanTable(PartitionedTable(), {Partition("20240101", kNow, 4), Partition("20240102", 200, 6)},
                {}, policy, kNow);
  EXPECT_EQ(plan.as_of_ms, kNow + 1) << "what was written in that millisecond is in it";
}

TEST(PlanTable, TakesSeveralPartitionsAsOfTheMomentBeforeTheLook) {
  const TableInfo table = PartitionedTable();
  const std::vector<PartitionInfo> two = {Partition("20260101", 200, 10),
                                          Partition("20260102", 200, 10)};
  EXPECT_EQ(PlanTable(table, two, {}, {}, kNow).as_of_ms, kNow);
  EXPECT_EQ(PlanTable(table, {two[0]}, {}, {}, kNow).as_of_ms, std::nullopt);
  BackupPolicy policy;
  policy.freeze = false;
  EXPECT_EQ(PlanTable(table, two, {}, policy, kNow).as_of_ms, std::nullopt);
}

// What was seen is not what was taken: equal fingerprints do not say that the backup has it.
TEST(PlanTable, TakesAgainWhatWasWrittenToAfterTheMomentOfItsLastBackup) {
  const TableInfo table = PlainTable();
  LastBackups last = LastOf(table);
  last.at("").as_of_ms = table.last_modified_ms + 1;
  EXPECT_TRUE(PlanTable(table, {}, last, {}, kNow).units.empty());
  EXPECT_TRUE(PlanFromSummary(SummaryOf(table), last, {}, kNow));
  last.at("").as_of_ms = table.last_modified_ms;
  EXPECT_EQ(PlanTable(table, {}, last, {}, kNow).units.size(), 1U);
  EXPECT_FALSE(PlanFromSummary(SummaryOf(table), last, {}, kNow));
}

// An edit of the description moves every partition's time behind the moment of the last backup.
TEST(PlanTable, CallsAnEditOfAFrozenTablesDescriptionMetadataOnly) {
  TableInfo table = PlainTable();
  LastBackups last = LastOf(table);
  last.at("").as_of_ms = table.last_modified_ms + 1;
  table.last_modified_ms += 100;
  table.resource["description"] = "edited";
  const TablePlan plan = PlanTable(table, {}, last, {}, kNow);
  ASSERT_EQ(plan.units.size(), 1U);
  EXPECT_EQ(plan.units[0].change, Change::kMetadataOnly);
  // What was taken was older than what was seen: nothing is known of its rows.
  last.at("").as_of_ms = last.at("").source.last_modified_ms;
  EXPECT_EQ(PlanTable(table, {}, last, {}, kNow).units[0].change, Change::kDataChanged);
}

// Seed 000's way: what was modified in the last 24 hours.
TEST(PlanTable, LooksOnlyAtWhatWasModifiedWithinThePolicysWindow) {
  constexpr int64_t kHourMs = 60LL * 60 * 1000;
  const int64_t now_ms = 1000 * kHourMs;
  BackupPolicy policy;
  policy.changed_within_hours = 24;
  TableInfo table = PlainTable();
  const auto outcomes_at = [&](int64_t last_modified_ms) {
    table.last_modified_ms = last_modified_ms;
    return PlanTable(table, {}, {}, policy, now_ms);
  };
  EXPECT_EQ(outcomes_at(now_ms - 24 * kHourMs).units.size(), 1U) << "just within it";
  const TablePlan outside = outcomes_at(now_ms - 24 * kHourMs - 1);
  EXPECT_TRUE(outside.units.empty());
  ASSERT_EQ(outside.outcomes.size(), 1U);
  EXPECT_EQ(outside.outcomes[0].outcome, Outcome::kNotDue);
  const auto settled = PlanFromSummary(SummaryOf(table), {}, policy, now_ms);
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->outcome, Outcome::kNotDue) << "without a look at the table";

  const TableInfo days = PartitionedTable();
  const std::vector<PartitionInfo> two = {Partition("20260101", now_ms - 30 * kHourMs, 10),
                                          Partition("20260102", now_ms - kHourMs, 10)};
  const TablePlan plan = PlanTable(days, two, {}, policy, now_ms);
  ASSERT_EQ(plan.units.size(), 1U);
  EXPECT_EQ(plan.units[0].partition, "20260102");
}

TEST(PlanTable, TakesASnapshotOfTheWholeTableOnly) {
  const TableInfo table = PartitionedTable();
  const std::vector<PartitionInfo> two = {Partition("20260101", 200, 10),
                                          Partition("20260102", 200, 10)};
  BackupPolicy policy;
  policy.method = Method::kSnapshot;
  const TablePlan plan = PlanTable(table, two, {}, policy, kNow);
  ASSERT_EQ(plan.units.size(), 1U);
  EXPECT_EQ(plan.units[0].partition, "");
  EXPECT_EQ(plan.as_of_ms, std::nullopt);
}

}  // namespace
}  // namespace holdfast::backup
