#include "catalog/record_json.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace holdfast::catalog {
namespace {

// Every member at a value that is not its default.
BackupRecord FullRecord() {
  return {.backup = "20261121T101844Z-5b0c9d21e6a04c177f3e",
          .object = {"acme-shop", "sales", "orders \"é\n\\", "20261121"},
          .kind = ObjectKind::kView,
          .run = "20261121T101844Z-3fa9c1d2",
          .method = Method::kCopy,
          .created_ms = 1'790'000'000'001,
          .consistent_through_ms = 1'790'000'000'002,
          .source = {.creation_ms = 1,
                     .last_modified_ms = 2,
                     .rows = INT64_MAX,
                     .bytes = 4,
                     .schema_hash = "ab",
                     .metadata_hash = "cd",
                     .partitioning = {.kind = Partitioning::Kind::kIntegerRange,
                                      .field = "number",
                                      .range_start = -10,
                                      .range_end = 10,
                                      .range_interval = 5},
                     .streaming = true},
          .location = "europe-west3",
          .as_of_ms = 1'789'000'000'000,
          .bucket = "acme-shop-holdfast-us",
          .prefix = "holdfast",
          .rows = 5,
          .stored_bytes = 6,
          .objects = 7,
          .content_digest = "hf1:0123",
          .suspect = "it shrank"};
}

TEST(BackupRecordReader, ReadsWhatWasWritten) {
  BackupRecordReader reader;
  for (const BackupRecord& record : {FullRecord(), BackupRecord()}) {
    const auto read = reader.Read(BackupRecordToText(record));
    ASSERT_TRUE(read.ok()) << read.error().ToString();
    EXPECT_EQ(*read, record);
  }
}

TEST(BackupRecordReader, TakesARecordFromBeforeThereWereKinds) {
  Json json = ParseJson(BackupRecordToText(FullRecord())).value();
  for (const char* member : {"kind", "as_of_ms"}) json.erase(member);
  json["source"].erase("streaming");
  BackupRecord expected = FullRecord();
  expected.kind = ObjectKind::kTable;
  expected.as_of_ms.reset();
  expected.source.streaming = false;
  EXPECT_EQ(BackupRecordReader().Read(DumpJson(json)).value(), expected);
}

// `edit` makes one member of `json` wrong in one way; the others must stay readable.
void ExpectDamaged(const Json& json, const std::string& member) {
  const auto read = BackupRecordReader().Read(DumpJson(json));
  ASSERT_FALSE(read.ok()) << member;
  EXPECT_EQ(read.error().id, ErrorId::kCatalogDamaged);
  EXPECT_NE(read.error().message.find(member), std::string::npos) << read.error().message;
}

TEST(BackupRecordReader, NamesAMemberThatIsMissingOrOfAnotherType) {
  const Json whole = ParseJson(BackupRecordToText(FullRecord())).value();
  size_t refused = 0;
  for (const Json::json_pointer& at : {Json::json_pointer(), Json::json_pointer("/source"),
                                       Json::json_pointer("/source/partitioning")}) {
    for (const auto& [name, value] : whole[at].items()) {
      Json edited = whole;
      edited[at][name] = Json::array();
      ExpectDamaged(edited, name);
      ++refused;
      if (name == "kind" || name == "as_of_ms" || name == "streaming" || name == "field") continue;
      edited[at].erase(name);
      ExpectDamaged(edited, name);
    }
  }
  EXPECT_EQ(refused, whole.size() + whole["source"].size() + 5);
  for (const char* name : {"method", "kind"}) {
    Json edited = whole;
    edited[name] = "unheard_of";
    ExpectDamaged(edited, name);
  }
}

TEST(BackupRecordReader, RefusesATextThatWasCut) {
  const std::string whole = BackupRecordToText(FullRecord());
  BackupRecordReader reader;
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto read = reader.Read(whole.substr(0, size));
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.error().id, ErrorId::kCatalogDamaged);
  }
  EXPECT_TRUE(reader.Read(whole).ok()) << "the reader is used again after an error";
}

}  // namespace
}  // namespace holdfast::catalog
