#include <fmt/format.h>

#include "localcloud/googlesql/constant.h"
#include "localcloud/googlesql/parser.h"
#include "localcloud/googlesql/quote.h"
#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

struct StatementTypeOf {
  std::string operator()(const SelectPlan&) const { return "SELECT"; }
  std::string operator()(const CreateTablePlan& plan) const {
    return plan.query ? "CREATE_TABLE_AS_SELECT" : "CREATE_TABLE";
  }
  std::string operator()(const CreateViewPlan&) const { return "CREATE_VIEW"; }
  std::string operator()(const CopyTablePlan& plan) const {
    if (plan.kind == CopyTablePlan::Kind::kSnapshot) return "CREATE_SNAPSHOT_TABLE";
    return plan.kind == CopyTablePlan::Kind::kClone ? "CREATE_TABLE_CLONE" : "CREATE_TABLE_COPY";
  }
  std::string operator()(const InsertPlan&) const { return "INSERT"; }
  std::string operator()(const UpdatePlan&) const { return "UPDATE"; }
  std::string operator()(const DeletePlan&) const { return "DELETE"; }
  std::string operator()(const TruncatePlan&) const { return "TRUNCATE_TABLE"; }
  std::string operator()(const DropPlan& plan) const {
    switch (plan.kind) {
      case DropPlan::Kind::kTable:
        return "DROP_TABLE";
      case DropPlan::Kind::kView:
        return "DROP_VIEW";
      case DropPlan::Kind::kSnapshot:
        return "DROP_SNAPSHOT_TABLE";
      case DropPlan::Kind::kSchema:
        return "DROP_SCHEMA";
    }
    return "DROP_TABLE";
  }
  std::string operator()(const CreateSchemaPlan&) const { return "CREATE_SCHEMA"; }
  std::string operator()(const SetOptionsPlan& plan) const {
    switch (plan.kind) {
      case SetOptionsPlan::Kind::kTable:
        return "ALTER_TABLE";
      case SetOptionsPlan::Kind::kView:
        return "ALTER_VIEW";
      case SetOptionsPlan::Kind::kSchema:
        return "ALTER_SCHEMA";
    }
    return "ALTER_TABLE";
  }
  std::string operator()(const AddColumnsPlan&) const { return "ALTER_TABLE"; }
};

}  // namespace

std::string StatementType(const Plan& plan) { return std::visit(StatementTypeOf{}, plan); }

Result<Plan> TranslateStatement(std::string_view sql, const TranslateOptions& options,
                                const TableResolver& resolver) {
  HF_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseStatement(sql));
  return Translator(options, resolver).Translate(parsed.statement);
}

Result<std::string> TranslateDefault(const Field& field, const TranslateOptions& options) {
  const TableResolver no_tables = [](const RelationRef& ref) -> Result<ResolvedTable> {
    return QueryError(fmt::format("A default cannot read table {}", ref.table.ToString()),
                      Position{});
  };
  return Translator(options, no_tables).TranslateDefault(field);
}

Result<Plan> Translator::Translate(const Statement& statement) {
  return std::visit([this](const auto& node) { return TranslateNode(node); }, statement.node);
}

size_t Translator::RequireFilter(const ResolvedTable& table, const TableRef& ref,
                                 Position position) {
  if (table.filter_columns.empty()) return kNoFilter;
  filters_.push_back({ref, table.filter_columns, position, false});
  return filters_.size() - 1;
}

Status Translator::CheckFilters() const {
  for (const RequiredFilter& filter : filters_) {
    if (filter.seen || !options_.checks_filters) continue;
    std::string columns;
    for (const std::string& column : filter.columns) {
      columns += fmt::format("{}'{}'", columns.empty() ? "" : ", ", column);
    }
    return QueryError(fmt::format("Cannot query over table '{}' without a filter over column(s) {} "
                                  "that can be used for partition elimination",
                                  filter.table.ToString(), columns),
                      filter.position);
  }
  return {};
}

Result<QueryText> Translator::FinishQuery(QuerySql query, Position position) {
  QueryText text;
  std::vector<OutputColumn> columns = query.columns;
  if (query.is_value_table && query.columns.front().type.kind == TypeKind::kStruct) {
    const OutputColumn row = query.columns.front();
    std::string list;
    columns.clear();
    for (size_t i = 0; i < row.type.members.size(); ++i) {
      const std::string name = MemberName(row.type.members[i], i);
      list += fmt::format("{}struct_extract(q.{}, {}) AS {}", i == 0 ? "" : ", ",
                          QuoteName(row.duck_name), QuoteText(name), QuoteName(name));
      columns.push_back({name, name, row.type.members[i].type});
    }
    query.sql = fmt::format("SELECT {} FROM ({}) AS q", list, query.sql);
  }
  std::set<std::string> names;
  for (const OutputColumn& column : columns) {
    if (!column.name.empty() && !names.insert(LowerCase(column.name)).second) {
      return QueryError(fmt::format("Duplicate column names in the result are not supported. Found "
                                    "duplicate(s): {}",
                                    column.name),
                        position);
    }
    auto field = FieldOfType(column.duck_name, column.type);
    if (!field) {
      return QueryError(fmt::format("Column {} has the type {}, which a result cannot hold",
                                    column.duck_name, TypeName(column.type)),
                        position);
    }
    text.schema.fields.push_back(std::move(*field));
  }
  text.duckdb_sql = std::move(query.sql);
  text.relations = relations_;
  text.parameters = parameters_;
  return text;
}

