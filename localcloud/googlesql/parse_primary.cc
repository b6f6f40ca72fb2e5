#include <fmt/format.h>

#include <array>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

constexpr std::array<std::string_view, 9> kTypedLiterals = {"DATE",       "DATETIME",   "TIMESTAMP",
                                                            "TIME",       "NUMERIC",    "DECIMAL",
                                                            "BIGNUMERIC", "BIGDECIMAL", "JSON"};

// Reserved words that start a construct which is GoogleSQL but is not translated.
constexpr std::array<std::string_view, 4> kUnsupportedPrimaries = {"NEW", "WITH", "TREAT",
                                                                   "CURRENT"};

}  // namespace

Result<ExpressionPtr> Parser::ParsePrimary() {
  switch (Peek().kind) {
    case TokenKind::kString:
    case TokenKind::kBytes:
    case TokenKind::kInteger:
    case TokenKind::kFloat:
    case TokenKind::kNamedParameter:
    case TokenKind::kPositionalParameter:
      return ParseLiteral();
    case TokenKind::kSystemVariable:
      return UnsupportedError(fmt::format("system variable {}", Peek().text), position());
    case TokenKind::kIdentifier:
      return ParseWordPrimary();
    case TokenKind::kQuotedIdentifier:
      return ParseNameOrCall();
    default:
      break;
  }
  if (IsSymbol("(")) return ParseParenthesized();
  if (IsSymbol("[")) return ParseArrayElements(std::nullopt, position());
  return Unexpected();
}

Result<ExpressionPtr> Parser::ParseLiteral() {
  const size_t parameters_before =
      Peek().kind == TokenKind::kPositionalParameter ? CountParametersBefore() : 0;
  const Token& token = Next();
  const Position at = token.position;
  switch (token.kind) {
    case TokenKind::kString:
      return Make(at, StringLiteral{token.value});
    case TokenKind::kBytes:
      return Make(at, BytesLiteral{token.value});
    case TokenKind::kNamedParameter:
      return Make(at, Parameter{token.value, 0});
    case TokenKind::kPositionalParameter:
      return Make(at, Parameter{{}, parameters_before});
    default:
      break;
  }
  const Token& next = Peek();
  const bool touches = next.position.offset == at.offset + token.text.size();
  if (touches && next.kind == TokenKind::kIdentifier) {
    return SyntaxError("Missing whitespace between literal and alias", next.position);
  }
  return Make(at, NumberLiteral{std::string(token.text), token.kind == TokenKind::kFloat});
}

Result<ExpressionPtr> Parser::ParseWordPrimary() {
  const Position at = position();
  if (AcceptWord("NULL")) return Make(at, NullLiteral{});
  if (AcceptWord("TRUE")) return Make(at, BoolLiteral{true});
  if (AcceptWord("FALSE")) return Make(at, BoolLiteral{false});
  if (IsWord("CASE")) return ParseCase();
  if (IsWord("INTERVAL")) return ParseInterval();
  if (IsWord("CAST")) return ParseCast(false);
  if (IsWord("SAFE_CAST") && IsSymbol("(", 1)) return ParseCast(true);
  if (IsWord("EXTRACT")) return ParseExtract();
  if (IsWord("ARRAY")) return ParseArray();
  if (IsWord("STRUCT")) return ParseStruct();
  if (IsWord("EXISTS")) {
    Next();
    return ParseSubquery(SubqueryExpression::Kind::kExists);
  }
  for (const std::string_view word : kUnsupportedPrimaries) {
    if (IsWord(word)) return UnsupportedError(std::string(word), at);
  }
  if (Peek(1).kind == TokenKind::kString) {
    for (const std::string_view type : kTypedLiterals) {
      if (!AcceptWord(type)) continue;
      return Make(at, TypedLiteral{std::string(type), Next().value});
    }
    if (IsWord("RANGE")) return UnsupportedError("RANGE literal", at);
  }
  if (IsWord("RANGE") && IsSymbol("<", 1)) return UnsupportedError("RANGE literal", at);
  return ParseNameOrCall();
}

Result<ExpressionPtr> Parser::ParseParenthesized() {
  const Position at = position();
  if (AtQuery(1)) return ParseSubquery(SubqueryExpression::Kind::kScalar);
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  HF_ASSIGN_OR_RETURN(ExpressionPtr first, ParseExpression());
  if (!IsSymbol(",")) {
    HF_RETURN_IF_ERROR(ExpectSymbol(")"));
    // A field or element may follow, but a minus before the parenthesis is not part of a number.
    if (std::holds_alternative<NumberLiteral>(first->node))
      return Make(at, Unary{"+", std::move(first)});
    return first;
  }
  StructLiteral tuple;
  tuple.members.emplace_back(std::string(), std::move(first));
  while (AcceptSymbol(",")) {
    HF_ASSIGN_OR_RETURN(ExpressionPtr next, ParseExpression());
    tuple.members.emplace_back(std::string(), std::move(next));
  }
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Make(at, std::move(tuple));
}

