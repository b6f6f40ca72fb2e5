#include "localcloud/bigquery/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/rest/api_error.h"
#include "localcloud/sqlite/database.h"

namespace holdfast::bigquery {

namespace {

constexpr char kCreateTable[] = R"(
  CREATE TABLE IF NOT EXISTS bigquery_documents (
    kind TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, parent, name)
  ) STRICT, WITHOUT ROWID;
)";

constexpr char kRoutine[] = "routine";
constexpr char kTablePolicy[] = "table-policy";
constexpr char kRowPolicy[] = "row-policy";
constexpr rest::PageSizes kDocumentPages = {.usual = 1000, .maximum = 10'000};

Error RoutineNotFound(const Request& request) {
  return NotFound(
      fmt::format("Routine {}.{}", DisplayName(request.dataset()), request.Path("routineId")));
}

Json RoutineReference(const DatasetRef& dataset, const std::string& id) {
  return {{"projectId", dataset.project}, {"datasetId", dataset.dataset}, {"routineId", id}};
}

// Without the grantees, which are the policy's IAM policy.
Json ShownRowPolicy(Json document) {
  document.erase("grantees");
  return document;
}

}  // namespace

Status Documents::Open() {
  const std::lock_guard lock(context_.tables().mutex());
  return context_.tables().database().Execute(kCreateTable);
}

Result<std::optional<Json>> Documents::Read(const std::string& kind, const std::string& parent,
                                            const std::string& name) {
  const std::lock_guard lock(context_.tables().mutex());
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      context_.tables().database().Prepare(
          "SELECT document FROM bigquery_documents WHERE kind = ? AND parent = ? AND name = ?",
          kind, parent, name));
  HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return std::optional<Json>();
  HF_ASSIGN_OR_RETURN(Json document, ParseJson(statement.Text(0)));
  return std::optional(std::move(document));
}

Status Documents::Write(const std::string& kind, const std::string& parent, const std::string& name,
                        const Json& document) {
  const std::lock_guard lock(context_.tables().mutex());
  return context_.tables().database().Run(
      "INSERT OR REPLACE INTO bigquery_documents VALUES "
      "(?, ?, ?, ?)",
      kind, parent, name, DumpJson(document));
}

Result<Json> Documents::InsertRoutine(const Request& request) {
  const Json* reference = FindField(request.body, "routineReference");
  if (reference == nullptr) return Required("routineReference");
  HF_ASSIGN_OR_RETURN(const std::string id, RequiredString(*reference, "routineId"));
  HF_RETURN_IF_ERROR(context_.tables().GetDataset(request.dataset()));
  const std::string parent = request.dataset().ToString();
  const std::lock_guard lock(context_.tables().mutex());  // nobody writes between read and write
  HF_ASSIGN_OR_RETURN(const auto known, Read(kRoutine, parent, id));
  if (known) {
    return Duplicate(fmt::format("Routine {}.{}", DisplayName(request.dataset()), id));
  }
  Json document = request.body;
  const std::string now = std::to_string(context_.NowMs());
  document["routineReference"] = RoutineReference(request.dataset(), id);
  document["creationTime"] = now;
  document["lastModifiedTime"] = now;
  document["etag"] = rest::EtagOf(DumpJson(document));
  HF_RETURN_IF_ERROR(Write(kRoutine, parent, id, document));
  return document;
}

Result<Json> Documents::GetRoutine(const Request& request) {
  HF_ASSIGN_OR_RETURN(auto document,
                      Read(kRoutine, request.dataset().ToString(), request.Path("routineId")));
  if (!document) return RoutineNotFound(request);
  return *std::move(document);
}

Result<Json> Documents::UpdateRoutine(const Request& request) {
  const std::string& id = request.Path("routineId");
  const std::lock_guard lock(context_.tables().mutex());  // nobody writes between read and write
  HF_ASSIGN_OR_RETURN(const Json before, GetRoutine(request));
  if (!request.if_match.empty() && request.if_match != StringOr(before, "etag", "")) {
    return WithReason(
        "conditionNotMet",
        MakeError(ErrorId::kWarehouseEtag, fmt::format("Precondition check failed: Routine {}.{}",
                                                       DisplayName(request.dataset()), id)));
  }
  Json document = request.body;
  document["routineReference"] = RoutineReference(request.dataset(), id);
  document["creationTime"] = before.at("creationTime");
  document["lastModifiedTime"] = std::to_string(context_.NowMs());
  document["etag"] = rest::EtagOf(DumpJson(document));
  HF_RETURN_IF_ERROR(Write(kRoutine, request.dataset().ToString(), id, document));
  return document;
}

