#include "localcloud/storage/content_range.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {
namespace {

// A whole decimal number; nullopt for anything else, a sign or an overflow included.
std::optional<int64_t> Number(std::string_view text) {
  int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || text.front() == '-') {
    return std::nullopt;
  }
  return value;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Error Malformed(std::string_view text) {
  return StorageInvalid("Content-Range \"" + std::string(text.substr(0, 100)) +
                        "\" is not a range of bytes");
}

}  // namespace

Result<ContentRange> ParseContentRange(std::string_view text) {
  std::string_view rest = text;
  const size_t slash = text.find('/');
  if (!TakePrefix(rest, "bytes ") || slash == std::string_view::npos) return Malformed(text);
  const std::string_view total = text.substr(slash + 1);
  const std::string_view span = rest.substr(0, rest.find('/'));
  ContentRange range;
  if (total != "*") {
    range.total = Number(total);
    if (!range.total) return Malformed(text);
  }
  if (span == "*") return range;
  const size_t dash = span.find('-');
  if (dash == std::string_view::npos) return Malformed(text);
  const auto first = Number(span.substr(0, dash));
  const auto last = Number(span.substr(dash + 1));
  if (!first || !last || *last < *first) return Malformed(text);
  if (range.total && *last >= *range.total) return Malformed(text);
  // The number of bytes must be countable too.
  if (*last == INT64_MAX) return Malformed(text);
  range.span = ContentRange::Span{.first = *first, .last = *last};
  return range;
}

RequestedRange ParseRange(std::string_view header, int64_t size) {
  const RequestedRange whole{.bytes = {.offset = 0, .length = size}};
  std::string_view span = header;
  if (!TakePrefix(span, "bytes=")) return whole;
  const size_t dash = span.find('-');
  if (dash == std::string_view::npos) return whole;
  const std::string_view from = span.substr(0, dash);
  const std::string_view to = span.substr(dash + 1);
  const RequestedRange unsatisfiable{.outcome = RangeOutcome::kUnsatisfiable};
  if (from.empty()) {
    const auto count = Number(to);
    if (!count) return whole;
    if (*count == 0 || size == 0) return unsatisfiable;
    const int64_t length = std::min(*count, size);
    return {.outcome = RangeOutcome::kPart, .bytes = {.offset = size - length, .length = length}};
  }
  const auto first = Number(from);
  const auto last = to.empty() ? std::optional(size - 1) : Number(to);
  if (!first || !last || (!to.empty() && *last < *first)) return whole;
  if (*first >= size) return unsatisfiable;
  const int64_t end = std::min(*last, size - 1);
  return {.outcome = RangeOutcome::kPart, .bytes = {.offset = *first, .length = end - *first + 1}};
}

}  // namespace holdfast::storage
