// One call of a Google REST service: authorize, send, log, classify the answer, retry.
//
// The layers of one call, outermost first: retry (what the caller marks as repeatable, and what the
// service turned away for its rate) → token (a refused one is replaced once) → log → transport
// (net::HttpClient). Endpoint, token, time and chance are passed in; an emulator is an endpoint
// without a token. No token reaches a log or an error. Thread-safe.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/retry.h"
#include "gcp/service_error.h"
#include "net/http_client.h"

namespace holdfast::gcp {

// Gives a bearer token for the present, or "" when none is wanted (an emulator). Thread-safe as far
// as its functions are; copies share what those share.
class TokenSource {
 public:
  using Get = std::function<Result<std::string>()>;
  using Forget = std::function<void(const std::string& token)>;

  // One that wants no token.
  TokenSource() = default;

  // `forget` is told of a token that a service refused; without it, a token is never asked for
  // again before its time.
  // A function is a source: NOLINTBEGIN(google-explicit-constructor)
  template <typename F>
  requires(!std::same_as<F, TokenSource> && std::convertible_to<F, Get>)
      TokenSource(F get, Forget forget = {})
      : get_(std::move(get)), forget_(std::move(forget)) {}
  // NOLINTEND(google-explicit-constructor)

  Result<std::string> operator()() const { return get_ ? get_() : std::string(); }

  // The token to use in place of `refused`; the same one where there is no other.
  Result<std::string> InPlaceOf(const std::string& refused) const {
    if (forget_) forget_(refused);
    return (*this)();
  }

 private:
  Get get_;
  Forget forget_;
};

// What every client of gcp/ is given. All references outlive the client.
struct RestEnvironment {
  net::HttpClient& http;
  TokenSource token;
  Clock& clock;
  Random& random;
  RetryPolicy retry;
};

struct RestCall {
  std::string method = "GET";
  std::string path;  // after the endpoint, encoded: "/bigquery/v2/projects/p/datasets"; logged
  net::QueryParameters query;
  std::optional<Json> body;
  net::Headers headers;
  std::string what;  // the object, for messages: "table a.b.c"
  ErrorNames names;
  bool repeatable = true;  // whether a repetition is harmless
};

class RestClient {
 public:
  // `endpoint`: scheme, host and port without a trailing slash ("https://storage.googleapis.com").
  RestClient(std::string endpoint, RestEnvironment environment);

  // Sends the call and returns its JSON ({} for an empty body), after retries.
  Result<Json> Call(const RestCall& call) const;

  // Sends one request without retries, with the authorization added; a status that is not 2xx (or
  // listed in `accepted`) becomes an Error. For transfers, which do their own resuming: `wait` is
  // set to how long the service asks to be left alone before another try, mostly 0.
  Result<net::HttpResponse> Send(net::ClientRequest request, const RestCall& call, Duration& wait,
                                 std::initializer_list<int> accepted = {}) const;

  // The absolute URL of a call.
  std::string Url(const RestCall& call) const;

  // What the constructor was given; for transfers that go on beside Call.
  const RestEnvironment& environment() const { return environment_; }
  const std::string& endpoint() const { return endpoint_; }

 private:
  Result<Json> CallOnce(const RestCall& call, Duration& wait) const;
  Result<net::HttpResponse> Exchange(net::ClientRequest& request, const std::string& token,
                                     const RestCall& call) const;

  std::string endpoint_;
  RestEnvironment environment_;
};

}  // namespace holdfast::gcp
