#include <fmt/format.h>

#include <algorithm>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {

// Whether a query starts here, behind any number of parentheses.
bool Parser::AtQuery(size_t ahead) const {
  while (IsSymbol("(", ahead)) ++ahead;
  return IsWord("SELECT", ahead) || IsWord("WITH", ahead);
}

Result<QueryPtr> Parser::ParseQuery() {
  const Level level(depth_);
  if (level.too_deep()) return TooDeep();
  const int outer_tallest = std::exchange(tallest_, 0);
  auto query = std::make_unique<Query>();
  query->position = position();
  scopes_.emplace_back();
  if (IsWord("WITH")) HF_RETURN_IF_ERROR(ParseWith(*query));
  HF_ASSIGN_OR_RETURN(QueryPtr body, ParseQueryBody());
  HF_RETURN_IF_ERROR(ParseOrderAndLimit(*query));
  scopes_.pop_back();
  const bool is_plain = query->with.empty() && query->order_by.empty() && query->limit == nullptr;
  query->depth = tallest_ + 1;
  if (query->depth > kSyntaxDepthMax) return TooDeep();
  tallest_ = std::max(outer_tallest, query->depth);
  if (IsSymbol("|>")) return UnsupportedError("pipe operator |>", position());
  if (is_plain) {
    body->depth = query->depth;
    return body;
  }
  const bool body_is_plain = body->with.empty() && body->order_by.empty() && body->limit == nullptr;
  if (body_is_plain) {
    query->body = std::move(body->body);
  } else {
    query->body = std::move(body);
  }
  return query;
}

Status Parser::ParseWith(Query& query) {
  Next();
  query.recursive = AcceptWord("RECURSIVE");
  do {
    CommonTable table;
    HF_ASSIGN_OR_RETURN(table.name, ParseIdentifier());
    // A recursive query may name itself and those after it; another only those before.
    if (query.recursive) scopes_.back().common_tables.push_back(table.name.text);
    HF_RETURN_IF_ERROR(ExpectWord("AS"));
    HF_RETURN_IF_ERROR(ExpectSymbol("("));
    if (!AtQuery()) return Unexpected();
    HF_ASSIGN_OR_RETURN(table.query, ParseQuery());
    HF_RETURN_IF_ERROR(ExpectSymbol(")"));
    if (!query.recursive) scopes_.back().common_tables.push_back(table.name.text);
    query.with.push_back(std::move(table));
  } while (AcceptSymbol(","));
  return {};
}

Result<std::string> Parser::ParseSetOperator() {
  std::string word = UpperCase(Next().text);
  if (AcceptWord("ALL")) {
    if (word != "UNION") return UnsupportedError(word + " ALL", tokens_[at_ - 1].position);
    return std::string("UNION ALL");
  }
  HF_RETURN_IF_ERROR(ExpectWord("DISTINCT"));
  return word;
}

Result<QueryPtr> Parser::ParseQueryBody() {
  const Position at = position();
  HF_ASSIGN_OR_RETURN(QueryPtr first, ParseQueryPrimary());
  const auto at_operator = [this] {
    return IsWord("UNION") || IsWord("INTERSECT") || IsWord("EXCEPT");
  };
  if (!at_operator()) return first;
  SetOperation operation;
  operation.operands.push_back(std::move(first));
  while (at_operator()) {
    const Position operator_position = position();
    HF_ASSIGN_OR_RETURN(const std::string word, ParseSetOperator());
    if (!operation.operation.empty() && operation.operation != word) {
      return SyntaxError(
          "Different set operations cannot be used in the same query without using "
          "parentheses for grouping",
          operator_position);
    }
    operation.operation = word;
    if (AcceptWord("BY") || IsWord("CORRESPONDING") || IsWord("STRICT")) {
      return UnsupportedError("set operation BY NAME", operator_position);
    }
    HF_ASSIGN_OR_RETURN(QueryPtr next, ParseQueryPrimary());
    operation.operands.push_back(std::move(next));
  }
  if (operation.operation == "EXCEPT" && operation.operands.size() > 2) {
    return SyntaxError("EXCEPT must be followed by parentheses if it is used more than once", at);
  }
  auto query = std::make_unique<Query>();
  query->position = at;
  query->body = std::move(operation);
  return query;
}

Result<QueryPtr> Parser::ParseQueryPrimary() {
  if (IsSymbol("(")) {
    Next();
    HF_ASSIGN_OR_RETURN(QueryPtr query, ParseQuery());
    HF_RETURN_IF_ERROR(ExpectSymbol(")"));
    return query;
  }
  if (IsWord("FROM")) return UnsupportedError("query that starts with FROM", position());
  if (!IsWord("SELECT")) return Unexpected();
  auto query = std::make_unique<Query>();
  query->position = position();
  HF_ASSIGN_OR_RETURN(query->body, ParseSelect());
  return query;
}

size_t Parser::FindFrom() const {
  int brackets = 0;
  for (size_t i = at_; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.kind == TokenKind::kSymbol) {
      if (token.text == "(" || token.text == "[") ++brackets;
      if (token.text == ")" || token.text == "]") --brackets;
      if (brackets < 0 || token.text == ";") return 0;
    }
    if (brackets > 0 || token.kind != TokenKind::kIdentifier) continue;
    if (i > at_ && SameWord(token.text, "SELECT")) return 0;
    const bool is_distinct_from = i > 0 && SameWord(tokens_[i - 1].text, "DISTINCT");
    if (SameWord(token.text, "FROM") && !is_distinct_from && tokens_[i - 1].text != ".") return i;
  }
  return 0;
}

