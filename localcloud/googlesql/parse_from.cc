#include <fmt/format.h>

#include <algorithm>

#include "localcloud/googlesql/parser_internal.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {

bool Parser::IsCommonTable(std::string_view name) const {
  return std::any_of(scopes_.begin(), scopes_.end(), [name](const NameScope& scope) {
    return std::any_of(scope.common_tables.begin(), scope.common_tables.end(),
                       [name](const std::string& table) { return SameWord(table, name); });
  });
}

bool Parser::IsAlias(std::string_view name) const {
  return std::any_of(scopes_.begin(), scopes_.end(), [name](const NameScope& scope) {
    return std::any_of(scope.aliases.begin(), scope.aliases.end(),
                       [name](const std::string& alias) { return SameWord(alias, name); });
  });
}

void Parser::NameAlias(const std::optional<Identifier>& alias) {
  if (alias) scopes_.back().aliases.push_back(alias->text);
}

Result<FromItemPtr> Parser::ParseFrom() {
  HF_ASSIGN_OR_RETURN(FromItemPtr item, ParseJoined());
  while (IsSymbol(",")) {
    const Position at = position();
    Next();
    HF_ASSIGN_OR_RETURN(FromItemPtr right, ParseJoined());
    JoinItem join;
    join.kind = JoinItem::Kind::kCross;
    join.left = std::move(item);
    join.right = std::move(right);
    HF_ASSIGN_OR_RETURN(item, MakeJoin(std::move(join), at));
  }
  return item;
}

Result<FromItemPtr> Parser::MakeJoin(JoinItem join, Position at) {
  auto item = std::make_unique<FromItem>();
  item->position = at;
  item->depth = 1 + std::max(join.left->depth, join.right->depth);
  if (item->depth > kSyntaxDepthMax) return TooDeep();
  tallest_ = std::max(tallest_, item->depth);
  item->node = std::move(join);
  return item;
}

Result<std::optional<JoinItem::Kind>> Parser::ParseJoinKind() {
  using Kind = JoinItem::Kind;
  if (IsWord("NATURAL")) return UnsupportedError("NATURAL JOIN", position());
  std::optional<Kind> kind;
  if (IsWord("JOIN")) kind = Kind::kInner;
  if (AcceptWord("INNER")) kind = Kind::kInner;
  if (AcceptWord("CROSS")) kind = Kind::kCross;
  if (IsWord("LEFT") || IsWord("RIGHT") || IsWord("FULL")) {
    kind = IsWord("LEFT") ? Kind::kLeft : IsWord("RIGHT") ? Kind::kRight : Kind::kFull;
    Next();
    AcceptWord("OUTER");
  }
  if (!kind) return kind;
  HF_RETURN_IF_ERROR(ExpectWord("JOIN"));
  return kind;
}

Result<FromItemPtr> Parser::ParseJoined() {
  HF_ASSIGN_OR_RETURN(FromItemPtr item, ParseFromPrimary());
  while (true) {
    HF_RETURN_IF_ERROR(RejectTableOperators());
    const Position at = position();
    HF_ASSIGN_OR_RETURN(const std::optional<JoinItem::Kind> kind, ParseJoinKind());
    if (!kind) return item;
    JoinItem join;
    join.kind = *kind;
    join.left = std::move(item);
    HF_ASSIGN_OR_RETURN(join.right, ParseFromPrimary());
    if (AcceptWord("ON")) {
      HF_ASSIGN_OR_RETURN(join.on, ParseExpression());
    } else if (AcceptWord("USING")) {
      HF_ASSIGN_OR_RETURN(join.using_columns, ParseColumnList());
    }
    const bool has_condition = join.on != nullptr || !join.using_columns.empty();
    const bool is_array = std::holds_alternative<UnnestItem>(join.right->node) ||
                          (std::holds_alternative<TableItem>(join.right->node) &&
                           std::get<TableItem>(join.right->node).is_array);
    if (join.kind == JoinItem::Kind::kCross && has_condition) {
      return SyntaxError("CROSS JOIN must not have an ON or USING clause", at);
    }
    if (join.kind != JoinItem::Kind::kCross && !has_condition && !is_array) {
      return SyntaxError("JOIN must have an immediately following ON or USING clause", at);
    }
    HF_ASSIGN_OR_RETURN(item, MakeJoin(std::move(join), at));
  }
}

Status Parser::RejectTableOperators() const {
  for (const std::string_view word : {"PIVOT", "UNPIVOT", "TABLESAMPLE", "MATCH_RECOGNIZE"}) {
    if (IsWord(word) && (IsSymbol("(", 1) || word == "TABLESAMPLE")) {
      return UnsupportedError(word, position());
    }
  }
  return {};
}

