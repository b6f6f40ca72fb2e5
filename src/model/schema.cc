#include "model/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/hash.h"

namespace holdfast {

namespace {

struct TypeNames {
  FieldType type;
  std::string_view sql;
  std::string_view api;
};

constexpr std::array<TypeNames, 16> kTypeNames = {{
    {FieldType::kString, "STRING", "STRING"},
    {FieldType::kBytes, "BYTES", "BYTES"},
    {FieldType::kInt64, "INT64", "INTEGER"},
    {FieldType::kFloat64, "FLOAT64", "FLOAT"},
    {FieldType::kBool, "BOOL", "BOOLEAN"},
    {FieldType::kNumeric, "NUMERIC", "NUMERIC"},
    {FieldType::kBigNumeric, "BIGNUMERIC", "BIGNUMERIC"},
    {FieldType::kTimestamp, "TIMESTAMP", "TIMESTAMP"},
    {FieldType::kDate, "DATE", "DATE"},
    {FieldType::kTime, "TIME", "TIME"},
    {FieldType::kDateTime, "DATETIME", "DATETIME"},
    {FieldType::kGeography, "GEOGRAPHY", "GEOGRAPHY"},
    {FieldType::kJson, "JSON", "JSON"},
    {FieldType::kInterval, "INTERVAL", "INTERVAL"},
    {FieldType::kRange, "RANGE", "RANGE"},
    {FieldType::kRecord, "STRUCT", "RECORD"},
}};

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  return upper;
}

const TypeNames& NamesOf(FieldType type) {
  return *std::ranges::find(kTypeNames, type, &TypeNames::type);
}

Result<FieldMode> ParseMode(const std::string& name) {
  const std::string upper = Upper(name);
  if (upper == "NULLABLE" || upper.empty()) return FieldMode::kNullable;
  if (upper == "REQUIRED") return FieldMode::kRequired;
  if (upper == "REPEATED") return FieldMode::kRepeated;
  return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a field mode", name));
}

bool IsInterpreted(std::string_view key) {
  static constexpr std::array<std::string_view, 8> kKeys = {
      "name", "type", "mode", "fields", "description", "precision", "scale", "rangeElementType"};
  return std::ranges::find(kKeys, key) != kKeys.end();
}

Result<std::vector<Field>> ParseFields(const Json& json, int depth);

Result<Field> ParseField(const Json& json, int depth) {
  Field field;
  HF_ASSIGN_OR_RETURN(field.name, RequiredString(json, "name"));
  HF_ASSIGN_OR_RETURN(const std::string type, RequiredString(json, "type"));
  HF_ASSIGN_OR_RETURN(field.type, ParseFieldType(type));
  HF_ASSIGN_OR_RETURN(const auto mode, OptionalString(json, "mode"));
  HF_ASSIGN_OR_RETURN(field.mode, ParseMode(mode.value_or("")));
  HF_ASSIGN_OR_RETURN(const auto precision, OptionalInt64(json, "precision"));
  HF_ASSIGN_OR_RETURN(const auto scale, OptionalInt64(json, "scale"));
  if (precision.value_or(0) < 0 || precision.value_or(0) > 77 || scale.value_or(0) < 0 ||
      scale.value_or(0) > 38) {
    return MakeError(ErrorId::kInvalidJson,
                     fmt::format("field \"{}\": precision or scale out of range", field.name));
  }
  field.precision = static_cast<int>(precision.value_or(0));
  field.scale = static_cast<int>(scale.value_or(0));
  HF_ASSIGN_OR_RETURN(auto description, OptionalString(json, "description"));
  field.description = description.value_or("");
  if (field.type == FieldType::kRange) {
    const Json* element = FindField(json, "rangeElementType");
    HF_ASSIGN_OR_RETURN(field.range_element_type,
                        ParseFieldType(element == nullptr ? "" : StringOr(*element, "type", "")));
  }
  if (field.type == FieldType::kRecord) {
    const Json* fields = FindField(json, "fields");
    if (fields == nullptr || fields->empty()) {
      return MakeError(ErrorId::kInvalidJson,
                       fmt::format("record field \"{}\" has no fields", field.name));
    }
    HF_ASSIGN_OR_RETURN(field.fields, ParseFields(*fields, depth + 1));
  }
  for (const auto& [key, value] : json.items()) {
    if (!IsInterpreted(key)) field.extras[key] = value;
  }
  return field;
}

Result<std::vector<Field>> ParseFields(const Json& json, int depth) {
  if (depth > kFieldDepthMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("schema nests deeper than {} levels", kSchemaDepthMax));
  }
  if (!json.is_array()) return MakeError(ErrorId::kInvalidJson, "schema fields are not a list");
  if (json.size() > kSchemaFieldsMax) {
    return MakeError(ErrorId::kLimitExceeded,
                     fmt::format("schema has more than {} fields", kSchemaFieldsMax));
  }
  std::vector<Field> fields;
  for (const Json& item : json) {
    if (!item.is_object()) return MakeError(ErrorId::kInvalidJson, "schema field is not an object");
    HF_ASSIGN_OR_RETURN(Field field, ParseField(item, depth));
    fields.push_back(std::move(field));
  }
  return fields;
}

