#include "localcloud/bigquery/query_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/query_statements.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/googlesql/table_paths.h"
#include "localcloud/googlesql/translate.h"

namespace holdfast::bigquery {

namespace {

constexpr size_t kQueryBytesMax = size_t{1} << 20;  // BigQuery: 1 MB unresolved GoogleSQL

// The project and dataset that unqualified names belong to.
DatasetRef DefaultDataset(const std::string& project, const Json& settings) {
  const Json* reference = FindField(settings, "defaultDataset");
  if (reference == nullptr) return {project, {}};
  return {StringOr(*reference, "projectId", project), StringOr(*reference, "datasetId", "")};
}

Result<googlesql::Plan> Translate(const ServiceContext& context, const std::string& project,
                                  const Json& settings, const QueryParameters& parameters,
                                  QueryCatalog& catalog, bool checks_filters = true) {
  HF_RETURN_IF_ERROR(CheckDialect(settings));
  HF_ASSIGN_OR_RETURN(const std::string sql, RequiredString(settings, "query"));
  if (sql.size() > kQueryBytesMax) {
    return InvalidQuery(
        fmt::format("The query is {} bytes, over the limit of {}", sql.size(), kQueryBytesMax));
  }
  const DatasetRef names = DefaultDataset(project, settings);
  const googlesql::TranslateOptions options{
      .project = names.project,
      .dataset = names.dataset,
      .now_us = context.clock.Now().time_since_epoch().count(),
      .parameters = parameters.types,
      .checks_filters = checks_filters};
  return googlesql::TranslateStatement(
      sql, options, [&](const googlesql::RelationRef& ref) { return catalog.Resolve(ref); });
}

Json ReferencedTables(const QueryCatalog& catalog) {
  Json tables = Json::array();
  for (const TableRef& table : catalog.referenced()) tables.push_back(TableReferenceToJson(table));
  return tables;
}

// Members of the statistics that every statement has.
JobOutcome CommonOutcome(const googlesql::Plan& plan, const QueryCatalog& catalog) {
  JobOutcome outcome;
  const std::string bytes = std::to_string(catalog.bytes());
  outcome.statistics["totalBytesProcessed"] = bytes;
  Json& query = outcome.statistics["query"];
  query["totalBytesProcessed"] = bytes;
  query["totalBytesBilled"] = "0";
  query["totalSlotMs"] = "0";
  query["cacheHit"] = false;
  query["statementType"] = googlesql::StatementType(plan);
  if (!catalog.referenced().empty()) query["referencedTables"] = ReferencedTables(catalog);
  return outcome;
}

// The result's columns, if the statement has a query.
const googlesql::QueryText* QueryOf(const googlesql::Plan& plan) {
  if (const auto* select = std::get_if<googlesql::SelectPlan>(&plan)) return &select->query;
  if (const auto* insert = std::get_if<googlesql::InsertPlan>(&plan)) return &insert->query;
  const auto* create = std::get_if<googlesql::CreateTablePlan>(&plan);
  return create != nullptr && create->query ? &*create->query : nullptr;
}

bool StartsWithMarker(std::string_view sql) {
  constexpr std::string_view kMarker = "#standardsql";
  const size_t start = std::min(sql.find_first_not_of(" \t\r\n"), sql.size());
  const std::string_view head = sql.substr(start, kMarker.size());
  return std::ranges::equal(head, kMarker, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

}  // namespace

Status CheckDialect(const Json& settings) {
  if (!BoolOr(settings, "useLegacySql", true)) return Ok();
  if (StartsWithMarker(StringOr(settings, "query", ""))) return Ok();
  return InvalidQuery(
      "Legacy SQL is not supported. Set useLegacySql to false (its default in the REST API is "
      "true) "
      "or begin the query with #standardSQL.");
}

Result<JobOutcome> RunQueryJob(const ServiceContext& context, const Job& job,
                               const std::stop_token& cancel) {
  const Json& settings = job.configuration.at("query");
  QueryCatalog catalog(context, job.key.location);
  HF_ASSIGN_OR_RETURN(const auto bytes_max, OptionalInt64(settings, "maximumBytesBilled"));
  catalog.LimitBytes(bytes_max);
  HF_ASSIGN_OR_RETURN(const QueryParameters parameters, ParseQueryParameters(settings));
  HF_ASSIGN_OR_RETURN(const googlesql::Plan plan,
                      Translate(context, job.key.project, settings, parameters, catalog));
  Execution run{.context = context,
                .job = job,
                .catalog = catalog,
                .parameters = parameters,
                .plan = plan,
                .cancel = cancel};
  HF_ASSIGN_OR_RETURN(
      const StatementOutcome done,
      std::visit([&](const auto& statement) { return Execute(run, statement); }, plan));
  return OutcomeOf(run, done);
}

JobOutcome OutcomeOf(const Execution& run, const StatementOutcome& done) {
  JobOutcome outcome = CommonOutcome(run.plan, run.catalog);
  outcome.statistics["query"].update(done.statistics);
  outcome.configuration["query"] = done.configuration;
  return outcome;
}

Result<JobOutcome> DryRunQuery(const ServiceContext& context, const Job& job) {
  const Json& settings = job.configuration.at("query");
  QueryCatalog catalog(context, job.key.location);
  HF_ASSIGN_OR_RETURN(const QueryParameters parameters, ParseQueryParameters(settings));
  HF_ASSIGN_OR_RETURN(const googlesql::Plan plan,
                      Translate(context, job.key.project, settings, parameters, catalog));
  const googlesql::QueryText* query = QueryOf(plan);
  if (query != nullptr)
    HF_RETURN_IF_ERROR(catalog.Bind(query->relations, parameters));  // counts the bytes
  JobOutcome outcome = CommonOutcome(plan, catalog);
  if (query != nullptr) outcome.statistics["query"]["schema"] = query->schema.ToJson();
  return outcome;
}

std::string LocationOfQuery(const ServiceContext& context, const std::string& project,
                            const Json& settings) {
  const DatasetRef names = DefaultDataset(project, settings);
  std::vector<DatasetRef> candidates;
  const auto paths = googlesql::ListTablePaths(StringOr(settings, "query", ""));
  if (paths.ok()) {
    for (const googlesql::TablePath& path : *paths) {
      const size_t parts = path.parts.size();
      if (parts >= 3) candidates.push_back({path.parts[0], path.parts[1]});
      if (parts >= 2) candidates.push_back({names.project, path.parts[0]});
    }
  }
  candidates.push_back(names);
  for (const DatasetRef& dataset : candidates) {
    if (dataset.dataset.empty()) continue;
    const Result<std::string> location = DatasetLocation(context, dataset);
    if (location.ok()) return *location;
  }
  return std::string(kDefaultLocation);
}

Result<Schema> ViewSchema(const ServiceContext& context, const std::string& project,
                          const std::string& sql) {
  const Json settings = {{"query", sql}, {"useLegacySql", false}};
  QueryCatalog catalog(context, LocationOfQuery(context, project, settings));
  HF_ASSIGN_OR_RETURN(
      const googlesql::Plan plan,
      Translate(context, project, settings, QueryParameters{}, catalog, /*checks_filters=*/false));
  const auto* select = std::get_if<googlesql::SelectPlan>(&plan);
  if (select == nullptr) return InvalidQuery("A view's query should be a SELECT statement");
  return select->query.schema;
}

}  // namespace holdfast::bigquery
