#include <fmt/format.h>

#include <charconv>

#include "localcloud/googlesql/translator.h"
#include "localcloud/googlesql/words.h"

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

// The column or pseudo column that an expression names; empty: it is no name.
std::string NameOf(const Expression& expression) {
  const auto* const name = std::get_if<Name>(&expression.node);
  return name == nullptr ? std::string() : name->text;
}

std::optional<Partitioning::Kind> UnitOf(std::string_view part) {
  if (SameWord(part, "HOUR")) return Partitioning::Kind::kHour;
  if (SameWord(part, "DAY")) return Partitioning::Kind::kDay;
  if (SameWord(part, "MONTH")) return Partitioning::Kind::kMonth;
  if (SameWord(part, "YEAR")) return Partitioning::Kind::kYear;
  return std::nullopt;
}

std::optional<int64_t> IntegerOf(const Expression& expression) {
  const auto* const number = std::get_if<NumberLiteral>(&expression.node);
  int64_t value = 0;
  if (number == nullptr || number->is_float) return std::nullopt;
  std::from_chars(number->text.data(), number->text.data() + number->text.size(), value);
  return value;
}

// RANGE_BUCKET(column, GENERATE_ARRAY(start, end, interval)).
std::optional<Partitioning> RangePartitioning(const FunctionCall& call) {
  if (call.name != "RANGE_BUCKET" || call.arguments.size() != 2) return std::nullopt;
  const auto* const array = std::get_if<FunctionCall>(&call.arguments[1]->node);
  if (array == nullptr || array->name != "GENERATE_ARRAY" || array->arguments.size() != 3) {
    return std::nullopt;
  }
  const auto start = IntegerOf(*array->arguments[0]);
  const auto end = IntegerOf(*array->arguments[1]);
  const auto interval = IntegerOf(*array->arguments[2]);
  if (!start || !end || !interval || *interval < 1 || *end <= *start) return std::nullopt;
  Partitioning partitioning;
  partitioning.kind = Partitioning::Kind::kIntegerRange;
  partitioning.field = NameOf(*call.arguments[0]);
  partitioning.range_start = *start;
  partitioning.range_end = *end;
  partitioning.range_interval = *interval;
  return partitioning;
}

// column, DATE(column), DATE_TRUNC(column, MONTH), TIMESTAMP_TRUNC(column, HOUR), ...
std::optional<Partitioning> TimePartitioning(const Expression& expression) {
  Partitioning partitioning;
  partitioning.kind = Partitioning::Kind::kDay;
  partitioning.field = NameOf(expression);
  if (!partitioning.field.empty()) return partitioning;
  const auto* const call = std::get_if<FunctionCall>(&expression.node);
  if (call == nullptr || call->arguments.empty()) return std::nullopt;
  partitioning.field = NameOf(*call->arguments[0]);
  if (call->name == "DATE" && call->arguments.size() == 1) return partitioning;
  const bool is_trunc = call->name == "DATE_TRUNC" || call->name == "TIMESTAMP_TRUNC" ||
                        call->name == "DATETIME_TRUNC";
  if (!is_trunc || call->arguments.size() != 2) return std::nullopt;
  const auto unit = UnitOf(NameOf(*call->arguments[1]));
  if (!unit) return std::nullopt;
  partitioning.kind = *unit;
  return partitioning;
}

bool CanPartition(const Field& field, Partitioning::Kind kind) {
  if (field.mode == FieldMode::kRepeated) return false;
  if (kind == Partitioning::Kind::kIntegerRange) return field.type == FieldType::kInt64;
  if (field.type == FieldType::kDate) return kind != Partitioning::Kind::kHour;
  return field.type == FieldType::kTimestamp || field.type == FieldType::kDateTime;
}

}  // namespace

