#include "model/manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

#include "base/hash.h"

namespace holdfast {
namespace {

DataObject Object(const std::string& name, int64_t rows) {
  return {.name = name,
          .generation = 17,
          .size_bytes = rows * 8,
          .crc32c = 0xFFFFFFFF,
          .sha256 = Sha256Hex(name),
          .rows = rows};
}

Manifest SampleManifest() {
  Manifest manifest;
  manifest.backup = "20261121T101844Z-5b0c9d21e6a0";
  manifest.object = {"acme", "sales", "täble one", "20240101"};
  manifest.run = "20261121T101844Z-3fa9c1d2";
  manifest.attempt = 2;
  manifest.created_ms = 1'700'000'000'000;
  manifest.tool_version = "0.1.0";
  manifest.location = "EU";
  manifest.source.schema_hash = "ab";
  manifest.source.partitioning.kind = Partitioning::Kind::kDay;
  manifest.schema.fields.push_back({.name = "id", .type = FieldType::kInt64});
  manifest.table_resource = {{"description", "déjà \xff vu"}, {"weight", 0.1}};
  manifest.bucket = "acme-holdfast-eu";
  manifest.codec = "SNAPPY";
  manifest.objects = {Object("data/a/0.avro", 3), Object("data/a/1.avro", 4)};
  manifest.rows = 7;
  manifest.stored_bytes = 56;
  manifest.content_digest = "hf1:7:00";
  manifest.consistent_through_ms = 1'699'999'999'000;
  manifest.streaming_buffer = StreamingBuffer{5, 40, 1'699'999'999'000};
  manifest.verified = VerifyLevel::kL2;
  manifest.suspect = "rows fell";
  return manifest;
}

TEST(Manifest, RoundTripsByteForByte) {
  const std::string text = SerializeManifest(SampleManifest());
  const auto parsed = ParseManifest(text);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(SerializeManifest(*parsed), text);
  EXPECT_EQ(parsed->object.ToString(), "acme.sales.täble one$20240101");
  EXPECT_EQ(parsed->objects, SampleManifest().objects);
  EXPECT_EQ(parsed->source, SampleManifest().source);
  EXPECT_EQ(parsed->schema, SampleManifest().schema);
  EXPECT_EQ(parsed->verified, VerifyLevel::kL2);
  EXPECT_EQ(parsed->streaming_buffer->estimated_rows, 5);
  EXPECT_TRUE(parsed->IsSuspect());
}

TEST(Manifest, OfACopyNamesTheTableThatHoldsTheData) {
  Manifest manifest = SampleManifest();
  manifest.method = Method::kCopy;
  manifest.objects.clear();
  manifest.copy = TableRef{"vault", "copies", "t1", ""};
  const auto parsed = ParseManifest(SerializeManifest(manifest));
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->copy->ToString(), "vault.copies.t1");
}

Manifest SampleDefinition(ObjectKind kind, const TableRef& object) {
  Manifest manifest = SampleManifest();
  manifest.kind = kind;
  manifest.object = object;
  manifest.method = Method::kDefinition;
  manifest.objects.clear();
  manifest.rows = manifest.stored_bytes = 0;
  manifest.streaming_buffer.reset();
  manifest.table_resource = {{"description", "without rows"}};
  manifest.dataset_resource = {{"location", "EU"}};
  return manifest;
}

const DatasetRef kSales{"acme", "sales"};

TEST(Manifest, OfAnObjectWithoutDataRoundTripsWithItsKind) {
  const std::pair<ObjectKind, TableRef> objects[] = {
      {ObjectKind::kView, {"acme", "sales", "v", ""}},
      {ObjectKind::kMaterializedView, {"acme", "sales", "m", ""}},
      {ObjectKind::kExternal, {"acme", "sales", "e", ""}},
      {ObjectKind::kRoutine, RoutineObject(kSales, "net_price")},
      {ObjectKind::kDataset, DatasetObject(kSales)}};
  for (const auto& [kind, object] : objects) {
    const Manifest manifest = SampleDefinition(kind, object);
    const auto parsed = ParseManifest(SerializeManifest(manifest));
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->kind, kind);
    EXPECT_EQ(parsed->object, object);
    EXPECT_EQ(parsed->Definition(), manifest.Definition());
  }
}

TEST(Manifest, WithoutAKindIsOfATable) {
  EXPECT_FALSE(SampleManifest().ToJson().contains("kind"));
  EXPECT_EQ(ParseManifest(SerializeManifest(SampleManifest()))->kind, ObjectKind::kTable);
}

TEST(Manifest, KeepsWhoMayReadTheTable) {
  Manifest manifest = SampleManifest();
  EXPECT_FALSE(ParseManifest(SerializeManifest(manifest))->access.has_value());
  manifest.access = Json{{"iam_policy", Json::object()}};
  EXPECT_EQ(ParseManifest(SerializeManifest(manifest))->access, manifest.access);
}

