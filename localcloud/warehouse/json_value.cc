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
using simdjson::dom::element_type;

// The value as text: text itself, a number or a truth value as written; nullopt otherwise.
std::optional<std::string> TextForm(const element& value) {
  switch (value.type()) {
    case element_type::STRING: return std::string(value.get_string().value_unsafe());
    case element_type::INT64: return std::to_string(value.get_int64().value_unsafe());
    case element_type::UINT64: return std::to_string(value.get_uint64().value_unsafe());
    case element_type::DOUBLE: {
      std::string text;
      AppendFloat(value.get_double().value_unsafe(), text);
      return text;
    }
    case element_type::BOOL: return value.get_bool().value_unsafe() ? "true" : "false";
    default: return std::nullopt;
  }
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

bool FitsNumeric(const Field& field, __int128 value) {
  char bytes[16];
  return field.precision == 0 ||
         avro::EncodeNumeric(value, field.precision, field.scale, bytes).has_value();
}

bool FitsBigNumeric(const Field& field, const std::string& value) {
  char bytes[avro::kDecimalBytesMax];
  return field.precision == 0 ||
         avro::EncodeBigNumeric(value, field.precision, field.scale, bytes).has_value();
}

std::optional<JsonScalar> ReadJson(const element& value, bool is_text) {
  if (!is_text) return simdjson::minify(value);
  if (!value.is_string()) return std::nullopt;
  const std::string text(value.get_string().value_unsafe());
  simdjson::dom::parser parser;
  const auto parsed = parser.parse(text);
  if (parsed.error() != simdjson::SUCCESS) return std::nullopt;
  return simdjson::minify(parsed.value_unsafe());
}

template <typename T>
std::optional<JsonScalar> Wrap(std::optional<T> value) {
  if (!value) return std::nullopt;
  return JsonScalar(std::move(*value));
}

std::optional<JsonScalar> ReadText(const Field& field, const std::string& text) {
  switch (field.type) {
    case FieldType::kInt64: return Wrap(ParseInteger(text));
    case FieldType::kFloat64: return Wrap(ParseDouble(text));
    case FieldType::kBool: return Wrap(ParseBool(text));
    case FieldType::kTimestamp: return Wrap(ParseTimestampText(text));
    case FieldType::kDateTime: return Wrap(ParseDateTimeText(text));
    case FieldType::kTime: return Wrap(avro::ParseTime(text));
    case FieldType::kDate: {
      const auto days = avro::ParseDate(text);
      if (!days) return std::nullopt;
      return JsonScalar(int64_t{*days});
    }
    case FieldType::kNumeric: {
      const auto number = avro::ParseNumeric(text);
      if (!number || !FitsNumeric(field, *number)) return std::nullopt;
      return JsonScalar(*number);
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
    default: return JsonScalar(text);
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
