#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "localcloud/googlesql/date_parts.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

TypedSql Literal(std::string sql, TypeKind kind) {
  return {std::move(sql), Type::Of(kind), true, {}, {}};
}

}  // namespace

Result<TypedSql> Translator::TranslateExpression(const Expression& expression,
                                                 const ExpressionContext& context) {
  const size_t ungrouped = context.groups == nullptr ? 0 : context.groups->ungrouped.size();
  HF_ASSIGN_OR_RETURN(
      TypedSql value,
      std::visit(
          [&](const auto& node) { return TranslateNode(node, expression.position, context); },
          expression.node));
  if (value.sql.size() > kDuckSqlBytesMax) {
    return QueryLimitError(fmt::format("large: more than {} bytes of SQL", kDuckSqlBytesMax),
                           expression.position);
  }
  if (context.groups != nullptr && context.groups->keys.contains(value.sql)) {
    context.groups->ungrouped.resize(ungrouped);
  }
  if (value.filter != kNoFilter &&
      (context.clause == kWhereClause || context.clause == kOnClause)) {
    filters_[value.filter].seen = true;
  }
  return value;
}

Result<std::vector<TypedSql>> Translator::TranslateAll(
    const std::vector<ExpressionPtr>& expressions, const ExpressionContext& context) {
  std::vector<TypedSql> values;
  values.reserve(expressions.size());
  for (const ExpressionPtr& expression : expressions) {
    HF_ASSIGN_OR_RETURN(TypedSql value, TranslateExpression(*expression, context));
    values.push_back(std::move(value));
  }
  return values;
}

Result<Type> Translator::Unify(std::vector<TypedSql>& values, std::string_view what,
                               Position position) {
  const std::optional<Type> common = CommonType(values);
  if (!common) {
    std::string types;
    for (const TypedSql& value : values)
      types += (types.empty() ? "" : ", ") + TypeName(value.type);
    return QueryError(
        fmt::format("No matching signature for {} for argument types: {}", what, types), position);
  }
  for (TypedSql& value : values) {
    value.sql = *Coerce(value, *common);
    value.literal = value.literal && value.type == *common;
    value.type = *common;
  }
  return *common;
}

Result<TypedSql> Translator::TranslateNode(const NullLiteral&, Position, const ExpressionContext&) {
  return Literal("NULL", kNull);
}

Result<TypedSql> Translator::TranslateNode(const BoolLiteral& node, Position,
                                           const ExpressionContext&) {
  return Literal(node.value ? "true" : "false", kBool);
}

// DuckDB reads 1 as a 32-bit integer and 1.5 as a decimal: both are written with their type.
Result<TypedSql> Translator::TranslateNode(const NumberLiteral& node, Position position,
                                           const ExpressionContext&) {
  std::string text = node.text;
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  if (node.is_float) {
    if (text.starts_with('.')) text.insert(0, "0");
    const size_t exponent = text.find_first_of("eE");
    if (exponent == std::string::npos) {
      text += text.ends_with('.') ? "0e0" : "e0";
    } else if (text[exponent - 1] == '.') {
      text.insert(exponent, "0");
    }
    return Literal(negative ? "(-" + text + ")" : text, kFloat64);
  }
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const uint64_t limit = hex ? UINT64_MAX : uint64_t{1} << 63U;
  errno = 0;
  char* end = nullptr;
  const uint64_t magnitude = std::strtoull(text.c_str(), &end, hex ? 16 : 10);
  if (errno != 0 || magnitude > limit || (!negative && !hex && magnitude == limit)) {
    return QueryError(fmt::format("Invalid integer literal: {}", node.text), position);
  }
  const auto value = static_cast<int64_t>(negative ? uint64_t{0} - magnitude : magnitude);
  return Literal(value < 0 ? fmt::format("({})::BIGINT", value) : fmt::format("{}::BIGINT", value),
                 kInt64);
}

