// CREATE, DROP and ALTER of tables, views, snapshots and schemas.
#include <fmt/format.h>

#include "localcloud/bigquery/column_defaults.h"
#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/query_statements.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/bigquery/table_options.h"
#include "localcloud/warehouse/copier.h"

namespace holdfast::bigquery {

namespace {

using googlesql::IfExists;
using warehouse::TableKind;
using warehouse::TableRecord;

StatementOutcome DdlOutcome(std::string_view operation, const TableRef& target) {
  StatementOutcome outcome;
  outcome.statistics["ddlOperationPerformed"] = operation;
  if (target.table.empty()) {
    outcome.statistics["ddlTargetDataset"] = {{"projectId", target.project},
                                              {"datasetId", target.dataset}};
  } else {
    outcome.statistics["ddlTargetTable"] = TableReferenceToJson(target);
  }
  return outcome;
}

// The table of that name; nullopt when there is none. The dataset must be there and in place.
Result<std::optional<TableRecord>> FindTarget(const Execution& run, const TableRef& ref) {
  HF_RETURN_IF_ERROR(CheckDatasetIsIn(run.context, ref.dataset_ref(), run.job.key.location));
  Result<TableRecord> table = run.context.tables().GetTable(ref);
  if (table.ok()) return std::optional(std::move(table).value());
  if (IsNotFound(table.error())) return std::optional<TableRecord>();
  return table.error();
}

bool IsView(TableKind kind) {
  return kind == TableKind::kView || kind == TableKind::kMaterializedView;
}

// Whether a CREATE goes ahead: false for IF NOT EXISTS of one that exists.
Result<bool> MayCreate(const std::optional<TableRecord>& existing, IfExists rule, bool as_view) {
  if (!existing) return true;
  if (rule == IfExists::kKeep) return false;
  if (rule == IfExists::kFail) return Duplicate("Table " + DisplayName(existing->ref));
  if (IsView(existing->kind) == as_view) return true;
  return InvalidQuery(
      fmt::format("{} is not allowed for this operation because it is currently a "
                  "{}.",
                  DisplayName(existing->ref), warehouse::TableKindName(existing->kind)));
}

std::string_view CreateWord(const std::optional<TableRecord>& existing) {
  return existing ? "REPLACE" : "CREATE";
}

// CREATE TABLE LIKE: the source's schema and layout, without its rows.
Status TakeLike(const Execution& run, const googlesql::RelationRef& source,
                warehouse::TableDefinition& definition) {
  HF_ASSIGN_OR_RETURN(const TableRecord like, run.context.tables().GetTable(source.table));
  definition.schema = like.schema;
  for (const std::string_view key :
       {"timePartitioning", "rangePartitioning", "clustering", "description", "labels"}) {
    const Json* value = FindField(like.resource, key);
    if (value != nullptr && !definition.resource.contains(key)) definition.resource[key] = *value;
  }
  return Ok();
}

Status CreateAs(Execution& run, const googlesql::CreateTablePlan& plan, Json resource,
                bool replace) {
  warehouse::QueryToTableRequest request;
  request.destination = plan.table;
  request.schema = plan.schema;
  request.table_resource = std::move(resource);
  request.replace_table = replace;
  HF_ASSIGN_OR_RETURN(request.query, MakeQuery(run, *plan.query));
  const auto effect = EffectOf(
      run, [&](const auto&) { return DdlOutcome(replace ? "REPLACE" : "CREATE", plan.table); });
  HF_RETURN_IF_ERROR(warehouse::QueryToTable(run.context.warehouse, request));
  return Ok();
}

}  // namespace

Result<StatementOutcome> Execute(Execution& run, const googlesql::CreateTablePlan& plan) {
  HF_ASSIGN_OR_RETURN(const auto existing, FindTarget(run, plan.table));
  HF_ASSIGN_OR_RETURN(const bool create, MayCreate(existing, plan.if_exists, /*as_view=*/false));
  if (!create) return DdlOutcome("SKIP", plan.table);
  HF_ASSIGN_OR_RETURN(Json resource, TableResource(plan));
  HF_RETURN_IF_ERROR(CheckLabels(resource));
  if (plan.schema) HF_RETURN_IF_ERROR(CheckDefaults(run.context, *plan.schema));
  if (plan.query) {
    HF_RETURN_IF_ERROR(CreateAs(run, plan, std::move(resource), existing.has_value()));
    return DdlOutcome(CreateWord(existing), plan.table);
  }
  warehouse::TableDefinition definition;
  definition.ref = plan.table;
  definition.resource = std::move(resource);
  definition.schema = plan.schema.value_or(Schema{});
  definition.replace = existing.has_value();
  if (plan.like) HF_RETURN_IF_ERROR(TakeLike(run, *plan.like, definition));
  const auto effect =
      EffectOf(run, [&](const auto&) { return DdlOutcome(CreateWord(existing), plan.table); });
  HF_RETURN_IF_ERROR(run.context.tables().CreateTable(definition));
  return DdlOutcome(CreateWord(existing), plan.table);
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::CreateViewPlan& plan) {
  HF_ASSIGN_OR_RETURN(const auto existing, FindTarget(run, plan.table));
  HF_ASSIGN_OR_RETURN(const bool create, MayCreate(existing, plan.if_exists, /*as_view=*/true));
  if (!create) return DdlOutcome("SKIP", plan.table);
  warehouse::TableDefinition definition;
  definition.ref = plan.table;
  definition.kind = TableKind::kView;
  definition.schema = plan.schema;
  definition.replace = existing.has_value();
  HF_ASSIGN_OR_RETURN(definition.resource, TableOptionsPatch(plan.options));
  HF_RETURN_IF_ERROR(CheckLabels(definition.resource));
  definition.resource["view"] = {{"query", plan.query_sql}, {"useLegacySql", false}};
  const auto effect =
      EffectOf(run, [&](const auto&) { return DdlOutcome(CreateWord(existing), plan.table); });
  HF_RETURN_IF_ERROR(run.context.tables().CreateTable(definition));
  return DdlOutcome(CreateWord(existing), plan.table);
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::CopyTablePlan& plan) {
  using Kind = googlesql::CopyTablePlan::Kind;
  HF_ASSIGN_OR_RETURN(const auto existing, FindTarget(run, plan.table));
  HF_ASSIGN_OR_RETURN(const bool create, MayCreate(existing, plan.if_exists, /*as_view=*/false));
  if (!create) return DdlOutcome("SKIP", plan.table);
  HF_RETURN_IF_ERROR(
      CheckDatasetIsIn(run.context, plan.source.table.dataset_ref(), run.job.key.location));
  warehouse::CopyRequest copy;
  copy.sources.push_back({.table = plan.source.table, .as_of_ms = plan.source.as_of_ms});
  copy.destination = plan.table;
  copy.operation = plan.kind == Kind::kSnapshot ? warehouse::CopyOperation::kSnapshot
                   : plan.kind == Kind::kClone  ? warehouse::CopyOperation::kClone
                                                : warehouse::CopyOperation::kCopy;
  copy.replace = existing.has_value();
  HF_ASSIGN_OR_RETURN(copy.options, TableOptionsPatch(plan.options));
  HF_RETURN_IF_ERROR(CheckLabels(copy.options));
  const auto effect =
      EffectOf(run, [&](const auto&) { return DdlOutcome(CreateWord(existing), plan.table); });
  HF_RETURN_IF_ERROR(warehouse::Copy(run.context.warehouse, copy));
  return DdlOutcome(CreateWord(existing), plan.table);
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::DropPlan& plan) {
  using Kind = googlesql::DropPlan::Kind;
  const auto effect = EffectOf(run, [&](const auto&) { return DdlOutcome("DROP", plan.table); });
  if (plan.kind == Kind::kSchema) {
    const Status dropped =
        run.context.tables().DeleteDataset(plan.table.dataset_ref(), plan.cascade);
    if (dropped.ok()) return DdlOutcome("DROP", plan.table);
    if (plan.if_exists && IsNotFound(dropped.error())) return DdlOutcome("SKIP", plan.table);
    return dropped.error();
  }
  HF_ASSIGN_OR_RETURN(const auto existing, FindTarget(run, plan.table));
  if (!existing) {
    if (plan.if_exists) return DdlOutcome("SKIP", plan.table);
    return NotFound("Table " + DisplayName(plan.table));
  }
  const bool snapshot = existing->kind == TableKind::kSnapshot;
  const bool fits = plan.kind == Kind::kView       ? existing->kind == TableKind::kView
                    : plan.kind == Kind::kSnapshot ? snapshot
                                                   : !IsView(existing->kind) && !snapshot;
  if (!fits) {
    return InvalidQuery(fmt::format(
        "Cannot drop {} which has type {}. An object of that type is dropped with a statement of "
        "its own.",
        DisplayName(plan.table), warehouse::TableKindName(existing->kind)));
  }
  HF_RETURN_IF_ERROR(run.context.tables().DeleteTable(plan.table));
  return DdlOutcome("DROP", plan.table);
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::CreateSchemaPlan& plan) {
  HF_ASSIGN_OR_RETURN(Json resource, DatasetOptionsPatch(plan.options));
  HF_RETURN_IF_ERROR(CheckLabels(resource));
  if (!resource.contains("location")) resource["location"] = run.job.key.location;
  const TableRef target{plan.dataset.project, plan.dataset.dataset, {}, {}};
  const auto effect = EffectOf(run, [&](const auto&) { return DdlOutcome("CREATE", target); });
  const auto created = run.context.tables().CreateDataset(plan.dataset, std::move(resource));
  if (created.ok()) return DdlOutcome("CREATE", target);
  if (plan.if_not_exists && created.error().id == ErrorId::kWarehouseExists) {
    return DdlOutcome("SKIP", target);
  }
  return created.error();
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::SetOptionsPlan& plan) {
  if (plan.kind == googlesql::SetOptionsPlan::Kind::kSchema) {
    HF_ASSIGN_OR_RETURN(const Json patch, DatasetOptionsPatch(plan.options));
    const auto dataset = run.context.tables().GetDataset(plan.table.dataset_ref());
    if (!dataset.ok()) {
      if (plan.if_exists && IsNotFound(dataset.error())) return DdlOutcome("SKIP", plan.table);
      return dataset.error();
    }
    Json resource = dataset->resource;
    resource.merge_patch(patch);
    HF_RETURN_IF_ERROR(CheckLabels(resource));
    const auto effect = EffectOf(run, [&](const auto&) { return DdlOutcome("ALTER", plan.table); });
    HF_RETURN_IF_ERROR(
        run.context.tables().UpdateDataset(dataset->ref, std::move(resource), dataset->etag));
    return DdlOutcome("ALTER", plan.table);
  }
  HF_ASSIGN_OR_RETURN(const Json patch, TableOptionsPatch(plan.options));
  HF_ASSIGN_OR_RETURN(const auto existing, FindTarget(run, plan.table));
  if (!existing) {
    if (plan.if_exists) return DdlOutcome("SKIP", plan.table);
    return NotFound("Table " + DisplayName(plan.table));
  }
  Json resource = existing->resource;
  resource.merge_patch(patch);
  HF_RETURN_IF_ERROR(CheckLabels(resource));
  const auto effect = EffectOf(run, [&](const auto&) { return DdlOutcome("ALTER", plan.table); });
  HF_RETURN_IF_ERROR(run.context.tables().UpdateTable(plan.table, std::move(resource), std::nullopt,
                                                      existing->etag));
  return DdlOutcome("ALTER", plan.table);
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::AddColumnsPlan& plan) {
  HF_ASSIGN_OR_RETURN(const auto existing, FindTarget(run, plan.table));
  if (!existing) {
    if (plan.if_exists) return DdlOutcome("SKIP", plan.table);
    return NotFound("Table " + DisplayName(plan.table));
  }
  HF_RETURN_IF_ERROR(CheckDefaults(run.context, {.fields = plan.columns}));
  Schema schema = existing->schema;
  schema.fields.insert(schema.fields.end(), plan.columns.begin(), plan.columns.end());
  const auto effect = EffectOf(run, [&](const auto&) { return DdlOutcome("ALTER", plan.table); });
  HF_RETURN_IF_ERROR(run.context.tables().UpdateTable(plan.table, existing->resource,
                                                      std::move(schema), existing->etag));
  return DdlOutcome("ALTER", plan.table);
}

}  // namespace holdfast::bigquery
