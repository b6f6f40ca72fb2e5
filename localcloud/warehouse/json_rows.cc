#include "localcloud/warehouse/json_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <vector>

#include "avro/batch_builder.h"
#include "localcloud/warehouse/conform.h"
#include "localcloud/warehouse/json_value.h"

namespace holdfast::warehouse {

namespace {

using simdjson::dom::element;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// A field with its members indexed by name, so that a row is one pass over its keys.
struct Node {
  explicit Node(const Field& node_field) : field(node_field), length_max(MaxLength(node_field)) {
    for (const Field& member : field.fields) {
      index.emplace(Lower(member.name), members.size());
      members.emplace_back(member);
    }
  }

  Field field;
  std::optional<int64_t> length_max;
  std::vector<Node> members;
  std::unordered_map<std::string, size_t> index;
};

std::optional<JsonRowError> Bad(std::string location, std::string message) {
  return JsonRowError{std::move(location), std::move(message)};
}

std::string_view TypeWord(FieldType type) {
  switch (type) {
    case FieldType::kInt64:
      return "integer";
    case FieldType::kFloat64:
      return "float";
    case FieldType::kBool:
      return "boolean";
    case FieldType::kString:
      return "string";
    case FieldType::kBytes:
      return "bytes";
    case FieldType::kTimestamp:
      return "timestamp";
    default:
      return ApiTypeName(type);
  }
}

// Of a STRING in characters, of BYTES in bytes.
int64_t LengthOf(const Field& field, const JsonScalar& scalar) {
  const std::string& text = std::get<std::string>(scalar);
  if (field.type == FieldType::kBytes) return static_cast<int64_t>(text.size());
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

// One pass over a row: checks it, and appends it if there is somewhere to.
class RowVisitor {
 public:
  explicit RowVisitor(const JsonRowOptions& options) : options_(options) {}

  // Each takes the column to append to, or nullptr to check only.
  std::optional<JsonRowError> Value(const Node& node, const element* value, const std::string& path,
                                    avro::ColumnBuilder* column) const;
  std::optional<JsonRowError> Members(const Node& node, const simdjson::dom::object& object,
                                      const std::string& path,
                                      const std::vector<avro::ColumnBuilder*>& columns) const;

 private:
  std::optional<JsonRowError> List(const Node& node, const element* value, const std::string& path,
                                   avro::ColumnBuilder* column) const;
  std::optional<JsonRowError> Single(const Node& node, const element& value,
                                     const std::string& path, avro::ColumnBuilder* column) const;
  std::optional<JsonRowError> Record(const Node& node, const element& value,
                                     const std::string& path, avro::ColumnBuilder* column) const;
  std::optional<JsonRowError> Range(const Node& node, const element& value, const std::string& path,
                                    avro::ColumnBuilder* column) const;

  const JsonRowOptions& options_;
};

void AppendScalarTo(avro::ColumnBuilder& column, FieldType type, const JsonScalar& scalar) {
  if (const auto* number = std::get_if<int64_t>(&scalar)) {
    if (type == FieldType::kDate) {
      column.AppendDate(static_cast<int32_t>(*number));
    } else {
      column.AppendInt64(*number);
    }
  } else if (const auto* real = std::get_if<double>(&scalar)) {
    column.AppendDouble(*real);
  } else if (const auto* truth = std::get_if<bool>(&scalar)) {
    column.AppendBool(*truth);
  } else if (const auto* numeric = std::get_if<__int128>(&scalar)) {
    column.AppendNumeric(*numeric);
  } else {
    column.AppendText(std::get<std::string>(scalar));
  }
}

std::optional<JsonRowError> RowVisitor::Value(const Node& node, const element* value,
                                              const std::string& path,
                                              avro::ColumnBuilder* column) const {
  if (node.field.mode == FieldMode::kRepeated) return List(node, value, path, column);
  if (value == nullptr || value->is_null()) {
    if (node.field.mode == FieldMode::kRequired) {
      return Bad(path, fmt::format("Missing required field: {}.", path));
    }
    if (column != nullptr) column->AppendNull();
    return std::nullopt;
  }
  return Single(node, *value, path, column);
}

std::optional<JsonRowError> RowVisitor::List(const Node& node, const element* value,
                                             const std::string& path,
                                             avro::ColumnBuilder* column) const {
  if (value != nullptr && !value->is_null()) {
    simdjson::dom::array items;
    if (value->get(items) != simdjson::SUCCESS) {
      return Bad(path, fmt::format("Repeated field must be imported as a JSON array: {}.", path));
    }
    size_t index = 0;
    for (const element item : items) {
      const std::string item_path = fmt::format("{}[{}]", path, index++);
      if (item.is_null()) {
        return Bad(item_path, fmt::format("Only optional fields can be set to NULL. Field: {}; "
                                          "Value: NULL",
                                          path));
      }
      avro::ColumnBuilder* target = column == nullptr ? nullptr : &column->element();
      if (auto error = Single(node, item, item_path, target)) return error;
    }
  }
  if (column != nullptr) column->FinishList();
  return std::nullopt;
}

std::optional<JsonRowError> RowVisitor::Single(const Node& node, const element& value,
                                               const std::string& path,
                                               avro::ColumnBuilder* column) const {
  if (node.field.type == FieldType::kRecord) return Record(node, value, path, column);
  if (node.field.type == FieldType::kRange) return Range(node, value, path, column);
  if (value.is_array() && node.field.type != FieldType::kJson) {
    return Bad(path, fmt::format("Array specified for non-repeated field: {}.", path));
  }
  const auto scalar = ReadScalar(node.field, value, options_.json_columns_are_text);
  if (!scalar) {
    return Bad(path, fmt::format("Cannot convert value to {} (bad value): {}",
                                 TypeWord(node.field.type), std::string(simdjson::minify(value))));
  }
  if (node.length_max && LengthOf(node.field, *scalar) > *node.length_max) {
    return Bad(path, fmt::format("Value of length {} exceeds the maximum length {} of field {}.",
                                 LengthOf(node.field, *scalar), *node.length_max, path));
  }
  if (column != nullptr) AppendScalarTo(*column, node.field.type, *scalar);
  return std::nullopt;
}

std::optional<JsonRowError> RowVisitor::Record(const Node& node, const element& value,
                                               const std::string& path,
                                               avro::ColumnBuilder* column) const {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    return Bad(path, fmt::format("This field: {} is not a record.", path));
  }
  std::vector<avro::ColumnBuilder*> columns(node.members.size());
  for (size_t i = 0; column != nullptr && i < columns.size(); ++i) columns[i] = &column->child(i);
  auto error = Members(node, object, path, columns);
  if (!error && column != nullptr) column->FinishRecord();
  return error;
}

std::optional<JsonRowError> RowVisitor::Members(
    const Node& node, const simdjson::dom::object& object, const std::string& path,
    const std::vector<avro::ColumnBuilder*>& columns) const {
  std::vector<element> values(node.members.size());
  std::vector<bool> present(node.members.size());
  for (const auto& [key, value] : object) {
    const auto found = node.index.find(Lower(key));
    if (found != node.index.end()) {
      values[found->second] = value;
      present[found->second] = true;
    } else if (!options_.ignore_unknown_values) {
      const std::string name = path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
      return Bad(name, fmt::format("no such field: {}.", name));
    }
  }
  for (size_t i = 0; i < node.members.size(); ++i) {
    const std::string& name = node.members[i].field.name;
    const std::string member_path = path.empty() ? name : path + "." + name;
    const element* value = present[i] ? &values[i] : nullptr;
    if (auto error = Value(node.members[i], value, member_path, columns[i])) return error;
  }
  return std::nullopt;
}

// The two ends of "[a, b)", with "UNBOUNDED" or NULL for an open end.
std::optional<std::pair<std::string, std::string>> SplitRange(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ')') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const size_t comma = text.find(',');
  if (comma == text.npos) return std::nullopt;
  const auto trim = [](std::string_view part) {
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    return std::string(part);
  };
  return std::pair(trim(text.substr(0, comma)), trim(text.substr(comma + 1)));
}

std::optional<JsonRowError> RowVisitor::Range(const Node& node, const element& value,
                                              const std::string& path,
                                              avro::ColumnBuilder* column) const {
  Field end;
  end.type = node.field.range_element_type;
  const auto bad = [&] {
    return Bad(path, fmt::format("Cannot convert value to RANGE (bad value): {}",
                                 std::string(simdjson::minify(value))));
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return bad();
    const auto ends = SplitRange(text);
    if (!ends) return bad();
    const auto quote = [](const std::string& end_text) {
      return end_text == "UNBOUNDED" || end_text == "NULL" ? "null" : DumpJson(Json(end_text));
    };
    const std::string json =
        fmt::format("{{\"start\":{},\"end\":{}}}", quote(ends->first), quote(ends->second));
    if (parser.parse(json).get(object) != simdjson::SUCCESS) return bad();
  }
  size_t index = 0;
  for (const char* name : {"start", "end"}) {
    avro::ColumnBuilder* target = column == nullptr ? nullptr : &column->child(index);
    ++index;
    element bound;
    if (object[name].get(bound) != simdjson::SUCCESS || bound.is_null()) {
      if (target != nullptr) target->AppendNull();
      continue;
    }
    const auto scalar = ReadScalar(end, bound, false);
    if (!scalar) return bad();
    if (target != nullptr) AppendScalarTo(*target, end.type, *scalar);
  }
  if (column != nullptr) column->FinishRecord();
  return std::nullopt;
}

Field RootField(const Schema& schema, const JsonRowOptions& options) {
  Field root;
  root.type = FieldType::kRecord;
  root.fields = schema.fields;
  for (Field& field : root.fields) {
    const bool noted =
        std::ranges::find(options.noted_columns, field.name) != options.noted_columns.end();
    if (noted && field.mode == FieldMode::kRequired) field.mode = FieldMode::kNullable;
  }
  return root;
}

// What the rows are kept as: the schema's columns, then a BOOL for each that is noted.
Schema KeptSchema(const Schema& schema, const Field& root, const JsonRowOptions& options) {
  Schema kept = schema;
  kept.fields = root.fields;
  for (const std::string& column : options.noted_columns) {
    Field absent;
    absent.name = AbsentColumn(column);
    absent.type = FieldType::kBool;
    kept.fields.push_back(std::move(absent));
  }
  return kept;
}

bool HasMember(const simdjson::dom::object& object, const std::string& lower_name) {
  return std::ranges::any_of(object, [&](const simdjson::dom::key_value_pair& member) {
    return Lower(member.key) == lower_name;
  });
}

}  // namespace

