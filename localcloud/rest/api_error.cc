#include "localcloud/rest/api_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::rest {

namespace {

struct ReasonEntry {
  std::string_view reason;
  int status;
};

// The first entry of a status is its usual reason. Sources: see the header.
constexpr ReasonEntry kReasons[] = {
    {"notModified", 304},
    {"invalid", 400},
    {"badRequest", 400},
    {"invalidArgument", 400},
    {"invalidParameter", 400},
    {"invalidQuery", 400},
    {"invalidUser", 400},
    {"parseError", 400},
    {"required", 400},
    {"resourceInUse", 400},
    {"resourcesExceeded", 400},
    {"bytesBilledLimitExceeded", 400},
    {"stopped", 400},
    {"tableUnavailable", 400},
    {"failedPrecondition", 400},
    {"outOfRange", 400},
    {"billingTierLimitExceeded", 400},
    {"authError", 401},
    {"unauthorized", 401},
    {"forbidden", 403},
    {"accessDenied", 403},
    {"billingNotEnabled", 403},
    {"blocked", 403},
    {"insufficientPermissions", 403},
    {"quotaExceeded", 403},
    {"responseTooLarge", 403},
    {"retentionPolicyNotMet", 403},
    {"objectUnderActiveHold", 403},
    {"notFound", 404},
    {"httpMethodNotAllowed", 405},
    {"timeout", 408},
    {"duplicate", 409},
    {"alreadyExists", 409},
    {"conflict", 409},
    {"aborted", 409},
    {"gone", 410},
    {"lengthRequired", 411},
    {"conditionNotMet", 412},
    {"uploadTooLarge", 413},
    {"unsupportedMediaProtocol", 415},
    {"requestedRangeNotSatisfiable", 416},
    {"rateLimitExceeded", 429},
    {"jobRateLimitExceeded", 429},
    {"userRateLimitExceeded", 429},
    {"clientClosedRequest", 499},
    {"internalError", 500},
    {"jobInternalError", 500},
    {"backendFailure", 500},
    {"notImplemented", 501},
    {"backendError", 503},
    {"jobBackendError", 503},
    {"serviceUnavailable", 503},
    {"gatewayTimeout", 504},
    // Not one of Google's, whose disks are never full: no client tries it again (RFC 4918 §11.5).
    {"insufficientStorage", 507},
};

// The reason of an Error that has none of its own.
std::string_view ReasonOfCode(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return "invalid";
    case Code::kFailedPrecondition:
      return "failedPrecondition";
    case Code::kNotFound:
      return "notFound";
    case Code::kAlreadyExists:
      return "duplicate";
    case Code::kAborted:
      return "aborted";
    case Code::kPermissionDenied:
      return "forbidden";
    case Code::kUnauthenticated:
      return "authError";
    case Code::kResourceExhausted:
      return "rateLimitExceeded";
    case Code::kUnimplemented:
      return "notImplemented";
    case Code::kUnavailable:
      return "backendError";
    case Code::kDeadlineExceeded:
      return "gatewayTimeout";
    case Code::kCancelled:
      return "clientClosedRequest";
    default:
      return "internalError";
  }
}

ApiError Of(int status, std::string_view reason, std::string message) {
  return {.status = status,
          .reason = std::string(reason),
          .message = std::move(message),
          .location = {},
          .location_type = {},
          .headers = {}};
}

ApiError AtParameter(ApiError error, std::string parameter) {
  if (parameter.empty()) return error;
  error.location = std::move(parameter);
  error.location_type = "parameter";
  return error;
}

}  // namespace

std::optional<int> StatusOfReason(std::string_view reason) {
  const auto* found = std::ranges::find(kReasons, reason, &ReasonEntry::reason);
  if (found == std::end(kReasons)) return std::nullopt;
  return found->status;
}

std::string_view ReasonOfStatus(int status) {
  const auto* found = std::ranges::find(kReasons, status, &ReasonEntry::status);
  if (found != std::end(kReasons)) return found->reason;
  return status >= 400 && status < 500 ? "invalid" : "internalError";
}

