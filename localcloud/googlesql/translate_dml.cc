#include <fmt/format.h>

#include <algorithm>

#include "localcloud/googlesql/parser.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

// The names that an UPDATE or DELETE gives the rows of its target.
constexpr std::string_view kTargetName = "target";

}  // namespace

// A value as a column of a table holds it. A NULL array is stored empty.
Result<std::string> Translator::AssignedValue(const TypedSql& value, const Field& field,
                                              Position position) {
  const Type type = TypeOfField(field);
  // Numbers and texts of literals may also become BIGNUMERIC text.
  auto sql = Coerce(value, type);
  if (!sql && type.kind == kBigNumeric) sql = CastTo(value, type, false);
  if (!sql) {
    return QueryError(
        fmt::format("Value has type {} which cannot be inserted into column {}, which has "
                    "type {}",
                    TypeName(value.type), field.name, TypeName(type)),
        position);
  }
  return type.kind == kArray ? fmt::format("coalesce({}, [])", *sql) : *sql;
}

// The query with its columns, by position, as the fields hold them.
Result<std::string> Translator::QueryOfFields(const QuerySql& query,
                                              const std::vector<Field>& fields, Position position) {
  if (query.columns.size() != fields.size()) {
    return QueryError(fmt::format("Query column count {} does not match the column count {}",
                                  query.columns.size(), fields.size()),
                      position);
  }
  std::string list;
  for (size_t i = 0; i < fields.size(); ++i) {
    TypedSql value;
    value.sql = "q." + QuoteName(query.columns[i].duck_name);
    value.type = query.columns[i].type;
    HF_ASSIGN_OR_RETURN(const std::string assigned, AssignedValue(value, fields[i], position));
    list += fmt::format("{}{} AS {}", i == 0 ? "" : ", ", assigned, QuoteName(fields[i].name));
  }
  return fmt::format("SELECT {} FROM ({}) AS q", list, query.sql);
}

// A column's DEFAULT, or NULL.
Result<TypedSql> Translator::DefaultOf(const Field& field) {
  const auto text = field.extras.find("defaultValueExpression");
  ExpressionContext context;
  context.clause = "DEFAULT expression";
  if (text == field.extras.end() || !text->is_string()) {
    return TranslateNode(NullLiteral{}, Position{}, context);
  }
  auto parsed = ParseExpressionText(text->get<std::string>());
  if (!parsed.ok()) return std::move(parsed).WithContext("Default of column " + field.name).error();
  return TranslateExpression(**parsed, context).WithContext("Default of column " + field.name);
}

Result<std::string> Translator::TranslateDefault(const Field& field) {
  HF_ASSIGN_OR_RETURN(const TypedSql value, DefaultOf(field));
  if (!relations_.empty() || !parameters_.empty()) {
    return QueryError(
        fmt::format("Default of column {} must not read tables or parameters", field.name),
        Position{});
  }
  HF_ASSIGN_OR_RETURN(const std::string assigned, AssignedValue(value, field, Position{}));
  return fmt::format("CAST({} AS {})", assigned, DuckTypeName(TypeOfField(field)));
}

Result<std::vector<Field>> Translator::InsertColumns(const InsertStatement& node,
                                                     const Schema& schema) {
  std::vector<Field> columns;
  if (node.columns.empty()) return schema.fields;
  for (const Identifier& name : node.columns) {
    const Field* const field = schema.Find(name.text);
    if (field == nullptr) {
      return QueryError(fmt::format("Column {} is not present in the table", name.text),
                        name.position);
    }
    const bool repeated = std::any_of(columns.begin(), columns.end(), [field](const Field& other) {
      return other.name == field->name;
    });
    if (repeated)
      return QueryError(fmt::format("INSERT has columns with duplicate name: {}", name.text),
                        name.position);
    columns.push_back(*field);
  }
  return columns;
}

Result<QuerySql> Translator::InsertRows(const InsertStatement& node,
                                        const std::vector<Field>& columns) {
  ExpressionContext context;
  context.clause = "VALUES";
  std::string rows;
  for (const auto& row : node.rows) {
    if (row.size() != columns.size()) {
      return QueryError(fmt::format("Inserted row has wrong column count; Has {}, expected {}",
                                    row.size(), columns.size()),
                        node.table.position);
    }
    std::string values;
    for (size_t i = 0; i < row.size(); ++i) {
      const Position at = row[i] == nullptr ? node.table.position : row[i]->position;
      HF_ASSIGN_OR_RETURN(const TypedSql value, row[i] == nullptr
                                                    ? DefaultOf(columns[i])
                                                    : TranslateExpression(*row[i], context));
      HF_ASSIGN_OR_RETURN(const std::string assigned, AssignedValue(value, columns[i], at));
      values += fmt::format("{}CAST({} AS {})", i == 0 ? "" : ", ", assigned,
                            DuckTypeName(TypeOfField(columns[i])));
    }
    rows += fmt::format("{}({})", rows.empty() ? "" : ", ", values);
  }
  QuerySql query;
  std::string names;
  for (const Field& column : columns) {
    names += (names.empty() ? "" : ", ") + QuoteName(column.name);
    query.columns.push_back({column.name, column.name, TypeOfField(column)});
  }
  query.sql = fmt::format("SELECT * FROM (VALUES {}) AS v({})", rows, names);
  return query;
}

