#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/syntax_depth.h"

namespace holdfast::googlesql {
namespace {

struct BinaryOperator {
  std::string_view symbol;
  int precedence;  // higher binds tighter
};

// Source: operators.md "Operator precedence".
constexpr int kConcatenationPrecedence = 6;
constexpr std::array<BinaryOperator, 10> kBinaryOperators = {{
    {"|", 1},
    {"^", 2},
    {"&", 3},
    {"<<", 4},
    {">>", 4},
    {"+", 5},
    {"-", 5},
    {"*", kConcatenationPrecedence},
    {"/", kConcatenationPrecedence},
    {"||", kConcatenationPrecedence},
}};

constexpr std::array<std::string_view, 7> kComparisons = {"=", "!=", "<>", "<", "<=", ">", ">="};

}  // namespace

Result<ExpressionPtr> Parser::Make(Position at, ExpressionNode node) {
  const int depth = NodeDepth(node);
  if (depth > kSyntaxDepthMax) return TooDeep();
  tallest_ = std::max(tallest_, depth);
  return std::make_unique<Expression>(Expression{at, std::move(node), depth});
}

Result<ExpressionPtr> Parser::ParseExpression() {
  const Level level(depth_);
  if (level.too_deep()) return TooDeep();
  return ParseChain("OR");
}

Result<ExpressionPtr> Parser::ParseChain(std::string_view word) {
  const Position at = position();
  const bool is_or = word == "OR";
  HF_ASSIGN_OR_RETURN(ExpressionPtr first, is_or ? ParseChain("AND") : ParseNot());
  if (!IsWord(word)) return first;
  Chain chain{std::string(word), {}};
  chain.operands.push_back(std::move(first));
  while (AcceptWord(word)) {
    HF_ASSIGN_OR_RETURN(ExpressionPtr next, is_or ? ParseChain("AND") : ParseNot());
    chain.operands.push_back(std::move(next));
  }
  return Make(at, std::move(chain));
}

Result<ExpressionPtr> Parser::ParseNot() {
  const Position at = position();
  if (!AcceptWord("NOT")) return ParseComparison();
  const Level level(depth_);
  if (level.too_deep()) return TooDeep();
  HF_ASSIGN_OR_RETURN(ExpressionPtr operand, ParseNot());
  return Make(at, Unary{"NOT", std::move(operand)});
}

Result<ExpressionPtr> Parser::ParseComparison() {
  const Position at = position();
  HF_ASSIGN_OR_RETURN(ExpressionPtr left, ParseBinary(1));
  while (true) {
    const Expression* const before = left.get();
    HF_ASSIGN_OR_RETURN(left, ParseComparisonTail(std::move(left), at));
    if (left.get() == before) return left;
  }
}

// One comparison with `left` as its first operand, or `left` itself if none follows.
Result<ExpressionPtr> Parser::ParseComparisonTail(ExpressionPtr left, Position at) {
  if (IsWord("IS")) return ParseIs(std::move(left), at);
  const bool negated =
      IsWord("NOT") && (IsWord("IN", 1) || IsWord("LIKE", 1) || IsWord("BETWEEN", 1));
  if (negated) Next();
  if (AcceptWord("IN")) return ParseIn(std::move(left), negated, at);
  if (AcceptWord("BETWEEN")) return ParseBetween(std::move(left), negated, at);
  if (AcceptWord("LIKE")) {
    if (IsWord("ANY") || IsWord("SOME") || IsWord("ALL")) {
      return UnsupportedError("quantified LIKE", position());
    }
    HF_ASSIGN_OR_RETURN(ExpressionPtr pattern, ParseBinary(1));
    return Make(at, Like{std::move(left), std::move(pattern), negated});
  }
  if (Peek().kind != TokenKind::kSymbol ||
      std::find(kComparisons.begin(), kComparisons.end(), Peek().text) == kComparisons.end()) {
    return left;
  }
  const Position operator_position = position();
  const std::string_view symbol = Next().text;
  HF_ASSIGN_OR_RETURN(ExpressionPtr right, ParseBinary(1));
  return Make(operator_position, Binary{symbol == "<>" ? "!=" : std::string(symbol),
                                        std::move(left), std::move(right)});
}

Result<ExpressionPtr> Parser::ParseIs(ExpressionPtr value, Position at) {
  Next();
  const bool negated = AcceptWord("NOT");
  if (AcceptWords({"DISTINCT", "FROM"})) {
    HF_ASSIGN_OR_RETURN(ExpressionPtr right, ParseBinary(1));
    return Make(at, Binary{negated ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM", std::move(value),
                           std::move(right)});
  }
  for (const std::string_view test : {"NULL", "TRUE", "FALSE"}) {
    if (AcceptWord(test)) return Make(at, Is{std::move(value), std::string(test), negated});
  }
  return Unexpected();
}

Result<ExpressionPtr> Parser::ParseIn(ExpressionPtr value, bool negated, Position at) {
  In in;
  in.value = std::move(value);
  in.negated = negated;
  if (AcceptWord("UNNEST")) {
    HF_RETURN_IF_ERROR(ExpectSymbol("("));
    HF_ASSIGN_OR_RETURN(in.array, ParseExpression());
    HF_RETURN_IF_ERROR(ExpectSymbol(")"));
    return Make(at, std::move(in));
  }
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  if (AtQuery()) {
    HF_ASSIGN_OR_RETURN(in.query, ParseQuery());
  } else {
    HF_ASSIGN_OR_RETURN(in.list, ParseExpressionList());
  }
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Make(at, std::move(in));
}

Result<ExpressionPtr> Parser::ParseBetween(ExpressionPtr value, bool negated, Position at) {
  HF_ASSIGN_OR_RETURN(ExpressionPtr low, ParseBinary(1));
  HF_RETURN_IF_ERROR(ExpectWord("AND"));
  HF_ASSIGN_OR_RETURN(ExpressionPtr high, ParseBinary(1));
  return Make(at, Between{std::move(value), std::move(low), std::move(high), negated});
}

// Precedence climbing: a level of recursion only where there is an operator.
Result<ExpressionPtr> Parser::ParseBinary(int precedence_min) {
  HF_ASSIGN_OR_RETURN(ExpressionPtr left, ParseUnary());
  while (true) {
    const Position at = position();
    const auto* const found = std::find_if(
        kBinaryOperators.begin(), kBinaryOperators.end(),
        [this](const BinaryOperator& candidate) { return IsSymbol(candidate.symbol); });
    if (found == kBinaryOperators.end() || found->precedence < precedence_min) return left;
    Next();
    if (found->symbol == "||") {
      HF_ASSIGN_OR_RETURN(left, ParseConcatenation(std::move(left), at));
      continue;
    }
    HF_ASSIGN_OR_RETURN(ExpressionPtr right, ParseBinary(found->precedence + 1));
    HF_ASSIGN_OR_RETURN(
        left, Make(at, Binary{std::string(found->symbol), std::move(left), std::move(right)}));
  }
}

Result<ExpressionPtr> Parser::ParseConcatenation(ExpressionPtr first, Position at) {
  Chain chain{"||", {}};
  chain.operands.push_back(std::move(first));
  do {
    HF_ASSIGN_OR_RETURN(ExpressionPtr next, ParseBinary(kConcatenationPrecedence + 1));
    chain.operands.push_back(std::move(next));
  } while (AcceptSymbol("||"));
  return Make(at, std::move(chain));
}

Result<ExpressionPtr> Parser::ParseUnary() {
  const Position at = position();
  for (const std::string_view symbol : {"-", "+", "~"}) {
    if (!AcceptSymbol(symbol)) continue;
    const Level level(depth_);
    if (level.too_deep()) return TooDeep();
    HF_ASSIGN_OR_RETURN(ExpressionPtr operand, ParseUnary());
    auto* const number = std::get_if<NumberLiteral>(&operand->node);
    if (symbol == "-" && number != nullptr && !number->text.starts_with('-')) {
      number->text.insert(0, "-");
      operand->position = at;
      return operand;
    }
    return Make(at, Unary{std::string(symbol), std::move(operand)});
  }
  return ParsePostfix();
}

Result<ExpressionPtr> Parser::ParsePostfix() {
  HF_ASSIGN_OR_RETURN(ExpressionPtr base, ParsePrimary());
  while (true) {
    const Position at = position();
    if (IsSymbol("[")) {
      HF_ASSIGN_OR_RETURN(base, ParseSubscript(std::move(base)));
      continue;
    }
    if (!IsSymbol(".") || IsSymbol("*", 1)) return base;
    Next();
    const Token& token = Next();
    if (token.kind != TokenKind::kIdentifier && token.kind != TokenKind::kQuotedIdentifier) {
      return SyntaxError("Expected a field name after \".\"", token.position);
    }
    HF_ASSIGN_OR_RETURN(
        base, Make(at, FieldAccess{std::move(base), Identifier{token.value, token.position}}));
  }
}

Result<ExpressionPtr> Parser::ParseSubscript(ExpressionPtr base) {
  const Position at = position();
  HF_RETURN_IF_ERROR(ExpectSymbol("["));
  Subscript subscript;
  subscript.base = std::move(base);
  for (const std::string_view mode : {"OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL"}) {
    if (!IsWord(mode) || !IsSymbol("(", 1)) continue;
    Next();
    Next();
    subscript.mode = mode;
    break;
  }
  HF_ASSIGN_OR_RETURN(subscript.index, ParseExpression());
  if (!subscript.mode.empty()) HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  HF_RETURN_IF_ERROR(ExpectSymbol("]"));
  return Make(at, std::move(subscript));
}

Result<std::vector<ExpressionPtr>> Parser::ParseExpressionList() {
  std::vector<ExpressionPtr> list;
  do {
    HF_ASSIGN_OR_RETURN(ExpressionPtr item, ParseExpression());
    list.push_back(std::move(item));
  } while (AcceptSymbol(","));
  return list;
}

}  // namespace holdfast::googlesql
