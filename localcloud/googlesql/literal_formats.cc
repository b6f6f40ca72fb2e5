#include "localcloud/googlesql/literal_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::googlesql {
namespace {

struct TimeElement {
  std::string_view from;
  std::string_view to;
};

// Longer elements first. Source: format-elements.md "Format elements for date and time parts".
constexpr std::array<TimeElement, 29> kTimeElements = {{
    {"%E4Y", "%Y"}, {"%E3S", "%S.%g"},  {"%E6S", "%S.%f"}, {"%Ez", "%z"},      {"%%", "%%"},
    {"%A", "%A"},   {"%a", "%a"},       {"%B", "%B"},      {"%b", "%b"},       {"%D", "%m/%d/%y"},
    {"%d", "%d"},   {"%F", "%Y-%m-%d"}, {"%G", "%G"},      {"%H", "%H"},       {"%h", "%b"},
    {"%I", "%I"},   {"%j", "%j"},       {"%M", "%M"},      {"%m", "%m"},       {"%n", "\n"},
    {"%p", "%p"},   {"%R", "%H:%M"},    {"%S", "%S"},      {"%T", "%H:%M:%S"}, {"%t", "\t"},
    {"%U", "%U"},   {"%u", "%u"},       {"%W", "%W"},      {"%w", "%w"},
}};

constexpr std::array<TimeElement, 3> kMoreTimeElements = {
    {{"%Y", "%Y"}, {"%y", "%y"}, {"%V", "%V"}}};

const TimeElement* FindElement(std::string_view text) {
  const auto starts = [text](const TimeElement& e) { return text.starts_with(e.from); };
  const auto* const found = std::find_if(kTimeElements.begin(), kTimeElements.end(), starts);
  if (found != kTimeElements.end()) return found;
  const auto* const more = std::find_if(kMoreTimeElements.begin(), kMoreTimeElements.end(), starts);
  return more == kMoreTimeElements.end() ? nullptr : more;
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || (static_cast<unsigned char>(c) >= 0x80);
}

std::string QuotedStep(std::string_view name) {
  std::string step = ".\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') step += '\\';
    step += c;
  }
  return step + '"';
}

// One `[...]` step at `at`; moves `at` behind it. Empty: malformed.
std::string BracketStep(std::string_view path, size_t& at) {
  const size_t start = at + 1;
  if (start >= path.size()) return {};
  const char quote = path[start];
  if (quote == '\'' || quote == '"') {
    const size_t end = path.find(quote, start + 1);
    if (end == std::string_view::npos || end + 1 >= path.size() || path[end + 1] != ']') return {};
    at = end + 2;
    return QuotedStep(path.substr(start + 1, end - start - 1));
  }
  const size_t end = path.find(']', start);
  if (end == std::string_view::npos || end == start) return {};
  const std::string_view index = path.substr(start, end - start);
  if (!std::all_of(index.begin(), index.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return {};
  at = end + 1;
  return fmt::format("[{}]", index);
}

}  // namespace

Result<std::string> ConvertTimeFormat(std::string_view format, Position position) {
  std::string out;
  for (size_t i = 0; i < format.size();) {
    if (format[i] != '%') {
      out += format[i++];
      continue;
    }
    const TimeElement* const element = FindElement(format.substr(i));
    if (element == nullptr) {
      return UnsupportedError(fmt::format("format element {}", format.substr(i, 2)), position);
    }
    out += element->to;
    i += element->from.size();
  }
  return out;
}

Result<std::string> ConvertJsonPath(std::string_view path, Position position) {
  const Error malformed = QueryError(fmt::format("Invalid JSONPath: {}", path), position);
  if (!path.starts_with('$')) return malformed;
  std::string out = "$";
  for (size_t at = 1; at < path.size();) {
    if (path.substr(at).starts_with("[*]") || path.substr(at).starts_with(".*") ||
        path.substr(at).starts_with("..")) {
      return UnsupportedError(fmt::format("JSONPath with wildcards: {}", path), position);
    }
    if (path[at] == '[') {
      const std::string step = BracketStep(path, at);
      if (step.empty()) return malformed;
      out += step;
      continue;
    }
    if (path[at] != '.') return malformed;
    size_t end = at + 1;
    const bool is_quoted = end < path.size() && path[end] == '"';
    if (is_quoted) {
      end = path.find('"', end + 1);
      if (end == std::string_view::npos) return malformed;
      out += QuotedStep(path.substr(at + 2, end - at - 2));
      at = end + 1;
      continue;
    }
    while (end < path.size() && IsNameCharacter(path[end])) ++end;
    if (end == at + 1) return malformed;
    out += QuotedStep(path.substr(at + 1, end - at - 1));
    at = end;
  }
  return out;
}

int CountRegexGroups(std::string_view pattern) {
  int groups = 0;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      ++i;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      const bool negated = i + 1 < pattern.size() && pattern[i + 1] == '^';
      if (negated) ++i;
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') ++i;  // a first ] is a member
    } else if (c == '(') {
      const std::string_view rest = pattern.substr(i + 1);
      const bool is_named = rest.starts_with("?P<") || rest.starts_with("?<");
      if (!rest.starts_with('?') || is_named) ++groups;
    }
  }
  return groups;
}

}  // namespace holdfast::googlesql
