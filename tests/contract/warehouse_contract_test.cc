#include "tests/contract/warehouse_contract.h"

#include <algorithm>
#include <set>

#include "avro/cell_json.h"
#include "avro/reader.h"
#include "tests/support/error_id.h"

namespace holdfast::contract {

using cloud::CopyJob;
using cloud::CopyOperation;
using cloud::ExtractJob;
using cloud::JobRef;
using cloud::JobSpec;
using cloud::JobState;
using cloud::JobStatus;
using cloud::LoadJob;
using cloud::WriteDisposition;

using Rows = std::vector<Json>;
using Texts = std::vector<std::string>;

namespace {

using testing_support::IdOf;
constexpr const char* kBucket = "holdfast-contract-extracts";
constexpr int kPollsMax = 600;

std::string UriOf(const std::string& name) { return std::string("gs://") + kBucket + "/" + name; }

}  // namespace

void WarehouseContract::SetUp() {
  world_ = GetParam().make();
  const auto dataset = warehouse().EnsureDataset(DatasetOf("contract", "US"));
  ASSERT_TRUE(dataset.ok()) << dataset.error().ToString();
  const auto bucket = world_->objects().EnsureBucket(
      {.name = kBucket, .project = world_->project(), .location = "US"});
  ASSERT_TRUE(bucket.ok()) << bucket.error().ToString();
}

DatasetInfo WarehouseContract::DatasetOf(const std::string& id, const std::string& location) {
  const Json reference = {{"projectId", world_->project()}, {"datasetId", id}};
  return {.ref = {world_->project(), id},
          .location = location,
          .resource = {{"datasetReference", reference}, {"location", location}}};
}

TableRef WarehouseContract::Table(const std::string& name) {
  return {world_->project(), "contract", name, ""};
}

TableRef WarehouseContract::Create(const std::string& name, const Json& resource,
                                   const Rows& rows) {
  const auto created = warehouse().CreateTable(Table(name), resource);
  EXPECT_TRUE(created.ok()) << created.error().ToString();
  if (!rows.empty()) world_->AppendRows(Table(name), rows);
  return Table(name);
}

JobRef WarehouseContract::Job(const std::string& id) {
  return {world_->project(), "US", "contract-" + id};
}

JobStatus WarehouseContract::RunJob(const std::string& id, const JobSpec& spec) {
  auto status = warehouse().StartJob(Job(id), spec);
  for (int i = 0; i < kPollsMax && status.ok() && status->state != JobState::kDone; ++i) {
    world_->clock().SleepFor(std::chrono::milliseconds{50});
    status = warehouse().GetJob(Job(id));
  }
  if (status.ok()) return *status;
  return {.ref = Job(id), .state = JobState::kDone, .error = status.error()};
}

Texts WarehouseContract::Content(const TableRef& table, const std::string& id,
                                 std::optional<int64_t> as_of_ms) {
  const std::string prefix = "content/" + id + "/";
  const JobStatus status =
      RunJob("content-" + id, ExtractJob{.source = table,
                                         .as_of_ms = as_of_ms,
                                         .destination_uri = UriOf(prefix + "*.avro")});
  EXPECT_TRUE(status.Succeeded()) << (status.error ? status.error->ToString() : "never done");
  return ReadObjects(prefix);
}

Texts WarehouseContract::ObjectNames(const std::string& prefix) {
  Texts names;
  const Status status = cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) {
        return world_->objects().ListObjects(kBucket, prefix, token);
      },
      [&](cloud::ObjectInfo&& info) -> Status {
        names.push_back(info.ref.name);
        return Ok();
      });
  EXPECT_TRUE(status.ok()) << status.error().ToString();
  return names;
}

Texts WarehouseContract::ReadObjects(const std::string& prefix) {
  Texts rows;
  for (const std::string& name : ObjectNames(prefix)) {
    const auto bytes = ReadObjectToString(world_->objects(), {kBucket, name, 0}, 100'000'000);
    EXPECT_TRUE(bytes.ok()) << bytes.error().ToString();
    size_t at = 0;
    const auto source = [&](std::span<char> buffer) -> Result<size_t> {
      const size_t count = std::min(buffer.size(), bytes->size() - at);
      std::copy_n(bytes->data() + at, count, buffer.data());
      at += count;
      return count;
    };
    const auto reader = avro::Reader::Open(source);
    EXPECT_TRUE(reader.ok()) << reader.error().ToString();
    for (auto batch = (*reader)->Next(100); batch.ok() && *batch; batch = (*reader)->Next(100)) {
      for (size_t r = 0; r < (*batch)->view.rows; ++r) {
        rows.push_back(DumpJson(RowToJson((*reader)->schema(), (*batch)->view, r)));
      }
    }
  }
  std::ranges::sort(rows);
  return rows;
}

