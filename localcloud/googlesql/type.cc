#include "localcloud/googlesql/type.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

struct TypeEntry {
  TypeKind kind;
  std::string_view name;       // GoogleSQL's
  std::string_view duck_name;  // DuckDB's
  FieldType field;
};

constexpr std::array<TypeEntry, 15> kTypes = {{
    {TypeKind::kInt64, "INT64", "BIGINT", FieldType::kInt64},
    {TypeKind::kFloat64, "FLOAT64", "DOUBLE", FieldType::kFloat64},
    {TypeKind::kNumeric, "NUMERIC", "DECIMAL(38,9)", FieldType::kNumeric},
    {TypeKind::kBigNumeric, "BIGNUMERIC", "VARCHAR", FieldType::kBigNumeric},
    {TypeKind::kBool, "BOOL", "BOOLEAN", FieldType::kBool},
    {TypeKind::kString, "STRING", "VARCHAR", FieldType::kString},
    {TypeKind::kBytes, "BYTES", "BLOB", FieldType::kBytes},
    {TypeKind::kTimestamp, "TIMESTAMP", "TIMESTAMPTZ", FieldType::kTimestamp},
    {TypeKind::kDatetime, "DATETIME", "TIMESTAMP", FieldType::kDateTime},
    {TypeKind::kDate, "DATE", "DATE", FieldType::kDate},
    {TypeKind::kTime, "TIME", "TIME", FieldType::kTime},
    {TypeKind::kJson, "JSON", "JSON", FieldType::kJson},
    {TypeKind::kGeography, "GEOGRAPHY", "VARCHAR", FieldType::kGeography},
    {TypeKind::kInterval, "INTERVAL", "VARCHAR", FieldType::kInterval},
    // An untyped NULL is an INT64 once a table has to hold it.
    {TypeKind::kNull, "INT64", "BIGINT", FieldType::kInt64},
}};

struct Alias {
  std::string_view name;
  TypeKind kind;
};

constexpr std::array<Alias, 9> kAliases = {{
    {"INT", TypeKind::kInt64},
    {"INTEGER", TypeKind::kInt64},
    {"BIGINT", TypeKind::kInt64},
    {"SMALLINT", TypeKind::kInt64},
    {"TINYINT", TypeKind::kInt64},
    {"BYTEINT", TypeKind::kInt64},
    {"BOOLEAN", TypeKind::kBool},
    {"DECIMAL", TypeKind::kNumeric},
    {"BIGDECIMAL", TypeKind::kBigNumeric},
}};

const TypeEntry* FindType(TypeKind kind) {
  const auto* const found = std::find_if(
      kTypes.begin(), kTypes.end(), [kind](const TypeEntry& entry) { return entry.kind == kind; });
  return found == kTypes.end() ? nullptr : found;
}

TypeKind KindOfField(FieldType type) {
  const auto* const found = std::find_if(
      kTypes.begin(), kTypes.end(), [type](const TypeEntry& entry) { return entry.field == type; });
  return found == kTypes.end() ? TypeKind::kNull : found->kind;
}

}  // namespace

Type Type::Of(TypeKind kind) { return Type{kind, {}}; }

Type Type::Array(Type element) {
  return Type{TypeKind::kArray, {{std::string(), std::move(element)}}};
}

Type Type::Range(Type element) {
  return Type{TypeKind::kRange, {{std::string(), std::move(element)}}};
}

Type Type::Struct(std::vector<StructMember> members) {
  return Type{TypeKind::kStruct, std::move(members)};
}

const Type& Type::element() const {
  CHECK(members.size() == 1, "element() of a type that has none");
  return members.front().type;
}

bool Type::operator==(const Type& other) const {
  return kind == other.kind && members == other.members;
}

std::string TypeName(const Type& type) {
  if (type.kind == TypeKind::kArray) return "ARRAY<" + TypeName(type.element()) + ">";
  if (type.kind == TypeKind::kRange) return "RANGE<" + TypeName(type.element()) + ">";
  if (type.kind == TypeKind::kDuration) return "INTERVAL";
  if (type.kind != TypeKind::kStruct) return std::string(FindType(type.kind)->name);
  std::string name = "STRUCT<";
  for (const StructMember& member : type.members) {
    if (name.back() != '<') name += ", ";
    if (!member.name.empty()) name += member.name + " ";
    name += TypeName(member.type);
  }
  return name + ">";
}

