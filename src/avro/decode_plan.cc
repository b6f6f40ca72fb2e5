#include "avro/decode_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "avro/decimal.h"
#include "avro/schema_mapping.h"

namespace holdfast::avro {

namespace {

// What a step does with a value of the file, once nullability is set apart.
struct Conversion {
  DecodeKind kind = DecodeKind::kInt64;
  uint32_t micros_factor = 1;
};

constexpr uint32_t kMicrosPerMilli = 1000;

bool IsDecimal(const AvroType& type) { return type.logical == AvroLogical::kDecimal; }

std::optional<Conversion> ToText(const AvroType& type) {
  if (type.kind == AvroKind::kString || (type.kind == AvroKind::kBytes && !IsDecimal(type))) {
    return Conversion{.kind = DecodeKind::kText};
  }
  if (type.kind == AvroKind::kEnum) return Conversion{.kind = DecodeKind::kEnum};
  return std::nullopt;
}

std::optional<Conversion> ToBytes(const AvroType& type) {
  if (type.kind == AvroKind::kBytes || type.kind == AvroKind::kString) {
    return Conversion{.kind = DecodeKind::kBytes};
  }
  if (type.kind == AvroKind::kFixed) return Conversion{.kind = DecodeKind::kFixed};
  return std::nullopt;
}

std::optional<Conversion> ToDate(const AvroType& type) {
  if (type.logical == AvroLogical::kDate) return Conversion{.kind = DecodeKind::kDate};
  if (type.kind == AvroKind::kString) return Conversion{.kind = DecodeKind::kDateText};
  return std::nullopt;
}

std::optional<Conversion> ToTime(const AvroType& type) {
  if (type.logical == AvroLogical::kTimeMicros) return Conversion{.kind = DecodeKind::kTime};
  if (type.logical == AvroLogical::kTimeMillis) {
    return Conversion{.kind = DecodeKind::kTime, .micros_factor = kMicrosPerMilli};
  }
  if (type.kind == AvroKind::kString) return Conversion{.kind = DecodeKind::kTimeText};
  return std::nullopt;
}

std::optional<Conversion> ToInstant(const AvroType& type, AvroLogical micros, AvroLogical millis) {
  if (type.logical == micros) return Conversion{.kind = DecodeKind::kInstant};
  if (type.logical == millis) {
    return Conversion{.kind = DecodeKind::kInstant, .micros_factor = kMicrosPerMilli};
  }
  return std::nullopt;
}

std::optional<Conversion> ToDateTime(const AvroType& type) {
  if (type.kind == AvroKind::kString) return Conversion{.kind = DecodeKind::kDateTimeText};
  return ToInstant(type, AvroLogical::kLocalMicros, AvroLogical::kLocalMillis);
}

std::optional<Conversion> ToDecimal(const AvroType& type, DecodeKind kind) {
  if (!IsDecimal(type) || type.scale > kBigNumericScale) return std::nullopt;
  return Conversion{.kind = kind};
}

// How a scalar of the file is read as a column's type; nullopt: it cannot be.
std::optional<Conversion> FindConversion(const AvroType& type, FieldType column) {
  switch (column) {
    case FieldType::kInt64:
      if (type.kind == AvroKind::kLong) return Conversion{.kind = DecodeKind::kInt64};
      if (type.kind == AvroKind::kInt) return Conversion{.kind = DecodeKind::kInt32};
      return std::nullopt;
    case FieldType::kFloat64:
      if (type.kind == AvroKind::kDouble) return Conversion{.kind = DecodeKind::kDouble};
      if (type.kind == AvroKind::kFloat) return Conversion{.kind = DecodeKind::kFloat};
      return std::nullopt;
    case FieldType::kBool:
      if (type.kind == AvroKind::kBoolean) return Conversion{.kind = DecodeKind::kBool};
      return std::nullopt;
    case FieldType::kString:
    case FieldType::kGeography:
    case FieldType::kJson:
    case FieldType::kInterval:
      return ToText(type);
    case FieldType::kBytes:
      return ToBytes(type);
    case FieldType::kNumeric:
      return ToDecimal(type, DecodeKind::kNumeric);
    case FieldType::kBigNumeric:
      return ToDecimal(type, DecodeKind::kBigNumeric);
    case FieldType::kTimestamp:
      return ToInstant(type, AvroLogical::kTimestampMicros, AvroLogical::kTimestampMillis);
    case FieldType::kDateTime:
      return ToDateTime(type);
    case FieldType::kDate:
      return ToDate(type);
    case FieldType::kTime:
      return ToTime(type);
    case FieldType::kRange:
    case FieldType::kRecord:
      break;
  }
  return std::nullopt;
}

uint32_t WidthOf(FieldType type) {
  switch (type) {
    case FieldType::kDate:
      return sizeof(int32_t);
    case FieldType::kBool:
      return sizeof(uint8_t);
    case FieldType::kNumeric:
      return sizeof(__int128);
    case FieldType::kInt64:
    case FieldType::kFloat64:
    case FieldType::kTimestamp:
    case FieldType::kDateTime:
    case FieldType::kTime:
      return sizeof(int64_t);
    case FieldType::kRange:
    case FieldType::kRecord:
      return 0;
    default:
      return sizeof(std::string_view);
  }
}

// A RANGE is read as a record of its two bounds.
std::vector<Field> FieldsOf(const Field& field) {
  if (field.type != FieldType::kRange) return field.fields;
  std::vector<Field> bounds(2);
  bounds[0].name = "start";
  bounds[1].name = "end";
  for (Field& bound : bounds) bound.type = field.range_element_type;
  return bounds;
}

// A map's entries are records of two fields, as BigQuery loads them.
AvroType EntryOf(const AvroType& map) {
  AvroType entry;
  entry.kind = AvroKind::kRecord;
  entry.fields.resize(2);
  entry.fields[0].name = "key";
  entry.fields[0].type.kind = AvroKind::kString;
  entry.fields[1].name = "value";
  entry.fields[1].type = map.branches[0];
  return entry;
}

std::string Inner(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

class PlanCompiler {
 public:
  Result<DecodePlan> Compile(const AvroType& root, const Schema& table) {
    if (root.kind != AvroKind::kRecord) {
      return MakeError(ErrorId::kAvroSchema, "Avro schema: the top is not a record");
    }
    plan_.row_bytes_min = BytesMin(root);
    if (plan_.row_bytes_min == 0) return NoBytes("the rows");
    HF_ASSIGN_OR_RETURN(plan_.layout.top,
                        Record(root, table.fields, Place{.level = 0, .nullable = false}, ""));
    for (const ColumnLayout& column : plan_.layout.columns) {
      if (column.level == 0) plan_.row_width += column.width;
    }
    return std::move(plan_);
  }

 private:
  // Where a column's values go, and whether something around it may be null.
  struct Place {
    uint32_t level = 0;
    bool nullable = false;
  };

  static Error NoBytes(const std::string& what) {
    return MakeError(ErrorId::kAvroUnsupported,
                     fmt::format("{} hold nothing but null, so their number is unbounded", what));
  }

  static Error Mismatch(const std::string& path, std::string_view why) {
    return MakeError(ErrorId::kAvroMismatch, fmt::format("column \"{}\": {}", path, why));
  }

  uint32_t NewColumn(Place place, uint32_t width) {
    ColumnLayout& column = plan_.layout.columns.emplace_back();
    column.level = place.level;
    column.width = width;
    column.may_be_null = place.nullable;
    return static_cast<uint32_t>(plan_.layout.columns.size() - 1);
  }

  size_t NewStep(const DecodeStep& step, const std::string& path) {
    plan_.steps.push_back(step);
    plan_.paths.push_back(path);
    return plan_.steps.size() - 1;
  }

  void Close(size_t step) { plan_.steps[step].next = static_cast<uint32_t>(plan_.steps.size()); }

  // Steps for a record's fields in file order; returns the columns in table order.
  Result<std::vector<uint32_t>> Record(const AvroType& type, const std::vector<Field>& fields,
                                       Place place, const std::string& path) {
    std::unordered_map<std::string, size_t> by_name;
    for (size_t i = 0; i < fields.size(); ++i) by_name.emplace(LowerName(fields[i].name), i);
    std::vector<std::optional<uint32_t>> found(fields.size());
    for (const AvroField& avro : type.fields) {
      const std::string inner = Inner(path, avro.column_name());
      const auto match = by_name.find(LowerName(avro.column_name()));
      if (match == by_name.end()) {
        Close(NewStep({.kind = DecodeKind::kSkip, .type = &avro.type}, inner));
        continue;
      }
      auto& slot = found[match->second];
      if (slot) return Mismatch(inner, "the file has two columns of this name");
      HF_ASSIGN_OR_RETURN(slot, Column(avro.type, fields[match->second], place, inner));
    }
    std::vector<uint32_t> result;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (!found[i]) {
        if (fields[i].mode == FieldMode::kRequired) {
          return Mismatch(Inner(path, fields[i].name), "the file lacks it, and it is REQUIRED");
        }
        found[i] = Absent(fields[i], place.level);
      }
      result.push_back(*found[i]);
    }
    return result;
  }

  // Columns for a field that the file lacks: null, or empty lists.
  uint32_t Absent(const Field& field, uint32_t level) {
    const bool is_list = field.mode == FieldMode::kRepeated;
    const uint32_t column = NewColumn({.level = level, .nullable = !is_list},
                                      is_list ? sizeof(ListEntry) : WidthOf(field.type));
    plan_.layout.columns[column].is_absent = true;
    std::vector<uint32_t> children;
    if (is_list) {
      Field element = field;
      element.mode = FieldMode::kNullable;
      children.push_back(Absent(element, plan_.layout.levels++));
    } else {
      for (const Field& child : FieldsOf(field)) children.push_back(Absent(child, level));
    }
    plan_.layout.columns[column].children = std::move(children);
    return column;
  }

  // Sets a step's reading of union and null from the file's type and the column's mode.
  static Result<NullableType> SplitInto(const AvroType& type, bool may_be_null,
                                        const std::string& path, DecodeStep& step) {
    const NullableType split = SplitNullable(type);
    if (split.value == nullptr) {
      return Mismatch(path, "its type is only null, or a union of several types");
    }
    step.has_branch = split.is_union;
    if (split.has_null) {
      step.null_form = may_be_null ? NullForm::kNull : NullForm::kRefuse;
      step.null_branch = static_cast<uint8_t>(2 * split.null_index);
      step.value_branch = static_cast<uint8_t>(2 * (1 - split.null_index));
    }
    return split;
  }

  Result<uint32_t> Column(const AvroType& type, const Field& field, Place place,
                          const std::string& path) {
    if (field.mode == FieldMode::kRepeated) return List(type, field, place, path);
    return Value(type, field, field.mode == FieldMode::kNullable, place, path);
  }

  Result<uint32_t> List(const AvroType& type, const Field& field, Place place,
                        const std::string& path) {
    DecodeStep step{.kind = DecodeKind::kList};
    HF_ASSIGN_OR_RETURN(const NullableType split, SplitInto(type, true, path, step));
    const AvroType& list = *split.value;
    if (list.kind != AvroKind::kArray && list.kind != AvroKind::kMap) {
      return Mismatch(path, "it is REPEATED, and the file's type is no array");
    }
    const AvroType* element = &list.branches[0];
    if (list.kind == AvroKind::kMap) element = &plan_.entries.emplace_back(EntryOf(list));
    step.element_bytes_min = BytesMin(*element);
    if (step.element_bytes_min == 0) return NoBytes("elements of \"" + path + "\"");
    step.column = NewColumn({.level = place.level, .nullable = false}, sizeof(ListEntry));
    step.element_level = plan_.layout.levels++;
    const size_t index = NewStep(step, path);
    const Place inside{.level = step.element_level, .nullable = false};
    HF_ASSIGN_OR_RETURN(const uint32_t child, Value(*element, field, false, inside, path));
    plan_.layout.columns[step.column].children = {child};
    Close(index);
    return step.column;
  }

  Result<uint32_t> Value(const AvroType& type, const Field& field, bool may_be_null, Place place,
                         const std::string& path) {
    DecodeStep step;
    HF_ASSIGN_OR_RETURN(const NullableType split, SplitInto(type, may_be_null, path, step));
    const AvroType& value = *split.value;
    if (step.null_form == NullForm::kNull) place.nullable = true;
    const bool is_record = field.type == FieldType::kRecord || field.type == FieldType::kRange;
    if (is_record) {
      if (value.kind != AvroKind::kRecord) return Mismatch(path, "the file's type is no record");
      step.kind = DecodeKind::kRecord;
    } else {
      HF_RETURN_IF_ERROR(Scalar(value, field, path, step));
    }
    step.column = NewColumn(place, WidthOf(field.type));
    const size_t index = NewStep(step, path);
    if (is_record) {
      HF_ASSIGN_OR_RETURN(auto children, Record(value, FieldsOf(field), place, path));
      plan_.layout.columns[step.column].children = std::move(children);
    }
    Close(index);
    return step.column;
  }

  Status Scalar(const AvroType& value, const Field& field, const std::string& path,
                DecodeStep& step) {
    const auto conversion = FindConversion(value, field.type);
    if (!conversion) {
      return Mismatch(path,
                      fmt::format("the file's type cannot be read as {}", SqlTypeName(field.type)));
    }
    step.kind = conversion->kind;
    step.micros_factor = conversion->micros_factor;
    step.scale = static_cast<int8_t>(IsDecimal(value) ? value.scale : 0);
    step.fixed_bytes = static_cast<uint32_t>(value.fixed_bytes);
    if (step.kind == DecodeKind::kEnum) step.type = &value;
    if (step.kind == DecodeKind::kText || step.kind == DecodeKind::kBytes ||
        step.kind == DecodeKind::kFixed) {
      plan_.keeps_block = true;
    }
    return Ok();
  }

  DecodePlan plan_;
};

}  // namespace

uint32_t BytesMin(const AvroType& type) {
  switch (type.kind) {
    case AvroKind::kNull:
      return 0;
    case AvroKind::kFloat:
      return sizeof(float);
    case AvroKind::kDouble:
      return sizeof(double);
    case AvroKind::kFixed:
      return static_cast<uint32_t>(type.fixed_bytes);
    case AvroKind::kRecord: {
      uint64_t sum = 0;
      for (const AvroField& field : type.fields) sum += BytesMin(field.type);
      return static_cast<uint32_t>(std::min<uint64_t>(sum, UINT32_MAX));
    }
    case AvroKind::kUnion: {
      uint32_t least = UINT32_MAX - 1;
      for (const AvroType& branch : type.branches) least = std::min(least, BytesMin(branch));
      return least + 1;
    }
    default:
      return 1;  // an integer, a length or a count
  }
}

Result<DecodePlan> CompileDecodePlan(const AvroType& root, const Schema& table) {
  return PlanCompiler().Compile(root, table);
}

}  // namespace holdfast::avro
