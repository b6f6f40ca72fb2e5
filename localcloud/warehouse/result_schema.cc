#include "localcloud/warehouse/result_schema.h"

#include <fmt/format.h>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"

namespace holdfast::warehouse {

namespace {

Error Unsupported(const std::string& column, std::string_view what) {
  return WithReason(
      "invalidQuery",
      MakeError(ErrorId::kQueryFailed, fmt::format("Column {} of the result {}", column, what)));
}

std::string TakeText(char* text) {
  std::string copy = text == nullptr ? "" : text;
  duckdb_free(text);
  return copy;
}

std::optional<FieldType> ScalarOf(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_SQLNULL:  // BigQuery gives an untyped NULL the type INT64
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
      return FieldType::kInt64;
    case DUCKDB_TYPE_BOOLEAN:
      return FieldType::kBool;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return FieldType::kFloat64;
    case DUCKDB_TYPE_DECIMAL:
      return FieldType::kNumeric;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_ENUM:
    case DUCKDB_TYPE_UUID:
      return FieldType::kString;
    case DUCKDB_TYPE_BLOB:
      return FieldType::kBytes;
    case DUCKDB_TYPE_DATE:
      return FieldType::kDate;
    case DUCKDB_TYPE_TIME:
      return FieldType::kTime;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return FieldType::kDateTime;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return FieldType::kTimestamp;
    default:
      return std::nullopt;
  }
}

Result<Field> FieldOf(const std::string& name, duckdb_logical_type type, int depth) {
  if (depth > kSchemaDepthMax) return Unsupported(name, "nests too deep");
  Field field;
  field.name = name;
  const duckdb_type id = duckdb_get_type_id(type);
  if (id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_ARRAY) {
    const DuckLogicalType child(id == DUCKDB_TYPE_LIST ? duckdb_list_type_child_type(type)
                                                       : duckdb_array_type_child_type(type));
    HF_ASSIGN_OR_RETURN(field, FieldOf(name, child.get(), depth + 1));
    if (field.mode == FieldMode::kRepeated) return Unsupported(name, "is an array of arrays");
    field.mode = FieldMode::kRepeated;
    return field;
  }
  if (id == DUCKDB_TYPE_STRUCT) {
    field.type = FieldType::kRecord;
    for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
      const DuckLogicalType child(duckdb_struct_type_child_type(type, i));
      HF_ASSIGN_OR_RETURN(Field member, FieldOf(TakeText(duckdb_struct_type_child_name(type, i)),
                                                child.get(), depth + 1));
      field.fields.push_back(std::move(member));
    }
    return field;
  }
  const auto scalar = ScalarOf(id);
  if (!scalar) return Unsupported(name, "has a type that BigQuery does not have");
  field.type = *scalar;
  if (TakeText(duckdb_logical_type_get_alias(type)) == "JSON") field.type = FieldType::kJson;
  return field;
}

bool IsCivil(FieldType type) {
  return type == FieldType::kDate || type == FieldType::kTime || type == FieldType::kDateTime ||
         type == FieldType::kTimestamp;
}

bool IsAssignable(FieldType from, FieldType to) {
  switch (from) {
    case FieldType::kInt64:
      return to == FieldType::kFloat64 || to == FieldType::kNumeric || to == FieldType::kBigNumeric;
    case FieldType::kNumeric:
      return to == FieldType::kFloat64 || to == FieldType::kBigNumeric;
    case FieldType::kString:
      return IsCivil(to);
    default:
      return false;
  }
}

}  // namespace

Result<Schema> ResultSchema(const DuckStatement& statement,
                            const std::vector<std::optional<Field>>& hints) {
  Schema schema;
  for (size_t i = 0; i < statement.column_count(); ++i) {
    const DuckLogicalType type = statement.column_type(i);
    const std::string name = statement.column_name(i);
    HF_ASSIGN_OR_RETURN(Field field, FieldOf(name, type.get(), 1));
    if (i < hints.size() && hints[i]) {
      field = *hints[i];
      field.name = name;
    }
    if (schema.Find(name) != nullptr) {
      return WithReason(
          "invalidQuery",
          MakeError(ErrorId::kQueryFailed,
                    fmt::format("Duplicate column names in the result are not supported. "
                                "Found duplicate(s): {}",
                                name)));
    }
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

std::string CastedSelect(const std::string& sql, const Schema& schema) {
  std::string columns;
  std::string positions;
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    const Field& field = schema.fields[i];
    const std::string_view separator = i == 0 ? "" : ", ";
    columns += fmt::format("{}CAST(c{} AS {}) AS {}", separator, i, DuckType(field),
                           QuoteIdentifier(field.name));
    positions += fmt::format("{}c{}", separator, i);
  }
  return fmt::format("SELECT {} FROM ({}\n) AS query_result({})", columns, sql, positions);
}

std::optional<std::string> AssignExpression(const std::string& value, const Field& from,
                                            const Field& to) {
  const bool from_list = from.mode == FieldMode::kRepeated;
  if (from_list != (to.mode == FieldMode::kRepeated)) return std::nullopt;
  const bool same_storage = DuckElementType(from) == DuckElementType(to);
  const bool records = from.type == FieldType::kRecord && to.type == FieldType::kRecord;
  const bool same_type = from.type == to.type || (same_storage && from.type == FieldType::kString);
  if (same_type && same_storage) return value;
  const bool assignable = records || IsAssignable(from.type, to.type) ||
                          (from.type == to.type && from.type == FieldType::kRange);
  if (!assignable || (from_list && !records)) return std::nullopt;
  return fmt::format("CAST({} AS {})", value, DuckType(to));
}

}  // namespace holdfast::warehouse
