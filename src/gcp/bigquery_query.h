// Pages of a query's rows: run it, wait until it is complete, read page after page.
//
// For metadata queries of our own. Rows come as the API's "f"/"v" cells. Source: BigQuery REST v2,
// jobs.query and jobs.getQueryResults.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gcp/rest_client.h"

namespace holdfast::gcp {

// One SELECT and who runs it.
struct Query {
  std::string project;  // that runs it
  std::string sql;      // GoogleSQL; values only as @parameters
  std::vector<std::pair<std::string, std::string>> string_parameters;
  std::string what;  // for messages
  ErrorNames names;
};

// Some rows of its result.
struct QueryPage {
  std::vector<std::vector<Json>> rows;  // cells: string, null, or as the API has records and arrays
  std::string next_page_token;          // names job and page; empty: the last
};

// The first page of `query` (empty token) or the page that `page_token` of an earlier one names.
// Repeatable: a query reads only.
Result<QueryPage> RunQuery(const RestClient& client, const Query& query,
                           const std::string& page_token);

}  // namespace holdfast::gcp
