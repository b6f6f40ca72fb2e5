// The table of routes of localcloud's HTTP port: method + path pattern → handler.
//
// Every service registers into one Router. A pattern is a path whose segments are
//   word            that word
//   {name}          any one segment that is not empty
//   {name}:verb     any one segment that ends in ":verb" (custom methods)
//   {name...}       one or more segments to the end, joined by '/'; may have a ":verb" too
// Segments match after percent-decoding, so an object name with an encoded '/' is one segment. Of
// several patterns that fit, the one with more literal text wins: words before verbs, verbs before
// parameters, parameters before rests; the order of registration does not matter.
//
// What Google's front end does for every service is done here: X-HTTP-Method-Override on a POST
// replaces the method, HEAD falls back to GET, a trailing '/' is ignored where only the pattern
// without it fits, and parameters such as `$.xgafv`, `alt`, `prettyPrint` and `key` disturb
// nothing.
//
// Registration comes first and from one thread; after it, Handle is thread-safe.
// Source: google/api/http.proto; Cloud APIs "Standard query parameters".
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_server.h"

namespace holdfast::rest {

// What a pattern's parameters matched, decoded.
class PathParameters {
 public:
  // The text that {name} matched; "" if the pattern has no such parameter.
  const std::string& Get(std::string_view name) const;

  // Sets {name}, replacing an earlier value.
  void Set(std::string_view name, std::string value);

  // In the order of the pattern.
  const std::vector<std::pair<std::string, std::string>>& all() const { return values_; }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// Answers one request whose path matched. Called from several threads at once.
using Handler =
    std::function<net::HttpResponse(net::ServerRequest& request, const PathParameters& path)>;

class Router {
 public:
  // Without routes: everything is 404.
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // Adds a route. A malformed pattern, or a method and pattern that were added before, is a bug of
  // the service and aborts.
  void Add(std::string_view method, std::string_view pattern, Handler handler);

  // Runs the handler that the request's method and path choose. Without one: 404 notFound, or 405
  // with Allow where other methods of the path exist, in Google's form. An override header changes
  // `request.method` to the effective one.
  net::HttpResponse Handle(net::ServerRequest& request) const;

  // "METHOD pattern" of every route, sorted.
  std::vector<std::string> Describe() const;

 private:
  struct Route;
  std::vector<Route> routes_;  // the more particular first
};

}  // namespace holdfast::rest
