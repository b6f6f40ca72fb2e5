// Objects of the JSON API, apart from their bytes: get, list, patch, update, delete, copy, rewrite,
// compose.
#include <utility>

#include "localcloud/rest/page_token.h"
#include "localcloud/storage/glob.h"
#include "localcloud/storage/request_context.h"
#include "localcloud/storage/resource_json.h"
#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {
namespace {

constexpr rest::PageSizes kPageSizes = {.usual = 1000, .maximum = 1000};

Result<net::HttpResponse> GetObject(const Service& service, net::ServerRequest& request,
                                    const rest::PathParameters& path) {
  if (request.query.Get("alt") == "media") return Download(service, request, path);
  HF_ASSIGN_OR_RETURN(const ObjectSelector selector, ReadSelector(request.query, path));
  HF_ASSIGN_OR_RETURN(const Preconditions conditions,
                      ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(const ObjectRecord object, service.store.GetObject(selector, conditions));
  HF_RETURN_IF_ERROR(rest::CheckEtag(request, ObjectEtag(object)));
  return rest::ResponseOf(RenderObject(service, request, object));
}

Result<ObjectQuery> ReadObjectQuery(const net::QueryParameters& parameters,
                                    const std::string& bucket) {
  for (const char* unsupported : {"softDeleted", "filter"}) {
    const std::string value = parameters.Get(unsupported);
    if (value.empty() || value == "false") continue;
    return WithReason("notImplemented",
                      MakeError(ErrorId::kStorageUnsupported,
                                "parameter " + std::string(unsupported) + " is not supported"));
  }
  HF_ASSIGN_OR_RETURN(const int64_t limit,
                      rest::ReadPageSize(parameters, "maxResults", kPageSizes));
  return ObjectQuery{
      .bucket = bucket,
      .prefix = parameters.Get("prefix"),
      .delimiter = parameters.Get("delimiter"),
      .start_offset = parameters.Get("startOffset"),
      .end_offset = parameters.Get("endOffset"),
      .versions = FlagParameter(parameters, "versions"),
      .include_trailing_delimiter = FlagParameter(parameters, "includeTrailingDelimiter"),
      .limit = static_cast<int>(limit)};
}

Result<Json> ListObjects(const Service& service, net::ServerRequest& request,
                         const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(ObjectQuery query, ReadObjectQuery(request.query, path.Get("bucket")));
  const std::string pattern = request.query.Get("matchGlob");
  HF_ASSIGN_OR_RETURN(const Glob glob, Glob::Parse(pattern.empty() ? "**" : pattern));
  const std::string listing =
      DumpJson({"objects", pattern, query.bucket, query.prefix, query.delimiter, query.start_offset,
                query.end_offset, query.versions, query.include_trailing_delimiter});
  HF_ASSIGN_OR_RETURN(query.after, rest::DecodePageToken(listing, request.query.Get("pageToken")));
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket, service.store.GetBucket(query.bucket));
  HF_ASSIGN_OR_RETURN(const ObjectPage page, service.store.ListObjects(query));
  Json json = {{"kind", "storage#objects"}};
  for (const ObjectRecord& object : page.objects) {
    if (!glob.Matches(object.name)) continue;
    json["items"].push_back(ObjectToJson(bucket, object, BaseUrl(request)));
  }
  for (const std::string& prefix : page.prefixes) {
    if (glob.Matches(prefix)) json["prefixes"].push_back(prefix);
  }
  if (!page.next.empty()) json["nextPageToken"] = rest::EncodePageToken(listing, page.next);
  return json;
}

// PATCH merges the body, PUT replaces by it.
Result<Json> ChangeObject(const Service& service, net::ServerRequest& request,
                          const rest::PathParameters& path, bool replace) {
  HF_ASSIGN_OR_RETURN(const ObjectSelector selector, ReadSelector(request.query, path));
  HF_ASSIGN_OR_RETURN(const Preconditions conditions,
                      ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(const Json body,
                      rest::ReadJsonBody(request, service.options.metadata_bytes_max));
  HF_ASSIGN_OR_RETURN(const ObjectRecord object,
                      service.store.ChangeObject(selector, conditions, [&](ObjectRecord& record) {
                        return ApplyObjectBody(body, replace, record);
                      }));
  return RenderObject(service, request, object);
}

Result<Json> DeleteObject(const Service& service, net::ServerRequest& request,
                          const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const ObjectSelector selector, ReadSelector(request.query, path));
  HF_ASSIGN_OR_RETURN(const Preconditions conditions,
                      ReadPreconditions(request.query, Side::kTarget));
  HF_RETURN_IF_ERROR(service.store.DeleteObject(selector, conditions));
  return Json();
}

// Both copyTo and rewriteTo: within one store each is done in one call.
Result<ObjectRecord> Copy(const Service& service, net::ServerRequest& request,
                          const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const auto generation, NumberParameter(request.query, "sourceGeneration"));
  HF_ASSIGN_OR_RETURN(const Preconditions source_conditions,
                      ReadPreconditions(request.query, Side::kSource));
  NewObject destination{.bucket = path.Get("destinationBucket"),
                        .name = path.Get("destinationObject")};
  HF_ASSIGN_OR_RETURN(destination.preconditions, ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(const Json body,
                      rest::ReadJsonBody(request, service.options.metadata_bytes_max));
  HF_ASSIGN_OR_RETURN(Json settings, ObjectSettings(body));
  // A body without writable fields (clients send at least the name) leaves the source's metadata.
  std::optional<Json> replacement;
  if (!settings.empty()) {
    replacement = Json::object();
    replacement->merge_patch(settings);
  }
  return service.store.CopyObject({.bucket = path.Get("bucket"),
                                   .name = path.Get("object"),
                                   .generation = generation.value_or(0)},
                                  source_conditions, destination, replacement);
}

Result<Json> CopyObject(const Service& service, net::ServerRequest& request,
                        const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const ObjectRecord object, Copy(service, request, path));
  return RenderObject(service, request, object);
}

