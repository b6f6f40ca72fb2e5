#include "model/fingerprint.h"

#include <gtest/gtest.h>

#include <functional>

namespace holdfast {
namespace {

Fingerprint SampleFingerprint() {
  return {.creation_ms = 1000,
          .last_modified_ms = 5000,
          .rows = 10,
          .bytes = 80,
          .schema_hash = "s",
          .metadata_hash = "m",
          .partitioning = {.kind = Partitioning::Kind::kDay, .field = "day"},
          .streaming = false};
}

struct ChangeCase {
  std::string_view what;
  std::function<void(Fingerprint&)> change;
  Change expected;
};

TEST(FingerprintChange, FollowsTheRulesOfTheHeader) {
  const ChangeCase cases[] = {
      {"nothing", [](Fingerprint&) {}, Change::kUnchanged},
      {"time moved alone", [](Fingerprint& f) { f.last_modified_ms = 6000; }, Change::kDataChanged},
      {"time moved back", [](Fingerprint& f) { f.last_modified_ms = 4000; }, Change::kDataChanged},
      {"rows", [](Fingerprint& f) { f.rows = 9; }, Change::kDataChanged},
      {"bytes", [](Fingerprint& f) { f.bytes = 81; }, Change::kDataChanged},
      {"schema", [](Fingerprint& f) { f.schema_hash = "t"; }, Change::kDataChanged},
      {"recreated", [](Fingerprint& f) { f.creation_ms = 1001; }, Change::kDataChanged},
      {"partitioning", [](Fingerprint& f) { f.partitioning = {}; }, Change::kDataChanged},
      {"description and time",
       [](Fingerprint& f) {
         f.last_modified_ms = 6000;
         f.metadata_hash = "n";
       },
       Change::kMetadataOnly},
      {"description alone", [](Fingerprint& f) { f.metadata_hash = "n"; }, Change::kMetadataOnly},
      {"description and rows",
       [](Fingerprint& f) {
         f.rows = 11;
         f.metadata_hash = "n";
       },
       Change::kDataChanged},
      {"streaming began", [](Fingerprint& f) { f.streaming = true; }, Change::kUnchanged},
  };
  for (const ChangeCase& item : cases) {
    Fingerprint now = SampleFingerprint();
    item.change(now);
    EXPECT_EQ(CompareFingerprints(SampleFingerprint(), now), item.expected) << item.what;
  }
}

TEST(FingerprintChange, ABackupTakenWhileRowsStreamedInIsNeverCurrent) {
  Fingerprint last = SampleFingerprint();
  last.streaming = true;
  EXPECT_EQ(CompareFingerprints(last, SampleFingerprint()), Change::kDataChanged);
}

TEST(FingerprintChange, OnlyEqualDigestsProveThatTheDataStayed) {
  EXPECT_EQ(SettleMetadataOnly("a", "a"), Change::kMetadataOnly);
  EXPECT_EQ(SettleMetadataOnly("a", "b"), Change::kDataChanged);
  EXPECT_EQ(SettleMetadataOnly("", ""), Change::kDataChanged);
}

TEST(Fingerprint, RoundTripsThroughJson) {
  Fingerprint fingerprint = SampleFingerprint();
  fingerprint.partitioning = {.kind = Partitioning::Kind::kIntegerRange,
                              .field = "n",
                              .range_start = -5,
                              .range_end = 10,
                              .range_interval = 3};
  const auto parsed = Fingerprint::FromJson(fingerprint.ToJson());
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(*parsed, fingerprint);
}

Json Resource() {
  return {{"tableReference", {{"projectId", "p"}, {"datasetId", "d"}, {"tableId", "t"}}},
          {"description", "one"},
          {"numRows", "5"},
          {"lastModifiedTime", "1"},
          {"etag", "x"},
          {"schema", {{"fields", {{{"name", "a"}, {"type", "INTEGER"}}}}}}};
}

TEST(MetadataHash, IgnoresWhatTheServiceMovesByItself) {
  Json moved = Resource();
  moved["numRows"] = "6";
  moved["numActiveLogicalBytes"] = "9";
  moved["lastModifiedTime"] = "2";
  moved["etag"] = "y";
  moved["streamingBuffer"] = {{"estimatedRows", "3"}};
  EXPECT_EQ(MetadataHash(moved), MetadataHash(Resource()));
}

TEST(MetadataHash, SeesTheDescriptionsOfTableAndColumns) {
  Json table = Resource();
  table["description"] = "two";
  Json column = Resource();
  column["schema"]["fields"][0]["description"] = "key";
  EXPECT_NE(MetadataHash(table), MetadataHash(Resource()));
  EXPECT_NE(MetadataHash(column), MetadataHash(Resource()));
}

TEST(MetadataHash, IgnoresTheRefreshesOfAMaterializedView) {
  Json view = {{"materializedView", {{"query", "SELECT 1"}, {"lastRefreshTime", "5"}}}};
  Json refreshed = view;
  refreshed["materializedView"]["lastRefreshTime"] = "9";
  refreshed["materializedViewStatus"] = {{"refreshWatermark", "9"}};
  EXPECT_EQ(MetadataHash(refreshed), MetadataHash(view));
  refreshed["materializedView"]["query"] = "SELECT 2";
  EXPECT_NE(MetadataHash(refreshed), MetadataHash(view));
}

TEST(Fingerprint, OfADefinitionTellsChangeByItsTextAlone) {
  Json resource = {{"view", {{"query", "SELECT 1"}}}, {"creationTime", "1"}};
  const Fingerprint before = FingerprintOfDefinition(resource);
  resource["creationTime"] = "2";
  resource["lastModifiedTime"] = "3";
  EXPECT_EQ(CompareDefinitionFingerprints(before, FingerprintOfDefinition(resource)),
            Change::kUnchanged);
  resource["view"]["query"] = "SELECT 2";
  EXPECT_EQ(CompareDefinitionFingerprints(before, FingerprintOfDefinition(resource)),
            Change::kDataChanged);
}

TEST(Fingerprint, OfAPartitionCountsThePartition) {
  auto table = TableInfo::FromJson(Resource());
  ASSERT_TRUE(table.ok()) << table.error().message;
  table->streaming_buffer = StreamingBuffer{};
  PartitionInfo partition{
      .ref = table->ref.WithPartition("20240101"), .last_modified_ms = 7, .rows = 2, .bytes = 16};
  EXPECT_EQ(FingerprintOf(*table, partition).rows, 2);
  EXPECT_EQ(FingerprintOf(*table, partition).last_modified_ms, 7);
  EXPECT_FALSE(FingerprintOf(*table, partition).streaming);
  partition.ref.partition = kUnpartitionedPartition;
  EXPECT_TRUE(FingerprintOf(*table, partition).streaming);
  EXPECT_TRUE(FingerprintOf(*table).streaming);
}

}  // namespace
}  // namespace holdfast
