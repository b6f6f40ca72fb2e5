#include "localcloud/bigquery/fault.h"

#include <fmt/format.h>

#include <utility>

#include "localcloud/rest/api_error.h"

namespace holdfast::bigquery {

namespace {

Error WithReason(ErrorId id, std::string_view reason, std::string message) {
  return WithReason(reason, MakeError(id, std::move(message)));
}

}  // namespace

Json Fault::ToJson() const {
  Json json = {{"reason", reason}, {"message", message}};
  if (!location.empty()) json["location"] = location;
  return json;
}

Fault Fault::FromJson(const Json& json) {
  return {.reason = StringOr(json, "reason", ""),
          .location = StringOr(json, "location", ""),
          .message = StringOr(json, "message", "")};
}

Fault FaultOf(const Error& error) {
  rest::ApiError api = rest::ApiError::From(error);
  Fault fault{.reason = std::move(api.reason),
              .location = std::move(api.location),
              .message = std::move(api.message)};
  if (fault.reason == "invalidQuery") fault.location = "query";
  return fault;
}

Error ErrorOf(const Fault& fault) {
  return WithReason(ErrorId::kWarehouseInvalidRequest, fault.reason, fault.message);
}

bool IsNotFound(const Error& error) { return rest::ApiError::From(error).reason == "notFound"; }

Error NotFound(std::string message) {
  return WithReason(ErrorId::kWarehouseNotFound, "notFound", "Not found: " + std::move(message));
}

Error Duplicate(std::string message) {
  return WithReason(ErrorId::kWarehouseExists, "duplicate",
                    "Already Exists: " + std::move(message));
}

Error Invalid(std::string message) {
  return WithReason(ErrorId::kWarehouseInvalidRequest, "invalid", std::move(message));
}

Error InvalidQuery(std::string message) {
  return WithReason(ErrorId::kQueryFailed, "invalidQuery", std::move(message));
}

Error Required(std::string_view field) {
  return WithReason(ErrorId::kWarehouseInvalidRequest, "required",
                    fmt::format("Required parameter is missing: {}", field));
}

}  // namespace holdfast::bigquery
