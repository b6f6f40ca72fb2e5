#include <fmt/format.h>

#include "localcloud/googlesql/numeric.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

Error NoOperator(std::string_view operation, const std::vector<const TypedSql*>& operands,
                 Position position) {
  std::string types;
  for (const TypedSql* operand : operands)
    types += (types.empty() ? "" : ", ") + TypeName(operand->type);
  return QueryError(
      fmt::format("No matching signature for operator {} for argument types: {}", operation, types),
      position);
}

bool IsTime(TypeKind kind) { return kind == kDate || kind == kDatetime || kind == kTimestamp; }

std::string_view BitwiseName(std::string_view operation) {
  return operation == "^" ? "xor" : operation;
}

}  // namespace

Result<TypedSql> Translator::TranslateNode(const Unary& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(TypedSql operand, TranslateExpression(*node.operand, context));
  const TypeKind kind = operand.type.kind;
  if (node.operation == "NOT") {
    if (kind != kBool && kind != kNull) return NoOperator("NOT", {&operand}, position);
    return Value(fmt::format("(NOT {})", operand.sql), kBool);
  }
  if (node.operation == "~") {
    if (kind != kInt64) return NoOperator("~", {&operand}, position);
    return Value(fmt::format("(~{})", operand.sql), kInt64);
  }
  if (!IsArithmetic(kind)) return NoOperator(node.operation, {&operand}, position);
  if (node.operation == "+") return operand;
  return Value(fmt::format("(-{})", operand.sql), kind);
}

Result<TypedSql> Translator::TranslateNode(const Binary& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(TypedSql left, TranslateExpression(*node.left, context));
  HF_ASSIGN_OR_RETURN(TypedSql right, TranslateExpression(*node.right, context));
  const std::string& operation = node.operation;
  const bool bitwise = operation == "&" || operation == "|" || operation == "^" ||
                       operation == "<<" || operation == ">>";
  if (bitwise) {
    const auto left_int = Coerce(left, Type::Of(kInt64));
    const auto right_int = Coerce(right, Type::Of(kInt64));
    if (!left_int || !right_int) return NoOperator(operation, {&left, &right}, position);
    return Value(operation == "^"
                     ? fmt::format("{}({}, {})", BitwiseName(operation), *left_int, *right_int)
                     : fmt::format("({} {} {})", *left_int, operation, *right_int),
                 kInt64);
  }
  if (operation == "+" || operation == "-" || operation == "*" || operation == "/") {
    return Arithmetic(node, std::move(left), std::move(right), position);
  }
  return Compare(node, std::move(left), std::move(right), position);
}

Result<TypedSql> Translator::Arithmetic(const Binary& node, TypedSql left, TypedSql right,
                                        Position position) {
  const std::string& operation = node.operation;
  const bool is_number = (IsArithmetic(left.type.kind) || left.type.kind == kNull) &&
                         (IsArithmetic(right.type.kind) || right.type.kind == kNull);
  if (!is_number) return DateArithmetic(node, left, right, position);
  std::vector<TypedSql> operands = {left, right};
  std::optional<Type> type = CommonType(operands);
  if (!type) return NoOperator(operation, {&left, &right}, position);
  if (type->kind == kNull) type = Type::Of(kInt64);
  if (operation == "/" && type->kind == kInt64) type = Type::Of(kFloat64);
  const auto left_sql = Coerce(left, *type);
  const auto right_sql = Coerce(right, *type);
  if (!left_sql || !right_sql) return NoOperator(operation, {&left, &right}, position);
  TypedSql value = Value({}, type->kind);
  if (operation == "/") {
    value.sql = DivideSql(*left_sql, *right_sql, type->kind, ZeroDivisor::kFails, position);
  } else if (operation == "*" && type->kind == kNumeric) {
    value.sql = fmt::format("CAST({} * {} AS DECIMAL(38,9))", *left_sql, *right_sql);
  } else {
    value.sql = fmt::format("({} {} {})", *left_sql, operation, *right_sql);
  }
  return value;
}

