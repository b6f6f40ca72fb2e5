#include "avro/cell_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "avro/civil_text.h"
#include "avro/decimal.h"
#include "avro/utf8.h"
#include "base/hash.h"

namespace holdfast::avro {

namespace {

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseReal(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return ParseNumber<double>(text);
}

std::optional<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

template <typename T>
std::optional<CellValue> ToCell(std::optional<T> value) {
  if (!value) return std::nullopt;
  return CellValue(*std::move(value));
}

std::string FormatReal(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

}  // namespace

std::optional<CellValue> ParseCellText(FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::kInt64:
      return ToCell(ParseNumber<int64_t>(text));
    case FieldType::kFloat64:
      return ToCell(ParseReal(text));
    case FieldType::kBool:
      return ToCell(ParseBool(text));
    case FieldType::kNumeric:
      return ToCell(ParseNumeric(text));
    case FieldType::kBigNumeric:
      return ToCell(ParseBigNumeric(text));
    case FieldType::kTimestamp:
      return ToCell(ParseInstant(text));
    case FieldType::kDate:
      return ToCell(ParseDate(text));
    case FieldType::kTime:
      return ToCell(ParseTime(text));
    case FieldType::kDateTime:
      return ToCell(ParseDateTime(text));
    case FieldType::kBytes: {
      Result<std::string> bytes = Base64Decode(text);
      if (!bytes.ok()) return std::nullopt;
      return CellValue(*std::move(bytes));
    }
    case FieldType::kRange:
    case FieldType::kRecord:
      return std::nullopt;
    default:
      return IsValidUtf8(text) ? std::optional(CellValue(std::string(text))) : std::nullopt;
  }
}

std::optional<CellValue> ParseCell(FieldType type, const Json& value) {
  if (value.is_string()) return ParseCellText(type, value.get_ref<const std::string&>());
  if (type == FieldType::kBool && value.is_boolean()) return CellValue(value.get<bool>());
  if (!value.is_number()) return std::nullopt;
  if (type == FieldType::kFloat64) return CellValue(value.get<double>());
  const bool is_decimal = type == FieldType::kNumeric || type == FieldType::kBigNumeric;
  if (type != FieldType::kInt64 && !is_decimal) return std::nullopt;
  return ParseCellText(type, DumpJson(value));
}

std::string FormatCell(FieldType type, const ColumnView& column, size_t row) {
  switch (type) {
    case FieldType::kInt64:
      return std::to_string(column.As<int64_t>()[row]);
    case FieldType::kFloat64:
      return FormatReal(column.As<double>()[row]);
    case FieldType::kBool:
      return column.As<uint8_t>()[row] != 0 ? "true" : "false";
    case FieldType::kNumeric:
      return FormatNumeric(column.As<__int128>()[row]);
    case FieldType::kTimestamp:
      return FormatInstant(column.As<int64_t>()[row]);
    case FieldType::kDate:
      return FormatDate(column.As<int32_t>()[row]);
    case FieldType::kTime:
      return FormatTime(column.As<int64_t>()[row]);
    case FieldType::kDateTime:
      return FormatDateTime(column.As<int64_t>()[row]);
    case FieldType::kBytes:
      return Base64Encode(column.As<std::string_view>()[row]);
    default:
      return std::string(column.As<std::string_view>()[row]);
  }
}

}  // namespace holdfast::avro
