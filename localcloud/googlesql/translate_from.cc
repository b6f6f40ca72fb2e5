#include <fmt/format.h>

#include <algorithm>

#include "localcloud/googlesql/constant.h"
#include "localcloud/googlesql/parser.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

std::string Qualified(std::string_view relation, std::string_view column) {
  return fmt::format("{}.{}", QuoteName(relation), QuoteName(column));
}

std::vector<Column> ColumnsOf(const std::vector<Field>& fields, std::string_view relation,
                              size_t pseudo_of) {
  std::vector<Column> columns;
  columns.reserve(fields.size());
  for (const Field& field : fields) {
    columns.push_back({field.name, Qualified(relation, field.name), TypeOfField(field), pseudo_of});
  }
  return columns;
}

Scope ScopeOf(RangeVariable variable) {
  Scope scope;
  scope.columns = variable.columns;
  scope.variables.push_back(std::move(variable));
  return scope;
}

}  // namespace

Result<Translator::FromSql> Translator::TranslateFrom(const FromItem& item, const Scope* outer) {
  return std::visit([&](const auto& node) { return TranslateItem(item, node, outer); }, item.node);
}

Result<Translator::FromSql> Translator::TranslateItem(const FromItem& item, const TableItem& table,
                                                      const Scope* outer) {
  if (table.is_array) return TranslateArrayPath(item, table, outer);
  const std::string& alias = item.alias->text;
  if (table.path.parts.size() == 1) {
    const CommonTableEntry* const common = FindCommonTable(table.path.parts.front().text);
    if (common != nullptr) {
      QuerySql query;
      query.columns = common->columns;
      const std::string name = NewName(alias);
      return QueryRelation(query, alias, name,
                           fmt::format("{} AS {}", QuoteName(common->duck_name), QuoteName(name)));
    }
  }
  return TableRelation(table, alias, item.position);
}

Translator::FromSql Translator::QueryRelation(const QuerySql& query, std::string_view alias,
                                              std::string_view duck_alias, std::string sql) {
  RangeVariable variable;
  variable.alias = alias;
  const bool is_struct = query.is_value_table && query.columns.front().type.kind == kStruct;
  for (const OutputColumn& column : query.columns) {
    const std::string column_sql = Qualified(duck_alias, column.duck_name);
    if (query.is_value_table) {
      TypedSql row;
      row.sql = column_sql;
      row.type = column.type;
      row.name = alias;
      variable.value = std::move(row);
    }
    if (!is_struct) {
      variable.columns.push_back(
          {column.name, column_sql, column.type, kNoRelation, column.filter});
      continue;
    }
    for (size_t i = 0; i < column.type.members.size(); ++i) {
      const StructMember& member = column.type.members[i];
      variable.columns.push_back(
          {member.name,
           fmt::format("struct_extract({}, {})", column_sql, QuoteText(MemberName(member, i))),
           member.type, kNoRelation});
    }
  }
  return {std::move(sql), ScopeOf(std::move(variable))};
}

Result<Translator::FromSql> Translator::TranslateItem(const FromItem& item,
                                                      const SubqueryItem& subquery, const Scope*) {
  // A subquery of FROM sees nothing of the items beside it, nor of the query around.
  HF_ASSIGN_OR_RETURN(const QuerySql query, TranslateQuery(*subquery.query, nullptr));
  const std::string alias = item.alias ? item.alias->text : std::string();
  const std::string name = NewName(alias.empty() ? "q" : alias);
  return QueryRelation(query, alias, name, fmt::format("({}) AS {}", query.sql, QuoteName(name)));
}

Result<Translator::FromSql> Translator::TranslateItem(const FromItem& item,
                                                      const UnnestItem& unnest,
                                                      const Scope* outer) {
  ExpressionContext context;
  context.scope = outer;
  context.clause = "UNNEST";
  HF_ASSIGN_OR_RETURN(const TypedSql array, TranslateExpression(*unnest.array, context));
  if (array.type.kind != kArray) {
    return QueryError(fmt::format("Values referenced in UNNEST must be arrays. UNNEST contains "
                                  "expression of type {}",
                                  TypeName(array.type)),
                      unnest.array->position);
  }
  return Unnest(array, item.alias ? item.alias->text : "", unnest.with_offset, unnest.offset_alias);
}

