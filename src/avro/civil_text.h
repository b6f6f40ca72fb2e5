// Dates and times as text, without a time zone: the forms BigQuery exports and prints.
//
// The calendar is proleptic Gregorian, years 0001 to 9999. Numbers are days and microseconds since
// 1970-01-01 (microseconds of the day for TIME), negative before it. Formatting expects a value in
// range (`kDays...`, `kMicros...` below); parsing refuses everything else. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::avro {

inline constexpr int64_t kMicrosPerDay = 86'400'000'000;
inline constexpr int32_t kDaysMin = -719'162;                    // 0001-01-01
inline constexpr int32_t kDaysMax = 2'932'896;                   // 9999-12-31
inline constexpr int64_t kMicrosMin = kDaysMin * kMicrosPerDay;  // 0001-01-01T00:00:00
inline constexpr int64_t kMicrosMax =
    (kDaysMax + 1) * kMicrosPerDay - 1;  // 9999-12-31T23:59:59.999999

inline constexpr size_t kCivilTextBytesMax = 27;  // "YYYY-MM-DDTHH:MM:SS.ffffffZ"

// Write the text to `out`, of at least kCivilTextBytesMax bytes, and return its length. A fraction
// is printed only when it is not zero, without trailing zeros.
size_t WriteDate(int32_t days, char* out);        // YYYY-MM-DD
size_t WriteTime(int64_t micros, char* out);      // HH:MM:SS[.ffffff]
size_t WriteDateTime(int64_t micros, char* out);  // YYYY-MM-DDTHH:MM:SS[.ffffff]

// The same as strings of their own.
std::string FormatDate(int32_t days);
std::string FormatTime(int64_t micros);
std::string FormatDateTime(int64_t micros);
std::string FormatInstant(int64_t micros);  // FormatDateTime + 'Z'

// nullopt when the text is not of the form, with 0 to 6 fractional digits, or is no such day or
// time. 'T', 't' and ' ' part date and time. An instant ends in 'Z', 'z', " UTC" or an offset
// "+hh:mm".
std::optional<int32_t> ParseDate(std::string_view text);
std::optional<int64_t> ParseTime(std::string_view text);
std::optional<int64_t> ParseDateTime(std::string_view text);
std::optional<int64_t> ParseInstant(std::string_view text);

}  // namespace holdfast::avro