Result<Partitioning> Translator::PartitioningOf(const Expression& expression,
                                                const Schema& schema) const {
  const auto* const call = std::get_if<FunctionCall>(&expression.node);
  std::optional<Partitioning> partitioning = TimePartitioning(expression);
  if (call != nullptr && call->name == "RANGE_BUCKET") partitioning = RangePartitioning(*call);
  if (!partitioning || partitioning->field.empty()) {
    return QueryError(
        "PARTITION BY expression must be a DATE, DATETIME or TIMESTAMP column, DATE(column), "
        "a TRUNC of one, or RANGE_BUCKET(column, GENERATE_ARRAY(start, end, interval))",
        expression.position);
  }
  if (SameWord(partitioning->field, "_PARTITIONDATE") ||
      SameWord(partitioning->field, "_PARTITIONTIME")) {
    partitioning->field.clear();
    return *partitioning;
  }
  const Field* const field = schema.Find(partitioning->field);
  if (field == nullptr) {
    return QueryError(fmt::format("Unrecognized name: {}", partitioning->field),
                      expression.position);
  }
  if (!CanPartition(*field, partitioning->kind)) {
    return QueryError(fmt::format("PARTITION BY is not possible on column {} of type {}",
                                  field->name, TypeName(TypeOfField(*field))),
                      expression.position);
  }
  partitioning->field = field->name;
  return *partitioning;
}

Status Translator::CheckClustering(const std::vector<Identifier>& columns,
                                   const Schema& schema) const {
  constexpr size_t kClusteringColumnsMax = 4;  // BigQuery's
  for (const Identifier& column : columns) {
    const Field* const field = schema.Find(column.text);
    if (field == nullptr) {
      return QueryError(fmt::format("Unrecognized name: {}", column.text), column.position);
    }
  }
  if (columns.size() <= kClusteringColumnsMax) return {};
  return QueryError("CLUSTER BY takes at most 4 columns", columns.back().position);
}

Result<Field> Translator::FieldOfColumn(const ColumnSyntax& column) {
  HF_ASSIGN_OR_RETURN(const Type type, ResolveType(column.type));
  auto field = FieldOfType(column.name.text, type);
  if (!field) {
    return QueryError(
        fmt::format("Column {} cannot have type {}", column.name.text, TypeName(type)),
        column.type.position);
  }
  const std::vector<int>& parameters = column.type.parameters;
  const bool is_decimal = type.kind == kNumeric || type.kind == kBigNumeric;
  if (!parameters.empty() && is_decimal) {
    field->precision = parameters[0];
    field->scale = parameters.size() > 1 ? parameters[1] : 0;
  } else if (!parameters.empty() && (type.kind == kString || type.kind == kBytes)) {
    field->extras["maxLength"] = std::to_string(parameters[0]);
  } else if (!parameters.empty()) {
    return QueryError(fmt::format("{} does not support type parameters", TypeName(type)),
                      column.type.position);
  }
  if (column.not_null) {
    if (field->mode == FieldMode::kRepeated) {
      return QueryError("NOT NULL constraint is not supported for ARRAY fields",
                        column.name.position);
    }
    field->mode = FieldMode::kRequired;
  }
  if (!column.default_sql.empty()) field->extras["defaultValueExpression"] = column.default_sql;
  HF_ASSIGN_OR_RETURN(const std::vector<Option> options, EvaluateOptions(column.options));
  for (const Option& option : options) {
    if (option.name != "description" || !option.value.is_string()) {
      return UnsupportedError(fmt::format("column option {}", option.name), column.name.position);
    }
    field->description = option.value.get<std::string>();
  }
  return std::move(*field);
}