Result<Translator::FromSql> Translator::TranslateArrayPath(const FromItem& item,
                                                           const TableItem& table,
                                                           const Scope* outer) {
  if (table.as_of != nullptr)
    return UnsupportedError("FOR SYSTEM_TIME AS OF on an array", item.position);
  ExpressionContext context;
  context.scope = outer;
  context.clause = "FROM clause";
  Expression base{table.path.parts[0].position, Name{table.path.parts[0].text, false}, 1};
  for (size_t i = 1; i < table.path.parts.size(); ++i) {
    const Position at = base.position;
    base = Expression{
        at, FieldAccess{std::make_unique<Expression>(std::move(base)), table.path.parts[i]},
        static_cast<int>(i) + 1};
    if (i > static_cast<size_t>(kSyntaxDepthMax)) {
      return QueryLimitError("deep: a path of too many parts", item.position);
    }
  }
  HF_ASSIGN_OR_RETURN(const TypedSql array, TranslateExpression(base, context));
  if (array.type.kind != kArray) {
    return QueryError(fmt::format("Values referenced in FROM clause must be arrays. {} has type {}",
                                  table.path.ToString(), TypeName(array.type)),
                      item.position);
  }
  return Unnest(array, item.alias->text, table.with_offset, table.offset_alias);
}

// An array as rows: a lateral subquery, so that it may be of a FROM item before it.
Result<Translator::FromSql> Translator::Unnest(const TypedSql& array, std::string_view alias,
                                               bool with_offset,
                                               const std::optional<Identifier>& offset_alias) {
  const std::string name = NewName(alias.empty() ? "u" : alias);
  QuerySql query;
  query.is_value_table = true;
  query.columns.push_back({std::string(alias), "element", array.type.element()});
  std::string sql = fmt::format("unnest({}) AS \"element\"", array.sql);
  if (with_offset) sql += fmt::format(", unnest(range(len({}))) AS \"offset\"", array.sql);
  FromSql from = QueryRelation(query, alias, name,
                               fmt::format("LATERAL (SELECT {}) AS {}", sql, QuoteName(name)));
  if (!with_offset) return from;
  const Column offset{offset_alias ? offset_alias->text : "offset", Qualified(name, "offset"),
                      Type::Of(kInt64), kNoRelation};
  RangeVariable variable;
  variable.columns.push_back(offset);
  from.scope.columns.push_back(offset);
  from.scope.variables.push_back(std::move(variable));
  return from;
}

Result<RelationRef> Translator::ResolvePath(const PathName& path) const {
  std::vector<std::string> parts;
  parts.reserve(path.parts.size());
  for (const Identifier& part : path.parts) parts.push_back(part.text);
  RelationRef ref;
  const auto schema_view = std::find_if(parts.begin(), parts.end(), [](const std::string& part) {
    return SameWord(part, "INFORMATION_SCHEMA");
  });
  const bool is_information = schema_view != parts.end();
  if (is_information) {
    if (schema_view + 2 != parts.end()) {
      return QueryError(fmt::format("Invalid INFORMATION_SCHEMA view: {}", path.ToString()),
                        path.position);
    }
    ref.kind = RelationKind::kInformationSchema;
    ref.table.table = UpperCase(parts.back());
    parts.resize(parts.size() - 2);
  } else {
    ref.table.table = parts.back();
    if (SameWord(parts.back(), "__TABLES__")) ref.kind = RelationKind::kTablesMetadata;
    parts.pop_back();
  }
  if (!parts.empty()) {
    ref.table.dataset = parts.back();
    parts.pop_back();
  }
  if (is_information && LowerCase(ref.table.dataset).starts_with("region-")) {
    ref.region = LowerCase(ref.table.dataset).substr(7);
    ref.table.dataset.clear();
  }
  // A domain's project has dots of its own: example.com:project.
  for (const std::string& part : parts)
    ref.table.project += (ref.table.project.empty() ? "" : ".") + part;
  if (ref.table.project.empty())
    ref.table.project = default_project_.empty() ? options_.project : default_project_;
  if (ref.table.dataset.empty() && !is_information) {
    ref.table.dataset = views_.empty() ? options_.dataset : std::string();
    if (ref.table.dataset.empty()) {
      return QueryError(
          fmt::format("Table \"{}\" must be qualified with a dataset (e.g. dataset.table)",
                      path.ToString()),
          path.position);
    }
  }
  return ref;
}

