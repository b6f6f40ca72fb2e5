#include "localcloud/bigquery/row_json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "avro/civil_text.h"
#include "localcloud/warehouse/value_text.h"

namespace holdfast::bigquery {

namespace {

// Digits and decimal exponent of a finite, positive number: 0.00123 is {"123", -3}.
struct Digits {
  std::string text;
  int exponent = 0;
};

Digits ShortestDigits(double value) {
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(end.ptr - buffer));
  const size_t mark = text.find('e');
  Digits digits;
  std::string_view exponent = text.substr(mark + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), digits.exponent);
  for (const char c : text.substr(0, mark)) {
    if (c != '.') digits.text.push_back(c);
  }
  return digits;
}

std::string TimestampText(int64_t micros, TimestampFormat format) {
  switch (format) {
    case TimestampFormat::kInt64Micros:
      return std::to_string(micros);
    case TimestampFormat::kIso8601:
      return avro::FormatInstant(micros);
    case TimestampFormat::kFloatSeconds:
      break;
  }
  return FormatFloat64(static_cast<double>(micros) / 1e6);
}

// A civil text whose fraction, if it has one, is filled up to six digits: Google's clients parse no
// other length.
std::string WithSixDigits(std::string text) {
  const size_t point = text.rfind('.');
  if (point != std::string::npos) text.append(point + 7 - text.size(), '0');
  return text;
}

// "[2026-01-01, UNBOUNDED)", its bounds in the form that the element type has elsewhere.
std::string RangeText(const Field& field, const avro::ColumnView& column, size_t row,
                      TimestampFormat format) {
  const auto bound = [&](const avro::ColumnView& child) -> std::string {
    if (!child.IsValid(row)) return "UNBOUNDED";
    switch (field.range_element_type) {
      case FieldType::kTimestamp:
        return TimestampText(child.As<int64_t>()[row], format);
      case FieldType::kDateTime:
        return WithSixDigits(avro::FormatDateTime(child.As<int64_t>()[row]));
      default:
        return avro::FormatDate(child.As<int32_t>()[row]);
    }
  };
  return fmt::format("[{}, {})", bound(column.children[0]), bound(column.children[1]));
}

// A present element of `field`, whatever the field's mode.
Json ElementToJson(const Field& field, const avro::ColumnView& column, size_t row,
                   TimestampFormat format) {
  switch (field.type) {
    case FieldType::kRecord: {
      Json cells = Json::array();
      for (size_t i = 0; i < field.fields.size(); ++i) {
        cells.push_back({{"v", CellToJson(field.fields[i], column.children[i], row, format)}});
      }
      return {{"f", std::move(cells)}};
    }
    case FieldType::kRange:
      return RangeText(field, column, row, format);
    case FieldType::kTimestamp:
      return TimestampText(column.As<int64_t>()[row], format);
    case FieldType::kTime:
      return WithSixDigits(avro::FormatTime(column.As<int64_t>()[row]));
    case FieldType::kDateTime:
      return WithSixDigits(avro::FormatDateTime(column.As<int64_t>()[row]));
    case FieldType::kFloat64:
      return FormatFloat64(column.As<double>()[row]);
    default: {
      std::string text;
      warehouse::AppendScalar(field, column, row, text);
      return text;
    }
  }
}

}  // namespace

std::string FormatFloat64(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (value == 0) return sign + "0.0";
  const auto [text, exponent] = ShortestDigits(std::abs(value));
  if (exponent >= 7 || exponent < -3) {
    const std::string fraction = text.size() > 1 ? text.substr(1) : "0";
    return fmt::format("{}{}.{}E{}", sign, text[0], fraction, exponent);
  }
  if (exponent < 0) {
    return fmt::format("{}0.{}{}", sign, std::string(static_cast<size_t>(-exponent - 1), '0'),
                       text);
  }
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (text.size() <= whole) return sign + text + std::string(whole - text.size(), '0') + ".0";
  return sign + text.substr(0, whole) + "." + text.substr(whole);
}

TimestampFormat TimestampFormatOf(bool use_int64, std::string_view output_format) {
  if (output_format == "INT64" || use_int64) return TimestampFormat::kInt64Micros;
  if (output_format == "ISO8601_STRING") return TimestampFormat::kIso8601;
  return TimestampFormat::kFloatSeconds;
}

Json CellToJson(const Field& field, const avro::ColumnView& column, size_t row,
                TimestampFormat format) {
  if (field.mode != FieldMode::kRepeated) {
    return column.IsValid(row) ? ElementToJson(field, column, row, format) : Json(nullptr);
  }
  Json elements = Json::array();
  if (!column.IsValid(row)) return elements;  // BigQuery stores a NULL array as an empty one
  const avro::ListEntry list = column.As<avro::ListEntry>()[row];
  const avro::ColumnView& child = column.children[0];
  for (uint64_t i = list.offset; i < list.offset + list.length; ++i) {
    elements.push_back(
        {{"v", child.IsValid(i) ? ElementToJson(field, child, i, format) : Json(nullptr)}});
  }
  return elements;
}

Json RowToJson(std::span<const Field> fields, const avro::BatchView& batch, size_t row,
               TimestampFormat format) {
  Json cells = Json::array();
  for (size_t i = 0; i < fields.size(); ++i) {
    cells.push_back({{"v", CellToJson(fields[i], batch.columns[i], row, format)}});
  }
  return {{"f", std::move(cells)}};
}

}  // namespace holdfast::bigquery
