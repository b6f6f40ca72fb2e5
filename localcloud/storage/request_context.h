// What the handlers of the Cloud Storage JSON API share: the service, and reading of parameters.
//
// Private to this folder. The free functions are pure; errors carry Google's reason.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "localcloud/rest/api_error.h"
#include "localcloud/rest/router.h"
#include "localcloud/storage/object_store.h"
#include "localcloud/storage/storage_service.h"
#include "net/http_server.h"

namespace holdfast::storage {

// One registered service; shared by its handlers, which the router keeps.
struct Service {
  ObjectStore& store;
  StorageServiceOptions options;
};

using ServicePointer = std::shared_ptr<const Service>;
using JsonHandler = std::function<Result<Json>(const Service& service, net::ServerRequest& request,
                                               const rest::PathParameters& path)>;
using ResponseHandler = std::function<Result<net::HttpResponse>(
    const Service& service, net::ServerRequest& request, const rest::PathParameters& path)>;

// Adds a route whose handler gives a document (JSON null: an answer without a body).
void AddJsonRoute(rest::Router& router, const ServicePointer& service, std::string_view method,
                  std::string_view pattern, JsonHandler handler);

// Adds a route whose handler gives the whole answer.
void AddRoute(rest::Router& router, const ServicePointer& service, std::string_view method,
              std::string_view pattern, ResponseHandler handler);

// The routes of each part of the API.
void AddBucketRoutes(rest::Router& router, const ServicePointer& service);
void AddObjectRoutes(rest::Router& router, const ServicePointer& service);
void AddUploadRoutes(rest::Router& router, const ServicePointer& service);
void AddDownloadRoutes(rest::Router& router, const ServicePointer& service);
void AddBatchRoute(rest::Router& router, const ServicePointer& service);

// The bytes of an object, or of the part that a Range header asks for.
Result<net::HttpResponse> Download(const Service& service, net::ServerRequest& request,
                                   const rest::PathParameters& path);

// "http://host:port" as the client sees this server.
std::string BaseUrl(const net::ServerRequest& request);

// A parameter that is a number. Errors: kStorageInvalid, naming it.
Result<std::optional<int64_t>> NumberParameter(const net::QueryParameters& query,
                                               std::string_view name);

// "true" or "1"; anything else is false.
bool FlagParameter(const net::QueryParameters& query, std::string_view name);

// ifGenerationMatch and its like; the parameters of a source are called ifSourceGenerationMatch.
enum class Side { kTarget, kSource };
Result<Preconditions> ReadPreconditions(const net::QueryParameters& query, Side side);

// {bucket}, {object} and the parameter generation.
Result<ObjectSelector> ReadSelector(const net::QueryParameters& query,
                                    const rest::PathParameters& path);

// An object's resource, with what its bucket adds to it.
Result<Json> RenderObject(const Service& service, const net::ServerRequest& request,
                          const ObjectRecord& object);

}  // namespace holdfast::storage
