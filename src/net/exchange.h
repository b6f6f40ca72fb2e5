// One request and its answer on a connection, run to the end by a worker thread.
//
// Calls the handler, lets it pull the body (sending "100 Continue" first where the client waits for
// it), writes the answer, and decides whether the connection can carry another request. The
// connection is this thread's alone meanwhile. Nothing a handler does, throwing included, gets past
// it. Source: RFC 9112 §9.3, §9.6; RFC 9110 §10.1.1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "net/http_server.h"
#include "net/socket_stream.h"

namespace holdfast::net {

// Takes the framing off a request's body.
class BodyDecoder {
 public:
  virtual ~BodyDecoder() = default;

  // The next bytes of the body, read from `stream` as needed; 0 at its end. Errors:
  // kHttpConnectionLost, kHttpTimeout, kHttpInvalidRequest.
  virtual Result<size_t> Decode(SocketStream& stream, std::span<char> out) = 0;

  // Whether the end of the body was read: the next byte is another request's.
  virtual bool done() const = 0;

  // How much of the body is still to come; nullopt when only its end will tell.
  virtual std::optional<uint64_t> remaining_bytes() const = 0;
};

enum class ConnectionFate {
  kKeep,    // ready for another request
  kLinger,  // to be closed, but the peer may still be sending
  kReset,   // to be reset, so that the peer sees an incomplete exchange
};

struct Exchange {
  int socket = -1;
  bool http_1_0 = false;
  bool keep_alive = true;  // as the client asks
  bool expect_continue = false;
  BodyDecoder* body = nullptr;  // not owned
};

// `request.body` is set here. Does not throw.
ConnectionFate RunExchange(const Exchange& exchange, ServerRequest& request,
                           const HttpHandler& handler, const HttpServerOptions& options);

}  // namespace holdfast::net
