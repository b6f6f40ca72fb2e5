// Carries out the plan of one translated statement, by kind.
//
// Each overload does the whole of its statement in the warehouse, as one commit, and gives the
// query statistics that are particular to it. Internal to query_job.cc. Errors: those of the
// warehouse, in BigQuery's words. Source: BigQuery "DDL statements", "DML statements", REST
// `JobStatistics2`.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/bigquery/job.h"
#include "localcloud/bigquery/query_catalog.h"
#include "localcloud/bigquery/query_parameters.h"
#include "localcloud/bigquery/service_context.h"
#include "localcloud/googlesql/plan.h"

namespace holdfast::bigquery {

// What every statement needs.
struct Execution {
  const ServiceContext& context;
  const Job& job;
  QueryCatalog& catalog;
  const QueryParameters& parameters;
  const googlesql::Plan& plan;
  std::stop_token cancel;
};

// What a statement leaves: members of statistics.query, and of configuration.query.
struct StatementOutcome {
  Json statistics = Json::object();
  Json configuration = Json::object();
};

// What the statement leaves behind, with the members that every statement has.
JobOutcome OutcomeOf(const Execution& run, const StatementOutcome& done);

// ServiceContext::EffectOf for a statement.
using StatementOutcomeOfCounts =
    std::function<StatementOutcome(const warehouse::EffectCounts& counts)>;
inline warehouse::EffectScope EffectOf(const Execution& run, StatementOutcomeOfCounts outcome) {
  return run.context.EffectOf(run.job, [&run, outcome = std::move(outcome)](const auto& counts) {
    return OutcomeOf(run, outcome(counts));
  });
}

// Writes the rows to the table that the job names, or to AnonymousTable, which expires.
Result<StatementOutcome> Execute(Execution& run, const googlesql::SelectPlan& plan);

// CREATE of tables and views, and of copies, clones and snapshots. IF NOT EXISTS of what exists
// does nothing ("SKIP"); OR REPLACE swaps in one commit. Errors: reason "duplicate"; "invalidQuery"
// where a view would replace a table, or the other way round.
Result<StatementOutcome> Execute(Execution& run, const googlesql::CreateTablePlan& plan);
Result<StatementOutcome> Execute(Execution& run, const googlesql::CreateViewPlan& plan);
Result<StatementOutcome> Execute(Execution& run, const googlesql::CopyTablePlan& plan);

// DML, with counts of the rows in dmlStats. Errors: reason "notFound"; those of dml.h for a table
// that others write at the same time or whose streaming buffer holds rows.
Result<StatementOutcome> Execute(Execution& run, const googlesql::InsertPlan& plan);
Result<StatementOutcome> Execute(Execution& run, const googlesql::UpdatePlan& plan);
Result<StatementOutcome> Execute(Execution& run, const googlesql::DeletePlan& plan);
Result<StatementOutcome> Execute(Execution& run, const googlesql::TruncatePlan& plan);

// DROP of a table, view, snapshot or, CASCADE or empty, a schema. IF EXISTS of what is absent does
// nothing. Errors: reason "notFound"; "invalidQuery" for an object of another kind.
Result<StatementOutcome> Execute(Execution& run, const googlesql::DropPlan& plan);

// The dataset is in the job's location unless its options name one.
Result<StatementOutcome> Execute(Execution& run, const googlesql::CreateSchemaPlan& plan);

// ALTER. An option set to NULL is cleared; columns are added at the end. IF EXISTS as for DROP.
// Errors: reason "notFound", "conditionNotMet" when the resource changed meanwhile.
Result<StatementOutcome> Execute(Execution& run, const googlesql::SetOptionsPlan& plan);
Result<StatementOutcome> Execute(Execution& run, const googlesql::AddColumnsPlan& plan);

// The query as the warehouse runs it, its relations bound. Errors: those of QueryCatalog::Bind.
Result<warehouse::Query> MakeQuery(Execution& run, const googlesql::QueryText& text);

// The anonymous table that holds a query's result: in a hidden dataset of the project and location.
TableRef AnonymousTable(const JobKey& job);

}  // namespace holdfast::bigquery
