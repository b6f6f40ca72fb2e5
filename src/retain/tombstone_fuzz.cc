// Tombstones lie in a bucket that others may write to: what is accepted names every generation, and
// comes back from its JSON.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "retain/tombstones.h"
#include "tests/support/edited_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using holdfast::retain::Tombstone;
  static const holdfast::Json good = Tombstone{
      .backup = "b1",
      .object = {"p", "d", "t", "20260101"},
      .manifest_generation = 7,
      .data = {{"bucket", "data/x", 3}},
      .copy = holdfast::TableRef{"p", "c", "t_b1_1", ""},
      .copy_modified_ms = 9,
      .reasons = {"why"}}.ToJson();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tombstone = Tombstone::FromJson(holdfast::testing_support::EditedJson(good, text));
  if (!tombstone.ok()) return 0;
  for (const auto& object : tombstone->data) {
    CHECK(object.generation > 0, "a deletion without a generation");
  }
  const holdfast::Json written = tombstone->ToJson();
  CHECK(Tombstone::FromJson(written)->ToJson() == written, "a tombstone changes");
  return 0;
}