namespace {

Json TwoColumns() {
  return {{"schema",
           {{"fields",
             {{{"name", "day"}, {"type", "DATE"}, {"mode", "NULLABLE"}},
              {{"name", "n"}, {"type", "INTEGER"}, {"mode", "NULLABLE"}}}}}}};
}

Json ByDay() {
  Json resource = TwoColumns();
  resource["timePartitioning"] = {{"type", "DAY"}, {"field", "day"}};
  return resource;
}

Json Row(const char* day, int n) { return {{"day", day}, {"n", n}}; }

Texts Sorted(const Rows& rows) {
  Texts texts;
  for (const Json& row : rows) texts.push_back(DumpJson(row));
  std::ranges::sort(texts);
  return texts;
}

Schema SchemaOf(const Json& resource) { return *Schema::FromJson(resource.at("schema")); }

template <typename T, typename Key>
std::set<std::string> AllOf(const std::function<Result<cloud::Page<T>>(const std::string&)>& list,
                            const Key& key) {
  std::set<std::string> keys;
  const Status status = cloud::ForEachPage<T>(list, [&](T&& item) -> Status {
    EXPECT_TRUE(keys.insert(key(item)).second) << key(item) << " was listed twice";
    return Ok();
  });
  EXPECT_TRUE(status.ok()) << status.error().ToString();
  return keys;
}

TEST_P(WarehouseContract, EnsureDatasetGivesWhatIsThere) {
  ASSERT_TRUE(warehouse().EnsureDataset(DatasetOf("contract", "US")).ok());
  EXPECT_EQ(IdOf(warehouse().EnsureDataset(DatasetOf("contract", "EU"))),
            ErrorId::kLocationMismatch);
  const auto dataset = warehouse().GetDataset({world_->project(), "contract"});
  ASSERT_TRUE(dataset.ok()) << dataset.error().ToString();
  EXPECT_EQ(dataset->location, "US");
}

TEST_P(WarehouseContract, WhatIsAbsentIsToldApart) {
  EXPECT_EQ(IdOf(warehouse().GetDataset({world_->project(), "absent"})), ErrorId::kDatasetNotFound);
  EXPECT_EQ(IdOf(warehouse().ListTables({world_->project(), "absent"}, "")),
            ErrorId::kDatasetNotFound);
  EXPECT_EQ(IdOf(warehouse().GetTable(Table("absent"))), ErrorId::kTableNotFound);
  EXPECT_EQ(IdOf(warehouse().UpdateTable(Table("absent"), {{"description", "x"}})),
            ErrorId::kTableNotFound);
  EXPECT_EQ(IdOf(warehouse().GetJob(Job("absent"))), ErrorId::kJobNotFound);
  if (!world_->absent_project().empty()) {
    EXPECT_EQ(IdOf(warehouse().ListDatasets(world_->absent_project(), "")),
              ErrorId::kProjectNotFound);
  }
}

TEST_P(WarehouseContract, ListsEveryDatasetAndTableOnce) {
  std::set<std::string> expected = {"contract"};
  for (int i = 0; i < 9; ++i) {
    const std::string id = "listed_" + std::to_string(i);
    ASSERT_TRUE(warehouse().EnsureDataset(DatasetOf(id, "US")).ok());
    expected.insert(id);
    Create(id, TwoColumns());
  }
  EXPECT_EQ(AllOf<DatasetInfo>(
                [&](const std::string& token) {
                  return warehouse().ListDatasets(world_->project(), token);
                },
                [](const DatasetInfo& dataset) { return dataset.ref.dataset; }),
            expected);
  expected.erase("contract");
  EXPECT_EQ(AllOf<TableSummary>(
                [&](const std::string& token) {
                  return warehouse().ListTables({world_->project(), "contract"}, token);
                },
                [](const TableSummary& table) { return table.ref.table; }),
            expected);
}

// A scan that goes on behind the last name it saw would pass over what is out of order.
TEST_P(WarehouseContract, ListsTablesInOrderOfTheBytesOfTheirNames) {
  const std::vector<std::string> in_order = {"B_2", "_a", "a", "a_1", "b", "b2"};
  for (const char* name : {"b2", "a_1", "B_2", "b", "a", "_a"}) Create(name, TwoColumns());
  std::vector<std::string> listed;
  const Status status = cloud::ForEachPage<TableSummary>(
      [&](const std::string& token) {
        return warehouse().ListTables({world_->project(), "contract"}, token);
      },
      [&](TableSummary&& table) -> Status {
        listed.push_back(table.ref.table);
        return Ok();
      });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(listed, in_order);
}

TEST_P(WarehouseContract, ListsTheLabelsOfTables) {
  for (int i = 0; i < 7; ++i) {
    Json resource = TwoColumns();
    resource["labels"] = {{"team", "t" + std::to_string(i)}, {"holdfast-class", "critical"}};
    Create("labelled_" + std::to_string(i), resource);
  }
  std::map<std::string, std::string> teams;
  ASSERT_TRUE(cloud::ForEachPage<TableLabels>(
                  [&](const std::string& token) {
                    return warehouse().ListTableLabels({world_->project(), "contract"}, token);
                  },
                  [&](TableLabels&& table) -> Status {
                    EXPECT_EQ(table.labels.size(), 2);
                    EXPECT_TRUE(teams.emplace(table.ref.table, table.labels["team"]).second);
                    return Ok();
                  })
                  .ok());
  ASSERT_EQ(teams.size(), 7);
  EXPECT_EQ(teams["labelled_3"], "t3");
  EXPECT_EQ(IdOf(warehouse().ListTableLabels({world_->project(), "absent"}, "")),
            ErrorId::kDatasetNotFound);
}

TEST_P(WarehouseContract, CreatesATableFromItsResource) {
  Json resource = ByDay();
  resource["description"] = "days and numbers";
  resource["labels"] = {{"team", "data"}};
  resource["numRows"] = "77";  // the service's own, to be ignored
  const TableRef table = Create("created", resource);
  const auto info = warehouse().GetTable(table);
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  EXPECT_EQ(info->kind, TableKind::kTable);
  EXPECT_EQ(info->rows, 0);
  EXPECT_EQ(info->location, "US");
  EXPECT_EQ(info->partitioning.kind, Partitioning::Kind::kDay);
  EXPECT_EQ(SchemaHash(info->schema), SchemaHash(SchemaOf(resource)));
  EXPECT_EQ(info->resource.at("description"), "days and numbers");
  EXPECT_EQ(info->resource.at("labels"), resource["labels"]);
  EXPECT_GT(info->creation_ms, 0);

  EXPECT_EQ(IdOf(warehouse().CreateTable(table, resource)), ErrorId::kTableExists);
  EXPECT_EQ(IdOf(warehouse().CreateTable({world_->project(), "absent", "t", ""}, resource)),
            ErrorId::kDatasetNotFound);
}

TEST_P(WarehouseContract, UpdateChangesWhatThePatchNames) {
  Json resource = TwoColumns();
  resource["description"] = "first";
  resource["labels"] = {{"team", "data"}};
  const TableRef table = Create("updated", resource);
  ASSERT_TRUE(warehouse().UpdateTable(table, {{"description", "second"}}).ok());
  auto info = warehouse().GetTable(table);
  EXPECT_EQ(info->resource.at("description"), "second");
  EXPECT_EQ(info->resource.at("labels"), resource["labels"]);
  ASSERT_TRUE(warehouse().UpdateTable(table, {{"description", nullptr}}).ok());
  info = warehouse().GetTable(table);
  EXPECT_EQ(StringOr(info->resource, "description", ""), "");
}

TEST_P(WarehouseContract, DeletingWhatIsGoneIsASuccess) {
  const TableRef table = Create("deleted", TwoColumns());
  ASSERT_TRUE(warehouse().DeleteTable(table).ok());
  EXPECT_EQ(IdOf(warehouse().GetTable(table)), ErrorId::kTableNotFound);
  EXPECT_TRUE(warehouse().DeleteTable(table).ok());
}

TEST_P(WarehouseContract, NewRowsMoveTheModificationTimeAndTheCounts) {
  const TableRef table = Create("moved", TwoColumns(), {Row("2024-01-01", 1)});
  const auto before = warehouse().GetTable(table);
  ASSERT_TRUE(before.ok());
  world_->clock().SleepFor(std::chrono::milliseconds{20});
  world_->AppendRows(table, {Row("2024-01-02", 2)});
  const auto after = warehouse().GetTable(table);
  EXPECT_EQ(before->rows, 1);
  EXPECT_EQ(after->rows, 2);
  EXPECT_GT(after->bytes, before->bytes);
  EXPECT_NE(after->last_modified_ms, before->last_modified_ms);
  EXPECT_EQ(after->creation_ms, before->creation_ms);
}

TEST_P(WarehouseContract, ADescriptionMovesTheModificationTimeToo) {
  const TableRef table = Create("described", TwoColumns(), {Row("2024-01-01", 1)});
  const auto before = warehouse().GetTable(table);
  world_->clock().SleepFor(std::chrono::milliseconds{20});
  ASSERT_TRUE(warehouse().UpdateTable(table, {{"description", "new"}}).ok());
  const auto after = warehouse().GetTable(table);
  EXPECT_NE(after->last_modified_ms, before->last_modified_ms);
  EXPECT_EQ(after->rows, before->rows);
}

TEST_P(WarehouseContract, ADescriptionIsNoWriteOfRows) {
  const TableRef table = Create("told_apart", TwoColumns(), {Row("2024-01-01", 1)});
  const auto written = warehouse().GetTable(table);
  world_->clock().SleepFor(std::chrono::milliseconds{20});
  const auto described = warehouse().UpdateTable(table, {{"description", "new"}});
  ASSERT_TRUE(described.ok()) << described.error().ToString();
  const auto told = warehouse().LastDataWrite(table, "US");
  ASSERT_TRUE(told.ok()) << told.error().ToString();
  ASSERT_TRUE(told->has_value());
  EXPECT_EQ((*told)->at_ms, written->last_modified_ms);
  EXPECT_GE((*told)->told_ms, described->last_modified_ms);

  world_->clock().SleepFor(std::chrono::milliseconds{20});
  world_->AppendRows(table, {Row("2024-01-01", 2)});
  EXPECT_EQ((*warehouse().LastDataWrite(table, "US"))->at_ms,
            warehouse().GetTable(table)->last_modified_ms);
}

TEST_P(WarehouseContract, PartitionsAddUpToTheTable) {
  const TableRef table =
      Create("partitioned", ByDay(),
             {Row("2024-01-01", 1), Row("2024-01-02", 2), Row("2024-01-02", 3), {{"n", 4}}});
  std::vector<std::string> ids;
  int64_t rows = 0;
  const Status status = cloud::ForEachPage<PartitionInfo>(
      [&](const std::string& token) { return warehouse().ListPartitions(table, token); },
      [&](PartitionInfo&& partition) -> Status {
        ids.push_back(partition.ref.partition);
        rows += partition.rows;
        EXPECT_GT(partition.last_modified_ms, 0);
        return Ok();
      });
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(ids, (Texts{"20240101", "20240102", "__NULL__"}));
  EXPECT_EQ(rows, warehouse().GetTable(table)->rows);

  const auto none = warehouse().ListPartitions(Create("plain", TwoColumns()), "");
  ASSERT_TRUE(none.ok()) << none.error().ToString();
  EXPECT_TRUE(none->items.empty());
}

TEST_P(WarehouseContract, TellsThePartitionsOfManyTablesAsItDoesThoseOfEach) {
  std::vector<std::string> expected;
  const auto text = [](const PartitionInfo& info) {
    return info.ref.ToString() + " " + std::to_string(info.rows) + " " +
           std::to_string(info.bytes) + " " + std::to_string(info.last_modified_ms);
  };
  for (const char* name : {"range_1", "range_2", "range_3", "range_4"}) {
    const TableRef table =
        Create(name, ByDay(), {Row("2024-01-01", 1), Row("2024-01-02", 2), {{"n", 4}}});
    if (std::string_view(name) == "range_1" || std::string_view(name) == "range_4") continue;
    const auto page = warehouse().ListPartitions(table, "");
    ASSERT_TRUE(page.ok()) << page.error().ToString();
    for (const PartitionInfo& info : page->items) expected.push_back(text(info));
  }
  Create("range_21", TwoColumns());
  std::vector<std::string> listed;
  std::string token;
  do {
    const auto page = warehouse().ListPartitionsInRange({world_->project(), "contract"}, "range_2",
                                                        "range_3", token);
    ASSERT_TRUE(page.ok()) << page.error().ToString();
    ASSERT_TRUE(page->has_value());
    for (const PartitionInfo& info : (*page)->items) listed.push_back(text(info));
    token = (*page)->next_page_token;
  } while (!token.empty());
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(listed, expected);
}

TEST_P(WarehouseContract, OnlyTheChangedPartitionMoves) {
  const TableRef table = Create("moving", ByDay(), {Row("2024-01-01", 1), Row("2024-01-02", 2)});
  const auto times = [&] {
    std::map<std::string, int64_t> by_id;
    const Status status = cloud::ForEachPage<PartitionInfo>(
        [&](const std::string& token) { return warehouse().ListPartitions(table, token); },
        [&](PartitionInfo&& partition) -> Status {
          by_id[partition.ref.partition] = partition.last_modified_ms;
          return Ok();
        });
    EXPECT_TRUE(status.ok());
    return by_id;
  };
  auto before = times();
  world_->clock().SleepFor(std::chrono::milliseconds{20});
  world_->AppendRows(table, {Row("2024-01-02", 3)});
  auto after = times();
  EXPECT_EQ(after["20240101"], before["20240101"]);
  EXPECT_NE(after["20240102"], before["20240102"]);
}

TEST_P(WarehouseContract, ExtractsTheRowsOfATableOrAPartition) {
  const Rows rows = {Row("2024-01-01", 1), Row("2024-01-02", 2), Row("2024-01-02", 3)};
  const TableRef table = Create("extracted", ByDay(), rows);
  EXPECT_EQ(Content(table, "whole"), Sorted(rows));
  EXPECT_EQ(Content(table.WithPartition("20240102"), "part"), Sorted({rows[1], rows[2]}));
}

TEST_P(WarehouseContract, ExtractsInEachCodec) {
  const Rows rows = {Row("2024-01-01", 1), Row("2024-01-02", 2)};
  const TableRef table = Create("codecs", TwoColumns(), rows);
  for (const std::string codec : {"NONE", "DEFLATE", "SNAPPY"}) {
    const JobStatus status =
        RunJob("codec-" + codec, ExtractJob{.source = table,
                                            .destination_uri = UriOf("codec/" + codec + "/*.avro"),
                                            .codec = codec});
    ASSERT_TRUE(status.Succeeded()) << status.error->ToString();
    EXPECT_EQ(ReadObjects("codec/" + codec + "/"), Sorted(rows));
    if (status.output_files >= 0) {
      EXPECT_EQ(status.output_files,
                static_cast<int64_t>(ObjectNames("codec/" + codec + "/").size()));
    }
  }
}

TEST_P(WarehouseContract, ExtractsAnEmptyTableWithoutRows) {
  EXPECT_TRUE(Content(Create("empty", TwoColumns()), "empty").empty());
}

TEST_P(WarehouseContract, ExtractsATableAsItWas) {
  const TableRef table = Create("travelled", TwoColumns(), {Row("2024-01-01", 1)});
  const int64_t as_of_ms = warehouse().GetTable(table)->last_modified_ms;
  world_->clock().SleepFor(std::chrono::milliseconds{50});
  world_->AppendRows(table, {Row("2024-01-02", 2)});
  EXPECT_EQ(Content(table, "then", as_of_ms), Sorted({Row("2024-01-01", 1)}));
  EXPECT_EQ(Content(table, "now").size(), 2);
}

TEST_P(WarehouseContract, AJobThatCannotReadItsTableDoesNotSucceed) {
  const JobStatus status =
      RunJob("absent-table",
             ExtractJob{.source = Table("absent"), .destination_uri = UriOf("absent/*.avro")});
  ASSERT_TRUE(status.error);
  EXPECT_EQ(status.error->id, ErrorId::kTableNotFound) << status.error->ToString();
  EXPECT_TRUE(ObjectNames("absent/").empty());
}

TEST_P(WarehouseContract, TheSameJobIdIsTheSameJob) {
  const TableRef table = Create("twice", TwoColumns(), {Row("2024-01-01", 1)});
  const ExtractJob extract{.source = table, .destination_uri = UriOf("twice/*.avro")};
  ASSERT_TRUE(RunJob("twice", extract).Succeeded());
  const auto written = world_->objects().StatObject({kBucket, ObjectNames("twice/").at(0), 0});
  ASSERT_TRUE(RunJob("twice", extract).Succeeded());
  const auto still = world_->objects().StatObject({kBucket, ObjectNames("twice/").at(0), 0});
  EXPECT_EQ((*still)->ref.generation, (*written)->ref.generation) << "the job ran again";
  ExtractJob other = extract;
  other.destination_uri = UriOf("elsewhere/*.avro");
  EXPECT_EQ(IdOf(warehouse().StartJob(Job("twice"), other)), ErrorId::kJobConflict);
}

TEST_P(WarehouseContract, LoadsWhatWasExtracted) {
  const Rows rows = {Row("2024-01-01", 1), Row("2024-01-02", 2), {{"day", nullptr}, {"n", 3}}};
  const TableRef source = Create("load_source", ByDay(), rows);
  ASSERT_TRUE(
      RunJob("load-extract", ExtractJob{.source = source, .destination_uri = UriOf("load/*.avro")})
          .Succeeded());
  LoadJob load{.destination = Create("load_target", ByDay()), .schema = SchemaOf(ByDay())};
  for (const std::string& name : ObjectNames("load/")) load.source_uris.push_back(UriOf(name));
  const JobStatus status = RunJob("load", load);
  ASSERT_TRUE(status.Succeeded()) << status.error->ToString();
  EXPECT_EQ(status.output_rows, 3);
  EXPECT_EQ(Content(load.destination, "loaded"), Sorted(rows));

  const JobStatus refused = RunJob("load-again", load);
  ASSERT_TRUE(refused.error) << "kEmpty wrote to a table that holds rows";
  EXPECT_EQ(Content(load.destination, "refused").size(), 3);

  load.disposition = WriteDisposition::kAppend;
  ASSERT_TRUE(RunJob("load-append", load).Succeeded());
  EXPECT_EQ(Content(load.destination, "appended").size(), 6);
  load.disposition = WriteDisposition::kTruncate;
  ASSERT_TRUE(RunJob("load-truncate", load).Succeeded());
  EXPECT_EQ(Content(load.destination, "truncated"), Sorted(rows));
}

TEST_P(WarehouseContract, LoadsOnePartitionAndLeavesTheOthers) {
  const TableRef source = Create("part_source", ByDay(), {Row("2024-01-02", 20)});
  const TableRef target =
      Create("part_target", ByDay(), {Row("2024-01-01", 1), Row("2024-01-02", 2)});
  ASSERT_TRUE(
      RunJob("part-extract", ExtractJob{.source = source, .destination_uri = UriOf("part/*.avro")})
          .Succeeded());
  LoadJob load{.destination = target.WithPartition("20240102"),
               .disposition = WriteDisposition::kTruncate,
               .schema = SchemaOf(ByDay())};
  for (const std::string& name : ObjectNames("part/")) load.source_uris.push_back(UriOf(name));
  const JobStatus status = RunJob("part-load", load);
  ASSERT_TRUE(status.Succeeded()) << status.error->ToString();
  EXPECT_EQ(Content(target, "part-loaded"), Sorted({Row("2024-01-01", 1), Row("2024-01-02", 20)}));
}

TEST_P(WarehouseContract, CopiesATable) {
  const Rows rows = {Row("2024-01-01", 1), Row("2024-01-02", 2)};
  const TableRef source = Create("copy_source", ByDay(), rows);
  const CopyJob copy{.sources = {source}, .destination = Table("copy_target")};
  const JobStatus status = RunJob("copy", copy);
  ASSERT_TRUE(status.Succeeded()) << status.error->ToString();
  EXPECT_EQ(Content(copy.destination, "copied"), Sorted(rows));
  const auto info = warehouse().GetTable(copy.destination);
  EXPECT_EQ(info->partitioning, warehouse().GetTable(source)->partitioning);
  EXPECT_TRUE(RunJob("copy-again", copy).error) << "kEmpty wrote to a table that holds rows";
}

TEST_P(WarehouseContract, ASnapshotKeepsTheRowsThatWereThere) {
  const Rows rows = {Row("2024-01-01", 1)};
  const TableRef source = Create("snapshot_source", TwoColumns(), rows);
  const JobStatus status = RunJob("snapshot", CopyJob{.sources = {source},
                                                      .destination = Table("snapshot"),
                                                      .operation = CopyOperation::kSnapshot});
  ASSERT_TRUE(status.Succeeded()) << status.error->ToString();
  world_->AppendRows(source, {Row("2024-01-02", 2)});
  const auto info = warehouse().GetTable(Table("snapshot"));
  ASSERT_TRUE(info.ok()) << info.error().ToString();
  EXPECT_EQ(info->kind, TableKind::kSnapshot);
  EXPECT_EQ(info->rows, 1);
}

// What the backups of a partitioned table are read from.
TEST_P(WarehouseContract, ACloneIsTheTableAsItWasWithItsPartitions) {
  const Rows rows = {Row("2024-01-01", 1), Row("2024-01-02", 2), Row("2024-01-02", 3)};
  const TableRef source = Create("clone_source", ByDay(), rows);
  const int64_t as_of_ms = warehouse().GetTable(source)->last_modified_ms;
  world_->clock().SleepFor(std::chrono::milliseconds{50});
  world_->AppendRows(source, {Row("2024-01-01", 9), Row("2024-01-03", 9)});
  const CopyJob clone{.sources = {source},
                      .as_of_ms = as_of_ms,
                      .destination = Table("clone"),
                      .operation = CopyOperation::kClone};
  const JobStatus status = RunJob("clone", clone);
  ASSERT_TRUE(status.Succeeded()) << status.error->ToString();
  const auto page = warehouse().ListPartitions(clone.destination, "");
  ASSERT_TRUE(page.ok()) << page.error().ToString();
  std::map<std::string, int64_t> counts;
  for (const PartitionInfo& partition : page->items) {
    counts[partition.ref.partition] = partition.rows;
  }
  EXPECT_EQ(counts, (std::map<std::string, int64_t>{{"20240101", 1}, {"20240102", 2}}));
  EXPECT_EQ(warehouse().GetTable(clone.destination)->rows, 3);
  EXPECT_EQ(Content(clone.destination.WithPartition("20240102"), "cloned"),
            Sorted({rows[1], rows[2]}));
  EXPECT_TRUE(RunJob("clone-again", clone).error) << "it is there";
}

TEST_P(WarehouseContract, ASnapshotIsRestoredIntoATableThatIsEmpty) {
  const Rows rows = {Row("2024-01-01", 1), Row("2024-01-02", 2)};
  const TableRef source = Create("restore_source", ByDay(), rows);
  ASSERT_TRUE(RunJob("restore-snapshot", CopyJob{.sources = {source},
                                                 .destination = Table("restore_snapshot"),
                                                 .operation = CopyOperation::kSnapshot})
                  .Succeeded());
  EXPECT_EQ(Content(Table("restore_snapshot"), "snapshot-read"), Sorted(rows));
  Json resource = ByDay();
  resource["description"] = "made before";
  const TableRef target = Create("restore_target", resource);
  const CopyJob restore{.sources = {Table("restore_snapshot")},
                        .destination = target,
                        .operation = CopyOperation::kRestore};
  const JobStatus status = RunJob("restore", restore);
  ASSERT_TRUE(status.Succeeded()) << status.error->ToString();
  EXPECT_EQ(Content(target, "restored"), Sorted(rows));
  const auto info = warehouse().GetTable(target);
  EXPECT_EQ(info->kind, TableKind::kTable);
  EXPECT_EQ(StringOr(info->resource, "description", ""), "made before");
  EXPECT_TRUE(RunJob("restore-again", restore).error) << "it holds rows by now";
}

}  // namespace
}  // namespace holdfast::contract