Result<ResolvedTable> Translator::Resolve(const RelationRef& ref, Position position) const {
  auto resolved = resolver_(ref);
  if (resolved.ok()) return resolved;
  Error error = std::move(resolved).error();
  error.message += fmt::format(" at [{}:{}]", position.line, position.column);
  return error;
}

Result<Translator::FromSql> Translator::TableRelation(const TableItem& table,
                                                      const std::string& alias, Position position) {
  HF_ASSIGN_OR_RETURN(RelationRef ref, ResolvePath(table.path));
  if (table.as_of != nullptr) {
    HF_ASSIGN_OR_RETURN(const int64_t micros, ConstantTimestamp(*table.as_of, options_.now_us));
    ref.as_of_ms = micros / 1000;
  }
  HF_ASSIGN_OR_RETURN(const ResolvedTable resolved, Resolve(ref, position));
  if (resolved.view_sql) return InlineView(resolved, ref, alias, position);
  const std::string relation = NewRelation(ref);
  const size_t index = relations_.size() - 1;
  const std::string name = NewName(alias);
  RangeVariable variable;
  variable.alias = alias;
  variable.columns = ColumnsOf(resolved.schema.fields, name, kNoRelation);
  variable.pseudo_columns = ColumnsOf(resolved.pseudo_columns, name, index);
  for (Column& column : variable.columns) column.relation = index;
  for (Column& column : variable.pseudo_columns) column.relation = index;
  MarkFilter(variable, resolved.filter_columns, RequireFilter(resolved, ref.table, position));
  return FromSql{fmt::format("{} AS {}", QuoteName(relation), QuoteName(name)),
                 ScopeOf(std::move(variable))};
}

Result<Translator::FromSql> Translator::InlineView(const ResolvedTable& view,
                                                   const RelationRef& ref, const std::string& alias,
                                                   Position position) {
  const std::string context = fmt::format("View {}", ref.table.ToString());
  if (std::find(views_.begin(), views_.end(), ref.table) != views_.end()) {
    return QueryError(context + " reads itself", position);
  }
  if (views_.size() >= kViewDepthMax) {
    return QueryLimitError(fmt::format("deep: views nested more than {} levels", kViewDepthMax),
                           position);
  }
  auto parsed = ParseStatement(*view.view_sql);
  if (!parsed.ok()) return std::move(parsed).WithContext(context).error();
  const auto* const statement = std::get_if<QueryStatement>(&parsed->statement.node);
  if (statement == nullptr) return QueryError(context + " is not a query", position);
  // A view sees neither this query's WITH nor its defaults.
  auto common_tables = std::exchange(common_tables_, {});
  auto project = std::exchange(default_project_, ref.table.project);
  views_.push_back(ref.table);
  auto translated = TranslateQuery(*statement->query, nullptr);
  views_.pop_back();
  default_project_ = std::move(project);
  common_tables_ = std::move(common_tables);
  if (!translated.ok()) return std::move(translated).WithContext(context).error();
  const std::string name = NewName(alias);
  return QueryRelation(*translated, alias, name,
                       fmt::format("({}) AS {}", translated->sql, QuoteName(name)));
}

