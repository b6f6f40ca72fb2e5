// Sending one mail as a port: one method, which hands a finished message to a mail server.
//
// The production one (`MakeCurlSmtpClient`) speaks SMTP through libcurl: STARTTLS (required, or
// switched off for a relay on this machine), TLS from the start for smtps, login with what the
// server offers. It retries nothing: a repetition may send a mail twice, and that belongs to the
// caller. It offers a password only where the connection is encrypted. Thread-safe.
//
// Errors: kSmtpRefused (a 4xx answer is kUnavailable, a 5xx one kFailedPrecondition),
// kSmtpLoginDenied, kHttpTlsFailed, kHttpTimeout, kHttpConnectionLost, kHttpInvalidRequest (the
// URL, an address with a line break, a password without encryption). No password is in an error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::net {

struct SmtpMessage {
  std::string url;  // "smtp://mail.example.com:587" or "smtps://..."
  bool require_tls = true;
  std::string username;  // empty: no login
  std::string password;
  std::string from;             // of the envelope: "holdfast@example.com"
  std::vector<std::string> to;  // one at least
  std::string content;          // RFC 5322, lines ended by CR LF
  Duration timeout = std::chrono::seconds{60};
};

class SmtpClient {
 public:
  virtual ~SmtpClient() = default;

  // Sends and waits until the server has taken the message for all recipients. Not idempotent.
  virtual Status Send(const SmtpMessage& message) = 0;
};

struct SmtpClientOptions {
  std::string ca_file;  // PEM; empty: the system's
};

// The production client; connects to nothing yet.
std::unique_ptr<SmtpClient> MakeCurlSmtpClient(SmtpClientOptions options = {});

}  // namespace holdfast::net
