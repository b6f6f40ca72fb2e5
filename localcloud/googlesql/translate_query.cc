#include <fmt/format.h>

#include <algorithm>

#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

// The columns of a query as the only things in sight of its ORDER BY.
RangeVariable QueryVariable(const QuerySql& query, const std::string& alias) {
  RangeVariable variable;
  for (const OutputColumn& column : query.columns) {
    variable.columns.push_back({column.name,
                                fmt::format("{}.{}", QuoteName(alias), QuoteName(column.duck_name)),
                                column.type, kNoRelation});
  }
  return variable;
}

}  // namespace

std::string Translator::NewName(std::string_view wanted) {
  std::string name(wanted);
  for (int n = 2; !names_.insert(LowerCase(name)).second; ++n)
    name = fmt::format("{}_{}", wanted, n);
  return name;
}

std::string Translator::NewRelation(RelationRef ref) {
  std::string name;
  for (size_t n = relations_.size(); name.empty(); ++n) {
    name = fmt::format("t{}", n);
    if (!names_.insert(name).second) name.clear();
  }
  relations_.push_back({.name = name, .ref = std::move(ref)});
  return name;
}

const Translator::CommonTableEntry* Translator::FindCommonTable(std::string_view name) const {
  const auto found =
      std::find_if(common_tables_.rbegin(), common_tables_.rend(),
                   [name](const CommonTableEntry& e) { return SameWord(e.name, name); });
  return found == common_tables_.rend() ? nullptr : &*found;
}

Result<std::string> Translator::LimitCount(const Expression& expression, std::string_view clause) {
  const bool is_parameter = std::holds_alternative<Parameter>(expression.node);
  const auto* const number = std::get_if<NumberLiteral>(&expression.node);
  const bool is_count = number != nullptr && !number->is_float && !number->text.starts_with('-');
  if (!is_parameter && !is_count) {
    return SyntaxError(fmt::format("{} expects an integer literal or parameter", clause),
                       expression.position);
  }
  HF_ASSIGN_OR_RETURN(const TypedSql value, TranslateExpression(expression, {}));
  if (value.type.kind != TypeKind::kInt64) {
    return QueryError(fmt::format("{} expects an INT64 parameter", clause), expression.position);
  }
  return value.sql;
}

Result<std::string> Translator::TranslateLimit(const Query& query) {
  std::string sql;
  if (query.limit != nullptr) {
    HF_ASSIGN_OR_RETURN(const std::string count, LimitCount(*query.limit, "LIMIT"));
    sql += " LIMIT " + count;
  }
  if (query.offset != nullptr) {
    HF_ASSIGN_OR_RETURN(const std::string count, LimitCount(*query.offset, "OFFSET"));
    sql += " OFFSET " + count;
  }
  return sql;
}

Result<QuerySql> Translator::TranslateQuery(const Query& query, const Scope* outer) {
  const size_t tables_before = common_tables_.size();
  HF_ASSIGN_OR_RETURN(const std::string with, TranslateWith(query, outer));
  HF_ASSIGN_OR_RETURN(const std::string limit, TranslateLimit(query));
  QuerySql result;
  if (const auto* const select = std::get_if<Select>(&query.body)) {
    HF_ASSIGN_OR_RETURN(result, TranslateSelect(*select, query.order_by, outer));
  } else {
    if (const auto* const inner = std::get_if<QueryPtr>(&query.body)) {
      HF_ASSIGN_OR_RETURN(result, TranslateQuery(**inner, outer));
      result.sql = fmt::format("({})", result.sql);
    } else {
      HF_ASSIGN_OR_RETURN(
          result, TranslateSetOperation(std::get<SetOperation>(query.body), outer, query.position));
    }
    if (!query.order_by.empty()) {
      HF_ASSIGN_OR_RETURN(result, OrderedQuery(std::move(result), query.order_by));
    }
  }
  common_tables_.resize(tables_before);
  result.sql = with + result.sql + limit;
  return result;
}

// ORDER BY behind a set operation sees the columns of its result alone.
Result<QuerySql> Translator::OrderedQuery(QuerySql query, const std::vector<OrderItem>& order_by) {
  const std::string alias = NewName("q");
  Scope scope;
  scope.variables.push_back(QueryVariable(query, alias));
  scope.columns = scope.variables.front().columns;
  SelectList list;
  for (const Column& column : scope.columns) {
    TypedSql value;
    value.sql = column.sql;
    value.type = column.type;
    list.emplace_back(column.name, std::move(value));
  }
  ExpressionContext context;
  context.scope = &scope;
  context.clause = "ORDER BY clause";
  HF_ASSIGN_OR_RETURN(const std::string order, OrderBySql(order_by, list, context));
  query.sql = fmt::format("SELECT * FROM ({}) AS {}{}", query.sql, QuoteName(alias), order);
  return query;
}

