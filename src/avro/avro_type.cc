#include "avro/avro_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "avro/schema_mapping.h"

namespace holdfast::avro {

namespace {

struct PrimitiveName {
  std::string_view name;
  AvroKind kind;
};

constexpr std::array<PrimitiveName, 8> kPrimitives = {{
    {"null", AvroKind::kNull},
    {"boolean", AvroKind::kBoolean},
    {"int", AvroKind::kInt},
    {"long", AvroKind::kLong},
    {"float", AvroKind::kFloat},
    {"double", AvroKind::kDouble},
    {"bytes", AvroKind::kBytes},
    {"string", AvroKind::kString},
}};

struct LogicalName {
  std::string_view name;
  AvroKind kind;  // a logical type on another kind is ignored
  AvroLogical logical;
};

constexpr std::array<LogicalName, 8> kLogicals = {{
    {"date", AvroKind::kInt, AvroLogical::kDate},
    {"time-millis", AvroKind::kInt, AvroLogical::kTimeMillis},
    {"time-micros", AvroKind::kLong, AvroLogical::kTimeMicros},
    {"timestamp-millis", AvroKind::kLong, AvroLogical::kTimestampMillis},
    {"timestamp-micros", AvroKind::kLong, AvroLogical::kTimestampMicros},
    {"local-timestamp-millis", AvroKind::kLong, AvroLogical::kLocalMillis},
    {"local-timestamp-micros", AvroKind::kLong, AvroLogical::kLocalMicros},
    {"datetime", AvroKind::kString, AvroLogical::kDateTimeText},
}};

constexpr int64_t kFixedBytesMax = 1 << 20;
constexpr size_t kSymbolsMax = 100'000;

Error Malformed(std::string message) {
  return MakeError(ErrorId::kAvroSchema, "Avro schema: " + std::move(message));
}

AvroType OfKind(AvroKind kind) {
  AvroType type;
  type.kind = kind;
  return type;
}

// One pass over a schema: the names defined so far, and how many nodes may still be made.
class TypeParser {
 public:
  Result<AvroType> Parse(const Json& json, const std::string& space, int depth) {
    if (depth > kAvroDepthMax) return TooLarge(fmt::format("deeper than {} levels", kAvroDepthMax));
    HF_RETURN_IF_ERROR(Spend(1));
    if (json.is_string()) return ParseName(json.get_ref<const std::string&>(), space);
    if (json.is_array()) return ParseUnion(json, space, depth);
    if (!json.is_object()) {
      return Malformed(
          fmt::format("a type is a name, a list or an object, not {}", DumpJson(json)));
    }
    const Json* type = FindField(json, "type");
    if (type == nullptr) return Malformed("an object without \"type\"");
    // {"type": {"type": ...}} and {"type": [..]} are allowed to nest without meaning.
    if (!type->is_string()) return Parse(*type, space, depth + 1);
    return ParseObject(json, type->get_ref<const std::string&>(), space, depth);
  }

 private:
  static Error TooLarge(const std::string& what) {
    return MakeError(ErrorId::kLimitExceeded, "Avro schema is " + what);
  }

  Status Spend(size_t nodes) {
    if (nodes > nodes_left_) return TooLarge(fmt::format("over {} nodes", kAvroNodesMax));
    nodes_left_ -= nodes;
    return Ok();
  }

  Result<AvroType> ParseName(const std::string& name, const std::string& space) {
    for (const PrimitiveName& primitive : kPrimitives) {
      if (name == primitive.name) return OfKind(primitive.kind);
    }
    const bool is_full = name.find('.') != std::string::npos || space.empty();
    const auto found = named_.find(is_full ? name : space + "." + name);
    if (found == named_.end()) return Malformed(fmt::format("unknown type \"{}\"", name));
    if (!found->second) {
      return MakeError(ErrorId::kAvroUnsupported,
                       fmt::format("Avro schema: record \"{}\" contains itself", name));
    }
    HF_RETURN_IF_ERROR(Spend(found->second->NodeCount()));
    return *found->second;
  }

  Result<AvroType> ParseUnion(const Json& json, const std::string& space, int depth) {
    if (json.empty()) return Malformed("a union without branches");
    AvroType type = OfKind(AvroKind::kUnion);
    for (const Json& branch : json) {
      HF_ASSIGN_OR_RETURN(AvroType parsed, Parse(branch, space, depth + 1));
      if (parsed.kind == AvroKind::kUnion) return Malformed("a union directly in a union");
      type.branches.push_back(std::move(parsed));
    }
    return type;
  }

  Result<AvroType> ParseObject(const Json& json, const std::string& name, const std::string& space,
                               int depth) {
    if (name == "record" || name == "error") return ParseRecord(json, space, depth);
    if (name == "enum") return ParseEnum(json, space);
    if (name == "fixed") return ParseFixed(json, space);
    if (name == "array") return ParseContainer(json, AvroKind::kArray, "items", space, depth);
    if (name == "map") return ParseContainer(json, AvroKind::kMap, "values", space, depth);
    HF_ASSIGN_OR_RETURN(AvroType type, ParseName(name, space));
    ReadLogical(json, type);
    type.sql_type = StringOr(json, "sqlType", type.sql_type);
    return type;
  }