// Adds the columns that the statement does not name but that have a DEFAULT.
Status Translator::AddDefaults(const Schema& schema, QuerySql& query) {
  std::string list;
  std::vector<OutputColumn> columns = query.columns;
  for (const Field& field : schema.fields) {
    const bool named =
        std::any_of(query.columns.begin(), query.columns.end(),
                    [&field](const OutputColumn& c) { return SameWord(c.name, field.name); });
    if (named || !field.extras.contains("defaultValueExpression")) continue;
    HF_ASSIGN_OR_RETURN(const TypedSql value, DefaultOf(field));
    HF_ASSIGN_OR_RETURN(const std::string assigned, AssignedValue(value, field, Position{}));
    list += fmt::format(", {} AS {}", assigned, QuoteName(field.name));
    columns.push_back({field.name, field.name, TypeOfField(field)});
  }
  if (list.empty()) return {};
  query.sql = fmt::format("SELECT q.*{} FROM ({}) AS q", list, query.sql);
  query.columns = std::move(columns);
  return {};
}

Result<Plan> Translator::TranslateNode(const InsertStatement& node) {
  InsertPlan plan;
  HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.table));
  RelationRef ref;
  ref.table = plan.table;
  HF_ASSIGN_OR_RETURN(const ResolvedTable target, Resolve(ref, node.table.position));
  if (target.view_sql) return QueryError("INSERT into a view is not possible", node.table.position);
  HF_ASSIGN_OR_RETURN(const std::vector<Field> columns, InsertColumns(node, target.schema));
  QuerySql query;
  if (node.query != nullptr) {
    HF_ASSIGN_OR_RETURN(const QuerySql source, TranslateQuery(*node.query, nullptr));
    HF_ASSIGN_OR_RETURN(query.sql, QueryOfFields(source, columns, node.query->position));
    for (const Field& field : columns)
      query.columns.push_back({field.name, field.name, TypeOfField(field)});
  } else {
    HF_ASSIGN_OR_RETURN(query, InsertRows(node, columns));
  }
  HF_RETURN_IF_ERROR(AddDefaults(target.schema, query));
  for (const OutputColumn& column : query.columns) plan.columns.push_back(column.name);
  HF_ASSIGN_OR_RETURN(plan.query, FinishQuery(std::move(query), node.table.position));
  HF_RETURN_IF_ERROR(CheckFilters());
  return Plan(std::move(plan));
}

Result<Translator::Target> Translator::ResolveRows(const PathName& path,
                                                   const std::optional<Identifier>& alias) {
  Target target;
  HF_ASSIGN_OR_RETURN(target.table, ResolveTarget(path));
  RelationRef ref;
  ref.table = target.table;
  HF_ASSIGN_OR_RETURN(ResolvedTable resolved, Resolve(ref, path.position));
  if (resolved.view_sql) return QueryError("A view cannot be changed", path.position);
  target.schema = std::move(resolved.schema);
  target.name = NewName(kTargetName);
  RangeVariable variable;
  variable.alias = alias ? alias->text : path.parts.back().text;
  // One quoted name may hold the whole path; the alias is the table's.
  if (!alias) variable.alias = target.table.table;
  const auto add = [&target](const std::vector<Field>& fields, std::vector<Column>& columns) {
    for (const Field& field : fields) {
      columns.push_back({field.name,
                         fmt::format("{}.{}", QuoteName(target.name), QuoteName(field.name)),
                         TypeOfField(field), kNoRelation});
    }
  };
  add(target.schema.fields, variable.columns);
  add(resolved.pseudo_columns, variable.pseudo_columns);
  MarkFilter(variable, resolved.filter_columns,
             RequireFilter(resolved, target.table, path.position));
  target.scope.columns = variable.columns;
  target.scope.variables.push_back(std::move(variable));
  return target;
}

