#include "model/table.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

Json TableResource() {
  return {{"tableReference", {{"projectId", "p"}, {"datasetId", "d"}, {"tableId", "t"}}},
          {"type", "TABLE"},
          {"location", "EU"},
          {"creationTime", "100"},
          {"lastModifiedTime", "200"},
          {"numRows", "3"},
          {"numBytes", "24"}};
}

TEST(TableInfo, ReadsTheNumbersThatGoogleWritesAsText) {
  const auto table = TableInfo::FromJson(TableResource());
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->ref.ToString(), "p.d.t");
  EXPECT_EQ(table->kind, TableKind::kTable);
  EXPECT_EQ(table->rows, 3);
  EXPECT_EQ(table->bytes, 24);
  EXPECT_EQ(table->last_modified_ms, 200);
  EXPECT_FALSE(table->streaming_buffer);
  EXPECT_EQ(table->partitioning, Partitioning{});
}

TEST(TableInfo, KeepsWhatItDoesNotInterpret) {
  Json resource = TableResource();
  resource["futureMember"] = {{"deep", {1, 2}}};
  EXPECT_EQ(TableInfo::FromJson(resource)->resource, resource);
}

TEST(TableInfo, ReadsEachKindOfPartitioning) {
  Json resource = TableResource();
  resource["timePartitioning"] = {{"type", "HOUR"}, {"field", "at"}};
  EXPECT_EQ(TableInfo::FromJson(resource)->partitioning.kind, Partitioning::Kind::kHour);
  resource.erase("timePartitioning");
  resource["rangePartitioning"] = {{"field", "n"},
                                   {"range", {{"start", "-10"}, {"end", "20"}, {"interval", "5"}}}};
  const auto range = TableInfo::FromJson(resource);
  ASSERT_TRUE(range.ok()) << range.error().message;
  EXPECT_EQ(range->partitioning.range_start, -10);
  EXPECT_EQ(range->partitioning.range_interval, 5);
}

TEST(TableInfo, ReadsAStreamingBufferOfMoreRowsThanAnInt64Holds) {
  Json resource = TableResource();
  resource["streamingBuffer"] = {{"estimatedRows", "18446744073709551615"},
                                 {"estimatedBytes", "0"},
                                 {"oldestEntryTime", "150"}};
  const auto table = TableInfo::FromJson(resource);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->streaming_buffer->estimated_rows, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(table->streaming_buffer->oldest_entry_ms, 150);
}

TEST(TableInfo, RefusesWrongMembersAndNamesTheTable) {
  const std::pair<std::string, Json> cases[] = {
      {"numRows", "many"},
      {"numRows", "-1"},
      {"timePartitioning", {{"type", "WEEK"}}},
      {"rangePartitioning", {{"field", "n"}}},
      {"rangePartitioning",
       {{"field", "n"}, {"range", {{"start", "0"}, {"end", "0"}, {"interval", "1"}}}}},
      {"streamingBuffer", {{"estimatedRows", "-1"}}},
      {"schema", {{"fields", 7}}}};
  for (const auto& [key, value] : cases) {
    Json resource = TableResource();
    resource[key] = value;
    const auto table = TableInfo::FromJson(resource);
    ASSERT_FALSE(table.ok()) << key;
    EXPECT_EQ(table.error().id, ErrorId::kInvalidJson);
    EXPECT_NE(table.error().message.find("p.d.t"), std::string::npos) << table.error().message;
  }
  EXPECT_FALSE(TableInfo::FromJson(Json::object()).ok());
}

TEST(TableKind, UnknownKindsAreNotGuessed) {
  EXPECT_EQ(ParseTableKind("FUTURE_TYPE"), TableKind::kUnknown);
  EXPECT_EQ(ParseTableKind("MATERIALIZED_VIEW"), TableKind::kMaterializedView);
  EXPECT_EQ(TableKindName(TableKind::kSnapshot), "SNAPSHOT");
}

TEST(DatasetInfo, ReadsReferenceAndLocation) {
  const Json resource = {{"datasetReference", {{"projectId", "p"}, {"datasetId", "d"}}},
                         {"location", "US"},
                         {"labels", {{"a", "b"}}}};
  const auto dataset = DatasetInfo::FromJson(resource);
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ(dataset->ref.ToString(), "p.d");
  EXPECT_EQ(dataset->location, "US");
  EXPECT_EQ(dataset->resource, resource);
  EXPECT_FALSE(DatasetInfo::FromJson(Json::object()).ok());
}

}  // namespace
}  // namespace holdfast
