// Buckets of the JSON API: insert, get, list, patch, update, delete, retention lock, IAM policy.
#include <utility>

#include "localcloud/rest/page_token.h"
#include "localcloud/storage/request_context.h"
#include "localcloud/storage/resource_json.h"

namespace holdfast::storage {
namespace {

constexpr rest::PageSizes kPageSizes = {.usual = 1000, .maximum = 1000};

Error RequiredParameter(const std::string& name) {
  return WithReason("required",
                    MakeError(ErrorId::kStorageInvalid, "parameter " + name + " is required"));
}

// The project of a request, which comes into being unless projects are strict.
Result<std::string> ReadProject(const Service& service, const net::ServerRequest& request) {
  std::string project = request.query.Get("project");
  if (project.empty()) return RequiredParameter("project");
  if (service.options.ensure_project) {
    HF_RETURN_IF_ERROR(service.options.ensure_project(project));
  }
  return project;
}

std::string ProjectNumber(const Service& service, const std::string& project) {
  return service.options.project_number ? service.options.project_number(project) : "";
}

Json RenderBucket(const Service& service, const net::ServerRequest& request,
                  const BucketRecord& bucket) {
  return BucketToJson(bucket, ProjectNumber(service, bucket.project), BaseUrl(request));
}

Result<Json> InsertBucket(const Service& service, net::ServerRequest& request,
                          const rest::PathParameters&) {
  HF_ASSIGN_OR_RETURN(const std::string project, ReadProject(service, request));
  HF_ASSIGN_OR_RETURN(const Json body,
                      rest::ReadJsonBody(request, service.options.metadata_bytes_max));
  if (FlagParameter(request.query, "enableObjectRetention")) {
    return WithReason("notImplemented", MakeError(ErrorId::kStorageUnsupported,
                                                  "retention of single objects is not supported"));
  }
  BucketRecord bucket{.name = StringOr(body, "name", ""),
                      .project = project,
                      .settings = {{"location", "US"}, {"storageClass", "STANDARD"}}};
  HF_RETURN_IF_ERROR(ApplyBucketBody(body, false, bucket));
  HF_ASSIGN_OR_RETURN(const BucketRecord created, service.store.CreateBucket(bucket));
  return RenderBucket(service, request, created);
}

Result<Json> GetBucket(const Service& service, net::ServerRequest& request,
                       const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const Preconditions conditions,
                      ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket,
                      service.store.GetBucket(path.Get("bucket"), conditions));
  HF_RETURN_IF_ERROR(rest::CheckEtag(request, BucketEtag(bucket)));
  return RenderBucket(service, request, bucket);
}

Result<Json> ListBuckets(const Service& service, net::ServerRequest& request,
                         const rest::PathParameters&) {
  HF_ASSIGN_OR_RETURN(const std::string project, ReadProject(service, request));
  BucketQuery query{.project = project, .prefix = request.query.Get("prefix")};
  const std::string listing = DumpJson({"buckets", project, query.prefix});
  HF_ASSIGN_OR_RETURN(const int64_t limit,
                      rest::ReadPageSize(request.query, "maxResults", kPageSizes));
  query.limit = static_cast<int>(limit);
  HF_ASSIGN_OR_RETURN(query.after, rest::DecodePageToken(listing, request.query.Get("pageToken")));
  HF_ASSIGN_OR_RETURN(const BucketPage page, service.store.ListBuckets(query));
  const std::string number = ProjectNumber(service, project);
  Json json = {{"kind", "storage#buckets"}};
  for (const BucketRecord& bucket : page.buckets) {
    json["items"].push_back(BucketToJson(bucket, number, BaseUrl(request)));
  }
  if (!page.next.empty()) json["nextPageToken"] = rest::EncodePageToken(listing, page.next);
  return json;
}

// PATCH merges the body, PUT replaces by it.
Result<Json> ChangeBucket(const Service& service, net::ServerRequest& request,
                          const rest::PathParameters& path, bool replace) {
  HF_ASSIGN_OR_RETURN(const Preconditions conditions,
                      ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(const Json body,
                      rest::ReadJsonBody(request, service.options.metadata_bytes_max));
  HF_ASSIGN_OR_RETURN(
      const BucketRecord bucket,
      service.store.ChangeBucket(path.Get("bucket"), conditions, [&](BucketRecord& record) {
        return ApplyBucketBody(body, replace, record);
      }));
  return RenderBucket(service, request, bucket);
}

Result<Json> DeleteBucket(const Service& service, net::ServerRequest& request,
                          const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const Preconditions conditions,
                      ReadPreconditions(request.query, Side::kTarget));
  HF_RETURN_IF_ERROR(service.store.DeleteBucket(path.Get("bucket"), conditions));
  return Json();
}

Result<Json> LockRetentionPolicy(const Service& service, net::ServerRequest& request,
                                 const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const auto metageneration,
                      NumberParameter(request.query, "ifMetagenerationMatch"));
  if (!metageneration) return RequiredParameter("ifMetagenerationMatch");
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket,
                      service.store.LockRetentionPolicy(path.Get("bucket"), *metageneration));
  return RenderBucket(service, request, bucket);
}

