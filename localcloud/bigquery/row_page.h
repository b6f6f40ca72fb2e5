// One page of a table's rows as JSON, and the tokens that lead from page to page.
//
// A token holds the row to go on with and, unless the table has rows in its streaming buffer, the
// version that the first page was of: pages neither overlap nor miss a row while others write. A
// page ends at its number of rows or at 10 MB, as BigQuery's do. Thread-safe. Source: BigQuery REST
// `tabledata.list`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/row_json.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

struct RowPageRequest {
  TableRef table;
  std::optional<int64_t> as_of_ms;    // `table@ms`
  std::optional<int64_t> rows_max;    // nullopt: as many as fit; 0: none
  int64_t start = 0;                  // without a token
  std::string token;                  // of the page before
  std::vector<std::string> selected;  // columns; empty: all
  TimestampFormat timestamps = TimestampFormat::kFloatSeconds;
};

struct RowPage {
  Json rows = Json::array();
  int64_t total = 0;                      // of the table
  std::optional<std::string> next_token;  // nullopt: the last page
};

// Reads maxResults, startIndex, pageToken, selectedFields and formatOptions of a request.
// Whether they fit the table is found by ReadRowPage. Errors: reason "invalid", naming the
// parameter.
Result<RowPageRequest> ParseRowPage(const Request& request, const TableRef& table,
                                    std::optional<int64_t> as_of_ms = {});

// Reads the page that `request` describes; a page past the end is empty. Errors: reason "notFound";
// "invalid" for a view, an unknown selected field, a token of another table, or a moment outside
// the time-travel window.
Result<RowPage> ReadRowPage(const ServiceContext& context, const RowPageRequest& request);

}  // namespace holdfast::bigquery
