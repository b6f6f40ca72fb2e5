// The answers of jobs.query and jobs.getQueryResults for a job.
//
// Rows are read from the job's destination table, page by page. A job that is not done gives
// jobComplete=false; one that failed gives its error. Thread-safe.
// Source: BigQuery REST `QueryResponse`, `GetQueryResultsResponse`.
#pragma once

#include <string_view>

#include "localcloud/bigquery/job.h"
#include "localcloud/bigquery/row_page.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

// `kind`: "bigquery#queryResponse" or "bigquery#getQueryResultsResponse". `page.table` is ignored.
Result<Json> QueryAnswer(const ServiceContext& context, const Job& job, std::string_view kind,
                         RowPageRequest page);

// The answer of jobs.query for a dry run that gave `statistics`.
Json DryRunAnswer(const Job& job, const Json& statistics);

}  // namespace holdfast::bigquery