Result<Json> GetPolicy(const Service& service, net::ServerRequest&,
                       const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket, service.store.GetBucket(path.Get("bucket")));
  return PolicyToJson(bucket);
}

Result<Json> SetPolicy(const Service& service, net::ServerRequest& request,
                       const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const Json body,
                      rest::ReadJsonBody(request, service.options.metadata_bytes_max));
  const auto change = [&](BucketRecord& bucket) -> Status {
    const std::string etag = StringOr(body, "etag", "");
    if (!etag.empty() && etag != StringOr(PolicyToJson(bucket), "etag", "")) {
      return WithReason("conditionNotMet",
                        MakeError(ErrorId::kStoragePrecondition,
                                  "the IAM policy of bucket " + bucket.name + " has changed"));
    }
    bucket.iam_policy = Json::object();
    for (const char* field : {"bindings", "version"}) {
      if (const Json* value = FindField(body, field)) bucket.iam_policy[field] = *value;
    }
    return Ok();
  };
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket,
                      service.store.ChangeBucket(path.Get("bucket"), {}, change));
  return PolicyToJson(bucket);
}

// Nothing is enforced, so whatever is asked for is allowed.
Result<Json> TestPermissions(const Service& service, net::ServerRequest& request,
                             const rest::PathParameters& path) {
  HF_RETURN_IF_ERROR(service.store.GetBucket(path.Get("bucket")));
  return Json{{"kind", "storage#testIamPermissionsResponse"},
              {"permissions", request.query.GetAll("permissions")}};
}

Result<Json> GetServiceAccount(const Service& service, net::ServerRequest&,
                               const rest::PathParameters& path) {
  const std::string& project = path.Get("project");
  if (service.options.ensure_project) {
    HF_RETURN_IF_ERROR(service.options.ensure_project(project));
  }
  return Json{{"kind", "storage#serviceAccount"},
              {"email_address", "storage@" + project + ".localcloud"}};
}

}  // namespace

void AddBucketRoutes(rest::Router& router, const ServicePointer& service) {
  const auto add = [&](std::string_view method, std::string_view pattern, JsonHandler handler) {
    AddJsonRoute(router, service, method, pattern, std::move(handler));
  };
  add("GET", "/storage/v1/b", ListBuckets);
  add("POST", "/storage/v1/b", InsertBucket);
  add("GET", "/storage/v1/b/{bucket}", GetBucket);
  add("DELETE", "/storage/v1/b/{bucket}", DeleteBucket);
  add("PATCH", "/storage/v1/b/{bucket}", [](auto& the_service, auto& request, auto& path) {
    return ChangeBucket(the_service, request, path, false);
  });
  add("PUT", "/storage/v1/b/{bucket}", [](auto& the_service, auto& request, auto& path) {
    return ChangeBucket(the_service, request, path, true);
  });
  add("POST", "/storage/v1/b/{bucket}/lockRetentionPolicy", LockRetentionPolicy);
  add("GET", "/storage/v1/b/{bucket}/iam", GetPolicy);
  add("PUT", "/storage/v1/b/{bucket}/iam", SetPolicy);
  add("GET", "/storage/v1/b/{bucket}/iam/testPermissions", TestPermissions);
  add("GET", "/storage/v1/projects/{project}/serviceAccount", GetServiceAccount);
}

}  // namespace holdfast::storage
