#include "localcloud/bigquery/bigquery_service.h"

#include <set>
#include <utility>

#include "localcloud/bigquery/datasets.h"
#include "localcloud/bigquery/documents.h"
#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/job_runner.h"
#include "localcloud/bigquery/job_store.h"
#include "localcloud/bigquery/jobs.h"
#include "localcloud/bigquery/query_job.h"
#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"
#include "localcloud/bigquery/tabledata.h"
#include "localcloud/bigquery/tables.h"
#include "localcloud/bigquery/uploads.h"
#include "localcloud/rest/api_error.h"

namespace holdfast::bigquery {

namespace {

constexpr std::string_view kProject = "/bigquery/v2/projects/{projectId}";
constexpr std::string_view kUpload = "/upload/bigquery/v2/projects/{projectId}/jobs";
constexpr size_t kBodyBytesMax = size_t{64} << 20U;
constexpr std::string_view kServiceAccount = "localcloud-bigquery@localhost";

// An etag as a header carries it: quoted or bare, weak or not.
std::string BareEtag(std::string_view header) {
  if (header == "*") return {};
  if (header.starts_with("W/")) header.remove_prefix(2);
  if (header.size() >= 2 && header.front() == '"' && header.back() == '"') {
    header = header.substr(1, header.size() - 2);
  }
  return std::string(header);
}

bool HasBody(const std::string& method) { return method != "GET" && method != "DELETE"; }

Result<Request> MakeRequest(net::ServerRequest& http, const rest::PathParameters& path) {
  Request request;
  request.path = path;
  request.query = http.query;
  request.if_match = BareEtag(http.headers.Get("If-Match"));
  if (!HasBody(http.method)) return request;
  const bool streams = http.path.ends_with("/insertAll");
  HF_ASSIGN_OR_RETURN(request.body,
                      rest::ReadJsonBody(http, streams ? kInsertBytesMax : kBodyBytesMax));
  if (!request.body.is_object()) return Invalid("The body should be a JSON object");
  return request;
}

}  // namespace

// Everything the service is made of; in this order, as each part borrows those before it.
class BigQueryService::Implementation {
 public:
  Implementation(BigQueryOptions options, warehouse::Warehouse& warehouse,
                 storage::ObjectStore& objects, Clock& clock, Random& random,
                 std::unique_ptr<JobStore> store)
      : options_(std::move(options)),
        context_{.warehouse = warehouse,
                 .objects = objects,
                 .clock = clock,
                 .random = random,
                 .upload_directory = options_.upload_directory},
        store_(std::move(store)),
        runner_(
            *store_, clock,
            [this](const Job& job, const std::stop_token& cancel) {
              return RunJob(context_, job, cancel);
            },
            options_.job_threads),
        datasets_(context_),
        tables_(context_,
                [this](const std::string& project, const std::string& sql) {
                  return ViewSchema(context_, project, sql);
                }),
        tabledata_(context_),
        documents_(context_),
        jobs_(context_, *store_, runner_),
        uploads_(context_, jobs_) {}

  Status Start() {
    HF_RETURN_IF_ERROR(documents_.Open());
    HF_ASSIGN_OR_RETURN(const std::vector<Job> unfinished, store_->Unfinished());
    std::set<std::string> keep;
    for (const Job& job : unfinished) keep.insert(job.upload_path);
    HF_RETURN_IF_ERROR(uploads_.Open(keep));
    return runner_.Recover();
  }

  void Register(rest::Router& router) {
    RegisterDatasets(router);
    RegisterTables(router);
    RegisterJobs(router);
    RegisterRest(router);
  }

 private:
  template <typename Part>
  using Method = Result<Json> (Part::*)(const Request&);

  // Adds a route whose handler reads the request, makes sure of the project and calls `method`.
  template <typename Part>
  void Add(rest::Router& router, std::string_view verb, std::string_view pattern, Part& part,
           Method<Part> method) {
    AddOperation(router, verb, pattern,
                 [&part, method](const Request& request) { return (part.*method)(request); });
  }