std::string_view RpcStatusName(int http_status) {
  switch (http_status) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
    case 410:
      return "NOT_FOUND";
    case 409:
      return "ALREADY_EXISTS";
    case 412:
      return "FAILED_PRECONDITION";
    case 416:
      return "OUT_OF_RANGE";
    case 429:
    case 507:
      return "RESOURCE_EXHAUSTED";
    case 499:
      return "CANCELLED";
    case 501:
    case 405:
      return "UNIMPLEMENTED";
    case 503:
      return "UNAVAILABLE";
    case 408:
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return http_status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
  }
}

ApiError ApiError::From(const Error& error) {
  const std::string_view by_code =
      error.id == ErrorId::kDiskFull ? "insufficientStorage" : ReasonOfCode(error.code);
  const std::string_view reason = error.reason.empty() ? by_code : std::string_view(error.reason);
  // A reason that no table lists still goes out; its status is then the code's.
  const int status = StatusOfReason(reason).value_or(StatusOfReason(by_code).value_or(500));
  return Of(status, reason, error.message);
}

Json ApiError::ToJson() const {
  Json item = {{"message", message}, {"domain", "global"}, {"reason", reason}};
  if (!location.empty()) item["location"] = location;
  if (!location_type.empty()) item["locationType"] = location_type;
  return {{"error",
           {{"code", status},
            {"message", message},
            {"errors", Json::array({std::move(item)})},
            {"status", reason == "aborted" ? "ABORTED" : RpcStatusName(status)}}}};
}

net::HttpResponse ApiError::ToResponse() const {
  net::HttpResponse response = status == 304 ? EmptyResponse(304) : JsonResponse(status, ToJson());
  for (const auto& [name, value] : headers.all()) response.headers.Set(name, value);
  return response;
}

ApiError Invalid(std::string message, std::string parameter) {
  return AtParameter(Of(400, "invalid", std::move(message)), std::move(parameter));
}

ApiError Required(std::string parameter) {
  std::string message = fmt::format("Required parameter is missing: {}", parameter);
  return AtParameter(Of(400, "required", std::move(message)), std::move(parameter));
}

ApiError InvalidQuery(std::string message, std::string location) {
  ApiError error = Of(400, "invalidQuery", std::move(message));
  error.location = std::move(location);
  return error;
}

ApiError MethodNotAllowed(std::string_view method, std::string_view allow) {
  ApiError error = Of(405, "httpMethodNotAllowed",
                      fmt::format("Method {} is not allowed here; these are: {}", method, allow));
  error.headers.Set("Allow", allow);
  return error;
}

ApiError ParseFailed(std::string message) { return Of(400, "parseError", std::move(message)); }
ApiError Unauthorized(std::string message) { return Of(401, "authError", std::move(message)); }
ApiError Forbidden(std::string message) { return Of(403, "forbidden", std::move(message)); }
ApiError AccessDenied(std::string message) { return Of(403, "accessDenied", std::move(message)); }
ApiError QuotaExceeded(std::string message) { return Of(403, "quotaExceeded", std::move(message)); }
ApiError NotFound(std::string message) { return Of(404, "notFound", std::move(message)); }
ApiError Duplicate(std::string message) { return Of(409, "duplicate", std::move(message)); }
ApiError Conflict(std::string message) { return Of(409, "conflict", std::move(message)); }
ApiError Gone(std::string message) { return Of(410, "gone", std::move(message)); }
ApiError ConditionNotMet(std::string message) {
  return Of(412, "conditionNotMet", std::move(message));
}
ApiError TooLarge(std::string message) { return Of(413, "uploadTooLarge", std::move(message)); }
ApiError UnsupportedMedia(std::string message) {
  return Of(415, "unsupportedMediaProtocol", std::move(message));
}
ApiError RangeNotSatisfiable(std::string message) {
  return Of(416, "requestedRangeNotSatisfiable", std::move(message));
}
ApiError RateLimitExceeded(std::string message) {
  return Of(429, "rateLimitExceeded", std::move(message));
}
ApiError InternalError(std::string message) { return Of(500, "internalError", std::move(message)); }
ApiError NotImplemented(std::string message) {
  return Of(501, "notImplemented", std::move(message));
}
ApiError BackendError(std::string message) { return Of(503, "backendError", std::move(message)); }

}  // namespace holdfast::rest