Result<Schema> Translator::SchemaOfColumns(const std::vector<ColumnSyntax>& columns) {
  Schema schema;
  for (const ColumnSyntax& column : columns) {
    if (schema.Find(column.name.text) != nullptr) {
      return QueryError(fmt::format("Duplicate column name {} in CREATE TABLE", column.name.text),
                        column.name.position);
    }
    HF_ASSIGN_OR_RETURN(Field field, FieldOfColumn(column));
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

Result<Plan> Translator::TranslateNode(const CreateTableStatement& node) {
  CreateTablePlan plan;
  plan.if_exists = node.if_exists;
  HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.table));
  HF_ASSIGN_OR_RETURN(plan.options, EvaluateOptions(node.options));
  if (!node.columns.empty()) {
    HF_ASSIGN_OR_RETURN(plan.schema, SchemaOfColumns(node.columns));
  }
  Schema schema = plan.schema.value_or(Schema{});
  if (node.like) {
    HF_ASSIGN_OR_RETURN(plan.like, ResolvePath(*node.like));
    HF_ASSIGN_OR_RETURN(const ResolvedTable source, Resolve(*plan.like, node.like->position));
    schema = source.schema;
  }
  if (node.query != nullptr) {
    HF_ASSIGN_OR_RETURN(QuerySql query, TranslateQuery(*node.query, nullptr));
    if (plan.schema) {
      HF_ASSIGN_OR_RETURN(query.sql,
                          QueryOfFields(query, plan.schema->fields, node.query->position));
      query.columns.clear();
      for (const Field& field : schema.fields)
        query.columns.push_back({field.name, field.name, TypeOfField(field)});
      query.is_value_table = false;
    }
    HF_ASSIGN_OR_RETURN(plan.query, FinishQuery(std::move(query), node.query->position));
    HF_RETURN_IF_ERROR(CheckFilters());
    if (!plan.schema) schema = plan.query->schema;
  }
  if (node.partition_by != nullptr) {
    HF_ASSIGN_OR_RETURN(plan.partitioning, PartitioningOf(*node.partition_by, schema));
  }
  HF_RETURN_IF_ERROR(CheckClustering(node.cluster_by, schema));
  for (const Identifier& column : node.cluster_by) plan.clustering.push_back(column.text);
  return Plan(std::move(plan));
}

Result<Plan> Translator::TranslateNode(const CreateViewStatement& node) {
  CreateViewPlan plan;
  plan.if_exists = node.if_exists;
  plan.query_sql = node.query_sql;
  HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.table));
  HF_ASSIGN_OR_RETURN(plan.options, EvaluateOptions(node.options));
  HF_ASSIGN_OR_RETURN(QuerySql query, TranslateQuery(*node.query, nullptr));
  HF_ASSIGN_OR_RETURN(QueryText text, FinishQuery(std::move(query), node.query->position));
  if (!parameters_.empty())
    return QueryError("Query parameters cannot be used in CREATE VIEW", node.table.position);
  plan.schema = std::move(text.schema);
  if (!node.columns.empty())
    return UnsupportedError("column list of CREATE VIEW", node.columns.front().name.position);
  return Plan(std::move(plan));
}

Result<Plan> Translator::TranslateNode(const AddColumnsStatement& node) {
  AddColumnsPlan plan;
  plan.if_exists = node.if_exists;
  HF_ASSIGN_OR_RETURN(plan.table, ResolveTarget(node.table));
  RelationRef ref;
  ref.table = plan.table;
  const auto resolved = Resolve(ref, node.table.position);
  if (!resolved.ok() && !(node.if_exists && resolved.error().code == Code::kNotFound)) {
    return resolved.error();
  }
  for (const AddColumnsStatement::Item& item : node.items) {
    const bool exists = resolved.ok() && resolved->schema.Find(item.column.name.text) != nullptr;
    if (exists && item.if_not_exists) continue;
    if (exists) {
      return QueryError(fmt::format("Column already exists: {}", item.column.name.text),
                        item.column.name.position);
    }
    if (item.column.not_null)
      return QueryError("A column added to a table cannot be NOT NULL", item.column.name.position);
    HF_ASSIGN_OR_RETURN(Field field, FieldOfColumn(item.column));
    plan.columns.push_back(std::move(field));
  }
  return Plan(std::move(plan));
}

}  // namespace holdfast::googlesql
