#include "localcloud/warehouse/column_default.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/query.h"
#include "localcloud/warehouse/value_text.h"

namespace holdfast::warehouse {

namespace {

constexpr const char* kDefaultMember = "defaultValueExpression";

// Names of columns are matched without case.
bool NamesColumn(std::string_view key, const Field& field) {
  return std::ranges::equal(key, field.name, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

bool Lacks(const Json& row, const Field& field) {
  for (const auto& [key, value] : row.items()) {
    if (NamesColumn(key, field)) return false;
  }
  return true;
}

// As insertAll takes it: a JSON column's value is text.
Result<Json> InsertedValue(const Field& field, const avro::ColumnView& column, size_t row) {
  std::string text;
  AppendJsonValue(field, column, row, text);
  const bool is_json = field.type == FieldType::kJson && field.mode != FieldMode::kRepeated;
  if (is_json && column.IsValid(row)) return Json(text);
  return ParseJson(text);
}

}  // namespace

bool HasDefault(const Field& field) { return field.extras.contains(kDefaultMember); }

Result<std::string> AbsentValue(const Field& field, const DefaultSql& default_sql) {
  if (!HasDefault(field) || !default_sql) return AbsentExpression(field);
  HF_ASSIGN_OR_RETURN(const std::string sql, default_sql(field));
  return fmt::format("CAST({} AS {})", sql, DuckType(field));
}

Schema WithDefaultsOf(const Schema& table, Schema schema) {
  for (Field& field : schema.fields) {
    const Field* const own = table.Find(field.name);
    if (own == nullptr || !HasDefault(*own) || HasDefault(field)) continue;
    field.extras[kDefaultMember] = own->extras[kDefaultMember];
  }
  return schema;
}

Status FillDefaults(Warehouse& warehouse, const Schema& schema, const DefaultSql& default_sql,
                    std::vector<Json>& rows) {
  Query query;
  std::vector<const Field*> fields;
  for (const Field& field : schema.fields) {
    const auto lacks = [&](const Json& row) { return Lacks(row, field); };
    if (!HasDefault(field) || !default_sql || std::ranges::none_of(rows, lacks)) continue;
    HF_ASSIGN_OR_RETURN(const std::string value, AbsentValue(field, default_sql));
    query.sql += fmt::format("{}{} AS {}", fields.empty() ? "SELECT " : ", ", value,
                             QuoteIdentifier(field.name));
    query.column_hints.emplace_back(field);
    fields.push_back(&field);
  }
  if (fields.empty()) return Ok();
  query.sql += fmt::format(" FROM range({})", rows.size());
  size_t next = 0;
  const auto fill = [&](const Schema&, const avro::BatchView& batch) -> Status {
    for (size_t i = 0; i < batch.rows; ++i, ++next) {
      for (size_t column = 0; column < fields.size(); ++column) {
        const Field& field = *fields[column];
        if (!Lacks(rows[next], field)) continue;
        HF_ASSIGN_OR_RETURN(rows[next][field.name], InsertedValue(field, batch.columns[column], i));
      }
    }
    return Ok();
  };
  HF_RETURN_IF_ERROR(RunQuery(warehouse, query, fill));
  return Ok();
}

}  // namespace holdfast::warehouse
