#include "localcloud/rest/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace holdfast::rest {

namespace {

constexpr size_t kLabelsMax = 64;
constexpr size_t kCharactersMax = 63;
constexpr size_t kShownBytesMax = 100;

bool IsOfOtherScript(char c) { return static_cast<unsigned char>(c) >= 0x80U; }

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || IsOfOtherScript(c); }

bool IsAllowed(char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

bool HasForm(std::string_view text) {
  const auto characters = std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  return static_cast<size_t>(characters) <= kCharactersMax && std::ranges::all_of(text, IsAllowed);
}

// What is shown of a text that may be long; a character cut in two is replaced when it is written.
std::string Shown(const std::string& text) {
  return DumpJson(Json(text.substr(0, kShownBytesMax)));
}

}  // namespace

std::optional<std::string> LabelsComplaint(const Json& labels) {
  if (!labels.is_object()) return "labels should be an object";
  size_t count = 0;
  for (const auto& [key, value] : labels.items()) {
    if (value.is_null()) continue;
    if (++count > kLabelsMax) return fmt::format("there are more than {} labels", kLabelsMax);
    if (key.empty() || !IsLetter(key.front()) || !HasForm(key)) {
      return fmt::format(
          "the label key {} should begin with a small letter and have at most {} small letters, "
          "digits, underscores and dashes",
          Shown(key), kCharactersMax);
    }
    if (!value.is_string() || !HasForm(value.get_ref<const std::string&>())) {
      return fmt::format(
          "the value of label {} should be text of at most {} small letters, digits, underscores "
          "and dashes",
          Shown(key), kCharactersMax);
    }
  }
  return std::nullopt;
}

}  // namespace holdfast::rest
