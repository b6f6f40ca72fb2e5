#include "avro/civil_text.h"

#include <array>
#include <cstring>

namespace holdfast::avro {

namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;

struct YearMonthDay {
  int year;
  int month;
  int day;
};

// Days and dates by 400-year eras that begin on 1 March, so that leap days come last.
YearMonthDay ToYearMonthDay(int32_t days) {
  const int32_t shifted = days + 719'468;  // since 0000-03-01; not negative from year 1 on
  const int32_t era = shifted / 146'097;
  const int32_t day_of_era = shifted - era * 146'097;
  const int32_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int32_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int32_t shifted_month = (5 * day_of_year + 2) / 153;
  const int32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {.year = era * 400 + year_of_era + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

int32_t ToDays(YearMonthDay date) {
  const int32_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int32_t era = year / 400;
  const int32_t year_of_era = year - era * 400;
  const int32_t shifted_month = date.month > 2 ? date.month - 3 : date.month + 9;
  const int32_t day_of_year = (153 * shifted_month + 2) / 5 + date.day - 1;
  const int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && is_leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

char* WriteDigits(int64_t value, int digits, char* out) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

// Takes exactly `digits` digits off the front of `text`, or returns nullopt.
std::optional<int> TakeDigits(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool TakeChar(std::string_view& text, char wanted) {
  if (text.empty() || text[0] != wanted) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int32_t> TakeDate(std::string_view& text) {
  const auto year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, '-')) return std::nullopt;
  const auto month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, '-')) return std::nullopt;
  const auto day = TakeDigits(text, 2);
  if (!day || *year < 1 || *month < 1 || *month > 12 || *day < 1) return std::nullopt;
  if (*day > DaysInMonth(*year, *month)) return std::nullopt;
  return ToDays({.year = *year, .month = *month, .day = *day});
}

// The digits after a point as microseconds; at most six, at least one.
std::optional<int64_t> TakeFraction(std::string_view& text) {
  int64_t micros = 0;
  int64_t unit = kMicrosPerSecond;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (unit == 1) return std::nullopt;
    unit /= 10;
    micros += (text[0] - '0') * unit;
    text.remove_prefix(1);
  }
  if (unit == kMicrosPerSecond) return std::nullopt;
  return micros;
}

std::optional<int64_t> TakeTime(std::string_view& text) {
  const auto hour = TakeDigits(text, 2);
  if (!hour || !TakeChar(text, ':')) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || !TakeChar(text, ':')) return std::nullopt;
  const auto second = TakeDigits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  int64_t micros = *hour * kMicrosPerHour + *minute * kMicrosPerMinute + *second * kMicrosPerSecond;
  if (TakeChar(text, '.')) {
    const auto fraction = TakeFraction(text);
    if (!fraction) return std::nullopt;
    micros += *fraction;
  }
  return micros;
}