// FROM is read before the list: whether `FROM a.b` in a subquery of the list is a table or an array
// depends on what FROM names.
Result<Select> Parser::ParseSelect() {
  Select select;
  select.position = position();
  Next();
  const size_t list = at_;
  const size_t from = FindFrom();
  scopes_.emplace_back();
  size_t behind_from = 0;
  if (from != 0) {
    at_ = from + 1;
    HF_ASSIGN_OR_RETURN(select.from, ParseFrom());
    behind_from = at_;
    at_ = list;
  }
  HF_RETURN_IF_ERROR(ParseSelectList(select));
  if (from != 0) {
    if (at_ != from) return Expected("keyword FROM or \",\"");
    at_ = behind_from;
  }
  HF_RETURN_IF_ERROR(ParseSelectClauses(select));
  scopes_.pop_back();
  return select;
}

Status Parser::ParseSelectList(Select& select) {
  if (IsWord("WITH")) return UnsupportedError("SELECT WITH", position());
  select.distinct = AcceptWord("DISTINCT");
  if (!select.distinct) AcceptWord("ALL");
  if (AcceptWord("AS")) {
    if (AcceptWord("STRUCT")) {
      select.as = Select::As::kStruct;
    } else if (AcceptWord("VALUE")) {
      select.as = Select::As::kValue;
    } else {
      return UnsupportedError("SELECT AS type", position());
    }
  }
  do {
    if (!select.items.empty() && (IsWord("FROM") || Peek().kind == TokenKind::kEnd)) break;
    HF_ASSIGN_OR_RETURN(SelectItem item, ParseSelectItem());
    select.items.push_back(std::move(item));
  } while (AcceptSymbol(","));
  return {};
}

Result<SelectItem> Parser::ParseSelectItem() {
  SelectItem item;
  item.position = position();
  if (AcceptSymbol("*")) {
    item.star = true;
    HF_RETURN_IF_ERROR(ParseStarModifiers(item));
    return item;
  }
  HF_ASSIGN_OR_RETURN(item.expression, ParseExpression());
  if (IsSymbol(".") && IsSymbol("*", 1)) {
    Next();
    Next();
    item.star = true;
    HF_RETURN_IF_ERROR(ParseStarModifiers(item));
    return item;
  }
  HF_ASSIGN_OR_RETURN(item.alias, ParseOptionalAlias(false));
  return item;
}

Status Parser::ParseStarModifiers(SelectItem& item) {
  if (IsWord("EXCEPT") && IsSymbol("(", 1)) {
    Next();
    HF_ASSIGN_OR_RETURN(item.except, ParseColumnList());
  }
  if (!IsWord("REPLACE") || !IsSymbol("(", 1)) return {};
  Next();
  Next();
  do {
    HF_ASSIGN_OR_RETURN(ExpressionPtr value, ParseExpression());
    AcceptWord("AS");
    HF_ASSIGN_OR_RETURN(Identifier name, ParseIdentifier());
    item.replace.emplace_back(std::move(value), std::move(name));
  } while (AcceptSymbol(","));
  return ExpectSymbol(")");
}

Status Parser::ParseSelectClauses(Select& select) {
  if (AcceptWord("WHERE")) {
    HF_ASSIGN_OR_RETURN(select.where, ParseExpression());
  }
  if (AcceptWords({"GROUP", "BY"})) {
    HF_ASSIGN_OR_RETURN(select.group_by, ParseGroupBy());
  }
  if (AcceptWord("HAVING")) {
    HF_ASSIGN_OR_RETURN(select.having, ParseExpression());
  }
  if (AcceptWord("QUALIFY")) {
    HF_ASSIGN_OR_RETURN(select.qualify, ParseExpression());
  }
  if (!AcceptWord("WINDOW")) return {};
  do {
    HF_ASSIGN_OR_RETURN(Identifier name, ParseIdentifier());
    HF_RETURN_IF_ERROR(ExpectWord("AS"));
    HF_ASSIGN_OR_RETURN(Window window, ParseWindow());
    select.windows.push_back({std::move(name), std::move(window)});
  } while (AcceptSymbol(","));
  return {};
}

Result<GroupBy> Parser::ParseGroupBy() {
  GroupBy group;
  if (AcceptWord("ALL")) {
    group.kind = GroupBy::Kind::kAll;
    return group;
  }
  if (IsWord("GROUPING")) return UnsupportedError("GROUPING SETS", position());
  const bool is_rollup = IsWord("ROLLUP") && IsSymbol("(", 1);
  const bool is_cube = IsWord("CUBE") && IsSymbol("(", 1);
  if (is_rollup || is_cube) {
    group.kind = is_rollup ? GroupBy::Kind::kRollup : GroupBy::Kind::kCube;
    Next();
    Next();
  }
  HF_ASSIGN_OR_RETURN(group.expressions, ParseExpressionList());
  if (is_rollup || is_cube) HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  return group;
}

Status Parser::ParseOrderAndLimit(Query& query) {
  if (AcceptWords({"ORDER", "BY"})) {
    HF_ASSIGN_OR_RETURN(query.order_by, ParseOrderItems());
  }
  if (!AcceptWord("LIMIT")) return {};
  HF_ASSIGN_OR_RETURN(query.limit, ParseExpression());
  if (AcceptWord("OFFSET")) {
    HF_ASSIGN_OR_RETURN(query.offset, ParseExpression());
  }
  return {};
}

}  // namespace holdfast::googlesql