Result<Plan> Translator::TranslateNode(const QueryStatement& node) {
  HF_ASSIGN_OR_RETURN(QuerySql query, TranslateQuery(*node.query, nullptr));
  HF_ASSIGN_OR_RETURN(QueryText text, FinishQuery(std::move(query), node.query->position));
  HF_RETURN_IF_ERROR(CheckFilters());
  return Plan(SelectPlan{std::move(text)});
}

Result<TableRef> Translator::ResolveTarget(const PathName& path) const {
  HF_ASSIGN_OR_RETURN(RelationRef ref, ResolvePath(path));
  const bool is_wildcard = ref.table.table.find('*') != std::string::npos;
  if (ref.kind != RelationKind::kTable || is_wildcard) {
    return QueryError(fmt::format("{} cannot be the target of a statement", path.ToString()),
                      path.position);
  }
  return std::move(ref.table);
}

Result<DatasetRef> Translator::ResolveSchema(const PathName& path) const {
  DatasetRef dataset{options_.project, path.parts.back().text};
  if (path.parts.size() > 1) dataset.project.clear();
  for (size_t i = 0; i + 1 < path.parts.size(); ++i) {
    dataset.project += (i == 0 ? "" : ".") + path.parts[i].text;
  }
  return dataset;
}

Result<std::vector<Option>> Translator::EvaluateOptions(
    const std::vector<OptionSyntax>& options) const {
  std::vector<Option> values;
  for (const OptionSyntax& option : options) {
    HF_ASSIGN_OR_RETURN(Json value, ConstantOption(*option.value, options_.now_us));
    values.push_back({LowerCase(option.name.text), std::move(value)});
  }
  return values;
}

Result<Plan> Translator::TranslateNode(const CreateSchemaStatement& node) {
  CreateSchemaPlan plan;
  HF_ASSIGN_OR_RETURN(plan.dataset, ResolveSchema(node.schema));
  plan.if_not_exists = node.if_not_exists;
  HF_ASSIGN_OR_RETURN(plan.options, EvaluateOptions(node.options));
  return Plan(std::move(plan));
}

Result<Plan> Translator::TranslateNode(const DropStatement& node) {
  DropPlan plan;
  plan.kind = node.kind;
  plan.if_exists = node.if_exists;
  plan.cascade = node.cascade;
  if (node.kind == DropPlan::Kind::kSchema) {
    HF_ASSIGN_OR_RETURN(const DatasetRef dataset, ResolveSchema(node.name));
    plan.table = {dataset.project, dataset.dataset, {}, {}};
  } else {
    HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.name));
  }
  return Plan(std::move(plan));
}

Result<Plan> Translator::TranslateNode(const SetOptionsStatement& node) {
  SetOptionsPlan plan;
  plan.kind = node.kind;
  plan.if_exists = node.if_exists;
  if (node.kind == SetOptionsPlan::Kind::kSchema) {
    HF_ASSIGN_OR_RETURN(const DatasetRef dataset, ResolveSchema(node.name));
    plan.table = {dataset.project, dataset.dataset, {}, {}};
  } else {
    HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.name));
  }
  HF_ASSIGN_OR_RETURN(plan.options, EvaluateOptions(node.options));
  return Plan(std::move(plan));
}

Result<Plan> Translator::TranslateNode(const TruncateStatement& node) {
  TruncatePlan plan;
  HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.table));
  return Plan(std::move(plan));
}

Result<Plan> Translator::TranslateNode(const CopyTableStatement& node) {
  CopyTablePlan plan;
  plan.kind = node.kind;
  plan.if_exists = node.if_exists;
  HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.table));
  HF_ASSIGN_OR_RETURN(plan.source.table, ResolveTarget(node.source));
  if (node.as_of != nullptr) {
    HF_ASSIGN_OR_RETURN(const int64_t micros, ConstantTimestamp(*node.as_of, options_.now_us));
    plan.source.as_of_ms = micros / 1000;
  }
  HF_ASSIGN_OR_RETURN(plan.options, EvaluateOptions(node.options));
  return Plan(std::move(plan));
}

}  // namespace holdfast::googlesql
