// The work of query jobs: one GoogleSQL statement, translated and carried out.
//
// A SELECT's rows go to the table that the job names, or to an anonymous one that lives for a day;
// clients read them from there (query_results.h). DDL and DML act on the warehouse at once. Errors:
// reason "invalidQuery" with the place in the text, "notFound", "duplicate"; nothing is changed
// then. Source: BigQuery REST `JobConfigurationQuery`, `JobStatistics2`.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "localcloud/bigquery/job.h"
#include "localcloud/bigquery/job_runner.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

// Runs the query to its end on the calling thread, as one commit. Errors: also "stopped" when
// `cancel` asks, "bytesBilledLimitExceeded" over maximumBytesBilled, "resourcesExceeded".
Result<JobOutcome> RunQueryJob(const ServiceContext& context, const Job& job,
                               const std::stop_token& cancel);

// What the query would do: schema, bytes, statement type. Changes nothing.
Result<JobOutcome> DryRunQuery(const ServiceContext& context, const Job& job);

// Refuses the legacy dialect, unless the text begins with #standardSQL. `settings`: a
// JobConfigurationQuery or QueryRequest, in both of which `useLegacySql` is true when absent.
Status CheckDialect(const Json& settings);

// Where a query runs that names no location: the location of the first dataset that it names, or of
// its default dataset; "US" for none.
std::string LocationOfQuery(const ServiceContext& context, const std::string& project,
                            const Json& settings);

// The columns of a view's query. Errors as a query's.
Result<Schema> ViewSchema(const ServiceContext& context, const std::string& project,
                          const std::string& sql);

}  // namespace holdfast::bigquery