// DATE + n, DATE - DATE, time +- INTERVAL.
Result<TypedSql> Translator::DateArithmetic(const Binary& node, const TypedSql& left,
                                            const TypedSql& right, Position position) {
  const std::string& operation = node.operation;
  const bool adds = operation == "+";
  if (operation != "+" && operation != "-") return NoOperator(operation, {&left, &right}, position);
  if (left.type.kind == kDate && right.type.kind == kInt64) {
    return Value(fmt::format("({} {} CAST({} AS INTEGER))", left.sql, operation, right.sql), kDate);
  }
  if (adds && left.type.kind == kInt64 && right.type.kind == kDate) {
    return Value(fmt::format("({} + CAST({} AS INTEGER))", right.sql, left.sql), kDate);
  }
  if (!adds && IsTime(left.type.kind) && IsTime(right.type.kind)) {
    return UnsupportedError("difference of times as an INTERVAL (use DATE_DIFF, TIMESTAMP_DIFF)",
                            position);
  }
  const TypedSql* const time = right.type.kind == kDuration ? &left : adds ? &right : nullptr;
  const TypedSql* const duration = time == &left ? &right : &left;
  if (time == nullptr || duration->type.kind != kDuration || !IsTime(time->type.kind)) {
    return NoOperator(operation, {&left, &right}, position);
  }
  const TypeKind result = time->type.kind == kDate ? kDatetime : time->type.kind;
  return Value(fmt::format("({} {} {})", time->sql, operation, duration->sql), result);
}

Result<TypedSql> Translator::Compare(const Binary& node, TypedSql left, TypedSql right,
                                     Position position) {
  std::vector<TypedSql> operands = {std::move(left), std::move(right)};
  HF_ASSIGN_OR_RETURN(const Type type, Unify(operands, "operator " + node.operation, position));
  const bool is_order = node.operation.starts_with('<') || node.operation.starts_with('>');
  if (is_order ? !IsOrderable(type) : !IsGroupable(type)) {
    return QueryError(fmt::format("{} is not defined for arguments of type {}",
                                  is_order ? "Ordering" : "Equality", TypeName(type)),
                      position);
  }
  return Value(fmt::format("({} {} {})", operands[0].sql, node.operation, operands[1].sql), kBool);
}

Result<TypedSql> Translator::TranslateNode(const Chain& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(std::vector<TypedSql> operands, TranslateAll(node.operands, context));
  std::string sql;
  const bool is_concatenation = node.operation == "||";
  Type type = Type::Of(kBool);
  if (is_concatenation) {
    HF_ASSIGN_OR_RETURN(type, Unify(operands, "operator ||", position));
  }
  for (const TypedSql& operand : operands) {
    const TypeKind kind = operand.type.kind;
    const bool fits = is_concatenation
                          ? kind == kString || kind == kBytes || kind == kArray || kind == kNull
                          : kind == kBool || kind == kNull;
    if (!fits) {
      return QueryError(fmt::format("No matching signature for operator {} for argument type {}",
                                    node.operation, TypeName(operand.type)),
                        position);
    }
    sql += sql.empty() ? operand.sql : fmt::format(" {} {}", node.operation, operand.sql);
  }
  TypedSql value;
  value.sql = fmt::format("({})", sql);
  value.type = type;
  return value;
}

Result<TypedSql> Translator::TranslateNode(const Like& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const TypedSql operand, TranslateExpression(*node.value, context));
  HF_ASSIGN_OR_RETURN(const TypedSql pattern, TranslateExpression(*node.pattern, context));
  if (operand.type.kind != kString || pattern.type.kind != kString) {
    return NoOperator("LIKE", {&operand, &pattern}, position);
  }
  return Value(fmt::format("({} {}LIKE {} ESCAPE '\\')", operand.sql, node.negated ? "NOT " : "",
                           pattern.sql),
               kBool);
}

