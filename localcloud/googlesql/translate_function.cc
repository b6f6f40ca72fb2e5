#include <fmt/format.h>

#include "base/check.h"
#include "localcloud/googlesql/date_parts.h"
#include "localcloud/googlesql/literal_formats.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/signature.h"
#include "localcloud/googlesql/special_functions.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

// What TRIM removes: white space of Unicode, but for the rarest.
constexpr std::string_view kSpaceSql =
    "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || "
    "chr(133) || chr(160) || chr(8195) || chr(8232) || chr(12288)";

// The pieces that stand for the marks of a signature's SQL.
struct Marks {
  std::string distinct;
  std::string order_by;
  std::string filter;
  std::string limit;
  std::string over;
  std::string nulls;
  std::string group;
  std::string now;
};

std::string JoinArguments(std::span<const TypedSql> arguments, std::string_view separator) {
  std::string list;
  for (const TypedSql& argument : arguments) {
    if (!list.empty()) list += separator;
    list += argument.sql;
  }
  return list;
}

// One mark behind its `$`: its text, and how many characters it has.
std::pair<std::string, size_t> ExpandMark(std::string_view rest,
                                          std::span<const TypedSql> arguments, const Marks& marks) {
  if (rest.starts_with("now")) return {marks.now, 3};
  if (rest.starts_with("space")) return {std::string(kSpaceSql), 5};
  switch (rest.front()) {
    case '*':
      return {JoinArguments(arguments, ", "), 1};
    case '|':
      return {JoinArguments(arguments, " || "), 1};
    case 'D':
      return {marks.distinct, 1};
    case 'O':
      return {marks.order_by, 1};
    case 'F':
      return {marks.filter, 1};
    case 'L':
      return {marks.limit, 1};
    case 'W':
      return {marks.over, 1};
    case 'N':
      return {marks.nulls, 1};
    case 'g':
      return {marks.group, 1};
    default:
      break;
  }
  const auto index = static_cast<size_t>(rest.front() - '1');
  return index < arguments.size() ? std::pair{arguments[index].sql, size_t{1}}
                                  : std::pair{std::string("$"), size_t{0}};
}

std::string ExpandTemplate(std::string_view sql, std::span<const TypedSql> arguments,
                           const Marks& marks) {
  std::string out;
  for (size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] != '$' || i + 1 >= sql.size()) {
      out += sql[i];
      continue;
    }
    const auto [text, length] = ExpandMark(sql.substr(i + 1), arguments, marks);
    out += text;
    i += length;
  }
  return out;
}

std::string SignatureList(std::span<const FunctionSignature> signatures) {
  std::string list;
  for (const FunctionSignature& entry : signatures) {
    list += fmt::format("{}{}({})", list.empty() ? "" : "; ", entry.name, entry.arguments);
  }
  return list;
}

// Reads the literals of REGEX, FORMAT and PATH arguments.
Status ConvertLiterals(const FunctionCall& call, SignatureMatch& match, Marks& marks) {
  for (size_t i = 0; i < match.arguments.size(); ++i) {
    const std::string_view word = match.words[i];
    if (word != "REGEX" && word != "FORMAT" && word != "PATH") continue;
    const Position at = call.arguments[i]->position;
    TypedSql& argument = match.arguments[i];
    if (!argument.text) {
      return UnsupportedError(
          fmt::format("{} whose argument {} is not a literal", call.name, i + 1), at);
    }
    if (word == "REGEX") {
      const int groups = CountRegexGroups(*argument.text);
      if (groups > 1) {
        return QueryError(
            "Regular expressions passed into extraction functions must not have more "
            "than 1 capturing group",
            at);
      }
      marks.group = std::to_string(groups);
      continue;
    }
    HF_ASSIGN_OR_RETURN(const std::string converted, word == "FORMAT"
                                                         ? ConvertTimeFormat(*argument.text, at)
                                                         : ConvertJsonPath(*argument.text, at));
    argument.sql = QuoteText(converted);
  }
  return {};
}

}  // namespace