Result<Json> RewriteObject(const Service& service, net::ServerRequest& request,
                           const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const ObjectRecord object, Copy(service, request, path));
  HF_ASSIGN_OR_RETURN(Json resource, RenderObject(service, request, object));
  const std::string size = std::to_string(object.size_bytes);
  return Json{{"kind", "storage#rewriteResponse"},
              {"totalBytesRewritten", size},
              {"objectSize", size},
              {"done", true},
              {"resource", std::move(resource)}};
}

Result<std::vector<ComposeSource>> ReadComposeSources(const Json& body) {
  const Json* entries = FindField(body, "sourceObjects");
  if (entries == nullptr || !entries->is_array())
    return StorageInvalid("sourceObjects is required");
  std::vector<ComposeSource> sources;
  for (const Json& entry : *entries) {
    ComposeSource source{.name = StringOr(entry, "name", "")};
    HF_ASSIGN_OR_RETURN(const auto generation, OptionalInt64(entry, "generation"));
    source.generation = generation.value_or(0);
    if (const Json* conditions = FindField(entry, "objectPreconditions")) {
      HF_ASSIGN_OR_RETURN(source.if_generation_match,
                          OptionalInt64(*conditions, "ifGenerationMatch"));
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

Result<Json> ComposeObject(const Service& service, net::ServerRequest& request,
                           const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const Json body,
                      rest::ReadJsonBody(request, service.options.metadata_bytes_max));
  HF_ASSIGN_OR_RETURN(const auto sources, ReadComposeSources(body));
  NewObject destination{.bucket = path.Get("bucket"), .name = path.Get("object")};
  if (const Json* resource = FindField(body, "destination")) {
    HF_ASSIGN_OR_RETURN(const Json settings, ObjectSettings(*resource));
    destination.settings.merge_patch(settings);
    HF_ASSIGN_OR_RETURN(destination.expected, BodyChecksums(*resource));
  }
  HF_ASSIGN_OR_RETURN(destination.preconditions, ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(const ObjectRecord object, service.store.ComposeObject(sources, destination));
  return RenderObject(service, request, object);
}

}  // namespace

void AddObjectRoutes(rest::Router& router, const ServicePointer& service) {
  const auto add = [&](std::string_view method, const std::string& pattern, JsonHandler handler) {
    AddJsonRoute(router, service, method, pattern, std::move(handler));
  };
  const std::string object = "/storage/v1/b/{bucket}/o/{object}";
  AddRoute(router, service, "GET", object, GetObject);
  add("GET", "/storage/v1/b/{bucket}/o", ListObjects);
  add("DELETE", object, DeleteObject);
  add("PATCH", object, [](auto& the_service, auto& request, auto& path) {
    return ChangeObject(the_service, request, path, false);
  });
  add("PUT", object, [](auto& the_service, auto& request, auto& path) {
    return ChangeObject(the_service, request, path, true);
  });
  add("POST", object + "/compose", ComposeObject);
  add("POST", object + "/copyTo/b/{destinationBucket}/o/{destinationObject}", CopyObject);
  add("POST", object + "/rewriteTo/b/{destinationBucket}/o/{destinationObject}", RewriteObject);
}

}  // namespace holdfast::storage
