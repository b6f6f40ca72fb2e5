// One REST call as the operations see it: names from the path, parameters, and a JSON body.
//
// An operation answers with a JSON document, or with JSON null for an empty 204. Plain values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/bigquery/table_decorator.h"
#include "localcloud/rest/page_token.h"
#include "localcloud/rest/router.h"
#include "localcloud/warehouse/metadata.h"
#include "model/resource_names.h"
#include "net/http.h"

namespace holdfast::bigquery {

struct Request {
  rest::PathParameters path;
  net::QueryParameters query;
  std::string if_match;  // an etag without quotes; "" when the header is absent or "*"
  Json body = Json::object();

  // Names of the path; "" for one that the route does not have.
  const std::string& Path(std::string_view name) const { return path.Get(name); }
  const std::string& project() const { return Path("projectId"); }
  DatasetRef dataset() const { return {project(), Path("datasetId")}; }
  TableRef table() const;  // a `$partition` of the tableId goes to `partition`

  // The same with an `@ms` of the tableId, relative to `now_ms` if negative. Errors: reason
  // "invalid" for a decorator that is none.
  Result<DecoratedTable> DecoratedTableAt(int64_t now_ms) const;

  // Parameters of the query. Errors: reason "invalid", naming the parameter.
  Result<bool> Flag(std::string_view name) const;                      // absent: false
  Result<std::optional<int64_t>> Number(std::string_view name) const;  // not negative

  // The page asked for of the listing that `listing` names (rest/page_token.h).
  Result<warehouse::PageRequest> Page(std::string_view listing, rest::PageSizes sizes) const;
};

// Puts `token`, if there is one, into a listing's answer as its nextPageToken.
void SetNextPage(std::string_view listing, const std::optional<std::string>& token, Json& answer);

// Runs a read-modify-write that is guarded by the etag it read: again, a few times, when the
// resource changed in between and the caller did not ask for a particular etag itself.
Result<Json> RetryOnChange(const Request& request, const std::function<Result<Json>()>& edit);

}  // namespace holdfast::bigquery