  Result<AvroType> ParseContainer(const Json& json, AvroKind kind, std::string_view key,
                                  const std::string& space, int depth) {
    const Json* element = FindField(json, key);
    if (element == nullptr) return Malformed(fmt::format("a type without \"{}\"", key));
    AvroType type = OfKind(kind);
    HF_ASSIGN_OR_RETURN(AvroType parsed, Parse(*element, space, depth + 1));
    type.branches.push_back(std::move(parsed));
    return type;
  }

  // The full name of a definition, which is now being defined. "" when the name is malformed.
  Result<std::string> Define(const Json& json, const std::string& space) {
    std::string name = StringOr(json, "name", "");
    const std::string own_space = StringOr(json, "namespace", space);
    const size_t dot = name.rfind('.');
    if (name.empty() || dot == name.size() - 1) return Malformed("a named type without a name");
    if (dot == std::string::npos && !own_space.empty()) name = own_space + "." + name;
    if (!named_.emplace(name, std::nullopt).second) {
      return Malformed(fmt::format("\"{}\" is defined twice", name));
    }
    return name;
  }

  Result<AvroType> ParseRecord(const Json& json, const std::string& space, int depth) {
    AvroType type = OfKind(AvroKind::kRecord);
    HF_ASSIGN_OR_RETURN(type.name, Define(json, space));
    type.sql_type = StringOr(json, "sqlType", "");
    const size_t dot = type.name.rfind('.');
    const std::string inner = dot == std::string::npos ? "" : type.name.substr(0, dot);
    const Json* fields = FindField(json, "fields");
    if (fields == nullptr || !fields->is_array() || fields->empty()) {
      return Malformed(fmt::format("record \"{}\" has no fields", type.name));
    }
    std::set<std::string> names;
    for (const Json& item : *fields) {
      HF_ASSIGN_OR_RETURN(AvroField field, ParseField(item, type.name, inner, depth));
      if (!names.insert(field.name).second) {
        return Malformed(fmt::format("record \"{}\" has two fields \"{}\"", type.name, field.name));
      }
      type.fields.push_back(std::move(field));
    }
    named_[type.name] = type;
    return type;
  }

  Result<AvroField> ParseField(const Json& json, const std::string& record,
                               const std::string& space, int depth) {
    const Json* type = json.is_object() ? FindField(json, "type") : nullptr;
    AvroField field;
    if (type != nullptr) field.name = StringOr(json, "name", "");
    if (field.name.empty()) {
      return Malformed(fmt::format("a field of record \"{}\" lacks a name or type", record));
    }
    field.bigquery_name = StringOr(json, kNameProperty, "");
    field.doc = StringOr(json, "doc", "");
    HF_ASSIGN_OR_RETURN(field.type, Parse(*type, space, depth + 1));
    return field;
  }

  Result<AvroType> ParseEnum(const Json& json, const std::string& space) {
    AvroType type = OfKind(AvroKind::kEnum);
    HF_ASSIGN_OR_RETURN(type.name, Define(json, space));
    const Json* symbols = FindField(json, "symbols");
    if (symbols == nullptr || !symbols->is_array() || symbols->empty() ||
        symbols->size() > kSymbolsMax) {
      return Malformed(fmt::format("enum \"{}\" has no symbols, or too many", type.name));
    }
    for (const Json& symbol : *symbols) {
      if (!symbol.is_string()) return Malformed(fmt::format("a symbol of enum \"{}\"", type.name));
      type.symbols.push_back(symbol.get<std::string>());
    }
    named_[type.name] = type;
    return type;
  }

  Result<AvroType> ParseFixed(const Json& json, const std::string& space) {
    AvroType type = OfKind(AvroKind::kFixed);
    HF_ASSIGN_OR_RETURN(type.name, Define(json, space));
    const Json* size = FindField(json, "size");
    const int64_t bytes = size != nullptr && size->is_number_integer() ? size->get<int64_t>() : 0;
    if (bytes < 1 || bytes > kFixedBytesMax) {
      return Malformed(
          fmt::format("fixed \"{}\" needs a size of 1..{}", type.name, kFixedBytesMax));
    }
    type.fixed_bytes = static_cast<size_t>(bytes);
    ReadLogical(json, type);
    named_[type.name] = type;
    return type;
  }

  // An unknown or unfitting logical type is ignored: the specification's rule.
  static void ReadLogical(const Json& json, AvroType& type) {
    const std::string name = StringOr(json, "logicalType", "");
    for (const LogicalName& logical : kLogicals) {
      if (name == logical.name && type.kind == logical.kind) type.logical = logical.logical;
    }
    if (name != "decimal" || (type.kind != AvroKind::kBytes && type.kind != AvroKind::kFixed)) {
      return;
    }
    const int64_t precision = Int64Or(json, "precision", 0);
    const int64_t scale = Int64Or(json, "scale", 0);
    if (precision < 1 || precision > 10'000 || scale < 0 || scale > precision) return;
    type.logical = AvroLogical::kDecimal;
    type.precision = static_cast<int>(precision);
    type.scale = static_cast<int>(scale);
  }

  std::map<std::string, std::optional<AvroType>> named_;  // nullopt: still being defined
  size_t nodes_left_ = kAvroNodesMax;
};

}  // namespace

size_t AvroType::NodeCount() const {
  size_t count = 1;
  for (const AvroType& branch : branches) count += branch.NodeCount();
  for (const AvroField& field : fields) count += field.type.NodeCount();
  return count;
}

Result<AvroType> ParseAvroType(const Json& json) { return TypeParser().Parse(json, "", 1); }

}  // namespace holdfast::avro