Result<Scope> Translator::JoinScopes(const Scope& left, const Scope& right, const Scope* outer,
                                     Position position) const {
  Scope joined = left;
  for (const RangeVariable& variable : right.variables) {
    if (!variable.alias.empty() && left.FindVariable(variable.alias) != nullptr) {
      return QueryError(
          fmt::format("Duplicate table alias {} in the same FROM clause", variable.alias),
          position);
    }
    joined.variables.push_back(variable);
  }
  joined.columns.insert(joined.columns.end(), right.columns.begin(), right.columns.end());
  joined.outer = outer;
  return joined;
}

Result<std::string> Translator::JoinUsing(const JoinItem& join, const Scope& left,
                                          const Scope& right, Scope& joined) {
  std::string condition;
  std::vector<Column> merged;
  for (const Identifier& name : join.using_columns) {
    std::vector<TypedSql> sides;
    for (const Scope* side : {&left, &right}) {
      const ColumnMatch match = FindColumn(*side, name.text);
      if (match.column == nullptr) {
        return QueryError(fmt::format("Column {} in USING clause not found on {} side of join",
                                      name.text, side == &left ? "left" : "right"),
                          name.position);
      }
      HF_ASSIGN_OR_RETURN(TypedSql value, ReadColumn(match, side, name.text, name.position, {}));
      sides.push_back(std::move(value));
    }
    HF_ASSIGN_OR_RETURN(const Type type, Unify(sides, "operator =", name.position));
    condition +=
        fmt::format("{}{} = {}", condition.empty() ? "" : " AND ", sides[0].sql, sides[1].sql);
    using Kind = JoinItem::Kind;
    std::string sql = join.kind == Kind::kRight ? sides[1].sql : sides[0].sql;
    if (join.kind == Kind::kFull) sql = fmt::format("coalesce({}, {})", sides[0].sql, sides[1].sql);
    const size_t filter = sides[0].filter != kNoFilter ? sides[0].filter : sides[1].filter;
    merged.push_back({name.text, std::move(sql), type, kNoRelation, filter});
  }
  std::erase_if(joined.columns, [&join](const Column& column) {
    return std::any_of(
        join.using_columns.begin(), join.using_columns.end(),
        [&column](const Identifier& name) { return SameWord(name.text, column.name); });
  });
  joined.columns.insert(joined.columns.begin(), merged.begin(), merged.end());
  return condition;
}

Result<Translator::FromSql> Translator::TranslateItem(const FromItem& item, const JoinItem& join,
                                                      const Scope* outer) {
  HF_ASSIGN_OR_RETURN(FromSql left, TranslateFrom(*join.left, outer));
  left.scope.outer = outer;
  // An array of the right side may be of an item of the left.
  HF_ASSIGN_OR_RETURN(FromSql right, TranslateFrom(*join.right, &left.scope));
  FromSql joined;
  HF_ASSIGN_OR_RETURN(joined.scope, JoinScopes(left.scope, right.scope, outer, item.position));
  std::string condition;
  if (!join.using_columns.empty()) {
    HF_ASSIGN_OR_RETURN(condition, JoinUsing(join, left.scope, right.scope, joined.scope));
  } else if (join.on != nullptr) {
    ExpressionContext context;
    context.scope = &joined.scope;
    context.clause = kOnClause;
    HF_ASSIGN_OR_RETURN(condition, Condition(*join.on, context));
  }
  using Kind = JoinItem::Kind;
  const bool is_cross =
      join.kind == Kind::kCross || (join.kind == Kind::kInner && condition.empty());
  const std::string_view word = is_cross                    ? "CROSS JOIN"
                                : join.kind == Kind::kLeft  ? "LEFT JOIN"
                                : join.kind == Kind::kRight ? "RIGHT JOIN"
                                : join.kind == Kind::kFull  ? "FULL JOIN"
                                                            : "JOIN";
  const bool right_is_join = std::holds_alternative<JoinItem>(join.right->node);
  joined.sql = fmt::format(fmt::runtime(right_is_join ? "{} {} ({})" : "{} {} {}"), left.sql, word,
                           right.sql);
  if (!is_cross) joined.sql += fmt::format(" ON {}", condition.empty() ? "true" : condition);
  return joined;
}

}  // namespace holdfast::googlesql
