#include "net/exchange.h"

#include <array>
#include <exception>

#include "base/log.h"
#include "net/response_writer.h"

namespace holdfast::net {

namespace {

// An unread rest of a body up to this size is read and thrown away to keep the connection; for a
// larger one the connection is closed.
constexpr uint64_t kDrainBytesMax = uint64_t{256} << 10U;
constexpr Duration kDrainPatience = std::chrono::seconds{5};

// The body as the handler pulls it: sticky errors, and the 100 Continue before the first byte.
class RequestBody {
 public:
  RequestBody(const Exchange& exchange, SocketStream& stream)
      : decoder_(*exchange.body),
        stream_(stream),
        continue_awaited_(exchange.expect_continue && !exchange.http_1_0) {}

  Result<size_t> Pull(std::span<char> out) {
    if (error_) return *error_;
    auto count = PullOnce(out);
    if (!count.ok()) error_ = count.error();
    return count;
  }

  // Whether what was not pulled is so little, and so sure to come, that reading it beats closing.
  bool WorthDraining() const {
    if (error_) return false;
    if (decoder_.done()) return true;
    return !continue_awaited_ && decoder_.remaining_bytes().value_or(UINT64_MAX) <= kDrainBytesMax;
  }

  Status Drain(SocketStream& stream) {
    std::array<char, 4096> ignored;
    while (!decoder_.done()) HF_RETURN_IF_ERROR(decoder_.Decode(stream, ignored));
    return Ok();
  }

 private:
  Result<size_t> PullOnce(std::span<char> out) {
    if (decoder_.done() || out.empty()) return size_t{0};
    if (continue_awaited_) {
      HF_RETURN_IF_ERROR(stream_.WriteAll("HTTP/1.1 100 Continue\r\n\r\n"));
      continue_awaited_ = false;
    }
    return decoder_.Decode(stream_, out);
  }

  BodyDecoder& decoder_;
  SocketStream& stream_;
  bool continue_awaited_;
  std::optional<Error> error_;
};

HttpResponse FailedHandler(const ServerRequest& request, std::string_view what) {
  LogError("an HTTP handler threw",
           {{"method", request.method}, {"path", request.path}, {"error", std::string(what)}});
  HttpResponse response;
  response.status = 500;
  response.headers.Set("Content-Type", "text/plain; charset=utf-8");
  response.body = "internal error\n";
  return response;
}

HttpResponse CallHandler(const HttpHandler& handler, ServerRequest& request) {
  try {
    return handler(request);
  } catch (const std::exception& error) {
    return FailedHandler(request, error.what());
  } catch (...) {
    return FailedHandler(request, "not a std::exception");
  }
}

// As WriteResponse; a body_reader that throws is one that fails.
Result<bool> Send(SocketStream& stream, const HttpResponse& response,
                  const ResponseContext& context) {
  try {
    return WriteResponse(stream, response, context);
  } catch (const std::exception& error) {
    return MakeError(ErrorId::kInternal, error.what());
  }
}

}  // namespace

ConnectionFate RunExchange(const Exchange& exchange, ServerRequest& request,
                           const HttpHandler& handler, const HttpServerOptions& options) {
  SocketStream stream(exchange.socket, {.idle_timeout = options.idle_timeout,
                                        .bytes_per_second_min = options.body_bytes_per_second_min});
  RequestBody body(exchange, stream);
  request.body = [&body](std::span<char> out) { return body.Pull(out); };

  const HttpResponse response = CallHandler(handler, request);
  if (response.status == HttpResponse::kReset) return ConnectionFate::kReset;
  const auto reusable = Send(stream, response,
                             {.head_request = request.method == "HEAD",
                              .http_1_0 = exchange.http_1_0,
                              .keep_alive = exchange.keep_alive && body.WorthDraining(),
                              .clock = options.clock});
  if (!reusable.ok()) {
    LogDebug("an answer was not sent",
             {{"path", request.path}, {"error", reusable.error().message}});
    return ConnectionFate::kReset;
  }
  if (!*reusable) return ConnectionFate::kLinger;
  SocketStream drain(exchange.socket,
                     {.idle_timeout = kDrainPatience, .bytes_per_second_min = kDrainBytesMax});
  return body.Drain(drain).ok() ? ConnectionFate::kKeep : ConnectionFate::kLinger;
}

}  // namespace holdfast::net
