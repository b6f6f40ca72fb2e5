// An HTTP/1.1 server behind a plain handler function.
//
// Idle connections and request headers are waited for on a few I/O threads; each request's handler
// runs on a worker thread, may block, and pulls the body and pushes the answer at the peer's pace.
// Memory per connection is bounded by the options, whatever the size of a body. Outside input is
// hostile: header size, connections, and the time a peer may take are settings; what breaks a rule
// is answered with 400, 431, 501 or 503 and the connection is closed. A handler that throws is
// answered with 500. The server listens from `Start` until `Stop` or destruction. Thread-safe.
// Source: RFC 9110, RFC 9112.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/http.h"

namespace holdfast::net {

struct ServerRequest {
  std::string method;                 // as sent; methods are upper case
  std::string path;                   // still percent-encoded, without query
  std::vector<std::string> segments;  // path without its first '/', split at '/', each decoded:
                                      // "/a//b%2Fc/" is {"a", "", "b/c", ""} and "/" is {}
  QueryParameters query;
  Headers headers;
  std::string remote_address;  // "127.0.0.1:53412"
  std::optional<uint64_t> content_length;

  // Pulls the body from the connection; may be called 0 times, and again after the end. Errors:
  // kHttpConnectionLost, kHttpTimeout, kHttpInvalidRequest (malformed chunks). The first call is
  // what sends "100 Continue" to a client that waits for it.
  BodyReader body;

  // The whole body as a string. Errors: kHttpBodyTooLarge over `size_max` bytes, or those of
  // `body`.
  Result<std::string> ReadBody(size_t size_max) const;
};

// Answers a request. The request stays valid until its answer is sent, so the answer's body_reader
// may pull from it; nothing of it may be used later. Called from several threads at once.
using HttpHandler = std::function<HttpResponse(ServerRequest& request)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6
  uint16_t port = 0;                  // 0: any free one, see port()
  int io_threads = 1;
  int worker_threads = 16;
  int connections_max = 1024;  // further ones are answered with 503
  size_t header_bytes_max = size_t{64} << 10U;
  Duration idle_timeout = std::chrono::seconds{120};   // between requests and between body pieces
  Duration header_timeout = std::chrono::seconds{30};  // from a request's first byte to its
                                                       // header's end
  size_t body_bytes_per_second_min = 1024;  // a body may take idle_timeout and its size over this
  Duration stop_grace = std::chrono::seconds{10};  // then Stop cuts off exchanges still under way
  const Clock* clock = nullptr;  // for the Date header, which is left out without a clock
};

class HttpServer {
 public:
  // Binds and starts to serve. Errors: kHttpListenFailed (port taken, no permission).
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, HttpHandler handler);
  virtual ~HttpServer() = default;

  // The port that Start bound.
  virtual uint16_t port() const = 0;

  // Stops accepting, closes idle connections, lets running handlers finish (their connections are
  // cut after `stop_grace`), and returns when no thread of the server is left. Idempotent; not to
  // be called by a handler.
  virtual void Stop() = 0;
};

}  // namespace holdfast::net
