#include "localcloud/warehouse/json_value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "avro/civil_text.h"
#include "avro/decimal.h"
#include "base/hash.h"
#include "localcloud/warehouse/value_text.h"

namespace holdfast::warehouse {

namespace {

using simdjson::dom::element;

// The value as text: text itself, a number or a truth value as written; nullopt otherwise.
std::optional<std::string> TextForm(const element& value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  int64_t integer = 0;
  if (value.get(integer) == simdjson::SUCCESS) return std::to_string(integer);
  uint64_t natural = 0;
  if (value.get(natural) == simdjson::SUCCESS) return std::to_string(natural);
  bool truth = false;
  if (value.get(truth) == simdjson::SUCCESS) return truth ? "true" : "false";
  double real = 0;
  if (value.get(real) != simdjson::SUCCESS) return std::nullopt;
  std::string number;
  AppendFloat(real, number);
  return number;
}

std::optional<double> ParseDouble(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error == std::errc::result_out_of_range && stop == end) {
    return text.find('-') == 0 ? -std::numeric_limits<double>::infinity()
                               : std::numeric_limits<double>::infinity();
  }
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<int64_t> ParseInteger(const std::string& text) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] =
      std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), end, number);
  if (error == std::errc() && stop == end) return number;
  const auto real = ParseDouble(text);  // 1.0 and 1e3 are integers too
  constexpr double kLimit = 9007199254740992.0;
  if (!real || *real != std::trunc(*real) || std::abs(*real) > kLimit) return std::nullopt;
  return static_cast<int64_t>(*real);
}

std::optional<bool> ParseBool(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  if (text == "true" || text == "t" || text == "yes" || text == "y" || text == "1") return true;
  if (text == "false" || text == "f" || text == "no" || text == "n" || text == "0") return false;
  return std::nullopt;
}

// An instant: a civil time with or without a zone (without: UTC), or seconds since 1970.
std::optional<int64_t> ParseTimestampText(const std::string& text) {
  if (const auto instant = avro::ParseInstant(text)) return instant;
  if (const auto civil = avro::ParseDateTime(text)) return civil;
  if (const auto day = avro::ParseDate(text)) return *day * avro::kMicrosPerDay;
  const auto seconds = ParseDouble(text);
  if (!seconds || !std::isfinite(*seconds)) return std::nullopt;
  const double micros = std::round(*seconds * 1e6);
  if (micros < static_cast<double>(avro::kMicrosMin) ||
      micros > static_cast<double>(avro::kMicrosMax)) {
    return std::nullopt;
  }
  return static_cast<int64_t>(micros);
}

std::optional<int64_t> ParseDateTimeText(const std::string& text) {
  if (const auto civil = avro::ParseDateTime(text)) return civil;
  if (const auto day = avro::ParseDate(text)) return *day * avro::kMicrosPerDay;
  return std::nullopt;
}

// NUMERIC(p, s): the value rounded half away from zero to its scale, if its digits fit.
std::optional<__int128> FitNumeric(const Field& field, __int128 value) {
  constexpr int kStoredScale = 9;
  if (field.precision == 0) return value;
  __int128 unit = 1;
  for (int digit = field.scale; digit < kStoredScale; ++digit) unit *= 10;
  const __int128 half = value < 0 ? -unit / 2 : unit / 2;
  const __int128 rounded = (value + half) / unit * unit;
  char bytes[16];
  if (!avro::EncodeNumeric(rounded, field.precision, field.scale, bytes)) return std::nullopt;
  return rounded;
}

bool FitsBigNumeric(const Field& field, const std::string& value) {
  char bytes[avro::kDecimalBytesMax];
  return field.precision == 0 ||
         avro::EncodeBigNumeric(value, field.precision, field.scale, bytes).has_value();
}

std::optional<JsonScalar> ReadJson(const element& value, bool is_text) {
  if (!is_text) return simdjson::minify(value);
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
  simdjson::dom::parser parser;
  element parsed;
  if (parser.parse(text.data(), text.size()).get(parsed) != simdjson::SUCCESS) return std::nullopt;
  return simdjson::minify(parsed);
}

template <typename T>
std::optional<JsonScalar> Wrap(std::optional<T> value) {
  if (!value) return std::nullopt;
  return JsonScalar(std::move(*value));
}

std::optional<JsonScalar> ReadText(const Field& field, const std::string& text) {
  switch (field.type) {
    case FieldType::kInt64:
      return Wrap(ParseInteger(text));
    case FieldType::kFloat64:
      return Wrap(ParseDouble(text));
    case FieldType::kBool:
      return Wrap(ParseBool(text));
    case FieldType::kTimestamp:
      return Wrap(ParseTimestampText(text));
    case FieldType::kDateTime:
      return Wrap(ParseDateTimeText(text));
    case FieldType::kTime:
      return Wrap(avro::ParseTime(text));
    case FieldType::kDate: {
      const auto days = avro::ParseDate(text);
      if (!days) return std::nullopt;
      return JsonScalar(int64_t{*days});
    }
    case FieldType::kNumeric: {
      const auto number = avro::ParseNumeric(text);
      return number ? Wrap(FitNumeric(field, *number)) : std::nullopt;
    }
    case FieldType::kBigNumeric: {
      auto number = avro::ParseBigNumeric(text);
      if (!number || !FitsBigNumeric(field, *number)) return std::nullopt;
      return JsonScalar(std::move(*number));
    }
    case FieldType::kBytes: {
      auto bytes = Base64Decode(text);
      if (!bytes.ok()) return std::nullopt;
      return JsonScalar(std::move(bytes).value());
    }
    default:
      return JsonScalar(text);
  }
}

}  // namespace

std::optional<JsonScalar> ReadScalar(const Field& field, const element& value, bool json_is_text) {
  if (field.type == FieldType::kJson) return ReadJson(value, json_is_text);
  const auto text = TextForm(value);
  if (!text) return std::nullopt;
  return ReadText(field, *text);
}

}  // namespace holdfast::warehouse
