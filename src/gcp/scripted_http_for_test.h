// A service that answers from a script, and what a client of it needs: for tests of this folder.
//
// No sockets, no threads, no real time: an outage of an hour costs none. Every request is kept for
// the test to look at; one that the script does not foresee fails the test. Used by one thread at a
// time.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/virtual_clock.h"
#include "gcp/rest_client.h"
#include "net/http_client.h"

namespace holdfast::gcp {

// Gives a response as a client would get it: to the request's writer, where it has one.
inline Result<net::HttpResponse> Deliver(const net::ClientRequest& request,
                                         net::HttpResponse response) {
  if (request.response_writer && response.status / 100 == 2) {
    if (!response.body.empty()) HF_RETURN_IF_ERROR(request.response_writer(response.body));
    response.body.clear();
  }
  return response;
}

class ScriptedHttp final : public net::HttpClient {
 public:
  using Step = std::function<Result<net::HttpResponse>(const net::ClientRequest& request)>;
  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // The next request is answered by `step`.
  ScriptedHttp& Then(Step step) {
    steps_.push_back(std::move(step));
    return *this;
  }

  ScriptedHttp& Answer(int status, std::string body = {}, Fields headers = {}) {
    net::HttpResponse response{.status = status, .headers = {}, .body = std::move(body)};
    for (const auto& [name, value] : headers) response.headers.Add(name, value);
    return Then([response](const net::ClientRequest& request) -> Result<net::HttpResponse> {
      return Deliver(request, response);
    });
  }

  // The next request gets no answer.
  ScriptedHttp& Lose(ErrorId id = ErrorId::kHttpConnectionLost) {
    return Then([id](const net::ClientRequest&) -> Result<net::HttpResponse> {
      return MakeError(id, "lost");
    });
  }

  // Every request after the script's end is answered by `step`.
  void Always(Step step) { always_ = std::move(step); }

  Result<net::HttpResponse> Send(const net::ClientRequest& request) override {
    requests_.push_back(request);
    if (steps_.empty() && always_) return always_(request);
    if (steps_.empty()) {
      ADD_FAILURE() << "not foreseen: " << request.method << " " << request.url;
      return MakeError(ErrorId::kInternal, "not foreseen");
    }
    const Step step = std::move(steps_.front());
    steps_.pop_front();
    return step(request);
  }

  const std::vector<net::ClientRequest>& requests() const { return requests_; }
  size_t steps_left() const { return steps_.size(); }

 private:
  std::deque<Step> steps_;
  Step always_;
  std::vector<net::ClientRequest> requests_;
};

// A client's surroundings, with time that stands still but for sleeps.
struct RestSurroundings {
  static constexpr const char* kEndpoint = "https://service.test";
  static constexpr const char* kToken = "ya29.do-not-show";

  ScriptedHttp http;
  VirtualClock clock{Timestamp{std::chrono::seconds{1'790'000'000}}};
  Timestamp started = clock.Now();
  std::unique_ptr<Random> random = MakeSeededRandom(1);
  RetryPolicy retry;

  RestEnvironment Environment() { return EnvironmentOver(http); }
  RestEnvironment EnvironmentOver(net::HttpClient& client) {
    return {.http = client,
            .token = []() -> Result<std::string> { return std::string(kToken); },
            .clock = clock,
            .random = *random,
            .retry = retry};
  }
  Duration elapsed() const { return clock.Now() - started; }
};

// An error answer's body as Google's services write it.
inline std::string ErrorBodyOf(int status, std::string_view reason,
                               std::string_view message = "no") {
  return DumpJson({{"error",
                    {{"code", status},
                     {"message", message},
                     {"errors", {{{"reason", reason}, {"domain", "global"}}}}}}});
}

}  // namespace holdfast::gcp