  void AddOperation(rest::Router& router, std::string_view verb, std::string_view pattern,
                    std::function<Result<Json>(const Request&)> operation) {
    router.Add(verb, std::string(kProject) + std::string(pattern),
               [this, operation = std::move(operation)](net::ServerRequest& http,
                                                        const rest::PathParameters& path) {
                 const auto answer = [&]() -> Result<Json> {
                   HF_RETURN_IF_ERROR(EnsureProject(path));
                   HF_ASSIGN_OR_RETURN(const Request request, MakeRequest(http, path));
                   Result<Json> done = operation(request);
                   if (http.method != "GET" || !done.ok()) return done;
                   HF_RETURN_IF_ERROR(rest::CheckEtag(http, StringOr(*done, "etag", "")));
                   return done;
                 };
                 return rest::ResponseOf(answer());
               });
  }

  Status EnsureProject(const rest::PathParameters& path) const {
    const std::string& project = path.Get("projectId");
    if (!ValidateProjectId(project).ok()) {
      return Invalid("Invalid project ID '" + project.substr(0, 100) + "'.");
    }
    return options_.ensure_project ? options_.ensure_project(project) : Ok();
  }

  void RegisterDatasets(rest::Router& router) {
    Add(router, "POST", "/datasets", datasets_, &Datasets::Insert);
    Add(router, "GET", "/datasets", datasets_, &Datasets::List);
    Add(router, "GET", "/datasets/{datasetId}", datasets_, &Datasets::Get);
    Add(router, "PATCH", "/datasets/{datasetId}", datasets_, &Datasets::Patch);
    Add(router, "PUT", "/datasets/{datasetId}", datasets_, &Datasets::Update);
    Add(router, "DELETE", "/datasets/{datasetId}", datasets_, &Datasets::Delete);
  }

  void RegisterTables(rest::Router& router) {
    const std::string tables = "/datasets/{datasetId}/tables";
    const std::string table = tables + "/{tableId}";
    Add(router, "POST", tables, tables_, &Tables::Insert);
    Add(router, "GET", tables, tables_, &Tables::List);
    Add(router, "GET", table, tables_, &Tables::Get);
    Add(router, "PATCH", table, tables_, &Tables::Patch);
    Add(router, "PUT", table, tables_, &Tables::Update);
    Add(router, "DELETE", table, tables_, &Tables::Delete);
    Add(router, "GET", table + "/data", tabledata_, &Tabledata::List);
    Add(router, "POST", table + "/insertAll", tabledata_, &Tabledata::InsertAll);
    Add(router, "POST", table + ":getIamPolicy", documents_, &Documents::GetIamPolicy);
    Add(router, "POST", table + ":setIamPolicy", documents_, &Documents::SetIamPolicy);
    Add(router, "POST", table + ":testIamPermissions", documents_, &Documents::TestIamPermissions);
    const std::string row_policies = table + "/rowAccessPolicies";
    const std::string row_policy = row_policies + "/{policyId}";
    Add(router, "POST", row_policies, documents_, &Documents::InsertRowPolicy);
    Add(router, "GET", row_policies, documents_, &Documents::ListRowPolicies);
    Add(router, "GET", row_policy, documents_, &Documents::GetRowPolicy);
    Add(router, "DELETE", row_policy, documents_, &Documents::DeleteRowPolicy);
    Add(router, "POST", row_policy + ":getIamPolicy", documents_, &Documents::GetRowPolicyIam);
    Add(router, "POST", row_policy + ":testIamPermissions", documents_,
        &Documents::TestRowPolicyIam);
  }

