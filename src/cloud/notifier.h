// Telling people: the interface by which an alert leaves the program.
//
// One Notifier is one channel. Implemented by adapters/ (mail, webhook). The texts hold names that
// others chose (a table may be called anything): an implementation encodes them for its own form
// and never lets them become a header, a command or markup. Thread-safe; blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::cloud {

enum class AlertSeverity { kInfo, kWarning, kCritical };

// "info", "warning", "critical".
inline std::string_view AlertSeverityName(AlertSeverity severity) {
  switch (severity) {
    case AlertSeverity::kInfo:
      return "info";
    case AlertSeverity::kWarning:
      return "warning";
    case AlertSeverity::kCritical:
      break;
  }
  return "critical";
}

struct Alert {
  std::string key;   // the trouble itself: the same key is the same trouble, sent again or over
  std::string kind;  // "failed_step", "suspect", ...
  AlertSeverity severity = AlertSeverity::kWarning;
  std::string title;                 // one line
  std::string detail;                // what is known beyond that, one line; may be empty
  std::string action;                // what to do
  int64_t count = 0;                 // of objects
  std::vector<std::string> objects;  // the first of them
  int64_t since_ms = 0;              // when the trouble was first told of
  int64_t at_ms = 0;                 // now
  bool is_repetition = false;        // it was told of before, and goes on
  bool is_resolved = false;          // it is over
};

class Notifier {
 public:
  virtual ~Notifier() = default;

  // Sends it and waits until the other side has taken it. May come twice after an error, which the
  // other side can tell by key and at_ms. Errors: kWebhookRefused, those of SmtpClient and
  // HttpClient.
  virtual Status Notify(const Alert& alert) = 0;
};

}  // namespace holdfast::cloud
