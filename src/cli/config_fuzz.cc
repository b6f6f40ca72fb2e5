// The configuration is a file that a person wrote, or a tool: whatever is in it is read or refused
// with its place, and never crashes the program.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "cli/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto no_environment = [](const std::string&) -> std::optional<std::string> { return {}; };
  const auto config = holdfast::cli::ParseConfig(text, "fuzz.yaml", no_environment, {});
  if (!config.ok()) CHECK(!config.error().message.empty(), "refused without a word");
  return 0;
}
