// What the service's tests share: the routes over a store on virtual time, and requests in memory.
//
// For tests only. Used by one thread, except for `router()`.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "localcloud/rest/router.h"
#include "localcloud/storage/storage_service.h"
#include "localcloud/storage/store_fixture.h"
#include "net/http_server.h"

namespace holdfast::storage {

// An answer with its body read to the end.
struct Answer {
  int status = 0;
  net::Headers headers;
  std::string body;

  Json json() const { return ParseJson(body).value_or(Json()); }
};

using HeaderList = std::initializer_list<std::pair<const char*, std::string>>;

class ServiceFixture {
 public:
  ServiceFixture() { Serve(); }

  StoreFixture& store_fixture() { return store_fixture_; }
  const rest::Router& router() const { return *router_; }

  // Closes the store and serves it anew, as a restart does.
  void Restart() {
    router_.reset();
    store_fixture_.Reopen();
    Serve();
  }

  // Sends a request; `target` is path and query, percent-encoded.
  Answer Send(const std::string& method, const std::string& target, std::string body = {},
              HeaderList headers = {}) {
    net::ServerRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    for (size_t at = 0; at < request.path.size();) {
      const size_t end = std::min(request.path.find('/', at + 1), request.path.size());
      const std::string segment = request.path.substr(at + 1, end - at - 1);
      request.segments.push_back(net::PercentDecode(segment).value_or(segment));
      at = end;
    }
    if (request.path.size() < target.size()) {
      request.query = net::QueryParameters::Parse(target.substr(request.path.size() + 1));
    }
    request.headers.Set("Host", "localhost:1234");
    for (const auto& [name, value] : headers) request.headers.Set(name, value);
    request.content_length = body.size();
    request.body = SourceOf(std::move(body), 700);
    return ToAnswer(router_->Handle(request));
  }

  Answer SendJson(const std::string& method, const std::string& target, const Json& body) {
    return Send(method, target, DumpJson(body), {{"Content-Type", "application/json"}});
  }

  Answer MakeBucket(const std::string& name, Json body = Json::object()) {
    body["name"] = name;
    return SendJson("POST", "/storage/v1/b?project=acme", body);
  }

  Answer Upload(const std::string& bucket, const std::string& name, const std::string& bytes,
                const std::string& parameters = {}, HeaderList headers = {}) {
    return Send("POST",
                "/upload/storage/v1/b/" + bucket +
                    "/o?uploadType=media&name=" + net::PercentEncode(name) + parameters,
                bytes, headers);
  }

  static std::string ObjectPath(const std::string& bucket, const std::string& name) {
    return "/storage/v1/b/" + bucket + "/o/" + net::PercentEncode(name);
  }

 private:
  void Serve() {
    router_ = std::make_unique<rest::Router>();
    RegisterStorageRoutes(*router_, store_fixture_.store(),
                          {.ensure_project = [](const std::string& project) -> Status {
                             if (project != "forbidden") return Ok();
                             return MakeError(ErrorId::kControlNotFound, "no such project");
                           },
                           .project_number = [](const std::string&) { return "4711"; }});
  }

  static Answer ToAnswer(net::HttpResponse response) {
    Answer answer{.status = response.status,
                  .headers = std::move(response.headers),
                  .body = std::move(response.body)};
    if (!response.body_reader) return answer;
    std::string buffer(1000, '\0');
    for (;;) {
      const auto count = response.body_reader(std::span(buffer));
      CHECK(count.ok(), count.ok() ? "" : count.error().message);
      if (*count == 0) return answer;
      answer.body.append(buffer, 0, *count);
    }
  }

  StoreFixture store_fixture_;
  std::unique_ptr<rest::Router> router_;
};

// The reason of an error answer.
inline std::string ReasonOf(const Answer& answer) {
  const Json json = answer.json();
  const Json* errors = FindPath(json, {"error", "errors"});
  return errors == nullptr || errors->empty() ? "" : StringOr(errors->at(0), "reason", "");
}

}  // namespace holdfast::storage
