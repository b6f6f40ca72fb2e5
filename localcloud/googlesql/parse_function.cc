#include <fmt/format.h>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
Result<ExpressionPtr> Parser::ParseNameOrCall() {
  const Position at = position();
  const bool keyword_call =
      IsSymbol("(", 1) &&
      (IsWord("IF") || IsWord("LEFT") || IsWord("RIGHT") || IsWord("RANGE") || IsWord("GROUPING"));
  if (!IsName() && !keyword_call) return Unexpected();
  const bool quoted = Peek().kind == TokenKind::kQuotedIdentifier;
  const bool safe = IsWord("SAFE") && IsSymbol(".", 1) && IsSymbol("(", 3);
  if (safe) at_ += 2;
  if (IsSymbol("(", 1)) {
    std::string name = UpperCase(Next().value);
    return ParseFunctionCall(std::move(name), safe, at);
  }
  // NET.HOST(x), KEYS.NEW_KEYSET(...): a call of a function in a namespace.
  if (!safe && IsSymbol(".", 1) && IsSymbol("(", 3)) {
    std::string name = fmt::format("{}.{}", UpperCase(Peek().value), UpperCase(Peek(2).value));
    at_ += 3;
    return ParseFunctionCall(std::move(name), false, at);
  }
  return Make(at, Name{Next().value, quoted});
}

Result<ExpressionPtr> Parser::ParseFunctionCall(std::string name, bool safe, Position at) {
  FunctionCall call;
  call.name = std::move(name);
  call.safe = safe;
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  if (IsSymbol("*")) {
    Next();
    call.star = true;
  } else if (!IsSymbol(")")) {
    call.distinct = AcceptWord("DISTINCT");
    HF_RETURN_IF_ERROR(ParseArguments(call));
  }
  HF_RETURN_IF_ERROR(ParseAggregateClauses(call));
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  // BigQuery takes IGNORE NULLS inside the parentheses; outside is another dialect's.
  if (IsWord("WITHIN")) return UnsupportedError("WITHIN GROUP", position());
  if (AcceptWord("OVER")) {
    HF_ASSIGN_OR_RETURN(Window window, ParseWindow());
    call.window = std::make_unique<Window>(std::move(window));
  }
  return Make(at, std::move(call));
}

Status Parser::ParseArguments(FunctionCall& call) {
  do {
    if (Peek().kind == TokenKind::kIdentifier && IsSymbol("=>", 1)) {
      return UnsupportedError(fmt::format("named argument {}", Peek().text), position());
    }
    // WEEK(MONDAY) in the place of a date part would read as a call: it stays a name.
    if (IsWord("WEEK") && IsSymbol("(", 1)) {
      const Position at = position();
      HF_ASSIGN_OR_RETURN(std::string part, ParseDatePart());
      HF_ASSIGN_OR_RETURN(ExpressionPtr name, Make(at, Name{std::move(part), false}));
      call.arguments.push_back(std::move(name));
      continue;
    }
    HF_ASSIGN_OR_RETURN(ExpressionPtr argument, ParseExpression());
    call.arguments.push_back(std::move(argument));
  } while (AcceptSymbol(","));
  return {};
}

Status Parser::ParseAggregateClauses(FunctionCall& call) {
  if (AcceptWords({"IGNORE", "NULLS"})) call.nulls = FunctionCall::Nulls::kIgnore;
  if (AcceptWords({"RESPECT", "NULLS"})) call.nulls = FunctionCall::Nulls::kRespect;
  if (IsWord("HAVING")) return UnsupportedError("HAVING in an aggregate call", position());
  if (AcceptWords({"ORDER", "BY"})) {
    HF_ASSIGN_OR_RETURN(call.order_by, ParseOrderItems());
  }
  if (AcceptWord("LIMIT")) {
    HF_ASSIGN_OR_RETURN(call.limit, ParseExpression());
  }
  return {};
}

Result<Window> Parser::ParseWindow() {
  if (IsName()) {
    Window window;
    HF_ASSIGN_OR_RETURN(window.base, ParseIdentifier());
    return window;
  }
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  HF_ASSIGN_OR_RETURN(Window window, ParseWindowSpecification());
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return window;
}

Result<Window> Parser::ParseWindowSpecification() {
  Window window;
  if (IsName()) {
    HF_ASSIGN_OR_RETURN(window.base, ParseIdentifier());
  }
  if (AcceptWords({"PARTITION", "BY"})) {
    HF_ASSIGN_OR_RETURN(window.partition_by, ParseExpressionList());
  }
  if (AcceptWords({"ORDER", "BY"})) {
    HF_ASSIGN_OR_RETURN(window.order_by, ParseOrderItems());
  }
  if (IsWord("ROWS") || IsWord("RANGE")) {
    HF_ASSIGN_OR_RETURN(window.frame, ParseFrame());
  }
  return window;
}

Result<WindowFrame> Parser::ParseFrame() {
  WindowFrame frame;
  frame.rows = IsWord("ROWS");
  Next();
  if (!AcceptWord("BETWEEN")) {
    HF_ASSIGN_OR_RETURN(frame.start, ParseFrameBound());
    return frame;
  }
  HF_ASSIGN_OR_RETURN(frame.start, ParseFrameBound());
  HF_RETURN_IF_ERROR(ExpectWord("AND"));
  HF_ASSIGN_OR_RETURN(frame.end, ParseFrameBound());
  return frame;
}

Result<FrameBound> Parser::ParseFrameBound() {
  using Kind = FrameBound::Kind;
  if (AcceptWords({"UNBOUNDED", "PRECEDING"}))
    return FrameBound{Kind::kUnboundedPreceding, nullptr};
  if (AcceptWords({"UNBOUNDED", "FOLLOWING"}))
    return FrameBound{Kind::kUnboundedFollowing, nullptr};
  if (AcceptWords({"CURRENT", "ROW"})) return FrameBound{Kind::kCurrentRow, nullptr};
  HF_ASSIGN_OR_RETURN(ExpressionPtr offset, ParseExpression());
  if (AcceptWord("PRECEDING")) return FrameBound{Kind::kPreceding, std::move(offset)};
  HF_RETURN_IF_ERROR(ExpectWord("FOLLOWING"));
  return FrameBound{Kind::kFollowing, std::move(offset)};
}

Result<std::vector<OrderItem>> Parser::ParseOrderItems() {
  std::vector<OrderItem> items;
  do {
    OrderItem item;
    HF_ASSIGN_OR_RETURN(item.expression, ParseExpression());
    if (IsWord("COLLATE")) return UnsupportedError("COLLATE", position());
    item.descending = AcceptWord("DESC");
    if (!item.descending) AcceptWord("ASC");
    if (AcceptWords({"NULLS", "FIRST"})) item.nulls_first = true;
    if (AcceptWords({"NULLS", "LAST"})) item.nulls_first = false;
    items.push_back(std::move(item));
  } while (AcceptSymbol(","));
  return items;
}

}  // namespace holdfast::googlesql
