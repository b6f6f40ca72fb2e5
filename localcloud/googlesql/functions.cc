#include "localcloud/googlesql/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::googlesql {
namespace {

using enum FunctionKind;

constexpr auto kFunctions = std::to_array<FunctionSignature>({
#define HF_FUNCTION(name, kind, arguments, result, sql) {name, kind, arguments, result, sql},
#include "localcloud/googlesql/functions.def"
#undef HF_FUNCTION
});

std::string_view KindName(FunctionKind kind) {
  switch (kind) {
    case kScalar:
      return "scalar";
    case kAggregate:
      return "aggregate";
    case kAnalytic:
      return "analytic";
  }
  return "";
}

}  // namespace

std::span<const FunctionSignature> AllFunctions() { return kFunctions; }

std::span<const FunctionSignature> FindFunction(std::string_view name) {
  const auto is_named = [name](const FunctionSignature& entry) { return entry.name == name; };
  const auto* const first = std::find_if(kFunctions.begin(), kFunctions.end(), is_named);
  const auto* const last = std::find_if_not(first, kFunctions.end(), is_named);
  return {first, last};
}

std::string RenderFunctionReference() {
  std::string text = "| function | kind | result |\n|---|---|---|\n";
  for (const FunctionSignature& entry : kFunctions) {
    text += fmt::format("| `{}({})` | {} | `{}` |\n", entry.name, entry.arguments,
                        KindName(entry.kind), entry.result);
  }
  return text;
}

}  // namespace holdfast::googlesql
