// The logical size of rows by BigQuery's "Data type sizes", as SQL.
#include <fmt/format.h>

#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/parquet_write.h"

namespace holdfast::warehouse {

namespace {

// Bytes of a value of a type with a fixed size; 0 for the others.
int FixedBytes(FieldType type) {
  switch (type) {
    case FieldType::kBool:
      return 1;
    case FieldType::kInt64:
    case FieldType::kFloat64:
    case FieldType::kTimestamp:
    case FieldType::kDate:
    case FieldType::kTime:
    case FieldType::kDateTime:
      return 8;
    case FieldType::kNumeric:
    case FieldType::kInterval:
    case FieldType::kRange:
      return 16;
    case FieldType::kBigNumeric:
      return 32;
    case FieldType::kString:
    case FieldType::kBytes:
    case FieldType::kGeography:
    case FieldType::kJson:
    case FieldType::kRecord:
      break;
  }
  return 0;
}

std::string TextBytes(const Field& field, const std::string& value) {
  const std::string_view length = field.type == FieldType::kBytes ? "octet_length" : "strlen";
  return fmt::format("(2 + {}({}))", length, value);
}

std::string Member(const std::string& record, const Field& member) {
  return fmt::format("struct_extract({}, {})", record, QuoteLiteral(member.name));
}

// SQL of the size of one value, which may be NULL; `depth` keeps the names of lambdas apart.
std::string ValueBytes(const Field& field, const std::string& value, bool as_element, int depth) {
  if (field.mode == FieldMode::kRepeated && !as_element) {
    if (const int fixed = FixedBytes(field.type); fixed != 0) {
      return fmt::format("coalesce(len({}) * {}, 0)", value, fixed);
    }
    const std::string element = fmt::format("v{}", depth);
    return fmt::format("coalesce(list_sum(list_transform({}, lambda {}: {})), 0)", value, element,
                       ValueBytes(field, element, true, depth + 1));
  }
  if (field.type == FieldType::kRecord) {
    std::string sum = "0";
    for (const Field& member : field.fields) {
      sum += " + " + ValueBytes(member, Member(value, member), false, depth);
    }
    return "(" + sum + ")";
  }
  const int fixed = FixedBytes(field.type);
  const std::string bytes = fixed != 0 ? std::to_string(fixed) : TextBytes(field, value);
  return fmt::format("(CASE WHEN {} IS NULL THEN 0 ELSE {} END)", value, bytes);
}

// SQL of the size of a column over all rows: counts where the type allows it.
std::string ColumnBytes(const Field& field, const std::string& column) {
  if (field.mode == FieldMode::kRepeated) {
    return fmt::format("coalesce(sum({}), 0)", ValueBytes(field, column, false, 0));
  }
  if (field.type == FieldType::kRecord) {
    std::string sum = "0";
    for (const Field& member : field.fields) {
      sum += " + " + ColumnBytes(member, Member(column, member));
    }
    return "(" + sum + ")";
  }
  if (const int fixed = FixedBytes(field.type); fixed != 0) {
    return fmt::format("count({}) * {}", column, fixed);
  }
  return fmt::format("coalesce(sum({}), 0)", TextBytes(field, column));
}

}  // namespace

std::string LogicalBytesExpression(const Schema& schema) {
  std::string sum = "0";
  for (const Field& field : schema.fields) {
    sum += " + " + ColumnBytes(field, QuoteIdentifier(field.name));
  }
  return "CAST(" + sum + " AS BIGINT)";
}

}  // namespace holdfast::warehouse
