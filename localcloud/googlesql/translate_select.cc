#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "localcloud/googlesql/bounds.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

bool Contains(const std::vector<Identifier>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](const Identifier& entry) { return SameWord(entry.text, name); });
}

}  // namespace

Result<std::string> Translator::Condition(const Expression& expression,
                                          const ExpressionContext& context) {
  HF_ASSIGN_OR_RETURN(const TypedSql value, TranslateExpression(expression, context));
  if (value.type.kind == kBool || value.type.kind == kNull) return value.sql;
  return QueryError(fmt::format("{} should return type BOOL, but returns {}", context.clause,
                                TypeName(value.type)),
                    expression.position);
}

Result<std::vector<Column>> Translator::StarColumns(const SelectItem& item,
                                                    const ExpressionContext& context) {
  if (item.expression == nullptr) {
    if (context.scope->variables.empty()) {
      return QueryError("SELECT * must have a FROM clause", item.position);
    }
    return context.scope->columns;
  }
  if (const auto* const name = std::get_if<Name>(&item.expression->node)) {
    for (const Scope* scope = context.scope; scope != nullptr; scope = scope->outer) {
      const RangeVariable* const variable = scope->FindVariable(name->text);
      if (variable != nullptr) return variable->columns;
    }
  }
  HF_ASSIGN_OR_RETURN(const TypedSql base, TranslateExpression(*item.expression, context));
  if (base.type.kind != kStruct) {
    return QueryError(fmt::format("Dot-star is not supported for type {}", TypeName(base.type)),
                      item.position);
  }
  std::vector<Column> columns;
  for (size_t i = 0; i < base.type.members.size(); ++i) {
    const StructMember& member = base.type.members[i];
    columns.push_back(
        {member.name,
         fmt::format("struct_extract({}, {})", base.sql, QuoteText(MemberName(member, i))),
         member.type, kNoRelation, kNoFilter});
  }
  return columns;
}

Status Translator::ExpandStar(const SelectItem& item, const ExpressionContext& context,
                              SelectList& list) {
  HF_ASSIGN_OR_RETURN(const std::vector<Column> columns, StarColumns(item, context));
  for (const Identifier& name : item.except) {
    if (FindColumn(columns, name.text).column == nullptr) {
      return QueryError(fmt::format("Column {} in SELECT * EXCEPT list does not exist", name.text),
                        name.position);
    }
  }
  for (const auto& [expression, name] : item.replace) {
    if (FindColumn(columns, name.text).column == nullptr) {
      return QueryError(fmt::format("Column {} in SELECT * REPLACE list does not exist", name.text),
                        name.position);
    }
  }
  const size_t before = list.size();
  for (const Column& column : columns) {
    if (Contains(item.except, column.name)) continue;
    TypedSql value;
    value.sql = column.sql;
    value.type = column.type;
    value.filter = column.filter;
    for (const auto& [expression, name] : item.replace) {
      if (!SameWord(name.text, column.name)) continue;
      HF_ASSIGN_OR_RETURN(value, TranslateExpression(*expression, context));
    }
    list.emplace_back(column.name, std::move(value));
  }
  if (list.size() == before) return QueryError("SELECT * expands to zero columns", item.position);
  return {};
}

Result<Translator::SelectList> Translator::TranslateSelectList(const Select& select,
                                                               const ExpressionContext& context) {
  SelectList list;
  for (const SelectItem& item : select.items) {
    if (item.star) {
      HF_RETURN_IF_ERROR(ExpandStar(item, context, list));
      continue;
    }
    HF_ASSIGN_OR_RETURN(TypedSql value, TranslateExpression(*item.expression, context));
    if (value.type.kind == kDuration) {
      return UnsupportedError("INTERVAL as a column", item.position);
    }
    std::string name = item.alias ? item.alias->text : value.name;
    list.emplace_back(std::move(name), std::move(value));
  }
  if (select.distinct) {
    for (const auto& [name, value] : list) {
      if (IsGroupable(value.type)) continue;
      return QueryError(fmt::format("Column {} of type {} cannot be used in SELECT DISTINCT", name,
                                    TypeName(value.type)),
                        select.position);
    }
  }
  return list;
}