// Whether the parenthesis here holds a query: `((SELECT 1) UNION ALL ...)` does, while
// `((SELECT 1) AS a JOIN b ...)` holds a join. What follows the inner parenthesis tells.
bool Parser::AtSubquery() const {
  if (!AtQuery(1) || !IsSymbol("(", 1)) return AtQuery(1);
  int open = 0;
  size_t ahead = 1;
  for (; at_ + ahead < tokens_.size(); ++ahead) {
    if (IsSymbol("(", ahead)) ++open;
    if (IsSymbol(")", ahead) && --open == 0) break;
  }
  ++ahead;
  return IsSymbol(")", ahead) || IsWord("UNION", ahead) || IsWord("INTERSECT", ahead) ||
         IsWord("EXCEPT", ahead) || IsWord("ORDER", ahead) || IsWord("LIMIT", ahead);
}

Result<FromItemPtr> Parser::ParseFromPrimary() {
  const Level level(depth_);
  if (level.too_deep()) return TooDeep();
  if (IsWord("UNNEST") && IsSymbol("(", 1)) return ParseUnnest();
  if (!IsSymbol("(")) return ParseTableItem();
  if (!AtSubquery()) {
    Next();
    HF_ASSIGN_OR_RETURN(FromItemPtr inner, ParseFrom());
    HF_RETURN_IF_ERROR(ExpectSymbol(")"));
    return inner;
  }
  auto item = std::make_unique<FromItem>();
  item->position = position();
  Next();
  SubqueryItem subquery;
  HF_ASSIGN_OR_RETURN(subquery.query, ParseQuery());
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  item->node = std::move(subquery);
  HF_RETURN_IF_ERROR(RejectTableOperators());
  HF_ASSIGN_OR_RETURN(item->alias, ParseOptionalAlias(false));
  NameAlias(item->alias);
  return item;
}

Result<ExpressionPtr> Parser::ParseSystemTime() {
  if (!IsWord("FOR") || !(IsWord("SYSTEM_TIME", 1) || IsWord("SYSTEM", 1))) return ExpressionPtr();
  Next();
  if (!AcceptWord("SYSTEM_TIME")) {
    Next();
    HF_RETURN_IF_ERROR(ExpectWord("TIME"));
  }
  HF_RETURN_IF_ERROR(ExpectWord("AS"));
  HF_RETURN_IF_ERROR(ExpectWord("OF"));
  return ParseExpression();
}

Result<FromItemPtr> Parser::ParseTableItem() {
  auto item = std::make_unique<FromItem>();
  item->position = position();
  TableItem table;
  HF_ASSIGN_OR_RETURN(table.path, ParsePathName());
  if (IsSymbol("(")) {
    return UnsupportedError(fmt::format("table function {}", table.path.ToString()),
                            item->position);
  }
  table.is_array = table.path.parts.size() > 1 && IsAlias(table.path.parts.front().text);
  const bool is_common = table.path.parts.size() == 1 && IsCommonTable(table.path.parts[0].text);
  if (!table.is_array && !is_common) table_paths_.push_back(table.path);
  HF_RETURN_IF_ERROR(RejectTableOperators());
  HF_ASSIGN_OR_RETURN(item->alias, ParseOptionalAlias(false));
  if (table.is_array) HF_RETURN_IF_ERROR(ParseWithOffset(table.with_offset, table.offset_alias));
  HF_ASSIGN_OR_RETURN(table.as_of, ParseSystemTime());
  if (!item->alias) item->alias = table.path.parts.back();
  NameAlias(item->alias);
  item->node = std::move(table);
  return item;
}

Result<FromItemPtr> Parser::ParseUnnest() {
  auto item = std::make_unique<FromItem>();
  item->position = position();
  Next();
  HF_RETURN_IF_ERROR(ExpectSymbol("("));
  UnnestItem unnest;
  HF_ASSIGN_OR_RETURN(unnest.array, ParseExpression());
  if (IsSymbol(",")) return UnsupportedError("UNNEST of several arrays", position());
  HF_RETURN_IF_ERROR(ExpectSymbol(")"));
  HF_ASSIGN_OR_RETURN(item->alias, ParseOptionalAlias(false));
  HF_RETURN_IF_ERROR(ParseWithOffset(unnest.with_offset, unnest.offset_alias));
  NameAlias(item->alias);
  item->node = std::move(unnest);
  return item;
}

Status Parser::ParseWithOffset(bool& with_offset, std::optional<Identifier>& alias) {
  if (!IsWord("WITH") || !IsWord("OFFSET", 1)) return {};
  Next();
  Next();
  with_offset = true;
  HF_ASSIGN_OR_RETURN(alias, ParseOptionalAlias(false));
  return {};
}

}  // namespace holdfast::googlesql