std::string DuckTypeName(const Type& type) {
  if (type.kind == TypeKind::kArray) return DuckTypeName(type.element()) + "[]";
  if (type.kind == TypeKind::kRange) {
    const std::string element = DuckTypeName(type.element());
    return "STRUCT(\"start\" " + element + ", \"end\" " + element + ")";
  }
  if (type.kind == TypeKind::kDuration) return "INTERVAL";
  if (type.kind != TypeKind::kStruct) return std::string(FindType(type.kind)->duck_name);
  std::string name = "STRUCT(";
  for (size_t i = 0; i < type.members.size(); ++i) {
    if (i > 0) name += ", ";
    name += QuoteName(MemberName(type.members[i], i)) + " " + DuckTypeName(type.members[i].type);
  }
  return name + ")";
}

std::string MemberName(const StructMember& member, size_t index) {
  return member.name.empty() ? "_field_" + std::to_string(index + 1) : member.name;
}

bool IsArithmetic(TypeKind kind) {
  return kind == TypeKind::kInt64 || kind == TypeKind::kFloat64 || kind == TypeKind::kNumeric;
}

bool IsOrderable(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBigNumeric:
    case TypeKind::kJson:
    case TypeKind::kGeography:
    case TypeKind::kInterval:
    case TypeKind::kDuration:
    case TypeKind::kStruct:
    case TypeKind::kArray:
    case TypeKind::kRange:
      return false;
    default:
      return true;
  }
}

bool IsGroupable(const Type& type) {
  if (type.kind == TypeKind::kStruct || type.kind == TypeKind::kArray ||
      type.kind == TypeKind::kRange) {
    return std::all_of(type.members.begin(), type.members.end(),
                       [](const StructMember& member) { return IsGroupable(member.type); });
  }
  // Canonical text: equal numbers have equal text.
  return IsOrderable(type) || type.kind == TypeKind::kBigNumeric;
}

std::optional<TypeKind> ParseSimpleType(std::string_view name) {
  for (const TypeEntry& entry : kTypes) {
    if (SameWord(entry.name, name)) return entry.kind;
  }
  for (const Alias& alias : kAliases) {
    if (SameWord(alias.name, name)) return alias.kind;
  }
  return std::nullopt;
}

Type TypeOfField(const Field& field) {
  Type type;
  if (field.type == FieldType::kRecord) {
    type.kind = TypeKind::kStruct;
    for (const Field& member : field.fields)
      type.members.push_back({member.name, TypeOfField(member)});
  } else if (field.type == FieldType::kRange) {
    type = Type::Range(Type::Of(KindOfField(field.range_element_type)));
  } else {
    type = Type::Of(KindOfField(field.type));
  }
  return field.mode == FieldMode::kRepeated ? Type::Array(std::move(type)) : type;
}

std::optional<Field> FieldOfType(std::string_view name, const Type& type) {
  Field field;
  field.name = name;
  const Type* inner = &type;
  if (type.kind == TypeKind::kArray) {
    field.mode = FieldMode::kRepeated;
    inner = &type.element();
  }
  if (inner->kind == TypeKind::kArray || inner->kind == TypeKind::kDuration) return std::nullopt;
  if (inner->kind == TypeKind::kRange) {
    field.type = FieldType::kRange;
    field.range_element_type = FindType(inner->element().kind)->field;
    return field;
  }
  if (inner->kind != TypeKind::kStruct) {
    field.type = FindType(inner->kind)->field;
    return field;
  }
  field.type = FieldType::kRecord;
  for (size_t i = 0; i < inner->members.size(); ++i) {
    auto member = FieldOfType(MemberName(inner->members[i], i), inner->members[i].type);
    if (!member) return std::nullopt;
    field.fields.push_back(std::move(*member));
  }
  return field;
}

}  // namespace holdfast::googlesql