std::optional<int64_t> TakeDateTime(std::string_view& text) {
  const auto days = TakeDate(text);
  if (!days || text.empty() || (text[0] != 'T' && text[0] != 't' && text[0] != ' ')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  const auto micros = TakeTime(text);
  if (!micros) return std::nullopt;
  return *days * kMicrosPerDay + *micros;
}

constexpr size_t kWholeSecondsBytes = 19;

// "2026-11-21T10:18:44", the form of nearly all there are, without a branch for each character;
// nullopt: it is of another form, or no date and time.
std::optional<int64_t> ParseWholeSeconds(const char* text) {
  bool bad = false;
  const auto two_digits = [&](size_t at) {
    const unsigned tens = static_cast<unsigned char>(text[at]) - unsigned{'0'};
    const unsigned ones = static_cast<unsigned char>(text[at + 1]) - unsigned{'0'};
    bad |= tens > 9 || ones > 9;
    return static_cast<int>(tens * 10 + ones);
  };
  const YearMonthDay date{
      .year = two_digits(0) * 100 + two_digits(2), .month = two_digits(5), .day = two_digits(8)};
  const int hour = two_digits(11);
  const int minute = two_digits(14);
  const int second = two_digits(17);
  bad |= text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':';
  bad |= date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1;
  bad |= hour > 23 || minute > 59 || second > 59;
  if (bad || date.day > DaysInMonth(date.year, date.month)) return std::nullopt;
  return ToDays(date) * kMicrosPerDay + hour * kMicrosPerHour + minute * kMicrosPerMinute +
         second * kMicrosPerSecond;
}

// The zone at the end of an instant, as microseconds east of UTC.
std::optional<int64_t> ParseZone(std::string_view text) {
  if (text == "Z" || text == "z" || text == " UTC") return 0;
  const bool is_west = !text.empty() && text[0] == '-';
  if (!is_west && (text.empty() || text[0] != '+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = TakeDigits(text, 2);
  if (!hours || !TakeChar(text, ':')) return std::nullopt;
  const auto minutes = TakeDigits(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const int64_t offset = *hours * kMicrosPerHour + *minutes * kMicrosPerMinute;
  return is_west ? -offset : offset;
}

}  // namespace

size_t WriteDate(int32_t days, char* out) {
  const YearMonthDay date = ToYearMonthDay(days);
  WriteDigits(date.year, 4, out);
  out[4] = '-';
  WriteDigits(date.month, 2, out + 5);
  out[7] = '-';
  WriteDigits(date.day, 2, out + 8);
  return 10;
}

size_t WriteTime(int64_t micros, char* out) {
  WriteDigits(micros / kMicrosPerHour, 2, out);
  out[2] = ':';
  WriteDigits(micros / kMicrosPerMinute % 60, 2, out + 3);
  out[5] = ':';
  WriteDigits(micros / kMicrosPerSecond % 60, 2, out + 6);
  const int64_t fraction = micros % kMicrosPerSecond;
  if (fraction == 0) return 8;
  out[8] = '.';
  WriteDigits(fraction, 6, out + 9);
  size_t length = 15;
  while (out[length - 1] == '0') --length;
  return length;
}

size_t WriteDateTime(int64_t micros, char* out) {
  // Floor division: instants before 1970 are negative, their time of day is not.
  int64_t days = micros / kMicrosPerDay;
  int64_t micros_of_day = micros % kMicrosPerDay;
  if (micros_of_day < 0) {
    micros_of_day += kMicrosPerDay;
    --days;
  }
  const size_t date_length = WriteDate(static_cast<int32_t>(days), out);
  out[date_length] = 'T';
  return date_length + 1 + WriteTime(micros_of_day, out + date_length + 1);
}

std::string FormatDate(int32_t days) {
  std::array<char, kCivilTextBytesMax> text{};
  return {text.data(), WriteDate(days, text.data())};
}

std::string FormatTime(int64_t micros) {
  std::array<char, kCivilTextBytesMax> text{};
  return {text.data(), WriteTime(micros, text.data())};
}

std::string FormatDateTime(int64_t micros) {
  std::array<char, kCivilTextBytesMax> text{};
  return {text.data(), WriteDateTime(micros, text.data())};
}

std::string FormatInstant(int64_t micros) { return FormatDateTime(micros) + 'Z'; }

std::optional<int32_t> ParseDate(std::string_view text) {
  const auto days = TakeDate(text);
  if (!days || !text.empty()) return std::nullopt;
  return days;
}

std::optional<int64_t> ParseTime(std::string_view text) {
  const auto micros = TakeTime(text);
  if (!micros || !text.empty()) return std::nullopt;
  return micros;
}

std::optional<int64_t> ParseDateTime(std::string_view text) {
  if (text.size() == kWholeSecondsBytes) {
    if (const auto micros = ParseWholeSeconds(text.data())) return micros;
  }
  const auto micros = TakeDateTime(text);
  if (!micros || !text.empty()) return std::nullopt;
  return micros;
}

std::optional<int64_t> ParseInstant(std::string_view text) {
  const auto micros = TakeDateTime(text);
  if (!micros) return std::nullopt;
  const auto offset = ParseZone(text);
  if (!offset) return std::nullopt;
  const int64_t instant = *micros - *offset;
  if (instant < kMicrosMin || instant > kMicrosMax) return std::nullopt;
  return instant;
}

}  // namespace holdfast::avro
