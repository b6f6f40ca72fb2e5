#include "localcloud/warehouse/value_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "avro/civil_text.h"
#include "avro/decimal.h"
#include "base/hash.h"

namespace holdfast::warehouse {

namespace {

using avro::ColumnView;

// Writes with one of civil_text.h's functions to the end of `text`.
template <typename Value>
void AppendCivil(size_t (*write)(Value, char*), Value value, std::string& text) {
  char buffer[avro::kCivilTextBytesMax];
  text.append(buffer, write(value, buffer));
}

Field BoundOf(const Field& range) {
  Field bound;
  bound.type = range.range_element_type;
  return bound;
}

void AppendRange(const Field& field, const ColumnView& column, size_t row, std::string& text) {
  const Field bound = BoundOf(field);
  text += '[';
  for (const size_t end : {0U, 1U}) {
    if (end == 1) text += ", ";
    if (column.children[end].IsValid(row)) {
      AppendScalar(bound, column.children[end], row, text);
    } else {
      text += "UNBOUNDED";
    }
  }
  text += ')';
}

// The length of the well-formed UTF-8 sequence at the start of `bytes`, 0 if there is none.
size_t Utf8Length(std::string_view bytes) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(bytes[index]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
  const bool beyond = lead == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

void AppendEscaped(unsigned char c, std::string& text) {
  switch (c) {
    case '"':
      text += "\\\"";
      return;
    case '\\':
      text += "\\\\";
      return;
    case '\n':
      text += "\\n";
      return;
    case '\r':
      text += "\\r";
      return;
    case '\t':
      text += "\\t";
      return;
    default:
      text += fmt::format("\\u{:04x}", c);
  }
}

// Of one value that is not NULL; an element of a list too, whatever the field's mode.
void AppendJsonElement(const Field& field, const ColumnView& column, size_t row,
                       std::string& text) {
  switch (field.type) {
    case FieldType::kBool:
      text += column.As<uint8_t>()[row] != 0 ? "true" : "false";
      return;
    case FieldType::kJson:
      text += column.As<std::string_view>()[row];
      return;
    case FieldType::kFloat64:
      if (!std::isfinite(column.As<double>()[row])) break;
      AppendFloat(column.As<double>()[row], text);
      return;
    case FieldType::kRecord:
      text += '{';
      for (size_t i = 0; i < field.fields.size(); ++i) {
        if (i > 0) text += ',';
        AppendJsonString(field.fields[i].name, text);
        text += ':';
        AppendJsonValue(field.fields[i], column.children[i], row, text);
      }
      text += '}';
      return;
    default:
      break;
  }
  std::string scalar;
  AppendScalar(field, column, row, scalar);
  AppendJsonString(scalar, text);
}

}  // namespace

void AppendFloat(double value, std::string& text) {
  if (std::isnan(value)) {
    text += "NaN";
  } else if (std::isinf(value)) {
    text += value < 0 ? "-Infinity" : "Infinity";
  } else {
    char buffer[32];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
    text.append(buffer, end);
    // A number with a point or an exponent reads back as a float everywhere.
    if (std::string_view(buffer, static_cast<size_t>(end - buffer)).find_first_of(".e") ==
        std::string_view::npos) {
      text += ".0";
    }
  }
}

void AppendJsonString(std::string_view bytes, std::string& text) {
  text += '"';
  size_t at = 0;
  while (at < bytes.size()) {
    const auto c = static_cast<unsigned char>(bytes[at]);
    if (c < 0x20 || c == '"' || c == '\\') {
      AppendEscaped(c, text);
      ++at;
      continue;
    }
    const size_t length = Utf8Length(bytes.substr(at));
    if (length == 0) {
      text += "\xEF\xBF\xBD";
      ++at;
    } else {
      text.append(bytes, at, length);
      at += length;
    }
  }
  text += '"';
}

void AppendScalar(const Field& field, const ColumnView& column, size_t row, std::string& text) {
  switch (field.type) {
    case FieldType::kInt64:
      text += fmt::format_int(column.As<int64_t>()[row]).c_str();
      return;
    case FieldType::kFloat64:
      AppendFloat(column.As<double>()[row], text);
      return;
    case FieldType::kBool:
      text += column.As<uint8_t>()[row] != 0 ? "true" : "false";
      return;
    case FieldType::kNumeric:
      text += avro::FormatNumeric(column.As<__int128>()[row]);
      return;
    case FieldType::kDate:
      AppendCivil(avro::WriteDate, column.As<int32_t>()[row], text);
      return;
    case FieldType::kTime:
      AppendCivil(avro::WriteTime, column.As<int64_t>()[row], text);
      return;
    case FieldType::kDateTime:
      AppendCivil(avro::WriteDateTime, column.As<int64_t>()[row], text);
      return;
    case FieldType::kTimestamp: {
      const size_t date = text.size();
      AppendCivil(avro::WriteDateTime, column.As<int64_t>()[row], text);
      text[text.find('T', date)] = ' ';
      text += " UTC";
      return;
    }
    case FieldType::kBytes:
      text += Base64Encode(column.As<std::string_view>()[row]);
      return;
    case FieldType::kRange:
      AppendRange(field, column, row, text);
      return;
    default:
      text += column.As<std::string_view>()[row];
  }
}

void AppendJsonValue(const Field& field, const ColumnView& column, size_t row, std::string& text) {
  if (field.mode == FieldMode::kRepeated) {
    const avro::ListEntry entry =
        column.IsValid(row) ? column.As<avro::ListEntry>()[row] : avro::ListEntry{};
    text += '[';
    for (size_t i = 0; i < entry.length; ++i) {
      if (i > 0) text += ',';
      AppendJsonElement(field, column.children[0], entry.offset + i, text);  // never NULL
    }
    text += ']';
    return;
  }
  if (!column.IsValid(row)) {
    text += "null";
    return;
  }
  AppendJsonElement(field, column, row, text);
}

}  // namespace holdfast::warehouse
