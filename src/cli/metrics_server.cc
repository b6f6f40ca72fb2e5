#include "cli/metrics_server.h"

#include <charconv>

#include "base/log.h"

namespace holdfast::cli {

namespace {

constexpr Duration kMeasureInterval = std::chrono::hours{1};
constexpr Duration kStopLook = std::chrono::milliseconds{200};

net::HttpResponse TextResponse(int status, std::string body) {
  net::HttpResponse response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& address,
                                                            Environment& environment) {
  const size_t colon = address.rfind(':');
  uint16_t port = 0;
  const char* end = address.data() + address.size();
  const char* begin = colon == std::string::npos ? end : address.data() + colon + 1;
  const auto [parsed, error] = std::from_chars(begin, end, port);
  if (begin == end || error != std::errc() || parsed != end) {
    return MakeError(ErrorId::kConfigInvalid,
                     "metrics_address is \"" + address + "\": expected address:port");
  }
  auto server = std::unique_ptr<MetricsServer>(new MetricsServer(environment));
  server->host_ = colon == 0 ? "127.0.0.1" : address.substr(0, colon);
  HF_ASSIGN_OR_RETURN(
      server->server_,
      net::HttpServer::Start(
          {.address = server->host_, .port = port, .worker_threads = 2, .connections_max = 64},
          [self = server.get()](net::ServerRequest& request) { return self->Answer(request); }));
  server->measuring_ = std::jthread(
      [self = server.get()](const std::stop_token& stop) { self->MeasureHourly(stop); });
  return server;
}

MetricsServer::~MetricsServer() {
  if (server_) server_->Stop();
}

std::string MetricsServer::address() const { return host_ + ":" + std::to_string(server_->port()); }

net::HttpResponse MetricsServer::Answer(const net::ServerRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") return TextResponse(405, "GET only\n");
  if (request.path == "/livez") return TextResponse(200, "ok\n");
  if (request.path != "/metrics") return TextResponse(404, "/metrics or /livez\n");
  auto text = source_.Text();
  if (text.ok()) return TextResponse(200, *std::move(text));
  LogError("metrics cannot be collected", {{"error", text.error().message}});
  return TextResponse(503, text.error().message + "\n");
}

void MetricsServer::MeasureHourly(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto levels =
        MeasureAndKeepServiceLevels(environment_, [&](const observe::ServiceLevelMiss&) -> Status {
          return stop.stop_requested() ? Status(MakeError(ErrorId::kCancelled, "stopping")) : Ok();
        });
    if (!levels.ok() && levels.error().id != ErrorId::kCancelled) {
      LogWarning("service levels cannot be measured", {{"error", levels.error().message}});
    }
    for (Duration waited{0}; waited < kMeasureInterval && !stop.stop_requested();
         waited += kStopLook) {
      environment_.clock().SleepFor(kStopLook);
    }
  }
}

}  // namespace holdfast::cli