  void RegisterJobs(rest::Router& router) {
    Add(router, "POST", "/jobs", jobs_, &Jobs::Insert);
    Add(router, "GET", "/jobs", jobs_, &Jobs::List);
    Add(router, "GET", "/jobs/{jobId}", jobs_, &Jobs::Get);
    Add(router, "POST", "/jobs/{jobId}/cancel", jobs_, &Jobs::Cancel);
    Add(router, "DELETE", "/jobs/{jobId}/delete", jobs_, &Jobs::Delete);
    Add(router, "POST", "/queries", jobs_, &Jobs::Query);
    Add(router, "GET", "/queries/{jobId}", jobs_, &Jobs::GetQueryResults);
    router.Add("POST", kUpload, [this](net::ServerRequest& http, const rest::PathParameters& path) {
      const Status welcome = EnsureProject(path);
      return welcome.ok() ? uploads_.Begin(http, path) : rest::ResponseOf(welcome.error());
    });
    router.Add("PUT", kUpload, [this](net::ServerRequest& http, const rest::PathParameters& path) {
      return uploads_.Continue(http, path);
    });
  }

  void RegisterRest(rest::Router& router) {
    const std::string routines = "/datasets/{datasetId}/routines";
    const std::string routine = routines + "/{routineId}";
    Add(router, "POST", routines, documents_, &Documents::InsertRoutine);
    Add(router, "GET", routines, documents_, &Documents::ListRoutines);
    Add(router, "GET", routine, documents_, &Documents::GetRoutine);
    Add(router, "PUT", routine, documents_, &Documents::UpdateRoutine);
    Add(router, "DELETE", routine, documents_, &Documents::DeleteRoutine);
    AddOperation(router, "GET", "/datasets/{datasetId}/models",
                 [this](const Request& request) { return EmptyListOf(request); });
    AddOperation(router, "GET", "/serviceAccount", [](const Request&) -> Result<Json> {
      return Json{{"kind", "bigquery#getServiceAccountResponse"}, {"email", kServiceAccount}};
    });
    router.Add("GET", "/bigquery/v2/projects",
               [this](net::ServerRequest&, const rest::PathParameters&) {
                 return rest::ResponseOf(ListProjects());
               });
  }

  // The list of something that there never is here, below a dataset that has to be there.
  Result<Json> EmptyListOf(const Request& request) {
    HF_RETURN_IF_ERROR(context_.tables().GetDataset(request.dataset()));
    return Json::object();
  }

  Result<Json> ListProjects() const {
    Json projects = Json::array();
    if (options_.list_projects) {
      HF_ASSIGN_OR_RETURN(const std::vector<std::string> ids, options_.list_projects());
      for (const std::string& id : ids) {
        projects.push_back({{"kind", "bigquery#project"},
                            {"id", id},
                            {"numericId", "0"},
                            {"friendlyName", id},
                            {"projectReference", {{"projectId", id}}}});
      }
    }
    return Json{{"kind", "bigquery#projectList"},
                {"totalItems", projects.size()},
                {"projects", std::move(projects)}};
  }

  BigQueryOptions options_;
  ServiceContext context_;
  std::unique_ptr<JobStore> store_;
  JobRunner runner_;
  Datasets datasets_;
  Tables tables_;
  Tabledata tabledata_;
  Documents documents_;
  Jobs jobs_;
  Uploads uploads_;
};

BigQueryService::BigQueryService(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

BigQueryService::~BigQueryService() = default;

Result<std::unique_ptr<BigQueryService>> BigQueryService::Open(BigQueryOptions options,
                                                               warehouse::Warehouse& warehouse,
                                                               storage::ObjectStore& objects,
                                                               Clock& clock, Random& random) {
  HF_ASSIGN_OR_RETURN(std::unique_ptr<JobStore> store, JobStore::Open(warehouse.store()));
  auto implementation = std::make_unique<Implementation>(std::move(options), warehouse, objects,
                                                         clock, random, std::move(store));
  HF_RETURN_IF_ERROR(implementation->Start());
  return std::unique_ptr<BigQueryService>(new BigQueryService(std::move(implementation)));
}

void BigQueryService::Register(rest::Router& router) { implementation_->Register(router); }

}  // namespace holdfast::bigquery
