// The request-target of an HTTP request line, taken apart.
//
// Accepts the origin form ("/a/b?c=d") and the absolute form that proxies send
// ("http://host/a?c"); anything else is refused, as are malformed escapes and NUL in the path,
// which no resource of ours has in its name. Pure. Source: RFC 9112 §3.2.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace holdfast::net {

struct RequestTarget {
  std::string path;                   // begins with '/', still percent-encoded
  std::vector<std::string> segments;  // decoded, see ServerRequest::segments
  QueryParameters query;
};

// Errors: kHttpInvalidRequest.
Result<RequestTarget> ParseRequestTarget(std::string_view target);

}  // namespace holdfast::net
