#include "gcp/bigquery_definitions.h"

#include <fmt/format.h>

#include <algorithm>

#include "gcp/list_items.h"

namespace holdfast::gcp {

namespace {

// What a grantee of a row access policy may do, and its role in the policy's IAM policy.
constexpr const char* kReadFiltered = "bigquery.rowAccessPolicies.getFilteredData";
constexpr std::string_view kFilteredViewer = "roles/bigquery.filteredDataViewer";
constexpr int kIamPolicyVersion = 3;  // the newest: one with conditions is not cut down

constexpr ErrorNames kRoutineErrors = {.not_found = ErrorId::kRoutineNotFound,
                                       .exists = ErrorId::kRoutineExists};
constexpr ErrorNames kAccessErrors = {.not_found = ErrorId::kTableNotFound,
                                      .exists = ErrorId::kTableExists};

std::string RoutinesPath(const DatasetRef& dataset) {
  return fmt::format("/bigquery/v2/projects/{}/datasets/{}/routines",
                     net::PercentEncode(dataset.project), net::PercentEncode(dataset.dataset));
}

std::string PathOfTable(const TableRef& table) {
  return fmt::format("/bigquery/v2/projects/{}/datasets/{}/tables/{}",
                     net::PercentEncode(table.project), net::PercentEncode(table.dataset),
                     net::PercentEncode(table.table));
}

std::string RowPolicyPath(const TableRef& table, const std::string& policy) {
  return PathOfTable(table) + "/rowAccessPolicies/" + net::PercentEncode(policy);
}

std::string NameOfRoutine(const DatasetRef& dataset, const std::string& routine) {
  return "routine " + dataset.ToString() + "." + routine;
}

std::string NameOfRowPolicies(const TableRef& table) {
  return "row access policies of " + table.WholeTable().ToString();
}

Result<cloud::RowAccessPolicy> PolicyFromJson(const Json& json) {
  const Json* reference = FindField(json, "rowAccessPolicyReference");
  if (reference == nullptr) {
    return MakeError(ErrorId::kInvalidJson, "\"rowAccessPolicyReference\" is missing");
  }
  cloud::RowAccessPolicy policy;
  HF_ASSIGN_OR_RETURN(policy.id, RequiredString(*reference, "policyId"));
  HF_ASSIGN_OR_RETURN(policy.filter, RequiredString(json, "filterPredicate"));
  return policy;
}

}  // namespace

BigQueryDefinitions::BigQueryDefinitions(std::string endpoint, RestEnvironment environment)
    : client_(std::move(endpoint), std::move(environment)) {}

Result<cloud::Page<cloud::RoutineInfo>> BigQueryDefinitions::ListRoutines(
    const DatasetRef& dataset, const std::string& page_token) {
  RestCall call{.path = RoutinesPath(dataset),
                .what = "routines of dataset " + dataset.ToString(),
                .names = {.not_found = ErrorId::kDatasetNotFound}};
  call.query.Add("maxResults", "1000");
  if (!page_token.empty()) call.query.Add("pageToken", page_token);
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call(call));
  cloud::Page<cloud::RoutineInfo> page;
  page.next_page_token = StringOr(json, "nextPageToken", "");
  HF_ASSIGN_OR_RETURN(const std::span<const Json> routines, ListItems(json, "routines"));
  for (const Json& item : routines) {
    HF_ASSIGN_OR_RETURN(cloud::RoutineInfo routine, cloud::RoutineInfo::FromJson(item));
    page.items.push_back(std::move(routine));
  }
  return page;
}

Result<cloud::RoutineInfo> BigQueryDefinitions::GetRoutine(const DatasetRef& dataset,
                                                           const std::string& routine) {
  HF_ASSIGN_OR_RETURN(const Json json, client_.Call({.path = RoutinesPath(dataset) + "/" +
                                                             net::PercentEncode(routine),
                                                     .what = NameOfRoutine(dataset, routine),
                                                     .names = kRoutineErrors}));
  return cloud::RoutineInfo::FromJson(json);
}

Result<cloud::RoutineInfo> BigQueryDefinitions::CreateRoutine(const DatasetRef& dataset,
                                                              const std::string& routine,
                                                              const Json& resource) {
  Json body = resource;
  for (const char* member : {"etag", "creationTime", "lastModifiedTime"}) body.erase(member);
  body["routineReference"] = {
      {"projectId", dataset.project}, {"datasetId", dataset.dataset}, {"routineId", routine}};
  HF_ASSIGN_OR_RETURN(const Json json,
                      client_.Call({.method = "POST",
                                    .path = RoutinesPath(dataset),
                                    .body = std::move(body),
                                    .what = NameOfRoutine(dataset, routine),
                                    .names = {.not_found = ErrorId::kDatasetNotFound,
                                              .exists = ErrorId::kRoutineExists},
                                    .repeatable = false}));
  return cloud::RoutineInfo::FromJson(json);
}