Result<Json> Documents::List(const Request& request, const std::string& kind,
                             const std::string& parent, const std::string& key,
                             const std::function<Json(Json document)>& shown) {
  const std::string listing = key + " " + parent;
  HF_ASSIGN_OR_RETURN(const warehouse::PageRequest page, request.Page(listing, kDocumentPages));
  Json items = Json::array();
  std::optional<std::string> next;
  const std::lock_guard lock(context_.tables().mutex());
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      context_.tables().database().Prepare(
          "SELECT name, document FROM bigquery_documents WHERE kind = ? AND parent = ? AND "
          "name > ? ORDER BY name LIMIT ?",
          kind, parent, page.token, page.results_max + 1));
  std::string last;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool more, statement.Step());
    if (!more) break;
    if (static_cast<int64_t>(items.size()) == page.results_max) {
      next = last;
      break;
    }
    last = statement.Text(0);
    HF_ASSIGN_OR_RETURN(Json document, ParseJson(statement.Text(1)));
    items.push_back(shown(std::move(document)));
  }
  Json answer = Json::object();
  if (!items.empty()) answer[key] = std::move(items);
  SetNextPage(listing, next, answer);
  return answer;
}

Result<Json> Documents::ListRoutines(const Request& request) {
  HF_RETURN_IF_ERROR(context_.tables().GetDataset(request.dataset()));
  return List(request, kRoutine, request.dataset().ToString(), "routines",
              [](Json document) { return document; });
}

Result<Json> Documents::DeleteRoutine(const Request& request) {
  const std::lock_guard lock(context_.tables().mutex());
  sqlite::Database& database = context_.tables().database();
  HF_RETURN_IF_ERROR(
      database.Run("DELETE FROM bigquery_documents WHERE kind = ? AND parent = ? AND name = ?",
                   std::string(kRoutine), request.dataset().ToString(), request.Path("routineId")));
  if (database.rows_changed() == 0) return RoutineNotFound(request);
  return Json();
}

Result<Json> Documents::InsertRowPolicy(const Request& request) {
  HF_RETURN_IF_ERROR(context_.tables().GetTable(request.table()));
  const Json* reference = FindField(request.body, "rowAccessPolicyReference");
  if (reference == nullptr) return Required("rowAccessPolicyReference");
  HF_ASSIGN_OR_RETURN(const std::string id, RequiredString(*reference, "policyId"));
  if (FindField(request.body, "filterPredicate") == nullptr) return Required("filterPredicate");
  const std::string parent = request.table().WholeTable().ToString();
  const std::lock_guard lock(context_.tables().mutex());  // nobody writes between read and write
  HF_ASSIGN_OR_RETURN(const auto known, Read(kRowPolicy, parent, id));
  if (known) {
    return Duplicate(fmt::format("Row access policy {} of {}", id, DisplayName(request.table())));
  }
  Json document = request.body;
  const TableRef table = request.table();
  const std::string now = std::to_string(context_.NowMs());
  document["rowAccessPolicyReference"] = {{"projectId", table.project},
                                          {"datasetId", table.dataset},
                                          {"tableId", table.table},
                                          {"policyId", id}};
  document["creationTime"] = now;
  document["lastModifiedTime"] = now;
  document["etag"] = rest::EtagOf(DumpJson(document));
  HF_RETURN_IF_ERROR(Write(kRowPolicy, parent, id, document));
  return ShownRowPolicy(std::move(document));
}

Result<Json> Documents::ListRowPolicies(const Request& request) {
  HF_RETURN_IF_ERROR(context_.tables().GetTable(request.table()));
  return List(request, kRowPolicy, request.table().WholeTable().ToString(), "rowAccessPolicies",
              ShownRowPolicy);
}