std::vector<OutputColumn> Translator::OutputColumns(const SelectList& list) const {
  std::vector<OutputColumn> columns;
  std::set<std::string> used;
  for (const auto& [name, value] : list) used.insert(LowerCase(name));
  std::set<std::string> taken;
  size_t anonymous = 0;
  for (const auto& [name, value] : list) {
    std::string duck_name = name;
    for (size_t n = 0; duck_name.empty() || taken.count(LowerCase(duck_name)) > 0; ++n) {
      duck_name =
          name.empty() ? fmt::format("f{}_", anonymous + n) : fmt::format("{}_{}", name, n + 1);
      if (used.count(LowerCase(duck_name)) > 0) duck_name.clear();
    }
    anonymous += name.empty() ? 1 : 0;
    taken.insert(LowerCase(duck_name));
    columns.push_back({name, std::move(duck_name), value.type, value.filter});
  }
  return columns;
}

// The one value that a row of SELECT AS STRUCT or AS VALUE is.
Result<TypedSql> Translator::RowValue(const Select& select, const SelectList& list) const {
  if (select.as == Select::As::kValue) {
    if (list.size() == 1) return list.front().second;
    return QueryError("SELECT AS VALUE query must have exactly one column", select.position);
  }
  TypedSql row;
  row.type.kind = kStruct;
  std::string packed;
  for (size_t i = 0; i < list.size(); ++i) {
    row.type.members.push_back({list[i].first, list[i].second.type});
    packed += fmt::format("{}{} := {}", i == 0 ? "" : ", ",
                          QuoteName(MemberName(row.type.members.back(), i)), list[i].second.sql);
  }
  row.sql = fmt::format("struct_pack({})", packed);
  return row;
}

Result<std::optional<size_t>> Translator::ListOrdinal(const Expression& expression,
                                                      const SelectList& list) const {
  if (const auto* const number = std::get_if<NumberLiteral>(&expression.node)) {
    if (number->is_float) return std::optional<size_t>();
    size_t ordinal = 0;
    std::from_chars(number->text.data(), number->text.data() + number->text.size(), ordinal);
    if (ordinal < 1 || ordinal > list.size()) {
      return QueryError(fmt::format("Column number item is out of range: {} of {} columns",
                                    number->text, list.size()),
                        expression.position);
    }
    return std::optional(ordinal);
  }
  const auto* const name = std::get_if<Name>(&expression.node);
  if (name == nullptr) return std::optional<size_t>();
  std::optional<size_t> found;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i].first.empty() || !SameWord(list[i].first, name->text)) continue;
    if (found && list[*found - 1].second.sql != list[i].second.sql) {
      return QueryError(fmt::format("Name {} is ambiguous in the SELECT list", name->text),
                        expression.position);
    }
    found = i + 1;
  }
  return found;
}

Result<std::string> Translator::GroupBySql(const GroupBy& group, const SelectList& list,
                                           bool by_ordinal, const ExpressionContext& context) {
  if (group.kind == GroupBy::Kind::kAll) return std::string(" GROUP BY ALL");
  std::string keys;
  for (const ExpressionPtr& expression : group.expressions) {
    HF_ASSIGN_OR_RETURN(const std::optional<size_t> ordinal, ListOrdinal(*expression, list));
    TypedSql key;
    if (ordinal) {
      key = list[*ordinal - 1].second;
      if (by_ordinal && group.kind == GroupBy::Kind::kExpressions)
        key.sql = std::to_string(*ordinal);
    } else {
      HF_ASSIGN_OR_RETURN(key, TranslateExpression(*expression, context));
    }
    if (!IsGroupable(key.type)) {
      return QueryError(
          fmt::format("Grouping by expressions of type {} is not allowed", TypeName(key.type)),
          expression->position);
    }
    keys += (keys.empty() ? "" : ", ") + key.sql;
  }
  if (group.kind == GroupBy::Kind::kRollup) return fmt::format(" GROUP BY ROLLUP ({})", keys);
  if (group.kind == GroupBy::Kind::kCube) return fmt::format(" GROUP BY CUBE ({})", keys);
  return " GROUP BY " + keys;
}