Result<TypedSql> Translator::TranslateNode(const StringLiteral& node, Position,
                                           const ExpressionContext&) {
  TypedSql value = Literal(QuoteText(node.value), kString);
  value.text = node.value;
  return value;
}

Result<TypedSql> Translator::TranslateNode(const BytesLiteral& node, Position,
                                           const ExpressionContext&) {
  return Literal(QuoteBytes(node.value), kBytes);
}

Result<TypedSql> Translator::TranslateNode(const TypedLiteral& node, Position position,
                                           const ExpressionContext&) {
  const std::optional<TypeKind> kind = ParseSimpleType(node.type);
  if (!kind) return QueryError(fmt::format("Type not found: {}", node.type), position);
  if (*kind == kBigNumeric) {
    const auto canonical = CanonicalDecimal(node.value);
    if (!canonical) {
      return QueryError(fmt::format("Invalid BIGNUMERIC value: '{}'", node.value), position);
    }
    return Value(QuoteText(*canonical), kBigNumeric);
  }
  return Value(fmt::format("CAST({} AS {})", QuoteText(node.value), DuckTypeName(Type::Of(*kind))),
               *kind);
}

std::optional<size_t> Translator::FindParameter(const Parameter& node) const {
  size_t positional = 0;
  for (size_t i = 0; i < options_.parameters.size(); ++i) {
    const std::string& name = options_.parameters[i].name;
    const bool matches =
        node.name.empty() ? name.empty() && positional == node.ordinal : SameWord(name, node.name);
    if (matches) return i;
    positional += name.empty() ? 1 : 0;
  }
  return std::nullopt;
}

Result<TypedSql> Translator::TranslateNode(const Parameter& node, Position position,
                                           const ExpressionContext&) {
  const std::optional<size_t> found = FindParameter(node);
  if (!found) {
    return QueryError(node.name.empty()
                          ? std::string("Number of positional parameters is less than used")
                          : fmt::format("Query parameter '{}' not found", node.name),
                      position);
  }
  const size_t index = *found;
  const std::string name = fmt::format("p{}", index + 1);
  const bool is_bound = std::any_of(parameters_.begin(), parameters_.end(),
                                    [index](const BoundParameter& p) { return p.index == index; });
  if (!is_bound) parameters_.push_back({name, index});
  const Type& type = options_.parameters[index].type;
  TypedSql value;
  value.type = type;
  value.literal = true;
  if (type.kind == kBytes) {
    value.sql = fmt::format("from_base64(CAST(${} AS VARCHAR))", name);
  } else if (type.kind == kArray || type.kind == kStruct || type.kind == kRange) {
    value.sql = fmt::format("CAST(CAST(${} AS JSON) AS {})", name, DuckTypeName(type));
  } else {
    value.sql = fmt::format("CAST(${} AS {})", name, DuckTypeName(type));
  }
  return value;
}

Result<TypedSql> Translator::TranslateNode(const IntervalLiteral& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const TypedSql amount, TranslateExpression(*node.amount, context));
  if (amount.type.kind == kString) return UnsupportedError("INTERVAL of a string", position);
  const auto count = Coerce(amount, Type::Of(kInt64));
  if (!count) {
    return QueryError(fmt::format("Interval value must be coercible to INT64, but has type {}",
                                  TypeName(amount.type)),
                      node.amount->position);
  }
  const auto sql = IntervalSql(*count, node.part);
  if (!sql)
    return QueryError(fmt::format("A valid date part name is required but found {}", node.part),
                      position);
  TypedSql value = Value(*sql, kDuration);
  value.text = node.part;
  return value;
}