Result<std::vector<std::string>> BigQueryDefinitions::GranteesOf(const TableRef& table,
                                                                 const std::string& policy) {
  HF_ASSIGN_OR_RETURN(const Json json,
                      client_.Call({.method = "POST",
                                    .path = RowPolicyPath(table, policy) + ":getIamPolicy",
                                    .body = Json::object(),
                                    .what = NameOfRowPolicies(table),
                                    .names = kAccessErrors}));
  std::vector<std::string> grantees;
  HF_ASSIGN_OR_RETURN(const std::span<const Json> bindings, ListItems(json, "bindings"));
  for (const Json& binding : bindings) {
    if (StringOr(binding, "role", "") != kFilteredViewer) continue;
    HF_ASSIGN_OR_RETURN(const std::span<const Json> members, ListItems(binding, "members"));
    for (const Json& member : members) {
      if (member.is_string()) grantees.push_back(member.get<std::string>());
    }
  }
  std::ranges::sort(grantees);
  return grantees;
}

Result<std::vector<cloud::RowAccessPolicy>> BigQueryDefinitions::ListRowAccessPolicies(
    const TableRef& table) {
  std::vector<cloud::RowAccessPolicy> policies;
  const auto list = [&](const std::string& token) -> Result<cloud::Page<cloud::RowAccessPolicy>> {
    RestCall call{.path = PathOfTable(table) + "/rowAccessPolicies",
                  .what = NameOfRowPolicies(table),
                  .names = kAccessErrors};
    if (!token.empty()) call.query.Add("pageToken", token);
    HF_ASSIGN_OR_RETURN(const Json json, client_.Call(call));
    cloud::Page<cloud::RowAccessPolicy> page;
    page.next_page_token = StringOr(json, "nextPageToken", "");
    HF_ASSIGN_OR_RETURN(const std::span<const Json> items, ListItems(json, "rowAccessPolicies"));
    for (const Json& item : items) {
      HF_ASSIGN_OR_RETURN(cloud::RowAccessPolicy policy, PolicyFromJson(item));
      page.items.push_back(std::move(policy));
    }
    return page;
  };
  HF_RETURN_IF_ERROR(cloud::ForEachPage<cloud::RowAccessPolicy>(
      list, [&](cloud::RowAccessPolicy&& policy) -> Status {
        HF_ASSIGN_OR_RETURN(policy.grantees, GranteesOf(table, policy.id));
        policies.push_back(std::move(policy));
        return Ok();
      }));
  std::ranges::sort(policies, {}, &cloud::RowAccessPolicy::id);
  return policies;
}

Result<bool> BigQueryDefinitions::IsGranted(const TableRef& table, const std::string& policy) {
  HF_ASSIGN_OR_RETURN(const Json json,
                      client_.Call({.method = "POST",
                                    .path = RowPolicyPath(table, policy) + ":testIamPermissions",
                                    .body = Json{{"permissions", {kReadFiltered}}},
                                    .what = NameOfRowPolicies(table),
                                    .names = kAccessErrors}));
  HF_ASSIGN_OR_RETURN(const std::span<const Json> granted, ListItems(json, "permissions"));
  return std::ranges::find(granted, Json(kReadFiltered)) != granted.end();
}

Status BigQueryDefinitions::CreateRowAccessPolicy(const TableRef& table,
                                                  const cloud::RowAccessPolicy& policy) {
  const RestCall call{
      .method = "POST",
      .path = PathOfTable(table) + "/rowAccessPolicies",
      .body = Json{{"rowAccessPolicyReference",
                    {{"projectId", table.project},
                     {"datasetId", table.dataset},
                     {"tableId", table.table},
                     {"policyId", policy.id}}},
                   {"filterPredicate", policy.filter},
                   {"grantees", policy.grantees}},
      .what = "row access policy " + policy.id + " of " + table.WholeTable().ToString(),
      .names = kAccessErrors,
      .repeatable = false};
  HF_RETURN_IF_ERROR(client_.Call(call));
  return Ok();
}

Result<Json> BigQueryDefinitions::GetIamPolicy(const TableRef& table) {
  HF_ASSIGN_OR_RETURN(
      Json json,
      client_.Call({.method = "POST",
                    .path = PathOfTable(table) + ":getIamPolicy",
                    .body = Json{{"options", {{"requestedPolicyVersion", kIamPolicyVersion}}}},
                    .what = "IAM policy of " + table.WholeTable().ToString(),
                    .names = kAccessErrors}));
  if (!json.is_object()) return MakeError(ErrorId::kInvalidJson, "an IAM policy is not an object");
  json.erase("etag");
  json.erase("version");
  return json;
}

Status BigQueryDefinitions::SetIamPolicy(const TableRef& table, const Json& policy) {
  Json whole = policy;
  whole["version"] = kIamPolicyVersion;
  const RestCall call{.method = "POST",
                      .path = PathOfTable(table) + ":setIamPolicy",
                      .body = Json{{"policy", std::move(whole)}},
                      .what = "IAM policy of " + table.WholeTable().ToString(),
                      .names = kAccessErrors};
  HF_RETURN_IF_ERROR(client_.Call(call));
  return Ok();
}

}  // namespace holdfast::gcp