Status Translator::CheckGrouped(const Select& select, const SelectList& list,
                                const ExpressionContext& context) {
  GroupCheck check{.scope = context.scope, .keys = {}, .ungrouped = {}};
  // What this translates once more was translated, and its subqueries checked, before: only the
  // columns are looked at, and what the translation adds is taken back.
  checking_groups_ = true;
  const std::vector<Relation> relations = relations_;
  const std::set<std::string> names = names_;
  if (select.group_by) {
    for (const ExpressionPtr& expression : select.group_by->expressions) {
      HF_ASSIGN_OR_RETURN(const std::optional<size_t> ordinal, ListOrdinal(*expression, list));
      TypedSql key;
      if (ordinal) {
        key = list[*ordinal - 1].second;
      } else {
        HF_ASSIGN_OR_RETURN(key, TranslateExpression(*expression, context));
      }
      check.keys.insert(key.sql);
    }
  }
  ExpressionContext checked = context;
  checked.groups = &check;
  for (const SelectItem& item : select.items) {
    if (!item.star) {
      HF_RETURN_IF_ERROR(TranslateExpression(*item.expression, checked));
      continue;
    }
    HF_ASSIGN_OR_RETURN(const std::vector<Column> columns, StarColumns(item, context));
    for (const Column& column : columns) {
      if (Contains(item.except, column.name) || check.keys.contains(column.sql)) continue;
      check.ungrouped.emplace_back(column.name, item.position);
    }
  }
  relations_ = relations;
  names_ = names;
  checking_groups_ = false;
  if (check.ungrouped.empty()) return {};
  const auto& [name, position] = check.ungrouped.front();
  return QueryError(fmt::format("SELECT list expression references column {} which is neither "
                                "grouped nor aggregated",
                                name),
                    position);
}

void Translator::NarrowMetadata(const Select& select) {
  const auto* const table = std::get_if<TableItem>(&select.from->node);
  if (table == nullptr || select.where == nullptr || relations_.empty()) return;
  Relation& relation = relations_.back();
  if (relation.ref.kind == RelationKind::kTable) return;
  const std::string_view column =
      relation.ref.kind == RelationKind::kTablesMetadata ? "table_id" : "table_name";
  std::vector<const Expression*> terms;
  const auto* const chain = std::get_if<Chain>(&select.where->node);
  if (chain == nullptr) {
    terms.push_back(select.where.get());
  } else if (chain->operation == "AND") {
    for (const ExpressionPtr& term : chain->operands) terms.push_back(term.get());
  }
  for (const Expression* term : terms) {
    const auto* const equal = std::get_if<Binary>(&term->node);
    if (equal == nullptr || equal->operation != "=") continue;
    const auto* name = std::get_if<Name>(&equal->left->node);
    if (name == nullptr || !SameWord(name->text, column)) continue;
    if (const auto* const text = std::get_if<StringLiteral>(&equal->right->node)) {
      relation.only_table = text->value;
    } else if (const auto* const parameter = std::get_if<Parameter>(&equal->right->node)) {
      relation.only_table_parameter = FindParameter(*parameter);
    }
  }
}

void Translator::NoteBounds(const Select& select, const Scope& scope) {
  if (select.from == nullptr || select.where == nullptr) return;
  for (RelationBound& found :
       BoundsOf(*select.where, scope, HasOuterJoin(*select.from), options_.now_us)) {
    relations_[found.relation].bounds.push_back(std::move(found.bound));
  }
}

