// An HTTP/1.1 server behind a plain handler function.
//
// Connections are read by coroutines on a few I/O threads; each request's handler runs on a worker
// thread and may block. Limits (header size, body size, connections, idle time) are settings:
// outside input is hostile. The server listens from construction of `Start` until `Stop` or
// destruction, which lets running handlers finish. Thread-safe.
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
  std::string method;                 // upper case
  std::string path;                   // still percent-encoded, without query
  std::vector<std::string> segments;  // path split at '/', each percent-decoded ("" for "//")
  QueryParameters query;
  Headers headers;
  std::string remote_address;  // "127.0.0.1:53412"
  std::optional<uint64_t> content_length;
  BodyReader body;  // pulls the body from the connection; may be called 0 times

  // The whole body as a string. Errors: kHttpBodyTooLarge over `size_max` bytes, or a lost
  // connection.
  Result<std::string> ReadBody(size_t size_max) const;
};

using HttpHandler = std::function<HttpResponse(ServerRequest& request)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one, see port()
  int io_threads = 1;
  int worker_threads = 16;
  int connections_max = 1024;
  size_t header_bytes_max = size_t{64} << 10U;
  Duration idle_timeout = std::chrono::seconds{120};  // between requests and between body pieces
};

class HttpServer {
 public:
  // Binds and starts to serve. Errors: kHttpListenFailed (port taken, no permission).
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, HttpHandler handler);
  virtual ~HttpServer() = default;

  virtual uint16_t port() const = 0;

  // Stops accepting, lets running handlers finish, closes connections. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace holdfast::net
