#include "adapters/notifiers.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/hmac.h"
#include "base/json.h"

namespace holdfast {

namespace {

constexpr Duration kNotifyTimeout = std::chrono::seconds{20};
constexpr size_t kAnswerBytesMax = size_t{64} << 10U;
constexpr size_t kAnswerShownMax = 200;

class MailNotifier final : public cloud::Notifier {
 public:
  MailNotifier(MailChannel channel, net::SmtpClient& smtp, Clock& clock, Random& random)
      : channel_(std::move(channel)), smtp_(smtp), clock_(clock), random_(random) {}

  Status Notify(const cloud::Alert& alert) override {
    const net::SmtpMessage message{.url = channel_.url,
                                   .require_tls = channel_.require_tls,
                                   .username = channel_.username,
                                   .password = channel_.password,
                                   .from = channel_.addresses.from,
                                   .to = channel_.addresses.to,
                                   .content = ComposeMail(alert, channel_.addresses),
                                   .timeout = kNotifyTimeout};
    return WithRetry<void>(kNotifyRetry, clock_, random_, [&] { return smtp_.Send(message); });
  }

 private:
  const MailChannel channel_;
  net::SmtpClient& smtp_;
  Clock& clock_;
  Random& random_;
};

// "https://hooks.example.com": the path and the query may be all the secret there is.
std::string HostOfUrl(const std::string& url) {
  const size_t begin = url.find("://");
  if (begin == std::string::npos) return "the webhook";
  const size_t end = url.find_first_of("/?#", begin + 3);
  const std::string authority = url.substr(begin + 3, end - begin - 3);
  return "webhook at " + url.substr(0, begin + 3) + authority.substr(authority.find('@') + 1);
}

class WebhookNotifier final : public cloud::Notifier {
 public:
  WebhookNotifier(WebhookChannel channel, net::HttpClient& http, Clock& clock, Random& random)
      : channel_(std::move(channel)), http_(http), clock_(clock), random_(random) {}

  Status Notify(const cloud::Alert& alert) override {
    net::ClientRequest request{.method = "POST", .url = channel_.url};
    request.body = AlertDocument(alert);
    request.timeout = kNotifyTimeout;
    request.response_bytes_max = kAnswerBytesMax;
    request.headers.Set("Content-Type", "application/json");
    request.headers.Set("Holdfast-Delivery",
                        Sha256Hex(fmt::format("{}\n{}", alert.key, alert.at_ms)).substr(0, 32));
    if (!channel_.secret.empty()) {
      request.headers.Set("Holdfast-Signature",
                          "sha256=" + HexEncode(HmacSha256(channel_.secret, request.body)));
    }
    return WithRetry<void>(kNotifyRetry, clock_, random_, [&] { return SendOnce(request); });
  }

 private:
  Status SendOnce(const net::ClientRequest& request) {
    const auto response = http_.Send(request);
    if (!response.ok()) {
      // Its own message names the whole URL.
      const ErrorEntry& entry = FindError(response.error().id);
      return MakeError(response.error().id, response.error().code,
                       fmt::format("{}: {}", HostOfUrl(channel_.url), entry.title));
    }
    const int status = response->status;
    if (status / 100 == 2) return Ok();
    const bool is_for_now = status == 408 || status == 429 || status / 100 == 5;
    return MakeError(ErrorId::kWebhookRefused,
                     is_for_now ? Code::kUnavailable : Code::kFailedPrecondition,
                     fmt::format("{} answered with {}: {}", HostOfUrl(channel_.url), status,
                                 OneLine(response->body, kAnswerShownMax)));
  }

  const WebhookChannel channel_;
  net::HttpClient& http_;
  Clock& clock_;
  Random& random_;
};

}  // namespace

std::string AlertDocument(const cloud::Alert& alert) {
  return DumpJson({{"schema", "holdfast.alert.v1"},
                   {"key", alert.key},
                   {"kind", alert.kind},
                   {"severity", cloud::AlertSeverityName(alert.severity)},
                   {"title", alert.title},
                   {"detail", alert.detail},
                   {"action", alert.action},
                   {"count", alert.count},
                   {"objects", alert.objects},
                   {"since", FormatTimestamp(FromUnixMillis(alert.since_ms))},
                   {"at", FormatTimestamp(FromUnixMillis(alert.at_ms))},
                   {"repetition", alert.is_repetition},
                   {"resolved", alert.is_resolved},
                   // What chat services show of a message.
                   {"text", AlertSubject(alert) + "\n" + AlertText(alert)}});
}

std::unique_ptr<cloud::Notifier> MakeMailNotifier(MailChannel channel, net::SmtpClient& smtp,
                                                  Clock& clock, Random& random) {
  return std::make_unique<MailNotifier>(std::move(channel), smtp, clock, random);
}

std::unique_ptr<cloud::Notifier> MakeWebhookNotifier(WebhookChannel channel, net::HttpClient& http,
                                                     Clock& clock, Random& random) {
  return std::make_unique<WebhookNotifier>(std::move(channel), http, clock, random);
}

}  // namespace holdfast