struct JsonRowParser::State {
  State(const Schema& schema, JsonRowOptions row_options)
      : options(std::move(row_options)),
        root(RootField(schema, options)),
        kept(KeptSchema(schema, root.field, options)),
        builder(kept) {}

  std::optional<JsonRowError> Parse(std::string_view text, simdjson::dom::object& object) {
    const simdjson::error_code code = parser.parse(text.data(), text.size()).get(object);
    if (code == simdjson::SUCCESS) return std::nullopt;
    return Bad("", fmt::format("JSON parsing error in row: {}", simdjson::error_message(code)));
  }

  JsonRowOptions options;
  Node root;
  Schema kept;
  avro::BatchBuilder builder;
  simdjson::dom::parser parser;
};

JsonRowParser::JsonRowParser(const Schema& schema, JsonRowOptions options)
    : state_(std::make_unique<State>(schema, std::move(options))) {}

JsonRowParser::~JsonRowParser() = default;

std::optional<JsonRowError> JsonRowParser::Check(std::string_view text) {
  simdjson::dom::object object;
  if (auto error = state_->Parse(text, object)) return error;
  const std::vector<avro::ColumnBuilder*> nowhere(state_->root.members.size());
  return RowVisitor(state_->options).Members(state_->root, object, "", nowhere);
}

std::optional<JsonRowError> JsonRowParser::Append(std::string_view text) {
  simdjson::dom::object object;
  if (auto error = state_->Parse(text, object)) return error;
  const RowVisitor visitor(state_->options);
  std::vector<avro::ColumnBuilder*> columns(state_->root.members.size());
  if (auto error = visitor.Members(state_->root, object, "", columns)) return error;
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = &state_->builder.column(i);
  for (size_t i = 0; i < state_->options.noted_columns.size(); ++i) {
    const std::string name = Lower(state_->options.noted_columns[i]);
    state_->builder.column(columns.size() + i).AppendBool(!HasMember(object, name));
  }
  return visitor.Members(state_->root, object, "", columns);
}

const Schema& JsonRowParser::schema() const { return state_->kept; }

std::string AbsentColumn(const std::string& column) { return "holdfast_absent " + column; }

size_t JsonRowParser::rows() const { return state_->builder.rows(); }

avro::Batch JsonRowParser::Build() { return state_->builder.Build(); }

}  // namespace holdfast::warehouse
