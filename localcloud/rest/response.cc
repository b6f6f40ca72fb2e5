#include <fmt/format.h>

#include "base/hash.h"
#include "localcloud/rest/api_error.h"

namespace holdfast::rest {

namespace {

// Takes the next etag off a header's list, without quotes and weakness mark; nullopt at its end.
std::optional<std::string_view> NextEtag(std::string_view& list) {
  const size_t begin = list.find_first_not_of(" \t,");
  if (begin == std::string_view::npos) return std::nullopt;
  list.remove_prefix(begin);
  if (list.starts_with("W/\"")) list.remove_prefix(2);
  const bool quoted = list.starts_with('"');
  if (quoted) list.remove_prefix(1);
  const size_t end = std::min(list.find_first_of(quoted ? "\"" : ", \t"), list.size());
  const std::string_view etag = list.substr(0, end);
  list.remove_prefix(std::min(end + (quoted ? 1 : 0), list.size()));
  return etag;
}

Error WithReason(ErrorId id, Code code, std::string_view reason, std::string message) {
  return WithReason(reason, MakeError(id, code, std::move(message)));
}

}  // namespace

net::HttpResponse JsonResponse(int status, const Json& json) {
  net::HttpResponse response;
  response.status = status;
  response.headers.Set("Content-Type", "application/json; charset=UTF-8");
  response.body = DumpJson(json);
  return response;
}

net::HttpResponse EmptyResponse(int status) {
  net::HttpResponse response;
  response.status = status;
  return response;
}

net::HttpResponse ResponseOf(const Result<Json>& result) {
  if (!result.ok()) return ApiError::From(result.error()).ToResponse();
  return result->is_null() ? EmptyResponse() : JsonResponse(200, *result);
}

Result<Json> ReadJsonBody(net::ServerRequest& request, size_t size_max) {
  const std::string_view coding = request.headers.Get("Content-Encoding");
  if (!coding.empty() && coding != "identity") {
    return WithReason(ErrorId::kRestInvalidRequest, Code::kInvalidArgument,
                      "unsupportedMediaProtocol",
                      fmt::format("Content-Encoding \"{}\" is not understood here", coding));
  }
  auto body = request.ReadBody(size_max);
  if (!body.ok()) {
    Error error = std::move(body).error();
    if (error.id == ErrorId::kHttpBodyTooLarge) error.reason = "uploadTooLarge";
    return error;
  }
  if (body->empty()) return Json::object();
  auto json = ParseJson(*body, {.size_bytes_max = size_max});
  if (!json.ok()) {
    Error error = std::move(json).error();
    error.reason = "parseError";
    return error;
  }
  return json;
}

std::string EtagOf(std::string_view content) {
  Hasher hasher = Hasher::Sha256();
  hasher.Update(content);
  return Base64Encode(hasher.Finish().substr(0, 15));
}

bool EtagListed(std::string_view header, std::string_view etag) {
  while (const auto listed = NextEtag(header)) {
    if (*listed == "*" || *listed == etag) return true;
  }
  return false;
}

Status CheckEtag(const net::ServerRequest& request, std::string_view etag) {
  const std::string_view match = request.headers.Get("If-Match");
  if (!match.empty() && !EtagListed(match, etag)) {
    return WithReason(ErrorId::kRestPrecondition, Code::kFailedPrecondition, "conditionNotMet",
                      "Precondition check failed: If-Match does not name the current etag");
  }
  const std::string_view none_match = request.headers.Get("If-None-Match");
  if (none_match.empty() || !EtagListed(none_match, etag)) return Ok();
  const bool reads = request.method == "GET" || request.method == "HEAD";
  return WithReason(ErrorId::kRestPrecondition, Code::kFailedPrecondition,
                    reads ? "notModified" : "conditionNotMet",
                    "Precondition check failed: If-None-Match names the current etag");
}

}  // namespace holdfast::rest
