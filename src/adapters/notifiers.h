// The channels by which alerts go out: mail, and a webhook.
//
// Both send again what failed for now, a few times with growing pauses, so an alert may come twice.
// A secret reaches neither a log nor an error; nor does a webhook's path, which often is one.
// Thread-safe as far as the ports are, which outlive the notifier. Source: cloud/notifier.h.
#pragma once

#include <memory>
#include <string>

#include "adapters/mail_text.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/retry.h"
#include "cloud/notifier.h"
#include "net/http_client.h"
#include "net/smtp_client.h"

namespace holdfast {

// What is spent on one alert before it is left for the next occasion.
inline constexpr RetryPolicy kNotifyRetry = {.attempts_max = 4,
                                             .initial = std::chrono::seconds{1},
                                             .maximum = std::chrono::seconds{15},
                                             .total = std::chrono::minutes{1}};

struct MailChannel {
  std::string url;  // "smtp://host:587", "smtps://host"
  bool require_tls = true;
  std::string username;  // empty: no login
  std::string password;
  MailAddresses addresses;
};

std::unique_ptr<cloud::Notifier> MakeMailNotifier(MailChannel channel, net::SmtpClient& smtp,
                                                  Clock& clock, Random& random);

// Where an alert is posted as JSON (holdfast.alert.v1). With a secret, the header
// Holdfast-Signature is "sha256=" and the HMAC-SHA256 of the body in hexadecimal; Holdfast-Delivery
// is the same for every attempt of one alert.
struct WebhookChannel {
  std::string url;     // "https://..."
  std::string secret;  // empty: not signed
};

std::unique_ptr<cloud::Notifier> MakeWebhookNotifier(WebhookChannel channel, net::HttpClient& http,
                                                     Clock& clock, Random& random);

// The document that a webhook is sent.
std::string AlertDocument(const cloud::Alert& alert);

}  // namespace holdfast
