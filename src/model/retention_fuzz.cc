// Retention policies come from people's files: whatever is accepted must come back from its JSON.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/retention.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = holdfast::ParseJson(text);
  if (!json.ok()) return 0;
  const auto policy = holdfast::RetentionPolicy::FromJson(*json);
  if (!policy.ok()) return 0;
  const auto again = holdfast::RetentionPolicy::FromJson(policy->ToJson());
  CHECK(again.ok(), "an accepted policy cannot be read back");
  CHECK(*again == *policy, "a policy changes when it is written and read");
  return 0;
}
