// SELECT, INSERT, UPDATE, DELETE and TRUNCATE.
#include <fmt/format.h>

#include "base/hash.h"
#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/query_statements.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/warehouse/dml.h"

namespace holdfast::bigquery {

namespace {

constexpr int64_t kAnonymousTableMs = int64_t{24} * 3'600'000;

// Members of a query's configuration that describe the table it creates.
constexpr std::array<std::string_view, 3> kTableMembers = {"timePartitioning", "rangePartitioning",
                                                           "clustering"};

// Makes the hidden dataset of anonymous results when it is absent.
Status EnsureDataset(const ServiceContext& context, const DatasetRef& ref,
                     const std::string& location) {
  if (context.tables().GetDataset(ref).ok()) return Ok();
  const auto created = context.tables().CreateDataset(ref, {{"location", location}});
  if (created.ok() || created.error().id == ErrorId::kWarehouseExists) return Ok();
  return created.error();
}

Status CheckWritable(Execution& run, const TableRef& table) {
  return CheckDatasetIsIn(run.context, table.dataset_ref(), run.job.key.location);
}

Result<warehouse::QueryToTableRequest> ChooseDestination(Execution& run) {
  const Json& settings = run.job.configuration.at("query");
  warehouse::QueryToTableRequest request;
  const Json* named = FindField(settings, "destinationTable");
  if (named == nullptr) {
    request.destination = AnonymousTable(run.job.key);
    HF_RETURN_IF_ERROR(
        EnsureDataset(run.context, request.destination.dataset_ref(), run.job.key.location));
    request.write_disposition = warehouse::WriteDisposition::kTruncate;
    request.table_resource["expirationTime"] =
        std::to_string(run.context.NowMs() + kAnonymousTableMs);
    return request;
  }
  HF_ASSIGN_OR_RETURN(request.destination, ParseTableReference(*named, run.job.key.project));
  HF_RETURN_IF_ERROR(CheckWritable(run, request.destination));
  HF_ASSIGN_OR_RETURN(request.write_disposition,
                      ParseWriteDisposition(settings, warehouse::WriteDisposition::kEmpty));
  HF_ASSIGN_OR_RETURN(request.create_disposition, ParseCreateDisposition(settings));
  for (const std::string_view key : kTableMembers) {
    if (const Json* value = FindField(settings, key)) request.table_resource[key] = *value;
  }
  return request;
}

// numDmlAffectedRows and dmlStats of one kind of change.
StatementOutcome DmlOutcome(std::string_view counter, int64_t rows) {
  StatementOutcome outcome;
  const std::string count = std::to_string(rows);
  outcome.statistics["numDmlAffectedRows"] = count;
  outcome.statistics["dmlStats"] = {
      {"insertedRowCount", "0"}, {"deletedRowCount", "0"}, {"updatedRowCount", "0"}};
  outcome.statistics["dmlStats"][counter] = count;
  return outcome;
}

}  // namespace

TableRef AnonymousTable(const JobKey& job) {
  constexpr size_t kDigits = 40;
  return {job.project,
          "_" + Sha256Hex(job.project + " " + job.location).substr(0, kDigits),
          "anon" + Sha256Hex(job.ToString()).substr(0, kDigits),
          {}};
}

Result<warehouse::Query> MakeQuery(Execution& run, const googlesql::QueryText& text) {
  warehouse::Query query;
  query.sql = text.duckdb_sql;
  HF_ASSIGN_OR_RETURN(query.bindings, run.catalog.Bind(text.relations, run.parameters));
  query.parameters = BindParameters(text.parameters, run.parameters);
  for (const Field& field : text.schema.fields) query.column_hints.emplace_back(field);
  query.cancel = run.cancel;
  return query;
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::SelectPlan& plan) {
  HF_ASSIGN_OR_RETURN(warehouse::QueryToTableRequest request, ChooseDestination(run));
  HF_ASSIGN_OR_RETURN(request.query, MakeQuery(run, plan.query));
  StatementOutcome outcome;
  outcome.statistics["schema"] = plan.query.schema.ToJson();
  outcome.configuration["destinationTable"] =
      TableReferenceToJson(request.destination.WholeTable());
  const auto effect = EffectOf(run, [&](const auto&) { return outcome; });
  HF_RETURN_IF_ERROR(warehouse::QueryToTable(run.context.warehouse, request));
  return outcome;
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::InsertPlan& plan) {
  HF_RETURN_IF_ERROR(CheckWritable(run, plan.table));
  warehouse::QueryToTableRequest request;
  request.destination = plan.table;
  request.write_disposition = warehouse::WriteDisposition::kAppend;
  request.create_disposition = warehouse::CreateDisposition::kNever;
  HF_ASSIGN_OR_RETURN(request.query, MakeQuery(run, plan.query));
  const auto effect =
      EffectOf(run, [](const auto& counts) { return DmlOutcome("insertedRowCount", counts.rows); });
  HF_ASSIGN_OR_RETURN(const warehouse::QueryToTableResult result,
                      warehouse::QueryToTable(run.context.warehouse, request, plan.columns));
  return DmlOutcome("insertedRowCount", result.rows);
}

// What UPDATE and DELETE have in common.
template <typename Statement, typename Plan>
Result<Statement> StatementOf(Execution& run, const Plan& plan) {
  Statement statement;
  statement.table = plan.table;
  statement.target_name = plan.target_name;
  statement.where_sql = plan.where_sql;
  HF_ASSIGN_OR_RETURN(statement.bindings, run.catalog.Bind(plan.relations, run.parameters));
  statement.parameters = BindParameters(plan.parameters, run.parameters);
  statement.cancel = run.cancel;
  return statement;
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::UpdatePlan& plan) {
  HF_RETURN_IF_ERROR(CheckWritable(run, plan.table));
  HF_ASSIGN_OR_RETURN(auto statement, StatementOf<warehouse::UpdateStatement>(run, plan));
  statement.assignments = plan.assignments;
  statement.from_sql = plan.from_sql;
  const auto effect =
      EffectOf(run, [](const auto& counts) { return DmlOutcome("updatedRowCount", counts.rows); });
  HF_ASSIGN_OR_RETURN(const warehouse::DmlResult result,
                      warehouse::Update(run.context.warehouse, statement));
  return DmlOutcome("updatedRowCount", result.affected_rows);
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::DeletePlan& plan) {
  HF_RETURN_IF_ERROR(CheckWritable(run, plan.table));
  HF_ASSIGN_OR_RETURN(const auto statement, StatementOf<warehouse::DeleteStatement>(run, plan));
  const auto effect =
      EffectOf(run, [](const auto& counts) { return DmlOutcome("deletedRowCount", counts.rows); });
  HF_ASSIGN_OR_RETURN(const warehouse::DmlResult result,
                      warehouse::Delete(run.context.warehouse, statement));
  return DmlOutcome("deletedRowCount", result.affected_rows);
}

Result<StatementOutcome> Execute(Execution& run, const googlesql::TruncatePlan& plan) {
  HF_RETURN_IF_ERROR(CheckWritable(run, plan.table));
  const auto effect =
      EffectOf(run, [](const auto& counts) { return DmlOutcome("deletedRowCount", counts.rows); });
  HF_ASSIGN_OR_RETURN(const warehouse::DmlResult result,
                      warehouse::Truncate(run.context.warehouse, plan.table));
  return DmlOutcome("deletedRowCount", result.affected_rows);
}

}  // namespace holdfast::bigquery
