#include "localcloud/bigquery/query_parameters.h"

#include <fmt/format.h>

#include "localcloud/bigquery/fault.h"

namespace holdfast::bigquery {

namespace {

constexpr size_t kParametersMax = 10'000;  // BigQuery: "Maximum number of query parameters"

// A parameterValue as JSON: text, null, an array or an object of them.
Json ValueToJson(const Json& value) {
  if (const Json* elements = FindField(value, "arrayValues"); elements && elements->is_array()) {
    Json array = Json::array();
    for (const Json& element : *elements) array.push_back(ValueToJson(element));
    return array;
  }
  if (const Json* members = FindField(value, "structValues"); members && members->is_object()) {
    Json object = Json::object();
    for (const auto& [name, member] : members->items()) object[name] = ValueToJson(member);
    return object;
  }
  const Json* scalar = FindField(value, "value");
  return scalar == nullptr ? Json(nullptr) : *scalar;
}

std::optional<std::string> ValueText(const Json& value) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.get<std::string>();
  return DumpJson(value);
}

}  // namespace

Result<QueryParameters> ParseQueryParameters(const Json& settings) {
  QueryParameters parsed;
  const Json* list = FindField(settings, "queryParameters");
  if (list == nullptr) return parsed;
  if (!list->is_array() || list->size() > kParametersMax) {
    return InvalidQuery("queryParameters should be a list of at most 10000");
  }
  const bool positional = StringOr(settings, "parameterMode", "") == "POSITIONAL";
  for (const Json& parameter : *list) {
    const std::string name = positional ? std::string() : StringOr(parameter, "name", "");
    const Json* type = FindField(parameter, "parameterType");
    if (type == nullptr) {
      return InvalidQuery(fmt::format("Query parameter '{}' has no parameterType", name));
    }
    HF_ASSIGN_OR_RETURN(googlesql::Type read, googlesql::ParseParameterType(*type));
    const Json* value = FindField(parameter, "parameterValue");
    Json json = value == nullptr ? Json(nullptr) : ValueToJson(*value);
    // The API leaves the list out of an empty array: a value that is there is no NULL then.
    const bool empty_array = value != nullptr && read.kind == googlesql::TypeKind::kArray;
    if (json.is_null() && empty_array) json = Json::array();
    parsed.types.push_back({.name = name, .type = std::move(read)});
    parsed.values.push_back(ValueText(json));
  }
  return parsed;
}

std::vector<warehouse::QueryParameter> BindParameters(
    const std::vector<googlesql::BoundParameter>& bound, const QueryParameters& parameters) {
  std::vector<warehouse::QueryParameter> values;
  values.reserve(bound.size());
  for (const googlesql::BoundParameter& parameter : bound) {
    values.push_back({.name = parameter.name, .value = parameters.values.at(parameter.index)});
  }
  return values;
}

}  // namespace holdfast::bigquery
