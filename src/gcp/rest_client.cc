#include "gcp/rest_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "gcp/retry_after.h"

namespace holdfast::gcp {

namespace {

constexpr int kUnauthorized = 401;

// Whether sending the call again cannot do its work twice: a repetition is harmless, or the service
// turned the call away for its rate, which it does before it begins.
bool MayRepeat(const RestCall& call, const Error& error) {
  return call.repeatable || error.code == Code::kResourceExhausted;
}

}  // namespace

RestClient::RestClient(std::string endpoint, RestEnvironment environment)
    : endpoint_(std::move(endpoint)), environment_(std::move(environment)) {}

std::string RestClient::Url(const RestCall& call) const {
  const std::string query = call.query.ToString();
  return query.empty() ? endpoint_ + call.path
                       : fmt::format("{}{}?{}", endpoint_, call.path, query);
}

Result<net::HttpResponse> RestClient::Exchange(net::ClientRequest& request,
                                               const std::string& token,
                                               const RestCall& call) const {
  if (!token.empty()) request.headers.Set("Authorization", "Bearer " + token);
  const Timestamp started = environment_.clock.Now();
  auto response = environment_.http.Send(request);
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(environment_.clock.Now() - started);
  if (!response.ok()) {
    LogDebug("call failed", {{"method", request.method},
                             {"path", call.path},
                             {"error", response.error().message},
                             {"elapsed_ms", std::to_string(elapsed.count())}});
    return MakeError(ErrorId::kServiceUnavailable, response.error().code,
                     fmt::format("{}: {}", call.what, response.error().message));
  }
  LogDebug("call", {{"method", request.method},
                    {"path", call.path},
                    {"status", std::to_string(response->status)},
                    {"elapsed_ms", std::to_string(elapsed.count())}});
  return response;
}

Result<net::HttpResponse> RestClient::Send(net::ClientRequest request, const RestCall& call,
                                           Duration& wait,
                                           std::initializer_list<int> accepted) const {
  wait = Duration{0};
  HF_ASSIGN_OR_RETURN(const std::string token, environment_.token());
  HF_ASSIGN_OR_RETURN(net::HttpResponse response, Exchange(request, token, call));
  if (response.status == kUnauthorized && !token.empty()) {
    // A token may be revoked before its time. Nothing was done, so sending again is harmless.
    HF_ASSIGN_OR_RETURN(const std::string fresh, environment_.token.InPlaceOf(token));
    if (fresh != token) {
      HF_ASSIGN_OR_RETURN(response, Exchange(request, fresh, call));
    }
  }
  const bool success =
      response.status / 100 == 2 || std::ranges::find(accepted, response.status) != accepted.end();
  if (success) return response;
  wait = RetryAfter(response);
  return ErrorFromResponse(response, call.what, call.names);
}

Result<Json> RestClient::CallOnce(const RestCall& call, Duration& wait) const {
  net::ClientRequest request;
  request.method = call.method;
  request.url = Url(call);
  request.headers = call.headers;
  if (call.body) {
    request.body = DumpJson(*call.body);
    request.headers.Set("Content-Type", "application/json");
  }
  HF_ASSIGN_OR_RETURN(const net::HttpResponse response, Send(std::move(request), call, wait));
  if (response.body.empty()) return Json::object();
  auto json = ParseJson(response.body, {.size_bytes_max = size_t{256} << 20U});
  if (!json.ok() || !json->is_object()) {
    // A cut-off answer: what the service did is unknown, so it counts as a lost one.
    return MakeError(ErrorId::kServiceUnavailable,
                     fmt::format("{}: the answer cannot be read", call.what));
  }
  return json;
}

Result<Json> RestClient::Call(const RestCall& call) const {
  const Timestamp started = environment_.clock.Now();
  for (int attempt = 1;; ++attempt) {
    Duration wait{0};
    Result<Json> result = CallOnce(call, wait);
    if (result.ok() || !MayRepeat(call, result.error())) return result;
    const auto delay = NextRetryAfter(environment_.retry, result.error(), attempt, started,
                                      environment_.clock.Now(), environment_.random, wait);
    if (!delay) return result;
    environment_.clock.SleepFor(*delay);
  }
}

}  // namespace holdfast::gcp