Result<std::string> Translator::TranslateWith(const Query& query, const Scope* outer) {
  if (query.with.empty()) return std::string();
  std::string sql = query.recursive ? "WITH RECURSIVE " : "WITH ";
  bool first = true;
  for (const CommonTable& table : query.with) {
    const bool repeated =
        std::count_if(query.with.begin(), query.with.end(), [&](const CommonTable& t) {
          return SameWord(t.name.text, table.name.text);
        }) > 1;
    if (repeated) {
      return QueryError(fmt::format("Duplicate alias {} for WITH subquery", table.name.text),
                        table.name.position);
    }
    std::string body;
    HF_ASSIGN_OR_RETURN(CommonTableEntry entry,
                        TranslateCommonTable(table, query.recursive, outer, body));
    sql += fmt::format("{}{} AS ({})", first ? "" : ", ", QuoteName(entry.duck_name), body);
    first = false;
    common_tables_.push_back(std::move(entry));
  }
  return sql + " ";
}

// `sql` gets the body. The first operand of a recursive UNION gives the columns that the others
// see.
Result<Translator::CommonTableEntry> Translator::TranslateCommonTable(const CommonTable& table,
                                                                      bool recursive,
                                                                      const Scope* outer,
                                                                      std::string& sql) {
  CommonTableEntry entry{table.name.text, NewName(table.name.text), {}};
  const auto* const operation = std::get_if<SetOperation>(&table.query->body);
  const bool is_plain =
      table.query->with.empty() && table.query->order_by.empty() && table.query->limit == nullptr;
  if (recursive && operation != nullptr && is_plain && operation->operation.starts_with("UNION")) {
    HF_ASSIGN_OR_RETURN(const QuerySql anchor, TranslateQuery(*operation->operands.front(), outer));
    entry.columns = anchor.columns;
    common_tables_.push_back(entry);
    sql = fmt::format("({})", anchor.sql);
    for (size_t i = 1; i < operation->operands.size(); ++i) {
      HF_ASSIGN_OR_RETURN(const QuerySql operand, TranslateQuery(*operation->operands[i], outer));
      HF_ASSIGN_OR_RETURN(
          const std::string typed,
          OperandWithTypes(operand, anchor.columns, operation->operands[i]->position));
      sql += fmt::format(" {} ({})", operation->operation, typed);
    }
    common_tables_.pop_back();
    return entry;
  }
  HF_ASSIGN_OR_RETURN(const QuerySql query, TranslateQuery(*table.query, outer));
  sql = query.sql;
  entry.columns = query.columns;
  return entry;
}

Result<std::string> Translator::OperandWithTypes(const QuerySql& operand,
                                                 const std::vector<OutputColumn>& columns,
                                                 Position position) {
  bool same = true;
  std::string list;
  for (size_t i = 0; i < columns.size(); ++i) {
    TypedSql value;
    value.sql = "q." + QuoteName(operand.columns[i].duck_name);
    value.type = operand.columns[i].type;
    value.literal = operand.columns[i].type.kind == TypeKind::kNull;
    const auto coerced = Coerce(value, columns[i].type);
    if (!coerced) {
      return QueryError(fmt::format("Column {} of a set operation has incompatible types: {}, {}",
                                    i + 1, TypeName(columns[i].type), TypeName(value.type)),
                        position);
    }
    same = same && *coerced == value.sql;
    list +=
        fmt::format("{}{} AS {}", i == 0 ? "" : ", ", *coerced, QuoteName(columns[i].duck_name));
  }
  if (same) return operand.sql;
  return fmt::format("SELECT {} FROM ({}) AS q", list, operand.sql);
}

Result<QuerySql> Translator::TranslateSetOperation(const SetOperation& operation,
                                                   const Scope* outer, Position position) {
  std::vector<QuerySql> operands;
  for (const QueryPtr& operand : operation.operands) {
    HF_ASSIGN_OR_RETURN(QuerySql query, TranslateQuery(*operand, outer));
    operands.push_back(std::move(query));
    if (operands.back().columns.size() == operands.front().columns.size()) continue;
    return QueryError(
        fmt::format("Queries in {} have mismatched column count; query 1 has {} columns, "
                    "query {} has {} columns",
                    operation.operation, operands.front().columns.size(), operands.size(),
                    operands.back().columns.size()),
        operand->position);
  }
  QuerySql result;
  result.columns = operands.front().columns;
  for (size_t i = 0; i < result.columns.size(); ++i) {
    std::vector<TypedSql> values;
    for (const QuerySql& operand : operands) {
      TypedSql value;
      value.type = operand.columns[i].type;
      values.push_back(std::move(value));
    }
    HF_ASSIGN_OR_RETURN(
        result.columns[i].type,
        Unify(values, fmt::format("column {} of {}", i + 1, operation.operation), position));
    if (operation.operation != "UNION ALL" && !IsGroupable(result.columns[i].type)) {
      return QueryError(fmt::format("Column {} of type {} cannot be used in {} DISTINCT", i + 1,
                                    TypeName(result.columns[i].type), operation.operation),
                        position);
    }
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    HF_ASSIGN_OR_RETURN(const std::string typed, OperandWithTypes(operands[i], result.columns,
                                                                  operation.operands[i]->position));
    result.sql += fmt::format("{}({})", i == 0 ? "" : " " + operation.operation + " ", typed);
  }
  return result;
}

}  // namespace holdfast::googlesql
