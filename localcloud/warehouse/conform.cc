#include "localcloud/warehouse/conform.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"

namespace holdfast::warehouse {

namespace {

constexpr int kDuckDigitsMax = 38;  // of a DECIMAL

// Whether a value that is not NULL, of one element, may have to be refused or changed.
bool IsRestricted(const Field& field) {
  if (MaxLength(field)) return true;
  const bool decimal = field.type == FieldType::kNumeric || field.type == FieldType::kBigNumeric;
  if (decimal && field.precision != 0) return true;
  return std::ranges::any_of(field.fields, [](const Field& member) {
    return member.mode == FieldMode::kRequired || IsRestricted(member);
  });
}

std::string LimitedLength(const Field& field, const std::string& value, const std::string& path,
                          int64_t length_max) {
  const std::string_view length = field.type == FieldType::kBytes ? "octet_length" : "length";
  const std::string complaint =
      fmt::format("Field {}: maximum length {} of {}({}) is exceeded by a value of length ", path,
                  length_max, SqlTypeName(field.type), length_max);
  return fmt::format("CASE WHEN {0}({1}) > {2} THEN error({3} || {0}({1})) ELSE {1} END", length,
                     value, length_max, QuoteLiteral(complaint));
}

// The stored text of a BIGNUMERIC from a DECIMAL: without zeros behind the last digit.
std::string CanonicalText(const std::string& decimal, int scale) {
  const std::string text = fmt::format("CAST({} AS VARCHAR)", decimal);
  if (scale == 0) return text;
  return fmt::format("rtrim(rtrim({}, '0'), '.')", text);
}

std::string LimitedDigits(const Field& field, const std::string& value, const std::string& path) {
  const std::string complaint =
      fmt::format("Field {}: a value is out of range for {}({}, {}): ", path,
                  SqlTypeName(field.type), field.precision, field.scale);
  const std::string refuse =
      fmt::format("error({} || CAST({} AS VARCHAR))", QuoteLiteral(complaint), value);
  if (field.precision > kDuckDigitsMax) {  // BIGNUMERIC: digits are counted in its text
    return fmt::format(
        "CASE WHEN {0} IS NULL OR regexp_full_match({0}, '-?\\d{{1,{1}}}(\\.\\d{{1,{2}}})?') "
        "THEN {0} ELSE {3} END",
        value, std::max(field.precision - field.scale, 1), std::max(field.scale, 1), refuse);
  }
  const std::string fitted =
      fmt::format("TRY_CAST({} AS DECIMAL({}, {}))", value, field.precision, field.scale);
  const std::string stored = field.type == FieldType::kNumeric
                                 ? fmt::format("CAST({} AS DECIMAL(38,9))", fitted)
                                 : CanonicalText(fitted, field.scale);
  return fmt::format("CASE WHEN {0} IS NOT NULL AND {1} IS NULL THEN {2} ELSE {3} END", value,
                     fitted, refuse, stored);
}

std::string Conform(const Field& field, const std::string& value, const std::string& path,
                    int depth);

// One value, whatever the field's mode.
std::string ConformElement(const Field& field, const std::string& value, const std::string& path,
                           int depth) {
  if (!IsRestricted(field)) return value;
  if (const auto length_max = MaxLength(field)) {
    return LimitedLength(field, value, path, *length_max);
  }
  if (field.type != FieldType::kRecord) return LimitedDigits(field, value, path);
  std::string members;
  for (const Field& member : field.fields) {
    const std::string inner =
        fmt::format("struct_extract({}, {})", value, QuoteLiteral(member.name));
    members += fmt::format("{}{} := {}", members.empty() ? "" : ", ", QuoteIdentifier(member.name),
                           Conform(member, inner, path + "." + member.name, depth));
  }
  return fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", value, members);
}

std::string Conform(const Field& field, const std::string& value, const std::string& path,
                    int depth) {
  if (field.mode == FieldMode::kRepeated) {
    std::string list = value;
    if (IsRestricted(field)) {
      const std::string element = fmt::format("e{}", depth);
      list = fmt::format("list_transform({}, lambda {}: {})", value, element,
                         ConformElement(field, element, path, depth + 1));
    }
    return fmt::format("coalesce({}, CAST([] AS {}))", list, DuckType(field));
  }
  const std::string conformed = ConformElement(field, value, path, depth);
  if (field.mode != FieldMode::kRequired) return conformed;
  return fmt::format("CASE WHEN {} IS NULL THEN error({}) ELSE {} END", value,
                     QuoteLiteral(fmt::format("Required field {} cannot be null", path)),
                     conformed);
}

}  // namespace

std::optional<int64_t> MaxLength(const Field& field) {
  if (field.type != FieldType::kString && field.type != FieldType::kBytes) return std::nullopt;
  const int64_t length = Int64Or(field.extras, "maxLength", 0);
  if (length <= 0) return std::nullopt;
  return length;
}

std::string ConformExpression(const Field& field) {
  return Conform(field, QuoteIdentifier(field.name), field.name, 0);
}

}  // namespace holdfast::warehouse
