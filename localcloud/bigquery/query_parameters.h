// Query parameters of the REST API as types for the translator and text for the engine.
//
// Scalars are text as the API has them; arrays and structs are JSON of such text; NULL is nullopt.
// Pure. Errors: reason "invalidQuery", naming the parameter. Source: REST `QueryParameter`.
#pragma once

#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/googlesql/plan.h"
#include "localcloud/googlesql/translate.h"
#include "localcloud/warehouse/query.h"

namespace holdfast::bigquery {

struct QueryParameters {
  std::vector<googlesql::ParameterType> types;
  std::vector<std::optional<std::string>> values;  // by the same index
};

// Reads `queryParameters` and `parameterMode` of a query's settings; absent: none.
Result<QueryParameters> ParseQueryParameters(const Json& settings);

// The values that a statement binds, under the names its SQL has for them.
std::vector<warehouse::QueryParameter> BindParameters(
    const std::vector<googlesql::BoundParameter>& bound, const QueryParameters& parameters);

}  // namespace holdfast::bigquery
