// Paths that any client can send, held against a table like those of the services; page tokens and
// globs likewise.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "localcloud/rest/fault_injection.h"
#include "localcloud/rest/page_token.h"
#include "localcloud/rest/router.h"
#include "net/request_target.h"

namespace {

using holdfast::net::HttpResponse;
using holdfast::net::ServerRequest;
using holdfast::rest::PathParameters;
using holdfast::rest::Router;

Router MakeRouter() {
  Router router;
  const auto handler = [](ServerRequest& request, const PathParameters& path) {
    for (const auto& [name, value] : path.all()) {
      CHECK(!value.empty(), "a parameter fits nothing");
      CHECK(value.size() <= request.path.size(), "a parameter is longer than its path");
    }
    return HttpResponse();
  };
  for (const char* pattern : {"/", "/b/{bucket}/o/{object}", "/b/{bucket}/o", "/m/{b}/{object...}",
                              "/v1/{name...}:verb", "/v1/{name...}", "/v1/p/{p}/t/{t}:publish"}) {
    router.Add("GET", pattern, handler);
  }
  return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Router router = MakeRouter();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto target = holdfast::net::ParseRequestTarget(text); target.ok()) {
    ServerRequest request;
    request.method = "GET";
    request.path = target->path;
    request.segments = target->segments;
    const int status = router.Handle(request).status;
    CHECK(status == 200 || status == 404, "a GET is answered or not found");
  }
  const std::string token = holdfast::rest::EncodePageToken("listing", text);
  CHECK(holdfast::rest::DecodePageToken("listing", token).value() == text,
        "a token loses its position");
  CHECK(!holdfast::rest::DecodePageToken("other", token).ok(), "a token serves another listing");
  static_cast<void>(holdfast::rest::DecodePageOffset("listing", text));
  const size_t half = size / 2;
  static_cast<void>(holdfast::rest::GlobMatches(text.substr(0, half), text.substr(half)));
  return 0;
}