Result<TypedSql> Translator::TranslateNode(const Between& node, Position position,
                                           const ExpressionContext& context) {
  std::vector<TypedSql> operands;
  for (const ExpressionPtr* part : {&node.value, &node.low, &node.high}) {
    HF_ASSIGN_OR_RETURN(TypedSql operand, TranslateExpression(**part, context));
    operands.push_back(std::move(operand));
  }
  HF_ASSIGN_OR_RETURN(const Type type, Unify(operands, "operator BETWEEN", position));
  if (!IsOrderable(type)) {
    return QueryError(
        fmt::format("Ordering is not defined for arguments of type {}", TypeName(type)), position);
  }
  return Value(fmt::format("({} {}BETWEEN {} AND {})", operands[0].sql, node.negated ? "NOT " : "",
                           operands[1].sql, operands[2].sql),
               kBool);
}

Result<TypedSql> Translator::TranslateNode(const In& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(TypedSql operand, TranslateExpression(*node.value, context));
  if (node.query != nullptr) return InSubquery(node, std::move(operand), position, context);
  const std::string_view no = node.negated ? "NOT " : "";
  if (node.array != nullptr) {
    HF_ASSIGN_OR_RETURN(const TypedSql array, TranslateExpression(*node.array, context));
    if (array.type.kind != kArray) {
      return QueryError("Second argument of IN UNNEST must be an array", node.array->position);
    }
    TypedSql element;
    element.type = array.type.element();
    const auto coerced = Coerce(operand, element.type);
    if (!coerced) return NoOperator("IN UNNEST", {&operand, &array}, position);
    return Value(fmt::format("({} {}IN (SELECT unnest({})))", *coerced, no, array.sql), kBool);
  }
  HF_ASSIGN_OR_RETURN(std::vector<TypedSql> values, TranslateAll(node.list, context));
  values.insert(values.begin(), std::move(operand));
  HF_ASSIGN_OR_RETURN(const Type type, Unify(values, "operator IN", position));
  if (!IsGroupable(type)) {
    return QueryError(
        fmt::format("Equality is not defined for arguments of type {}", TypeName(type)), position);
  }
  std::string list;
  for (size_t i = 1; i < values.size(); ++i) list += (list.empty() ? "" : ", ") + values[i].sql;
  return Value(fmt::format("({} {}IN ({}))", values[0].sql, no, list), kBool);
}

Result<TypedSql> Translator::InSubquery(const In& node, TypedSql value, Position position,
                                        const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const QuerySql query, TranslateQuery(*node.query, context.scope));
  if (query.columns.size() != 1) {
    return QueryError(fmt::format("Subquery of type IN must have only one output column but has {}",
                                  query.columns.size()),
                      position);
  }
  TypedSql column;
  column.type = query.columns.front().type;
  column.sql = fmt::format("q.{}", QuoteName(query.columns.front().duck_name));
  std::vector<TypedSql> sides = {value, column};
  HF_ASSIGN_OR_RETURN(const Type type, Unify(sides, "operator IN", position));
  if (!IsGroupable(type)) {
    return QueryError(
        fmt::format("Equality is not defined for arguments of type {}", TypeName(type)), position);
  }
  const std::string source = sides[1].sql == column.sql
                                 ? query.sql
                                 : fmt::format("SELECT {} FROM ({}) AS q", sides[1].sql, query.sql);
  return Value(fmt::format("({} {}IN ({}))", sides[0].sql, node.negated ? "NOT " : "", source),
               kBool);
}

Result<TypedSql> Translator::TranslateNode(const Is& node, Position position,
                                           const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const TypedSql operand, TranslateExpression(*node.value, context));
  if (node.test != "NULL" && operand.type.kind != kBool && operand.type.kind != kNull) {
    return NoOperator("IS " + node.test, {&operand}, position);
  }
  return Value(fmt::format("({} IS {}{})", operand.sql, node.negated ? "NOT " : "", node.test),
               kBool);
}

}  // namespace holdfast::googlesql
