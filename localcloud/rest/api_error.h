// The error answer of a Google REST service, as a value; and the other answers every service sends.
//
// On the wire it is {"error": {"code", "message", "errors": [{"message", "domain", "reason",
// "location"?, "locationType"?}], "status"}}. The reason decides what a client does next (retry,
// give up, look for a duplicate), so it is never left empty. Plain values, pure functions.
// Source: Cloud APIs "Errors"; BigQuery "Error messages"; Cloud Storage "HTTP status and error
// codes for JSON".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "net/http.h"
#include "net/http_server.h"

namespace holdfast::rest {

struct ApiError {
  int status = 500;  // HTTP
  std::string reason = "internalError";
  std::string message;
  std::string location;       // the parameter, header, field or resource at fault; may be empty
  std::string location_type;  // "parameter" or "header"; empty with an empty location
  net::Headers headers;       // sent along, e.g. Retry-After or Allow

  // The error an Error of ours is: its own `reason`, where it has one, decides reason and status;
  // otherwise its code does.
  static ApiError From(const Error& error);

  // {"error": {"code", "message", "errors", "status"}}, as Google's REST services write it.
  Json ToJson() const;

  // A 304 has no body; all others have the JSON document.
  net::HttpResponse ToResponse() const;
};

// The usual ones, with the status and reason that Google gives each.
ApiError Invalid(std::string message, std::string parameter = {});           // 400 invalid
ApiError Required(std::string parameter);                                    // 400 required
ApiError InvalidQuery(std::string message, std::string location = "query");  // 400 invalidQuery
ApiError ParseFailed(std::string message);                                   // 400 parseError
ApiError Unauthorized(std::string message);                                  // 401 authError
ApiError Forbidden(std::string message);                                     // 403 forbidden
ApiError AccessDenied(std::string message);                                  // 403 accessDenied
ApiError QuotaExceeded(std::string message);                                 // 403 quotaExceeded
ApiError NotFound(std::string message);                                      // 404 notFound
ApiError MethodNotAllowed(std::string_view method,
                          std::string_view allow);  // 405 httpMethodNotAllowed
ApiError Duplicate(std::string message);            // 409 duplicate
ApiError Conflict(std::string message);             // 409 conflict
ApiError Gone(std::string message);                 // 410 gone
ApiError ConditionNotMet(std::string message);      // 412 conditionNotMet
ApiError TooLarge(std::string message);             // 413 uploadTooLarge
ApiError UnsupportedMedia(std::string message);     // 415 unsupportedMediaProtocol
ApiError RangeNotSatisfiable(std::string message);  // 416 requestedRangeNotSatisfiable
ApiError RateLimitExceeded(std::string message);    // 429 rateLimitExceeded
ApiError InternalError(std::string message);        // 500 internalError
ApiError NotImplemented(std::string message);       // 501 notImplemented
ApiError BackendError(std::string message);         // 503 backendError

// The HTTP status that goes with a reason, e.g. 404 for "notFound"; nullopt for one not listed in
// Google's tables.
std::optional<int> StatusOfReason(std::string_view reason);

// The reason that an HTTP status has when nothing more particular is known, e.g. 503 →
// "backendError".
std::string_view ReasonOfStatus(int status);

// The name that goes into error.status, e.g. 404 → "NOT_FOUND"; 412 → "FAILED_PRECONDITION".
std::string_view RpcStatusName(int http_status);

// An answer that is one JSON document.
net::HttpResponse JsonResponse(int status, const Json& json);

// An answer without a body, 204 by default.
net::HttpResponse EmptyResponse(int status = 204);

// The answer for a Result: 200 with the document (or 204 where it is JSON null), or the error.
net::HttpResponse ResponseOf(const Result<Json>& result);

// The request's body as a JSON document; an empty body reads as {}. Errors carry a reason:
// parseError (not JSON, too deep), uploadTooLarge, unsupportedMediaProtocol (a Content-Encoding).
Result<Json> ReadJsonBody(net::ServerRequest& request, size_t size_max = size_t{64} << 20U);

// An opaque etag of `content`: equal contents have equal etags. Unquoted, as JSON bodies carry it.
std::string EtagOf(std::string_view content);

// Whether an If-Match or If-None-Match header (a list of quoted or bare etags, weak or not, or "*")
// names `etag`. An empty header names nothing.
bool EtagListed(std::string_view header, std::string_view etag);

// Checks If-Match and If-None-Match of a request against a resource that has `etag`.
// Errors: conditionNotMet (412); notModified (304) for a GET whose If-None-Match names the etag.
Status CheckEtag(const net::ServerRequest& request, std::string_view etag);

}  // namespace holdfast::rest