Result<TypedSql> Translator::TranslateNode(const Case& node, Position position,
                                           const ExpressionContext& context) {
  std::vector<TypedSql> conditions;
  std::vector<TypedSql> results;
  std::optional<TypedSql> operand;
  if (node.operand != nullptr) {
    HF_ASSIGN_OR_RETURN(operand, TranslateExpression(*node.operand, context));
    conditions.push_back(*operand);
  }
  for (const auto& [when, then] : node.branches) {
    HF_ASSIGN_OR_RETURN(TypedSql condition, TranslateExpression(*when, context));
    conditions.push_back(std::move(condition));
    HF_ASSIGN_OR_RETURN(TypedSql result, TranslateExpression(*then, context));
    results.push_back(std::move(result));
  }
  if (node.otherwise != nullptr) {
    HF_ASSIGN_OR_RETURN(TypedSql result, TranslateExpression(*node.otherwise, context));
    results.push_back(std::move(result));
  }
  HF_ASSIGN_OR_RETURN(const Type condition_type, Unify(conditions, "operator CASE", position));
  if (!operand && condition_type.kind != kBool && condition_type.kind != kNull) {
    return QueryError(fmt::format("CASE WHEN expects BOOL but got {}", TypeName(condition_type)),
                      position);
  }
  HF_ASSIGN_OR_RETURN(const Type type, Unify(results, "operator CASE", position));
  std::string sql = "CASE";
  const size_t first = operand ? 1 : 0;
  if (operand) sql += " " + conditions[0].sql;
  for (size_t i = 0; i < node.branches.size(); ++i) {
    sql += fmt::format(" WHEN {} THEN {}", conditions[first + i].sql, results[i].sql);
  }
  if (node.otherwise != nullptr) sql += " ELSE " + results.back().sql;
  TypedSql value;
  value.sql = sql + " END";
  value.type = type;
  return value;
}

Result<Type> Translator::ResolveType(const TypeSyntax& syntax) const {
  std::vector<StructMember> members;
  for (const auto& [name, member] : syntax.members) {
    HF_ASSIGN_OR_RETURN(Type type, ResolveType(member));
    members.push_back({name, std::move(type)});
  }
  if (syntax.name == "STRUCT") return Type::Struct(std::move(members));
  if (syntax.name == "RANGE") return Type::Range(members.front().type);
  if (syntax.name == "ARRAY") {
    if (members.front().type.kind == kArray) {
      return QueryError("Arrays of arrays are not supported", syntax.position);
    }
    return Type::Array(members.front().type);
  }
  const std::optional<TypeKind> kind = ParseSimpleType(syntax.name);
  if (!kind) return QueryError(fmt::format("Type not found: {}", syntax.name), syntax.position);
  return Type::Of(*kind);
}

Result<TypedSql> Translator::TranslateNode(const Cast& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const Type type, ResolveType(node.type));
  if (!node.type.parameters.empty()) {
    return UnsupportedError("CAST to a type with parameters", node.type.position);
  }
  HF_ASSIGN_OR_RETURN(const TypedSql operand, TranslateExpression(*node.value, context));
  auto sql = CastTo(operand, type, node.safe);
  if (!sql) {
    return QueryError(
        fmt::format("Invalid cast from {} to {}", TypeName(operand.type), TypeName(type)),
        position);
  }
  TypedSql value;
  value.sql = std::move(*sql);
  value.type = type;
  return value;
}

Result<TypedSql> Translator::TranslateNode(const Extract& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const TypedSql operand, TranslateExpression(*node.value, context));
  std::optional<std::string> zone;
  if (node.time_zone != nullptr) {
    HF_ASSIGN_OR_RETURN(const TypedSql zone_value, TranslateExpression(*node.time_zone, context));
    if (zone_value.type.kind != kString || operand.type.kind != kTimestamp) {
      return QueryError("EXTRACT with AT TIME ZONE needs a TIMESTAMP and a STRING", position);
    }
    zone = zone_value.sql;
  }
  const auto value = ExtractSql(operand, node.part, zone);
  if (value) return *value;
  return QueryError(fmt::format("EXTRACT from {} does not support the {} date part",
                                TypeName(operand.type), node.part),
                    position);
}

