#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "avro/decimal.h"
#include "avro/schema_mapping.h"

namespace holdfast::avro {

namespace {

Field MakeField(std::string_view name, FieldType type = FieldType::kString) {
  Field field;
  field.name = name;
  field.type = type;
  return field;
}

Error Unsupported(const std::string& path, std::string_view why) {
  return MakeError(ErrorId::kAvroUnsupported, fmt::format("column \"{}\": {}", path, why));
}

class TableReader {
 public:
  Result<std::vector<Field>> Fields(const AvroType& record, const std::string& path, int depth) {
    if (depth > kFieldDepthMax) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("Avro schema: record \"{}\" is nested deeper than {} levels",
                                   path, kSchemaDepthMax));
    }
    std::vector<Field> fields;
    std::set<std::string> names;
    for (const AvroField& avro : record.fields) {
      Field field = MakeField(avro.column_name());
      field.description = avro.doc;
      const std::string inner = path.empty() ? field.name : path + "." + field.name;
      if (!names.insert(LowerName(field.name)).second) {
        return MakeError(ErrorId::kAvroSchema,
                         fmt::format("Avro schema: two columns are named \"{}\"", inner));
      }
      HF_RETURN_IF_ERROR(Column(avro.type, inner, depth, field));
      fields.push_back(std::move(field));
    }
    return fields;
  }

