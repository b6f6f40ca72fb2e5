#include "localcloud/bigquery/tabledata.h"

#include <fmt/format.h>

#include "localcloud/bigquery/column_defaults.h"
#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/partitions_summary.h"
#include "localcloud/bigquery/row_page.h"
#include "localcloud/rest/api_error.h"
#include "localcloud/warehouse/streaming_buffer.h"

namespace holdfast::bigquery {

namespace {

// The errors of one row; a row may have several, which arrive one after the other.
Json InsertErrorsToJson(const std::vector<warehouse::InsertError>& errors) {
  Json list = Json::array();
  for (const warehouse::InsertError& error : errors) {
    Json item = {{"reason", error.reason},
                 {"location", error.location},
                 {"debugInfo", ""},
                 {"message", error.message}};
    if (!list.empty() && list.back()["index"] == error.index) {
      list.back()["errors"].push_back(std::move(item));
    } else {
      list.push_back({{"index", error.index}, {"errors", Json::array({std::move(item)})}});
    }
  }
  return list;
}

Result<std::vector<warehouse::InsertRow>> ParseRows(const Json& body) {
  const Json* rows = FindField(body, "rows");
  if (rows == nullptr || !rows->is_array() || rows->empty()) {
    return Invalid("No rows present in the request.");
  }
  if (rows->size() > kInsertRowsMax) {
    return Invalid(fmt::format("Too many rows present in the request, limit: {} row count: {}.",
                               kInsertRowsMax, rows->size()));
  }
  std::vector<warehouse::InsertRow> parsed;
  parsed.reserve(rows->size());
  for (const Json& row : *rows) {
    const Json* json = FindField(row, "json");
    if (json == nullptr || !json->is_object()) {
      return Invalid(fmt::format("rows[{}].json should be an object", parsed.size()));
    }
    parsed.push_back({.insert_id = StringOr(row, "insertId", ""), .json = *json});
  }
  return parsed;
}

}  // namespace

Result<Json> Tabledata::List(const Request& request) {
  HF_ASSIGN_OR_RETURN(const DecoratedTable table, request.DecoratedTableAt(context_.NowMs()));
  HF_ASSIGN_OR_RETURN(const RowPageRequest asked,
                      ParseRowPage(request, table.table, table.as_of_ms));
  if (IsPartitionsSummary(asked.table)) {
    return PartitionsSummaryRows(context_, asked.table, asked.selected);
  }
  HF_ASSIGN_OR_RETURN(RowPage page, ReadRowPage(context_, asked));
  Json answer = {{"kind", "bigquery#tableDataList"}, {"totalRows", std::to_string(page.total)}};
  answer["etag"] =
      rest::EtagOf(fmt::format("{} {} {}", asked.table.ToString(), page.total, page.rows.size()));
  if (!page.rows.empty()) answer["rows"] = std::move(page.rows);
  if (page.next_token) answer["pageToken"] = *page.next_token;
  return answer;
}

Result<Json> Tabledata::InsertAll(const Request& request) {
  if (!StringOr(request.body, "templateSuffix", "").empty()) {
    return Invalid("templateSuffix is not supported: create the table first");
  }
  warehouse::InsertRequest insert;
  insert.table = request.table();
  insert.skip_invalid_rows = BoolOr(request.body, "skipInvalidRows", false);
  insert.ignore_unknown_values = BoolOr(request.body, "ignoreUnknownValues", false);
  HF_ASSIGN_OR_RETURN(insert.rows, ParseRows(request.body));
  insert.default_sql = DefaultsAsOfNow(context_);
  HF_ASSIGN_OR_RETURN(const auto errors, warehouse::InsertRows(context_.warehouse, insert));
  Json answer = {{"kind", "bigquery#tableDataInsertAllResponse"}};
  if (!errors.empty()) answer["insertErrors"] = InsertErrorsToJson(errors);
  return answer;
}

}  // namespace holdfast::bigquery