Result<ExpressionPtr> Parser::ParseSubquery(SubqueryExpression::Kind kind) {
  const Position at = position();
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  if (!AtQuery()) return Unexpected();
  HF_ASSIGN_OR_RETURN(QueryPtr query, ParseQuery());
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Make(at, SubqueryExpression{kind, std::move(query)});
}

Result<ExpressionPtr> Parser::ParseCase() {
  const Position at = position();
  Next();
  Case node;
  if (!IsWord("WHEN")) {
    HF_ASSIGN_OR_RETURN(node.operand, ParseExpression());
  }
  if (!IsWord("WHEN")) return Expected("keyword WHEN");
  while (AcceptWord("WHEN")) {
    HF_ASSIGN_OR_RETURN(ExpressionPtr when, ParseExpression());
    HF_RETURN_IF_ERROR(ExpectWord("THEN"));
    HF_ASSIGN_OR_RETURN(ExpressionPtr then, ParseExpression());
    node.branches.emplace_back(std::move(when), std::move(then));
  }
  if (AcceptWord("ELSE")) {
    HF_ASSIGN_OR_RETURN(node.otherwise, ParseExpression());
  }
  HF_RETURN_IF_ERROR(ExpectWord("END"));
  return Make(at, std::move(node));
}

Result<ExpressionPtr> Parser::ParseCast(bool safe) {
  const Position at = position();
  Next();
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  Cast cast;
  cast.safe = safe;
  HF_ASSIGN_OR_RETURN(cast.value, ParseExpression());
  HF_RETURN_IF_ERROR(ExpectWord("AS"));
  HF_ASSIGN_OR_RETURN(cast.type, ParseType());
  if (IsWord("FORMAT")) return UnsupportedError("CAST with FORMAT", position());
  if (IsWord("AT")) return UnsupportedError("CAST with AT TIME ZONE", position());
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Make(at, std::move(cast));
}

Result<std::string> Parser::ParseDatePart() {
  HF_ASSIGN_OR_RETURN(const Identifier part, ParseIdentifier());
  std::string name = UpperCase(part.text);
  if (name != "WEEK" || !AcceptSymbol("(")) return name;
  HF_ASSIGN_OR_RETURN(const Identifier weekday, ParseIdentifier());
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return fmt::format("WEEK({})", UpperCase(weekday.text));
}

Result<ExpressionPtr> Parser::ParseExtract() {
  const Position at = position();
  Next();
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  Extract extract;
  HF_ASSIGN_OR_RETURN(extract.part, ParseDatePart());
  HF_RETURN_IF_ERROR(ExpectWord("FROM"));
  HF_ASSIGN_OR_RETURN(extract.value, ParseExpression());
  if (AcceptWords({"AT", "TIME", "ZONE"})) {
    HF_ASSIGN_OR_RETURN(extract.time_zone, ParseExpression());
  }
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Make(at, std::move(extract));
}

Result<ExpressionPtr> Parser::ParseArray() {
  const Position at = position();
  if (IsSymbol("(", 1)) {
    Next();
    return ParseSubquery(SubqueryExpression::Kind::kArray);
  }
  if (IsSymbol("[", 1)) {
    Next();
    return ParseArrayElements(std::nullopt, at);
  }
  HF_ASSIGN_OR_RETURN(TypeSyntax type, ParseType());
  TypeSyntax element = std::move(type.members.front().type);
  return ParseArrayElements(std::move(element), at);
}

Result<ExpressionPtr> Parser::ParseArrayElements(std::optional<TypeSyntax> element, Position at) {
  HF_RETURN_IF_ERROR(ExpectSymbol("["));
  ArrayLiteral array;
  array.element = std::move(element);
  if (!IsSymbol("]")) {
    HF_ASSIGN_OR_RETURN(array.elements, ParseExpressionList());
  }
  HF_RETURN_IF_ERROR(ExpectSymbol("]"));
  return Make(at, std::move(array));
}

Result<ExpressionPtr> Parser::ParseStruct() {
  const Position at = position();
  StructLiteral node;
  if (IsSymbol("<", 1)) {
    HF_ASSIGN_OR_RETURN(node.type, ParseType());
  } else {
    Next();
  }
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  if (AcceptSymbol(")")) return Make(at, std::move(node));
  do {
    HF_ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
    HF_ASSIGN_OR_RETURN(const std::optional<Identifier> alias, ParseOptionalAlias(true));
    node.members.emplace_back(alias ? alias->text : std::string(), std::move(value));
  } while (AcceptSymbol(","));
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Make(at, std::move(node));
}

Result<ExpressionPtr> Parser::ParseInterval() {
  const Position at = position();
  Next();
  IntervalLiteral interval;
  HF_ASSIGN_OR_RETURN(interval.amount, ParseExpression());
  HF_ASSIGN_OR_RETURN(interval.part, ParseDatePart());
  if (IsWord("TO")) return UnsupportedError("INTERVAL with a range of parts", position());
  return Make(at, std::move(interval));
}

}  // namespace holdfast::googlesql