// WHERE to QUALIFY. The list's aliases are seen by HAVING and QUALIFY, not by WHERE.
Result<std::string> Translator::SelectClauses(const Select& select, const SelectList& list,
                                              const ExpressionContext& context) {
  std::string sql;
  ExpressionContext inner = context;
  inner.allows_aggregates = false;
  inner.allows_windows = false;
  if (select.where != nullptr) {
    inner.clause = kWhereClause;
    HF_ASSIGN_OR_RETURN(const std::string condition, Condition(*select.where, inner));
    sql += " WHERE " + condition;
  }
  if (select.group_by) {
    inner.clause = "GROUP BY clause";
    HF_ASSIGN_OR_RETURN(const std::string group,
                        GroupBySql(*select.group_by, list, select.as == Select::As::kRow, inner));
    sql += group;
  }
  inner.aliases = &list;
  inner.allows_aggregates = true;
  if (select.having != nullptr) {
    inner.clause = "HAVING clause";
    HF_ASSIGN_OR_RETURN(const std::string condition, Condition(*select.having, inner));
    sql += " HAVING " + condition;
  }
  if (select.qualify != nullptr) {
    inner.clause = "QUALIFY clause";
    inner.allows_windows = true;
    HF_ASSIGN_OR_RETURN(const std::string condition, Condition(*select.qualify, inner));
    sql += " QUALIFY " + condition;
  }
  return sql;
}

Result<std::string> Translator::OrderBySql(const std::vector<OrderItem>& items,
                                           const SelectList& list,
                                           const ExpressionContext& context) {
  std::string sql;
  for (const OrderItem& item : items) {
    HF_ASSIGN_OR_RETURN(const std::optional<size_t> ordinal, ListOrdinal(*item.expression, list));
    std::string key;
    Type type;
    if (ordinal) {
      key = std::to_string(*ordinal);
      type = list[*ordinal - 1].second.type;
    } else {
      HF_ASSIGN_OR_RETURN(const TypedSql value, TranslateExpression(*item.expression, context));
      key = value.sql;
      type = value.type;
    }
    HF_RETURN_IF_ERROR(CheckOrderable(type, "ORDER BY", item.expression->position));
    sql += fmt::format("{}{}{}", sql.empty() ? "" : ", ", key, OrderDirection(item));
  }
  return sql.empty() ? sql : " ORDER BY " + sql;
}

Result<QuerySql> Translator::TranslateSelect(const Select& select,
                                             const std::vector<OrderItem>& order_by,
                                             const Scope* outer) {
  FromSql from;
  from.scope.outer = outer;
  const int aggregates_around = std::exchange(aggregates_, 0);
  if (select.from != nullptr) {
    const size_t relations = relations_.size();
    HF_ASSIGN_OR_RETURN(from, TranslateFrom(*select.from, outer));
    from.scope.outer = outer;
    if (relations_.size() == relations + 1) NarrowMetadata(select);
  }
  ExpressionContext context;
  context.scope = &from.scope;
  context.clause = "SELECT list";
  context.allows_aggregates = true;
  context.allows_windows = true;
  context.windows = &select.windows;
  HF_ASSIGN_OR_RETURN(const SelectList list, TranslateSelectList(select, context));
  HF_ASSIGN_OR_RETURN(const std::string clauses, SelectClauses(select, list, context));
  NoteBounds(select, from.scope);
  const bool by_all = select.group_by && select.group_by->kind == GroupBy::Kind::kAll;
  if ((select.group_by || aggregates_ > 0) && !by_all && !checking_groups_) {
    HF_RETURN_IF_ERROR(CheckGrouped(select, list, context));
  }
  aggregates_ = aggregates_around;
  ExpressionContext order_context = context;
  order_context.aliases = &list;
  order_context.clause = "ORDER BY clause";
  const bool as_row = select.as == Select::As::kRow;
  SelectList output = list;
  if (!as_row) {
    HF_ASSIGN_OR_RETURN(TypedSql row, RowValue(select, list));
    output = {{std::string(), std::move(row)}};
  }
  HF_ASSIGN_OR_RETURN(const std::string order,
                      OrderBySql(order_by, as_row ? list : SelectList{}, order_context));
  QuerySql query;
  query.is_value_table = !as_row;
  query.columns = OutputColumns(output);
  query.sql = select.distinct ? "SELECT DISTINCT " : "SELECT ";
  for (size_t i = 0; i < output.size(); ++i) {
    query.sql += fmt::format("{}{} AS {}", i == 0 ? "" : ", ", output[i].second.sql,
                             QuoteName(query.columns[i].duck_name));
  }
  if (select.from != nullptr) query.sql += " FROM " + from.sql;
  query.sql += clauses + order;
  return query;
}

}  // namespace holdfast::googlesql
