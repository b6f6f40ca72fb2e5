#include "localcloud/warehouse/column_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "localcloud/warehouse/identifier.h"

namespace holdfast::warehouse {

namespace {

constexpr std::array<std::string_view, 6> kReservedPrefixes = {
    "_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER"};

// BigQuery compares names without case.
bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

const Field* FindMember(const std::vector<Field>& fields, std::string_view name) {
  const auto found =
      std::ranges::find_if(fields, [&](const Field& field) { return SameName(field.name, name); });
  return found == fields.end() ? nullptr : &*found;
}

std::string StructType(const std::vector<Field>& fields) {
  std::string members;
  for (const Field& field : fields) {
    if (!members.empty()) members += ", ";
    members += QuoteIdentifier(field.name) + " " + DuckType(field);
  }
  return "STRUCT(" + members + ")";
}

std::string ScalarType(FieldType type) {
  switch (type) {
    case FieldType::kInt64:
      return "BIGINT";
    case FieldType::kFloat64:
      return "DOUBLE";
    case FieldType::kBool:
      return "BOOLEAN";
    case FieldType::kBytes:
      return "BLOB";
    case FieldType::kNumeric:
      return "DECIMAL(38,9)";
    case FieldType::kTimestamp:
      return "TIMESTAMPTZ";
    case FieldType::kDate:
      return "DATE";
    case FieldType::kTime:
      return "TIME";
    case FieldType::kDateTime:
      return "TIMESTAMP";
    case FieldType::kJson:
      return "JSON";
    case FieldType::kString:
    case FieldType::kBigNumeric:
    case FieldType::kGeography:
    case FieldType::kInterval:
    case FieldType::kRange:
    case FieldType::kRecord:
      break;
  }
  return "VARCHAR";
}

// Whether values of both are stored alike, member for member.
bool SameStorage(const Field& from, const Field& to) {
  return from.name == to.name && DuckType(from) == DuckType(to);
}

std::string AdaptRecord(const std::string& expression, const Field& from, const Field& to,
                        int depth);

std::string AdaptAtDepth(const std::string& expression, const Field& from, const Field& to,
                         int depth) {
  if (to.type != FieldType::kRecord || DuckType(from) == DuckType(to)) return expression;
  if (to.mode != FieldMode::kRepeated) return AdaptRecord(expression, from, to, depth);
  const std::string element = fmt::format("e{}", depth);
  return fmt::format("list_transform({}, lambda {}: {})", expression, element,
                     AdaptRecord(element, from, to, depth + 1));
}

std::string AdaptRecord(const std::string& expression, const Field& from, const Field& to,
                        int depth) {
  std::string members;
  for (const Field& member : to.fields) {
    const Field* source = FindMember(from.fields, member.name);
    const std::string value = source == nullptr
                                  ? AbsentExpression(member)
                                  : AdaptAtDepth(fmt::format("struct_extract({}, {})", expression,
                                                             QuoteLiteral(source->name)),
                                                 *source, member, depth);
    members +=
        fmt::format("{}{} := {}", members.empty() ? "" : ", ", QuoteIdentifier(member.name), value);
  }
  return fmt::format("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", expression,
                     members);
}

Error DoesNotFit(const std::string& path, std::string_view why) {
  return WithReason(
      "invalid", MakeError(ErrorId::kWarehouseInvalidSchema,
                           fmt::format("Provided Schema does not match: field {} {}", path, why)));
}

Status CheckFieldsExtend(const std::vector<Field>& from, const std::vector<Field>& to,
                         const std::string& prefix) {
  for (const Field& old_field : from) {
    const Field* new_field = FindMember(to, old_field.name);
    const std::string path = prefix + old_field.name;
    if (new_field == nullptr) return DoesNotFit(path, "is missing in the new schema");
    const bool same_type = old_field.type == new_field->type &&
                           (old_field.type != FieldType::kRange ||
                            old_field.range_element_type == new_field->range_element_type);
    if (!same_type) {
      return DoesNotFit(path,
                        fmt::format("has changed type from {} to {}", ApiTypeName(old_field.type),
                                    ApiTypeName(new_field->type)));
    }
    const bool relaxed =
        old_field.mode == FieldMode::kRequired && new_field->mode == FieldMode::kNullable;
    if (old_field.mode != new_field->mode && !relaxed) {
      return DoesNotFit(path, fmt::format("has changed mode from {} to {}",
                                          ModeName(old_field.mode), ModeName(new_field->mode)));
    }
    HF_RETURN_IF_ERROR(CheckFieldsExtend(old_field.fields, new_field->fields, path + "."));
  }
  for (const Field& field : to) {
    if (FindMember(from, field.name) == nullptr && field.mode == FieldMode::kRequired) {
      return DoesNotFit(prefix + field.name, "is new and REQUIRED: new fields must be NULLABLE");
    }
  }
  return Ok();
}

Error BadName(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidSchema, std::move(message)));
}

Status CheckNamesOf(const std::vector<Field>& fields, const std::string& prefix) {
  std::set<std::string> seen;
  for (const Field& field : fields) {
    std::string upper(field.name);
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
    for (const std::string_view reserved : kReservedPrefixes) {
      if (!upper.starts_with(reserved)) continue;
      return BadName(
          fmt::format("Invalid field name \"{}{}\". Field names are not allowed to start "
                      "with the (case-insensitive) prefix {}",
                      prefix, field.name, reserved));
    }
    if (!seen.insert(std::move(upper)).second) {
      return BadName(
          fmt::format("Duplicate field name: {}{} (case does not count)", prefix, field.name));
    }
    HF_RETURN_IF_ERROR(CheckNamesOf(field.fields, prefix + field.name + "."));
  }
  return Ok();
}

void CompareFields(const std::vector<Field>& from, const std::vector<Field>& to,
                   SchemaChange& change) {
  for (const Field& field : to) {
    const Field* old_field = FindMember(from, field.name);
    if (old_field == nullptr) {
      change.adds_fields = true;
      continue;
    }
    if (old_field->mode == FieldMode::kRequired && field.mode == FieldMode::kNullable) {
      change.relaxes_fields = true;
    }
    CompareFields(old_field->fields, field.fields, change);
  }
}

}  // namespace

std::string DuckElementType(const Field& field) {
  if (field.type == FieldType::kRecord) return StructType(field.fields);
  if (field.type == FieldType::kRange) {
    const std::string element = ScalarType(field.range_element_type);
    return fmt::format("STRUCT(\"start\" {0}, \"end\" {0})", element);
  }
  return ScalarType(field.type);
}

std::string DuckType(const Field& field) {
  return DuckElementType(field) + (field.mode == FieldMode::kRepeated ? "[]" : "");
}

std::string AdaptExpression(const std::string& expression, const Field& from, const Field& to) {
  if (SameStorage(from, to)) return expression;
  return AdaptAtDepth(expression, from, to, 0);
}

std::string AbsentExpression(const Field& field) {
  const std::string_view value = field.mode == FieldMode::kRepeated ? "[]" : "NULL";
  return fmt::format("CAST({} AS {})", value, DuckType(field));
}

Status CheckSchemaExtends(const Schema& from, const Schema& to) {
  return CheckFieldsExtend(from.fields, to.fields, "");
}

Status CheckFieldNames(const Schema& schema) { return CheckNamesOf(schema.fields, ""); }

SchemaChange CompareSchemas(const Schema& from, const Schema& to) {
  SchemaChange change;
  CompareFields(from.fields, to.fields, change);
  return change;
}

}  // namespace holdfast::warehouse