// `a.b.c = value`: the structs around the member are made anew with it.
Result<std::string> Translator::WithMember(const TypedSql& base, std::span<const Identifier> path,
                                           const TypedSql& value) {
  std::string packed;
  bool found = false;
  for (size_t i = 0; i < base.type.members.size(); ++i) {
    const StructMember& member = base.type.members[i];
    TypedSql current;
    current.type = member.type;
    current.sql = fmt::format("struct_extract({}, {})", base.sql, QuoteText(MemberName(member, i)));
    std::string sql = current.sql;
    if (SameWord(member.name, path.front().text)) {
      found = true;
      if (path.size() > 1) {
        HF_ASSIGN_OR_RETURN(sql, WithMember(current, path.subspan(1), value));
      } else {
        const auto field = FieldOfType(member.name, member.type);
        if (!field) return QueryError("This field cannot be assigned", path.front().position);
        HF_ASSIGN_OR_RETURN(sql, AssignedValue(value, *field, path.front().position));
      }
    }
    packed += fmt::format("{}{} := {}", i == 0 ? "" : ", ", QuoteName(MemberName(member, i)), sql);
  }
  if (found) return fmt::format("struct_pack({})", packed);
  return QueryError(
      fmt::format("Field name {} does not exist in {}", path.front().text, TypeName(base.type)),
      path.front().position);
}

Result<std::pair<std::string, std::string>> Translator::Assignment(
    const std::vector<Identifier>& path, const ExpressionPtr& value, const Target& target,
    const ExpressionContext& context) {
  // `alias.column` and `column` name the same.
  std::span<const Identifier> names(path);
  const RangeVariable& variable = target.scope.variables.front();
  const bool qualified = names.size() > 1 && SameWord(names.front().text, variable.alias) &&
                         target.schema.Find(names.front().text) == nullptr;
  if (qualified) names = names.subspan(1);
  const Field* const field = target.schema.Find(names.front().text);
  if (field == nullptr) {
    return QueryError(fmt::format("Unrecognized name: {}", names.front().text),
                      names.front().position);
  }
  const Position at = value == nullptr ? names.front().position : value->position;
  HF_ASSIGN_OR_RETURN(const TypedSql assigned,
                      value == nullptr ? DefaultOf(*field) : TranslateExpression(*value, context));
  std::string sql;
  if (names.size() == 1) {
    HF_ASSIGN_OR_RETURN(sql, AssignedValue(assigned, *field, at));
  } else {
    const Column* const column = FindColumn(variable.columns, field->name).column;
    TypedSql base;
    base.sql = column->sql;
    base.type = column->type;
    if (base.type.kind != kStruct) {
      return QueryError(fmt::format("Column {} is not a STRUCT", field->name),
                        names.front().position);
    }
    HF_ASSIGN_OR_RETURN(sql, WithMember(base, names.subspan(1), assigned));
  }
  return std::pair(field->name, std::move(sql));
}

Result<Plan> Translator::TranslateNode(const UpdateStatement& node) {
  HF_ASSIGN_OR_RETURN(const Target target, ResolveRows(node.table, node.alias));
  UpdatePlan plan;
  plan.table = target.table;
  plan.target_name = target.name;
  Scope scope = target.scope;
  if (node.from != nullptr) {
    HF_ASSIGN_OR_RETURN(const FromSql from, TranslateFrom(*node.from, nullptr));
    HF_ASSIGN_OR_RETURN(scope, JoinScopes(target.scope, from.scope, nullptr, node.from->position));
    plan.from_sql = from.sql;
  }
  ExpressionContext context;
  context.scope = &scope;
  context.clause = "UPDATE SET clause";
  for (const auto& [path, value] : node.assignments) {
    HF_ASSIGN_OR_RETURN(auto assignment, Assignment(path, value, target, context));
    const bool repeated =
        std::any_of(plan.assignments.begin(), plan.assignments.end(),
                    [&](const auto& other) { return other.first == assignment.first; });
    if (repeated) {
      return QueryError(fmt::format("Update item {} assigned more than once", assignment.first),
                        path.front().position);
    }
    plan.assignments.push_back(std::move(assignment));
  }
  context.clause = kWhereClause;
  HF_ASSIGN_OR_RETURN(plan.where_sql, Condition(*node.where, context));
  HF_RETURN_IF_ERROR(CheckFilters());
  plan.relations = relations_;
  plan.parameters = parameters_;
  return Plan(std::move(plan));
}

Result<Plan> Translator::TranslateNode(const DeleteStatement& node) {
  HF_ASSIGN_OR_RETURN(const Target target, ResolveRows(node.table, node.alias));
  DeletePlan plan;
  plan.table = target.table;
  plan.target_name = target.name;
  ExpressionContext context;
  context.scope = &target.scope;
  context.clause = kWhereClause;
  HF_ASSIGN_OR_RETURN(plan.where_sql, Condition(*node.where, context));
  HF_RETURN_IF_ERROR(CheckFilters());
  plan.relations = relations_;
  plan.parameters = parameters_;
  return Plan(std::move(plan));
}

}  // namespace holdfast::googlesql