Result<TypedSql> Translator::TranslateNode(const ArrayLiteral& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(std::vector<TypedSql> elements, TranslateAll(node.elements, context));
  Type type;
  if (node.element) {
    HF_ASSIGN_OR_RETURN(type, ResolveType(*node.element));
    for (TypedSql& element : elements) {
      const auto coerced = Coerce(element, type);
      if (!coerced) {
        return QueryError(fmt::format("Array element type {} does not coerce to {}",
                                      TypeName(element.type), TypeName(type)),
                          position);
      }
      element.sql = *coerced;
    }
  } else if (!elements.empty()) {
    HF_ASSIGN_OR_RETURN(type, Unify(elements, "an array of one type", position));
  }
  if (type.kind == kArray) {
    return QueryError(
        "Cannot construct array with element type ARRAY because nested arrays are not supported",
        position);
  }
  std::string list;
  for (const TypedSql& element : elements) list += (list.empty() ? "" : ", ") + element.sql;
  TypedSql value;
  value.literal = true;
  value.type = Type::Array(type);
  value.sql = elements.empty() ? fmt::format("CAST([] AS {})", DuckTypeName(value.type))
                               : fmt::format("[{}]", list);
  return value;
}

Result<TypedSql> Translator::TranslateNode(const StructLiteral& node, Position position,
                                           const ExpressionContext& context) {
  std::optional<Type> declared;
  if (node.type) {
    HF_ASSIGN_OR_RETURN(declared, ResolveType(*node.type));
    if (declared->members.size() != node.members.size()) {
      return QueryError("STRUCT type has a different number of fields than the constructor call",
                        position);
    }
  }
  if (node.members.empty()) return UnsupportedError("STRUCT without fields", position);
  TypedSql value;
  value.type.kind = kStruct;
  std::string packed;
  for (size_t i = 0; i < node.members.size(); ++i) {
    const auto& [alias, expression] = node.members[i];
    HF_ASSIGN_OR_RETURN(TypedSql member, TranslateExpression(*expression, context));
    const bool is_tuple = position == expression->position;
    StructMember entry{alias.empty() && !is_tuple ? member.name : alias, member.type};
    if (declared) {
      entry = declared->members[i];
      const auto coerced = Coerce(member, entry.type);
      if (!coerced) {
        return QueryError(fmt::format("Struct field {} has type {} which does not coerce to {}",
                                      i + 1, TypeName(member.type), TypeName(entry.type)),
                          expression->position);
      }
      member.sql = *coerced;
    }
    packed +=
        fmt::format("{}{} := {}", i == 0 ? "" : ", ", QuoteName(MemberName(entry, i)), member.sql);
    value.type.members.push_back(std::move(entry));
  }
  value.sql = fmt::format("struct_pack({})", packed);
  return value;
}

Result<TypedSql> Translator::TranslateNode(const SubqueryExpression& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const QuerySql query, TranslateQuery(*node.query, context.scope));
  using Kind = SubqueryExpression::Kind;
  TypedSql value;
  if (node.kind == Kind::kExists) return Value(fmt::format("EXISTS ({})", query.sql), kBool);
  if (query.columns.size() != 1) {
    return QueryError(
        fmt::format("{} subquery cannot have more than one column unless using SELECT AS STRUCT to "
                    "build STRUCT values",
                    node.kind == Kind::kArray ? "ARRAY" : "Scalar"),
        position);
  }
  const Type& type = query.columns.front().type;
  if (node.kind == Kind::kScalar) {
    value.sql = fmt::format("({})", query.sql);
    value.type = type;
    return value;
  }
  if (type.kind == kArray)
    return QueryError("Cannot use array subquery with column of type ARRAY", position);
  value.sql = fmt::format("ARRAY({})", query.sql);
  value.type = Type::Array(type);
  return value;
}

}  // namespace holdfast::googlesql
