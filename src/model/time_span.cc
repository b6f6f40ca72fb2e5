#include "model/time_span.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace holdfast {

namespace {

struct SpanUnit {
  char letter;
  int TimeSpan::*member;
  int maximum;  // a thousand years of them: calendar arithmetic stays far from its limits
};

constexpr auto kUnits = std::to_array<SpanUnit>({{'y', &TimeSpan::years, 1'000},
                                                 {'m', &TimeSpan::months, 12'000},
                                                 {'w', &TimeSpan::weeks, 52'000},
                                                 {'d', &TimeSpan::days, 366'000},
                                                 {'h', &TimeSpan::hours, 8'784'000}});

Error NotASpan(std::string_view text) {
  return MakeError(ErrorId::kRetentionInvalid,
                   fmt::format("\"{}\" is not a duration: expected the like of 2y5m1w7d3h, a "
                               "thousand years at most",
                               text));
}

}  // namespace

std::string TimeSpan::ToString() const {
  std::string text;
  for (const SpanUnit& unit : kUnits) {
    if (this->*unit.member != 0) text += fmt::format("{}{}", this->*unit.member, unit.letter);
  }
  return text.empty() ? "0h" : text;
}

Result<TimeSpan> ParseTimeSpan(std::string_view text) {
  TimeSpan span;
  std::string seen;
  const char* at = text.data();
  const char* const end = at + text.size();
  if (text.empty()) return NotASpan(text);
  while (at != end) {
    int number = 0;
    const auto [stop, code] = std::from_chars(at, end, number);
    if (code != std::errc() || stop == end || *at == '-') return NotASpan(text);
    const SpanUnit* found = nullptr;
    for (const SpanUnit& unit : kUnits) {
      if (unit.letter == *stop) found = &unit;
    }
    if (found == nullptr || number > found->maximum || seen.find(*stop) != seen.npos) {
      return NotASpan(text);
    }
    seen += *stop;
    span.*found->member = number;
    at = stop + 1;
  }
  return span;
}

}  // namespace holdfast
