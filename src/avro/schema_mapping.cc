#include "avro/schema_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "avro/decimal.h"

namespace holdfast::avro {

namespace {

// Avro names for the columns of one record, distinct without regard to case.
std::vector<std::string> AvroNames(const std::vector<Field>& fields) {
  std::set<std::string> taken;
  for (const Field& field : fields) taken.insert(LowerName(field.name));
  std::vector<std::string> names;
  int number = 0;
  for (const Field& field : fields) {
    std::string name = field.name;
    if (!IsAvroName(name)) {
      do name = fmt::format("c{:04d}", ++number);
      while (!taken.insert(name).second);
    }
    names.push_back(std::move(name));
  }
  return names;
}

Json Logical(std::string_view type, std::string_view logical) {
  return {{"type", type}, {"logicalType", logical}};
}

Json SqlString(std::string_view sql_type) { return {{"type", "string"}, {"sqlType", sql_type}}; }

Json DecimalType(const Field& field) {
  const bool is_numeric = field.type == FieldType::kNumeric;
  const DecimalShape shape = ShapeOf(field);
  Json json = Logical("bytes", "decimal");
  json["precision"] = shape.precision;
  json["scale"] = shape.scale;
  if (!is_numeric && FitsNumeric(shape.precision, shape.scale)) json["sqlType"] = "BIGNUMERIC";
  return json;
}

class AvroPrinter {
 public:
  explicit AvroPrinter(DateTimeForm datetime_form) : datetime_form_(datetime_form) {}

  // The "fields" of a record whose namespace is `space`.
  Result<Json> Fields(const std::vector<Field>& fields, const std::string& space, int depth) {
    if (depth > kFieldDepthMax) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("schema: record \"{}\" is nested deeper "
                                   "than {} levels",
                                   space, kSchemaDepthMax));
    }
    if (fields.empty()) {
      return MakeError(
          ErrorId::kAvroSchema,
          fmt::format("record \"{}\" has no columns: Avro cannot hold its rows", space));
    }
    Json list = Json::array();
    const std::vector<std::string> names = AvroNames(fields);
    for (size_t i = 0; i < fields.size(); ++i) {
      HF_ASSIGN_OR_RETURN(Json field, OneField(fields[i], names[i], space, depth));
      list.push_back(std::move(field));
    }
    return list;
  }

 private:
  Result<Json> OneField(const Field& field, const std::string& name, const std::string& space,
                        int depth) {
    if (++fields_ > kSchemaFieldsMax) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("schema has more than {} fields", kSchemaFieldsMax));
    }
    Json json = {{"name", name}};
    if (name != field.name) json[std::string(kNameProperty)] = field.name;
    if (!field.description.empty()) json["doc"] = field.description;
    HF_ASSIGN_OR_RETURN(Json type, Type(field, name, space, depth));
    switch (field.mode) {
      case FieldMode::kRequired:
        json["type"] = std::move(type);
        break;
      case FieldMode::kNullable:
        json["type"] = Json::array({"null", std::move(type)});
        break;
      case FieldMode::kRepeated:
        json["type"] = {{"type", "array"}, {"items", std::move(type)}};
        break;
    }
    return json;
  }

  Result<Json> Type(const Field& field, const std::string& name, const std::string& space,
                    int depth) {
    switch (field.type) {
      case FieldType::kRecord: {
        HF_ASSIGN_OR_RETURN(Json fields, Fields(field.fields, space + "." + name, depth + 1));
        return Json{{"type", "record"}, {"name", name}, {"namespace", space}, {"fields", fields}};
      }
      case FieldType::kRange: {
        Field element_field;
        element_field.type = field.range_element_type;
        const Json element = Scalar(element_field);
        const Json bound = Json::array({"null", element});
        return Json{{"type", "record"},
                    {"name", name},
                    {"namespace", space},
                    {"sqlType", "RANGE"},
                    {"fields", Json::array({Json{{"name", "start"}, {"type", bound}},
                                            Json{{"name", "end"}, {"type", bound}}})}};
      }
      default:
        return Scalar(field);
    }
  }

  Json Scalar(const Field& field) const {
    switch (field.type) {
      case FieldType::kString:
        return "string";
      case FieldType::kBytes:
        return "bytes";
      case FieldType::kInt64:
        return "long";
      case FieldType::kFloat64:
        return "double";
      case FieldType::kBool:
        return "boolean";
      case FieldType::kNumeric:
      case FieldType::kBigNumeric:
        return DecimalType(field);
      case FieldType::kTimestamp:
        return Logical("long", "timestamp-micros");
      case FieldType::kDate:
        return Logical("int", "date");
      case FieldType::kTime:
        return Logical("long", "time-micros");
      case FieldType::kDateTime:
        return datetime_form_ == DateTimeForm::kText ? Logical("string", "datetime")
                                                     : Logical("long", "local-timestamp-micros");
      case FieldType::kGeography:
        return SqlString("GEOGRAPHY");
      case FieldType::kJson:
        return SqlString("JSON");
      case FieldType::kInterval:
        return SqlString("INTERVAL");
      case FieldType::kRange:
      case FieldType::kRecord:
        break;
    }
    CHECK(false, "a record is not a scalar");
  }

  DateTimeForm datetime_form_;
  int fields_ = 0;
};

}  // namespace

std::string LowerName(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool IsAvroName(std::string_view name) {
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  const auto is_digit = [](unsigned char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](unsigned char c) { return is_letter(c) || is_digit(c); });
}

bool FitsNumeric(int precision, int scale) {
  return scale <= kNumericScale && precision - scale <= kNumericPrecision - kNumericScale;
}

DecimalShape ShapeOf(const Field& field) {
  if (field.precision != 0) return {field.precision, field.scale};
  if (field.type == FieldType::kNumeric) return {kNumericPrecision, kNumericScale};
  return {kBigNumericPrecision, kBigNumericScale};
}

NullableType SplitNullable(const AvroType& type) {
  if (type.kind == AvroKind::kNull) return {.has_null = true};
  if (type.kind != AvroKind::kUnion) return {.value = &type};
  NullableType split;
  for (size_t i = 0; i < type.branches.size(); ++i) {
    if (type.branches[i].kind == AvroKind::kNull) {
      if (split.has_null) return {};
      split.has_null = true;
      split.null_index = i;
    } else {
      if (split.value != nullptr) return {};
      split.value = &type.branches[i];
    }
  }
  split.is_union = true;
  return split;
}

Result<Json> ToAvroSchema(const Schema& schema, DateTimeForm datetime_form) {
  HF_ASSIGN_OR_RETURN(Json fields, AvroPrinter(datetime_form).Fields(schema.fields, "Root", 1));
  return Json{{"type", "record"}, {"name", "Root"}, {"fields", std::move(fields)}};
}

}  // namespace holdfast::avro
