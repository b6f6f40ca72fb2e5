#include "base/clock.h"

#include <fmt/format.h>

namespace holdfast {

namespace {

// Reads exactly `digits` digits at `position`, which it advances; -1 if there are not so many.
int ReadDigits(std::string_view text, size_t& position, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i, ++position) {
    if (position >= text.size() || text[position] < '0' || text[position] > '9') return -1;
    value = value * 10 + (text[position] - '0');
  }
  return value;
}

bool ReadChar(std::string_view text, size_t& position, std::string_view accepted) {
  if (position >= text.size() || accepted.find(text[position]) == accepted.npos) return false;
  ++position;
  return true;
}

Error BadTimestamp(std::string_view text) {
  return MakeError(ErrorId::kInvalidName, fmt::format("\"{}\" is not an RFC 3339 time", text),
                   "Write it as 2026-11-21T10:18:44Z");
}

// Microseconds of a fraction such as ".123456789", after the dot; digits beyond six are cut.
int64_t ReadFraction(std::string_view text, size_t& position) {
  int64_t micros = 0;
  int digits = 0;
  for (; position < text.size() && text[position] >= '0' && text[position] <= '9'; ++position) {
    if (digits < 6) micros = micros * 10 + (text[position] - '0');
    ++digits;
  }
  for (; digits < 6; ++digits) micros *= 10;
  return micros;
}

}  // namespace

std::string FormatTimestamp(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss<std::chrono::microseconds> clock{time - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const int64_t micros = clock.subseconds().count(); micros != 0) {
    text += fmt::format(".{:06}", micros);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

Result<Timestamp> ParseTimestamp(std::string_view text) {
  size_t at = 0;
  const int year = ReadDigits(text, at, 4);
  if (year < 0 || !ReadChar(text, at, "-")) return BadTimestamp(text);
  const int month = ReadDigits(text, at, 2);
  if (month < 0 || !ReadChar(text, at, "-")) return BadTimestamp(text);
  const int day = ReadDigits(text, at, 2);
  if (day < 0 || !ReadChar(text, at, "Tt ")) return BadTimestamp(text);
  const int hour = ReadDigits(text, at, 2);
  if (hour < 0 || hour > 23 || !ReadChar(text, at, ":")) return BadTimestamp(text);
  const int minute = ReadDigits(text, at, 2);
  if (minute < 0 || minute > 59 || !ReadChar(text, at, ":")) return BadTimestamp(text);
  const int second = ReadDigits(text, at, 2);
  if (second < 0 || second > 60) return BadTimestamp(text);
  const int64_t micros = ReadChar(text, at, ".") ? ReadFraction(text, at) : 0;

  std::chrono::minutes offset{0};
  if (!ReadChar(text, at, "Zz")) {
    if (at >= text.size()) return BadTimestamp(text);
    const int sign = text[at] == '-' ? -1 : 1;
    if (!ReadChar(text, at, "+-")) return BadTimestamp(text);
    const int hours = ReadDigits(text, at, 2);
    if (hours < 0 || !ReadChar(text, at, ":")) return BadTimestamp(text);
    const int minutes = ReadDigits(text, at, 2);
    if (minutes < 0) return BadTimestamp(text);
    offset = std::chrono::minutes{sign * (hours * 60 + minutes)};
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || at != text.size()) return BadTimestamp(text);
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + std::chrono::microseconds{micros} - offset;
}

std::string FormatCompact(Timestamp time) {
  std::string text = FormatTimestamp(std::chrono::floor<std::chrono::seconds>(time));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

int64_t ToUnixMillis(Timestamp time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

Timestamp FromUnixMillis(int64_t millis) { return Timestamp{std::chrono::milliseconds{millis}}; }

}  // namespace holdfast