Result<std::vector<TypedSql>> Translator::TranslateArguments(const FunctionCall& call,
                                                             const ExpressionContext& context) {
  const auto signatures = FindFunction(call.name);
  ExpressionContext inner = context;
  const bool is_aggregate = signatures.front().kind == FunctionKind::kAggregate;
  if (is_aggregate && call.window == nullptr) {
    inner.allows_aggregates = false;
    inner.allows_windows = false;
    inner.aliases = nullptr;  // aliases of the SELECT list may themselves be aggregates
    inner.clause = "aggregate function";
    inner.groups = nullptr;
    ++aggregates_;
  }
  std::vector<TypedSql> arguments;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (!TakesDatePart(signatures, i)) {
      HF_ASSIGN_OR_RETURN(TypedSql argument, TranslateExpression(*call.arguments[i], inner));
      arguments.push_back(std::move(argument));
      continue;
    }
    const auto* const part = std::get_if<Name>(&call.arguments[i]->node);
    if (part == nullptr) {
      return QueryError("A valid date part name is required", call.arguments[i]->position);
    }
    TypedSql argument;
    argument.text = UpperCase(part->text);
    const bool known = IsDatePart(*argument.text) || IsTimePart(*argument.text);
    if (!known) {
      return QueryError(fmt::format("A valid date part name is required but found {}", part->text),
                        call.arguments[i]->position);
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

Status Translator::CheckCall(const FunctionCall& call, const FunctionSignature& signature,
                             Position position, const ExpressionContext& context) const {
  const bool is_window = call.window != nullptr;
  if (signature.kind == FunctionKind::kScalar) {
    if (is_window || call.distinct || !call.order_by.empty() || call.limit != nullptr ||
        call.nulls != FunctionCall::Nulls::kDefault) {
      return QueryError(
          fmt::format("Function {} does not support OVER, DISTINCT, ORDER BY, LIMIT or "
                      "IGNORE NULLS",
                      call.name),
          position);
    }
    return {};
  }
  if (call.safe) return UnsupportedError(fmt::format("SAFE.{}", call.name), position);
  if (signature.kind == FunctionKind::kAnalytic && !is_window) {
    return QueryError(
        fmt::format("Analytic function {} cannot be called without an OVER clause", call.name),
        position);
  }
  if (is_window && !context.allows_windows) {
    return QueryError(fmt::format("Analytic function not allowed in {}", context.clause), position);
  }
  if (!is_window && !context.allows_aggregates) {
    return QueryError(
        fmt::format("Aggregate function {} not allowed in {}", call.name, context.clause),
        position);
  }
  return {};
}

// Whether the signature's SQL has places for the clauses of the call.
Status Translator::CheckClauses(const FunctionCall& call, const FunctionSignature& signature,
                                Position position) const {
  if (signature.kind == FunctionKind::kScalar) return {};
  const bool is_window = call.window != nullptr;
  const auto lacks = [&signature](std::string_view mark) {
    return signature.sql.find(mark) == std::string_view::npos;
  };
  if (call.distinct && lacks("$D") && lacks("DISTINCT") && call.name != "MAX" &&
      call.name != "MIN") {
    return UnsupportedError(fmt::format("DISTINCT in {}", call.name), position);
  }
  if (!call.order_by.empty() && lacks("$O")) {
    return UnsupportedError(fmt::format("ORDER BY in {}", call.name), position);
  }
  if (call.limit != nullptr && lacks("$L")) {
    return UnsupportedError(fmt::format("LIMIT in {}", call.name), position);
  }
  const bool named_nulls = call.nulls == FunctionCall::Nulls::kIgnore;
  if (named_nulls && lacks("$F") && lacks("$N")) {
    return UnsupportedError(fmt::format("IGNORE NULLS in {}", call.name), position);
  }
  if (is_window && (call.distinct || call.limit != nullptr || !call.order_by.empty())) {
    return UnsupportedError("DISTINCT, ORDER BY or LIMIT in a function with OVER", position);
  }
  return {};
}

Result<TypedSql> Translator::ApplySignature(const FunctionCall& call,
                                            const FunctionSignature& signature,
                                            std::vector<TypedSql> arguments, Position position,
                                            const ExpressionContext& context) {
  auto match = MatchSignature({&signature, 1}, arguments, call.star);
  CHECK(match.has_value(), "a signature that matched does not match again");
  HF_RETURN_IF_ERROR(CheckClauses(call, signature, position));
  Marks marks;
  HF_RETURN_IF_ERROR(ConvertLiterals(call, *match, marks));
  marks.now = fmt::format("make_timestamptz({}::BIGINT)", options_.now_us);
  if (call.distinct) marks.distinct = "DISTINCT ";
  if (call.nulls == FunctionCall::Nulls::kIgnore) {
    marks.nulls = " IGNORE NULLS";
    marks.filter = fmt::format(" FILTER (WHERE {} IS NOT NULL)", match->arguments.front().sql);
  }
  if (!call.order_by.empty()) {
    ExpressionContext inner = context;
    inner.allows_aggregates = false;
    if (call.window == nullptr) inner.groups = nullptr;
    HF_ASSIGN_OR_RETURN(const std::string order, OrderSql(call.order_by, inner));
    marks.order_by = " ORDER BY " + order;
  }
  if (call.limit != nullptr) {
    HF_ASSIGN_OR_RETURN(const std::string count, LimitCount(*call.limit, "LIMIT"));
    marks.limit = fmt::format("[1:{}]", count);
  }
  if (call.window != nullptr) {
    HF_ASSIGN_OR_RETURN(marks.over, OverClause(call, context));
  }
  TypedSql value;
  value.type = match->result;
  if (signature.sql.starts_with('@')) {
    HF_ASSIGN_OR_RETURN(value.sql, SpecialFunctionSql(signature.sql, match->arguments, position));
  } else {
    value.sql = ExpandTemplate(signature.sql, match->arguments, marks);
  }
  if (call.safe) value.sql = fmt::format("TRY({})", value.sql);
  return value;
}

Result<TypedSql> Translator::TranslateNode(const FunctionCall& node, Position position,
                                           const ExpressionContext& context) {
  const auto signatures = FindFunction(node.name);
  if (signatures.empty())
    return QueryError(fmt::format("Function not found: {}", node.name), position);
  HF_RETURN_IF_ERROR(CheckCall(node, signatures.front(), position, context));
  HF_ASSIGN_OR_RETURN(std::vector<TypedSql> arguments, TranslateArguments(node, context));
  const auto match = MatchSignature(signatures, arguments, node.star);
  if (!match) {
    std::string types;
    for (const TypedSql& argument : arguments) {
      types += (types.empty() ? "" : ", ") +
               (argument.sql.empty() ? std::string("DATE_TIME_PART") : TypeName(argument.type));
    }
    return QueryError(fmt::format("No matching signature for function {} for argument types: {}. "
                                  "Supported signatures: {}",
                                  node.name, types, SignatureList(signatures)),
                      position);
  }
  return ApplySignature(node, *match->signature, std::move(arguments), position, context);
}

}  // namespace holdfast::googlesql
