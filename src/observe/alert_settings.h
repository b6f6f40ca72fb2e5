// What the configuration says of alerts: the channels, and which kinds go where.
//
//   alerts:
//     repeat_after: 24h
//     channels:
//       oncall: {email: {smtp_url: "smtp://mail:587", starttls: required, username: holdfast,
//                        password: "env:MAIL_PASSWORD", from: holdfast@acme.example,
//                        to: [oncall@acme.example], ca_file: /etc/ssl/mail.pem}}
//       chat:   {webhook: {url: "env:CHAT_URL", secret: "file:/run/secrets/chat"}}
//     rules:
//       - {kinds: [suspect, verify_defect], channels: [oncall], repeat_after: 4h}
//       - {minimum_severity: warning, channels: [chat]}
//
// Without rules everything goes to every channel. Of several rules by which a kind goes to one
// channel, the shortest repeat_after counts. Passwords and secrets are references (env:NAME,
// file:PATH), never the thing itself. Plain values; parsing is pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "observe/alert_kind.h"

namespace holdfast::observe {

struct EmailChannel {
  std::string smtp_url;
  bool require_tls = true;  // starttls: required
  std::string username;     // empty: no login
  std::string password;     // a reference
  std::string from;
  std::vector<std::string> to;
  std::string ca_file;  // PEM; empty: the system's

  bool operator==(const EmailChannel&) const = default;
};

struct WebhookChannel {
  std::string url;     // or a reference to it
  std::string secret;  // a reference; empty: not signed

  bool operator==(const WebhookChannel&) const = default;
};

// Exactly one of the two is set.
struct AlertChannel {
  std::string name;
  std::optional<EmailChannel> email;
  std::optional<WebhookChannel> webhook;

  bool operator==(const AlertChannel&) const = default;
};

struct AlertRule {
  std::vector<AlertKind> kinds;       // empty: all
  std::vector<std::string> channels;  // empty: all
  cloud::AlertSeverity minimum_severity = cloud::AlertSeverity::kInfo;
  std::optional<Duration> repeat_after;  // nullopt: that of the settings

  bool operator==(const AlertRule&) const = default;
};

struct AlertSettings {
  Duration repeat_after = std::chrono::hours{24};
  std::vector<AlertChannel> channels;
  std::vector<AlertRule> rules;

  // After how long an alert of that kind, while it lasts, is sent to the channel again; nullopt:
  // that kind does not go there.
  std::optional<Duration> RepeatAfter(AlertKind kind, const std::string& channel) const;

  const AlertChannel* FindChannel(std::string_view name) const;
  bool operator==(const AlertSettings&) const = default;
};

// From the setting `alerts`; an empty map is no channel at all. Errors: kConfigInvalid naming the
// member.
Result<AlertSettings> ParseAlertSettings(const Json& document);

}  // namespace holdfast::observe
