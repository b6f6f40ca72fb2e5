// An HTTP client as a port: one method, which sends a request and gives back the response.
//
// The production one (`MakeCurlHttpClient`) pools connections, verifies TLS, speaks HTTP/2 where
// TLS offers it, follows no redirects, decodes no content encoding, uses the environment's proxy
// except for loopback addresses, and retries nothing: retrying belongs to the caller, who knows
// what is idempotent. A response of any status is a success here. Thread-safe.
//
// An Error means that no complete response came: kHttpTimeout (kDeadlineExceeded),
// kHttpConnectionLost (kUnavailable), kHttpTlsFailed, kHttpBodyTooLarge, kHttpInvalidRequest (the
// URL), or the very error that the request's own body_reader or response_writer gave.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/http.h"

namespace holdfast::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // absolute, already encoded
  Headers headers;
  std::string body;
  BodyReader body_reader;             // instead of `body`, for large uploads
  std::optional<uint64_t> body_size;  // of body_reader, if known
  BodyWriter response_writer;         // takes a 2xx body piece by piece instead of response.body;
                                      // other statuses still come in response.body
  Duration timeout = std::chrono::seconds{60};        // of the whole exchange, unless it streams
  Duration stall_timeout = std::chrono::seconds{60};  // no byte either way for this long
  size_t response_bytes_max = size_t{256} << 20U;     // of response.body
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Sends and waits, on the caller's thread, which also runs body_reader and response_writer. After
  // an error response_writer may have taken a part of a body.
  virtual Result<HttpResponse> Send(const ClientRequest& request) = 0;
};

struct HttpClientOptions {
  int connections_max = 64;  // exchanges at once; a further Send waits for its turn
  std::string user_agent = "holdfast";
  std::string ca_file;  // PEM; empty: the system's
};

// The production client; connects to nothing yet.
std::unique_ptr<HttpClient> MakeCurlHttpClient(HttpClientOptions options = {});

}  // namespace holdfast::net
