// The HTTP side of `holdfast up`: /metrics for Prometheus and /livez for whoever restarts it.
//
// Reads only, asks for no credentials, and listens where the setting `metrics_address` says and
// nowhere by default. While it lives, service levels are measured once an hour.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "cli/environment.h"
#include "cli/metrics_text.h"
#include "net/http_server.h"

namespace holdfast::cli {

class MetricsServer {
 public:
  // Listens at "address:port" (":0" is any free port). Errors: kConfigInvalid, kHttpListenFailed.
  static Result<std::unique_ptr<MetricsServer>> Start(const std::string& address,
                                                      Environment& environment);
  ~MetricsServer();

  // "127.0.0.1:9108"
  std::string address() const;

 private:
  explicit MetricsServer(Environment& environment)
      : environment_(environment), source_(environment) {}
  net::HttpResponse Answer(const net::ServerRequest& request);
  void MeasureHourly(const std::stop_token& stop);

  Environment& environment_;
  MetricsSource source_;
  std::string host_;
  std::unique_ptr<net::HttpServer> server_;
  std::jthread measuring_;
};

}  // namespace holdfast::cli
