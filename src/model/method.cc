#include "model/method.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace holdfast {

namespace {

constexpr std::array<std::string_view, 5> kMethodNames = {"export", "copy", "snapshot", "native",
                                                          "definition"};
constexpr std::array<std::string_view, 6> kLevelNames = {"none", "L0", "L1", "L2", "L3", "L4"};

bool EqualsAnyCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::string_view MethodName(Method method) { return kMethodNames[static_cast<size_t>(method)]; }

std::optional<Method> FindMethod(std::string_view name) {
  const auto found = std::ranges::find(kMethodNames, name);
  if (found == kMethodNames.end()) return std::nullopt;
  return static_cast<Method>(found - kMethodNames.begin());
}

std::string_view VerifyLevelName(VerifyLevel level) {
  return kLevelNames[static_cast<size_t>(level)];
}

std::optional<VerifyLevel> FindVerifyLevel(std::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (EqualsAnyCase(kLevelNames[i], name)) return static_cast<VerifyLevel>(i);
  }
  return std::nullopt;
}

}  // namespace holdfast