TEST(Manifest, OfAnObjectWithoutDataIsRefusedWhenItsMembersDoNotFit) {
  const TableRef view{"acme", "sales", "v", ""};
  const std::function<void(Manifest&)> edits[] = {
      [](Manifest& manifest) { manifest.method = Method::kExport; },
      [](Manifest& manifest) { manifest.method = Method::kNative; },
      [](Manifest& manifest) { manifest.objects = {Object("data/a/0.avro", 0)}; },
      [](Manifest& manifest) {
        manifest.copy = TableRef{"vault", "copies", "t1", ""};
      },
      [](Manifest& manifest) { manifest.rows = 1; },
      [](Manifest& manifest) { manifest.table_resource = Json::object(); },
      [](Manifest& manifest) { manifest.kind = ObjectKind::kTable; },
      [](Manifest& manifest) { manifest.object = RoutineObject(kSales, "f"); },
      [](Manifest& manifest) { manifest.kind = ObjectKind::kRoutine; },
      [](Manifest& manifest) { manifest.kind = ObjectKind::kDataset; }};
  for (const auto& edit : edits) {
    Manifest manifest = SampleDefinition(ObjectKind::kView, view);
    edit(manifest);
    EXPECT_FALSE(ParseManifest(SerializeManifest(manifest)).ok())
        << DumpJson(manifest.ToJson()).substr(0, 300);
  }
}

RC_GTEST_PROP(Manifest, AnyChangedByteIsNoticed, ()) {
  std::string text = SerializeManifest(SampleManifest());
  const size_t at = *rc::gen::inRange<size_t>(0, text.size());
  const char by = *rc::gen::arbitrary<char>();
  RC_PRE(text[at] != by);
  text[at] = by;
  const auto parsed = ParseManifest(text);
  RC_ASSERT(!parsed.ok());
  RC_ASSERT(parsed.error().id == ErrorId::kManifestDamaged);
}

TEST(Manifest, ThatWasCutShortIsDamaged) {
  const std::string text = SerializeManifest(SampleManifest());
  for (size_t size = 0; size < text.size(); size += 7) {
    const auto parsed = ParseManifest(std::string_view(text).substr(0, size));
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().id, ErrorId::kManifestDamaged);
  }
}

// The text of a document with a sum that is right for it.
std::string Sealed(Json json) {
  json["manifest_sha256"] = Sha256Hex(DumpJson(json));
  return DumpJson(json);
}

TEST(Manifest, WithARightSumButWrongMembersIsRefused) {
  const std::function<void(Json&)> edits[] = {
      [](Json& json) { json["rows"] = 8; },
      [](Json& json) { json["stored_bytes"] = 1; },
      [](Json& json) { json["objects"] = Json::array(); },
      [](Json& json) { json["objects"][0]["name"] = "a//b"; },
      [](Json& json) { json["objects"][0]["name"] = "../b"; },
      [](Json& json) { json["objects"][0]["generation"] = 0; },
      [](Json& json) { json["objects"][0]["sha256"] = "zz"; },
      [](Json& json) { json["objects"][0]["crc32c"] = int64_t{1} << 32; },
      [](Json& json) { std::swap(json["objects"][0], json["objects"][1]); },
      [](Json& json) { json["objects"][1] = json["objects"][0]; },
      [](Json& json) { json["object"] = "nonsense"; },
      [](Json& json) { json["method"] = "magic"; },
      [](Json& json) { json["method"] = "definition"; },
      [](Json& json) { json["kind"] = "magic"; },
      [](Json& json) { json["access"] = 5; },
      [](Json& json) { json["attempt"] = 0; },
      [](Json& json) { json.erase("source"); },
      [](Json& json) { json["table_resource"] = 5; }};
  for (const auto& edit : edits) {
    Json json = SampleManifest().ToJson();
    edit(json);
    const auto parsed = ParseManifest(Sealed(json));
    EXPECT_FALSE(parsed.ok()) << json.dump().substr(0, 200);
  }
  EXPECT_TRUE(ParseManifest(Sealed(SampleManifest().ToJson())).ok());
}

TEST(Manifest, OfANewerVersionIsToldApart) {
  Json json = SampleManifest().ToJson();
  json["format_version"] = kManifestFormatVersion + 1;
  const auto parsed = ParseManifest(Sealed(json));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().id, ErrorId::kManifestVersion);
}

TEST(Manifest, ThatIsTooLargeIsRefusedUnread) {
  const auto parsed = ParseManifest(std::string(kManifestBytesMax + 1, ' '));
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().id, ErrorId::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast
