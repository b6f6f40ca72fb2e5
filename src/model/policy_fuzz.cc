// Policies, names and scopes are typed by people and read from files of others: none may crash, a
// policy that was accepted survives being printed, and a bucket's name is always one.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "model/partition_id.h"
#include "model/policy.h"
#include "tests/support/edited_json.h"

using holdfast::BackupPolicy;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const holdfast::Json good =
      BackupPolicy{.scope = {.include = {"acme.sales.*"}, .exclude = {"acme.sales.tmp_*"}}}
          .ToJson();
  const auto policy = BackupPolicy::FromJson(holdfast::testing_support::EditedJson(good, text));
  if (policy.ok()) {
    const auto again = BackupPolicy::FromJson(policy->ToJson());
    CHECK(again.ok() && *again == *policy, "a policy changes when it is printed and read");
    (void)policy->scope.CoversTable({"acme", "sales", "orders", ""});
  }
  const std::string bucket = holdfast::FillBucketPattern(text, "acme", "EU");
  CHECK(bucket.size() <= 63, "a bucket's name is too long");
  for (const char c : bucket) {
    CHECK((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.',
          "a character that no bucket may have");
  }
  if (const auto table = holdfast::ParseTableRef(text); table.ok()) {
    const auto again = holdfast::ParseTableRef(table->ToString());
    CHECK(again.ok() && *again == *table, "a table's name changes when it is printed and read");
  }
  return 0;
}
