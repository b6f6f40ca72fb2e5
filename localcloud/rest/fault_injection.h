// Faults on request: rules that make localcloud's HTTP port fail as the real services do.
//
// A test (of ours or of anyone's client) adds rules over HTTP; each request is held against them
// before it is routed, and the first rule that fits and is not used up decides. The address:
//   POST   /_localcloud/faults   one rule, or {"faults": [rules]}; answers the rules with their ids
//   GET    /_localcloud/faults   every rule, with how often it was used
//   DELETE /_localcloud/faults   forgets all rules
// which itself never fails. A rule in JSON:
//   {"method": "POST", "path": "/bigquery/v2/projects/*/jobs", "effect": "status", "status": 503,
//    "reason": "backendError", "retryAfterSeconds": 1, "delayMs": 0, "skip": 2, "count": 1}
// With no effect in it, a rule with a status answers and one with only a delay delays. Thread-safe;
// rules are not kept over a restart.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "net/http_server.h"

namespace holdfast::rest {

enum class FaultEffect {
  kStatus,      // "status": answers `status` with an error document; the handler does not run
  kReset,       // "reset": resets the connection; the handler does not run
  kDropAnswer,  // "dropAnswer": runs the handler, then resets; the client cannot know what happened
  kTruncate,    // "truncate": runs the handler, sends half of its body, then resets
  kDelay,       // "delay": waits, then goes on as usual
};

struct FaultRule {
  std::string method;      // "" fits any
  std::string path = "*";  // of the request, as sent; '*' stands for any characters, '?' for one
  FaultEffect effect = FaultEffect::kStatus;
  int status = 503;
  std::string reason;   // empty: the usual one of the status
  std::string message;  // empty: a text that says it was injected
  std::optional<int64_t> retry_after_seconds;
  Duration delay{0};  // before the effect, whichever it is; at most five minutes
  int64_t skip = 0;   // this many requests that fit pass first
  int64_t count = 1;  // then this many are struck; -1: all, until the rules are cleared

  // Errors: kRestInvalidRequest naming the field (an unknown one too: a misspelt rule must not pass
  // as a test that saw no fault).
  static Result<FaultRule> FromJson(const Json& json);
  Json ToJson() const;
};

class FaultInjector {
 public:
  // `clock` spends the delays and must outlive this.
  explicit FaultInjector(Clock& clock) : clock_(clock) {}

  // Adds a rule after those there are; its id. Errors: kLimitExceeded over 1000 rules.
  Result<int64_t> Add(FaultRule rule);

  // Forgets all rules.
  void Clear();

  // The rules with "id", "seen" (requests that fitted) and "used" (those struck).
  Json List() const;

  // A handler that answers /_localcloud/faults itself, applies the rules to all else, and lets
  // `next` do the rest. This must outlive it.
  net::HttpHandler Wrap(net::HttpHandler next);

 private:
  struct Entry {
    int64_t id = 0;
    FaultRule rule;
    int64_t seen = 0;
    int64_t used = 0;
  };

  std::optional<FaultRule> Choose(const net::ServerRequest& request);
  net::HttpResponse Apply(const FaultRule& rule, net::ServerRequest& request,
                          const net::HttpHandler& next);
  net::HttpResponse Administer(net::ServerRequest& request);

  Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  int64_t next_id_ = 1;
};

// Whether `glob` ('*' any characters, '?' exactly one) fits all of `text`; takes at most |glob| *
// |text| steps.
bool GlobMatches(std::string_view glob, std::string_view text);

}  // namespace holdfast::rest