Result<Json> Documents::ReadRowPolicy(const Request& request) {
  HF_ASSIGN_OR_RETURN(auto document, Read(kRowPolicy, request.table().WholeTable().ToString(),
                                          request.Path("policyId")));
  if (document) return *std::move(document);
  return NotFound(fmt::format("Row access policy {} of {}", request.Path("policyId"),
                              DisplayName(request.table())));
}

Result<Json> Documents::GetRowPolicy(const Request& request) {
  HF_ASSIGN_OR_RETURN(Json document, ReadRowPolicy(request));
  return ShownRowPolicy(std::move(document));
}

Result<Json> Documents::DeleteRowPolicy(const Request& request) {
  HF_RETURN_IF_ERROR(ReadRowPolicy(request));
  const std::lock_guard lock(context_.tables().mutex());
  HF_RETURN_IF_ERROR(context_.tables().database().Run(
      "DELETE FROM bigquery_documents WHERE kind = ? AND parent = ? AND name = ?",
      std::string(kRowPolicy), request.table().WholeTable().ToString(), request.Path("policyId")));
  return Json();
}

Result<Json> Documents::GetRowPolicyIam(const Request& request) {
  HF_ASSIGN_OR_RETURN(const Json document, ReadRowPolicy(request));
  const Json* grantees = FindField(document, "grantees");
  Json answer = {{"version", 1}, {"etag", StringOr(document, "etag", "")}};
  if (grantees != nullptr && !grantees->empty()) {
    answer["bindings"] = {{{"role", "roles/bigquery.filteredDataViewer"}, {"members", *grantees}}};
  }
  return answer;
}

Result<Json> Documents::TestRowPolicyIam(const Request& request) {
  HF_ASSIGN_OR_RETURN(const Json document, ReadRowPolicy(request));
  const Json* asked = FindField(request.body, "permissions");
  const Json* grantees = FindField(document, "grantees");
  Json answer = Json::object();
  if (asked == nullptr || grantees == nullptr || !grantees->is_array()) return answer;
  const bool is_granted = std::ranges::any_of(*grantees, [](const Json& grantee) {
    return grantee == Json(kCaller) || grantee == Json("allAuthenticatedUsers") ||
           grantee == Json("allUsers");
  });
  if (is_granted) answer["permissions"] = *asked;
  return answer;
}

Result<Json> Documents::GetIamPolicy(const Request& request) {
  HF_RETURN_IF_ERROR(context_.tables().GetTable(request.table()));
  HF_ASSIGN_OR_RETURN(auto policy,
                      Read(kTablePolicy, request.dataset().ToString(), request.table().table));
  if (policy) return *std::move(policy);
  return Json{{"version", 1}, {"etag", "ACAB"}};
}

Result<Json> Documents::SetIamPolicy(const Request& request) {
  HF_RETURN_IF_ERROR(context_.tables().GetTable(request.table()));
  const Json* policy = FindField(request.body, "policy");
  if (policy == nullptr || !policy->is_object()) return Required("policy");
  HF_ASSIGN_OR_RETURN(const Json before, GetIamPolicy(request));
  const std::string etag = StringOr(*policy, "etag", "");
  if (!etag.empty() && etag != StringOr(before, "etag", "")) {
    return WithReason("conditionNotMet",
                      MakeError(ErrorId::kWarehouseEtag, "The policy was changed meanwhile"));
  }
  Json kept = *policy;
  kept["version"] = Int64Or(*policy, "version", 1);
  kept["etag"] = rest::EtagOf(DumpJson(before) + DumpJson(*policy));
  HF_RETURN_IF_ERROR(
      Write(kTablePolicy, request.dataset().ToString(), request.table().table, kept));
  return kept;
}

Result<Json> Documents::TestIamPermissions(const Request& request) {
  HF_RETURN_IF_ERROR(context_.tables().GetTable(request.table()));
  Json answer = Json::object();
  if (const Json* asked = FindField(request.body, "permissions")) answer["permissions"] = *asked;
  return answer;
}

}  // namespace holdfast::bigquery
