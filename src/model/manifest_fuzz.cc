// A manifest comes from a bucket that others may write to: whatever it says, reading it may not
// crash, and what was accepted must survive being written and read again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/hash.h"
#include "model/manifest.h"
#include "tests/support/edited_json.h"

namespace {

using holdfast::Manifest;

Manifest Good() {
  Manifest manifest;
  manifest.backup = "20261121T101844Z-5b0c9d21e6a0";
  manifest.object = {"acme", "sales", "table one", "20240101"};
  manifest.run = "20261121T101844Z-3fa9c1d2";
  manifest.created_ms = 1'700'000'000'000;
  manifest.tool_version = "0.1.0";
  manifest.location = "EU";
  manifest.source.schema_hash = "ab";
  manifest.source.partitioning.kind = holdfast::Partitioning::Kind::kDay;
  manifest.schema.fields.push_back({.name = "id", .type = holdfast::FieldType::kInt64});
  manifest.bucket = "acme-holdfast-eu";
  manifest.codec = "SNAPPY";
  manifest.objects = {{.name = "data/a/0.avro",
                       .generation = 17,
                       .size_bytes = 24,
                       .crc32c = 7,
                       .sha256 = holdfast::Sha256Hex("a"),
                       .rows = 3}};
  manifest.rows = 3;
  manifest.stored_bytes = 24;
  manifest.content_digest = "hf1:3:00";
  manifest.streaming_buffer = holdfast::StreamingBuffer{5, 40, 1'699'999'999'000};
  manifest.verified = holdfast::VerifyLevel::kL2;
  return manifest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const holdfast::Json good = Good().ToJson();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)holdfast::ParseManifest(text);
  const auto accepted = Manifest::FromJson(holdfast::testing_support::EditedJson(good, text));
  if (!accepted.ok()) return 0;
  const std::string written = SerializeManifest(*accepted);
  const auto read = holdfast::ParseManifest(written);
  CHECK(read.ok(), "an accepted manifest cannot be read back");
  CHECK(SerializeManifest(*read) == written, "a manifest changes when it is read and written");
  return 0;
}