 private:
  // Sets mode, type and children of `field` from a field's whole type.
  Status Column(const AvroType& type, const std::string& path, int depth, Field& field) {
    if (++fields_ > kSchemaFieldsMax) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("Avro schema has more than {} fields", kSchemaFieldsMax));
    }
    const NullableType nullable = SplitNullable(type);
    if (nullable.value == nullptr) {
      return Unsupported(path, "its type is only null, or a union of several types");
    }
    const AvroType& value = *nullable.value;
    if (value.kind == AvroKind::kMap) return MapColumn(value, path, depth, field);
    if (value.kind != AvroKind::kArray) {
      field.mode = nullable.has_null ? FieldMode::kNullable : FieldMode::kRequired;
      return Value(value, path, depth, field);
    }
    field.mode = FieldMode::kRepeated;
    const NullableType element = SplitNullable(value.branches[0]);
    if (element.value == nullptr)
      return Unsupported(path, "its elements are a union of several types");
    if (element.value->kind == AvroKind::kArray || element.value->kind == AvroKind::kMap) {
      return Unsupported(path, "an array of arrays");
    }
    return Value(*element.value, path, depth, field);
  }

  // A map becomes what BigQuery's load makes of it: REPEATED RECORD {key, value}.
  Status MapColumn(const AvroType& type, const std::string& path, int depth, Field& field) {
    if (depth >= kFieldDepthMax) return Unsupported(path, "records nested too deep");
    field.mode = FieldMode::kRepeated;
    field.type = FieldType::kRecord;
    Field value = MakeField("value");
    HF_RETURN_IF_ERROR(Column(type.branches[0], path + ".value", depth + 1, value));
    field.fields.push_back(MakeField("key"));
    field.fields[0].mode = FieldMode::kRequired;
    field.fields.push_back(std::move(value));
    return Ok();
  }

  Status Value(const AvroType& type, const std::string& path, int depth, Field& field) {
    switch (type.kind) {
      case AvroKind::kRecord:
        return Record(type, path, depth, field);
      case AvroKind::kBoolean:
        field.type = FieldType::kBool;
        return Ok();
      case AvroKind::kFloat:
      case AvroKind::kDouble:
        field.type = FieldType::kFloat64;
        return Ok();
      case AvroKind::kInt:
      case AvroKind::kLong:
        field.type = IntegerColumn(type.logical);
        return Ok();
      case AvroKind::kEnum:
        field.type = FieldType::kString;
        return Ok();
      case AvroKind::kString:
        field.type = TextColumn(type);
        return Ok();
      case AvroKind::kBytes:
      case AvroKind::kFixed:
        if (type.logical == AvroLogical::kDecimal) return Decimal(type, path, field);
        field.type = FieldType::kBytes;
        return Ok();
      default:
        return Unsupported(path, "a union, array or map where a value is needed");
    }
  }

  static FieldType IntegerColumn(AvroLogical logical) {
    switch (logical) {
      case AvroLogical::kDate:
        return FieldType::kDate;
      case AvroLogical::kTimeMillis:
      case AvroLogical::kTimeMicros:
        return FieldType::kTime;
      case AvroLogical::kTimestampMillis:
      case AvroLogical::kTimestampMicros:
        return FieldType::kTimestamp;
      case AvroLogical::kLocalMillis:
      case AvroLogical::kLocalMicros:
        return FieldType::kDateTime;
      default:
        return FieldType::kInt64;
    }
  }

  static FieldType TextColumn(const AvroType& type) {
    if (type.logical == AvroLogical::kDateTimeText || type.sql_type == "DATETIME") {
      return FieldType::kDateTime;
    }
    if (type.sql_type == "GEOGRAPHY") return FieldType::kGeography;
    if (type.sql_type == "JSON") return FieldType::kJson;
    if (type.sql_type == "INTERVAL") return FieldType::kInterval;
    return FieldType::kString;
  }

  static Status Decimal(const AvroType& type, const std::string& path, Field& field) {
    const bool asks_big = type.sql_type == "BIGNUMERIC";
    const bool is_big_default =
        type.precision == kBigNumericPrecision && type.scale == kBigNumericScale;
    if (!asks_big && FitsNumeric(type.precision, type.scale)) {
      field.type = FieldType::kNumeric;
      if (type.precision == kNumericPrecision && type.scale == kNumericScale) return Ok();
    } else {
      field.type = FieldType::kBigNumeric;
      if (is_big_default) return Ok();
      if (type.scale > kBigNumericScale ||
          type.precision - type.scale > kBigNumericPrecision - 1 - kBigNumericScale) {
        return Unsupported(path, fmt::format("decimal({}, {}) is wider than BIGNUMERIC",
                                             type.precision, type.scale));
      }
    }
    field.precision = type.precision;
    field.scale = type.scale;
    return Ok();
  }

  Status Record(const AvroType& type, const std::string& path, int depth, Field& field) {
    if (type.sql_type.starts_with("RANGE")) return Range(type, path, field);
    field.type = FieldType::kRecord;
    HF_ASSIGN_OR_RETURN(field.fields, Fields(type, path, depth + 1));
    return Ok();
  }

  Status Range(const AvroType& type, const std::string& path, Field& field) {
    field.type = FieldType::kRange;
    if (type.fields.size() != 2) return Unsupported(path, "a RANGE that is not {start, end}");
    Field start = MakeField("start");
    Field end = MakeField("end");
    HF_RETURN_IF_ERROR(Column(type.fields[0].type, path + ".start", kSchemaDepthMax, start));
    HF_RETURN_IF_ERROR(Column(type.fields[1].type, path + ".end", kSchemaDepthMax, end));
    const bool is_time = start.type == FieldType::kDate || start.type == FieldType::kDateTime ||
                         start.type == FieldType::kTimestamp;
    if (!is_time || start.type != end.type || start.mode == FieldMode::kRepeated ||
        end.mode == FieldMode::kRepeated || type.fields[0].name != "start" ||
        type.fields[1].name != "end") {
      return Unsupported(path, "a RANGE that is not {start, end} of DATE, DATETIME or TIMESTAMP");
    }
    field.range_element_type = start.type;
    return Ok();
  }

  int fields_ = 0;
};

}  // namespace

Result<Schema> FromAvroType(const AvroType& root) {
  if (root.kind != AvroKind::kRecord) {
    return MakeError(ErrorId::kAvroSchema,
                     "Avro schema: the top is not a record, so it is no table");
  }
  HF_ASSIGN_OR_RETURN(auto fields, TableReader().Fields(root, "", 1));
  return Schema{std::move(fields)};
}

Result<Schema> FromAvroSchema(const Json& avro_schema) {
  HF_ASSIGN_OR_RETURN(const AvroType root, ParseAvroType(avro_schema));
  return FromAvroType(root);
}

}  // namespace holdfast::avro