Json FieldToJson(const Field& field) {
  Json json = field.extras;
  json["name"] = field.name;
  json["type"] = ApiTypeName(field.type);
  json["mode"] = ModeName(field.mode);
  if (field.precision != 0) json["precision"] = std::to_string(field.precision);
  if (field.scale != 0) json["scale"] = std::to_string(field.scale);
  if (!field.description.empty()) json["description"] = field.description;
  if (field.type == FieldType::kRange) {
    json["rangeElementType"] = {{"type", ApiTypeName(field.range_element_type)}};
  }
  for (const Field& child : field.fields) json["fields"].push_back(FieldToJson(child));
  return json;
}

// Lengths before names, so that no two different schemas print the same.
void AppendCanonical(const std::vector<Field>& fields, std::string& text) {
  for (const Field& field : fields) {
    text += fmt::format("{}:{} {} {} {},{}", field.name.size(), field.name, SqlTypeName(field.type),
                        ModeName(field.mode), field.precision, field.scale);
    if (field.type == FieldType::kRange) text += SqlTypeName(field.range_element_type);
    text += '(';
    AppendCanonical(field.fields, text);
    text += ')';
  }
}

}  // namespace

std::string_view SqlTypeName(FieldType type) { return NamesOf(type).sql; }
std::string_view ApiTypeName(FieldType type) { return NamesOf(type).api; }

Result<FieldType> ParseFieldType(std::string_view name) {
  const std::string upper = Upper(name);
  for (const TypeNames& names : kTypeNames) {
    if (upper == names.sql || upper == names.api) return names.type;
  }
  return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a BigQuery type", name));
}

std::string_view ModeName(FieldMode mode) {
  switch (mode) {
    case FieldMode::kNullable:
      return "NULLABLE";
    case FieldMode::kRequired:
      return "REQUIRED";
    case FieldMode::kRepeated:
      break;
  }
  return "REPEATED";
}

Result<Schema> Schema::FromJson(const Json& json) {
  const Json* fields = FindField(json, "fields");
  if (fields == nullptr) return Schema{};
  HF_ASSIGN_OR_RETURN(auto parsed, ParseFields(*fields, 1));
  return Schema{std::move(parsed)};
}

Json Schema::ToJson() const {
  Json list = Json::array();
  for (const Field& field : fields) list.push_back(FieldToJson(field));
  return {{"fields", std::move(list)}};
}

const Field* Schema::Find(std::string_view name) const {
  const std::string wanted = Upper(name);
  const auto found =
      std::ranges::find_if(fields, [&](const Field& field) { return Upper(field.name) == wanted; });
  return found == fields.end() ? nullptr : &*found;
}

std::string SchemaHash(const Schema& schema) {
  std::string text;
  AppendCanonical(schema.fields, text);
  return Sha256Hex(text);
}

}  // namespace holdfast
