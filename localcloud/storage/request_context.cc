#include "localcloud/storage/request_context.h"

#include <charconv>
#include <utility>

#include "localcloud/storage/resource_json.h"

namespace holdfast::storage {
namespace {

// Features that change what is stored; to ignore them would store something else than was asked.
Status RefuseUnsupported(const net::ServerRequest& request) {
  for (const char* header :
       {"X-Goog-Encryption-Algorithm", "X-Goog-Copy-Source-Encryption-Algorithm"}) {
    if (!request.headers.Find(header)) continue;
    return WithReason("notImplemented",
                      MakeError(ErrorId::kStorageUnsupported,
                                "customer-supplied encryption keys are not supported"));
  }
  return Ok();
}

std::string ParameterName(std::string_view condition, Side side) {
  return (side == Side::kSource ? "ifSource" : "if") + std::string(condition);
}

}  // namespace

void AddRoute(rest::Router& router, const ServicePointer& service, std::string_view method,
              std::string_view pattern, ResponseHandler handler) {
  router.Add(method, pattern,
             [service, handler = std::move(handler)](net::ServerRequest& request,
                                                     const rest::PathParameters& path) {
               const Status supported = RefuseUnsupported(request);
               if (!supported.ok()) return rest::ApiError::From(supported.error()).ToResponse();
               auto response = handler(*service, request, path);
               if (response.ok()) return *std::move(response);
               return rest::ApiError::From(response.error()).ToResponse();
             });
}

void AddJsonRoute(rest::Router& router, const ServicePointer& service, std::string_view method,
                  std::string_view pattern, JsonHandler handler) {
  AddRoute(router, service, method, pattern,
           [handler = std::move(handler)](
               const Service& the_service, net::ServerRequest& request,
               const rest::PathParameters& path) -> Result<net::HttpResponse> {
             return rest::ResponseOf(handler(the_service, request, path));
           });
}

std::string BaseUrl(const net::ServerRequest& request) {
  return "http://" + std::string(request.headers.Get("Host"));
}

Result<std::optional<int64_t>> NumberParameter(const net::QueryParameters& query,
                                               std::string_view name) {
  const auto text = query.Find(name);
  if (!text) return std::optional<int64_t>();
  int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, code] = std::from_chars(text->data(), end, value);
  if (text->empty() || code != std::errc() || stop != end) {
    return WithReason("invalid",
                      MakeError(ErrorId::kStorageInvalid,
                                "parameter " + std::string(name) + " is not a number: " + *text));
  }
  return std::optional(value);
}

bool FlagParameter(const net::QueryParameters& query, std::string_view name) {
  const std::string value = query.Get(name);
  return value == "true" || value == "True" || value == "1";
}

Result<Preconditions> ReadPreconditions(const net::QueryParameters& query, Side side) {
  const auto read = [&](std::string_view condition) {
    return NumberParameter(query, ParameterName(condition, side));
  };
  Preconditions conditions;
  HF_ASSIGN_OR_RETURN(conditions.generation_match, read("GenerationMatch"));
  HF_ASSIGN_OR_RETURN(conditions.generation_not_match, read("GenerationNotMatch"));
  HF_ASSIGN_OR_RETURN(conditions.metageneration_match, read("MetagenerationMatch"));
  HF_ASSIGN_OR_RETURN(conditions.metageneration_not_match, read("MetagenerationNotMatch"));
  return conditions;
}

Result<ObjectSelector> ReadSelector(const net::QueryParameters& query,
                                    const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const auto generation, NumberParameter(query, "generation"));
  return ObjectSelector{.bucket = path.Get("bucket"),
                        .name = path.Get("object"),
                        .generation = generation.value_or(0)};
}

Result<Json> RenderObject(const Service& service, const net::ServerRequest& request,
                          const ObjectRecord& object) {
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket, service.store.GetBucket(object.bucket));
  return ObjectToJson(bucket, object, BaseUrl(request));
}

}  // namespace holdfast::storage
