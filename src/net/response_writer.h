// Writes one HttpResponse to a connection as HTTP/1.1 puts it on the wire.
//
// The length of the body is framed by Content-Length where it is known, by chunks for HTTP/1.1
// clients otherwise, and by the end of the connection for HTTP/1.0 ones. Framing and connection
// headers are the writer's own: those of the response are left out, and line breaks in header
// values are made harmless. Source: RFC 9112 §6, §9.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "net/http.h"
#include "net/socket_stream.h"

namespace holdfast::net {

struct ResponseContext {
  bool head_request = false;  // no body is sent
  bool http_1_0 = false;
  bool keep_alive = true;        // what the connection would do if the framing lets it
  const Clock* clock = nullptr;  // for Date
};

// Sends the response and pulls its body_reader to the end. Whether the connection can be used
// again; an error when the peer was lost or the body_reader failed or did not keep to body_size
// (the answer is then incomplete, and the connection has to be reset for the peer to see it).
Result<bool> WriteResponse(SocketStream& stream, const HttpResponse& response,
                           const ResponseContext& context);

// The head alone, as it is sent. `body_size` absent: chunked, or without framing for HTTP/1.0.
std::string FormatResponseHead(const HttpResponse& response, std::optional<uint64_t> body_size,
                               const ResponseContext& context);

// "Not Found" for 404; "Unknown" for a status without a registered phrase.
std::string_view ReasonPhrase(int status);

}  // namespace holdfast::net
