// Retrying what may succeed later: exponential backoff with full jitter, under a deadline.
//
// Only errors that `IsRetryable` says are tried again; the caller guarantees that repeating the
// operation is harmless (a deterministic job id, a precondition). Time and jitter are ports, so a
// test of an hour's outage takes none. Thread-safe as far as the ports are.
// Source: google-semantics.md A5 #38, #42; A7 #43.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace holdfast {

struct RetryPolicy {
  int attempts_max = 8;
  Duration initial = std::chrono::milliseconds{500};
  Duration maximum = std::chrono::seconds{32};
  Duration total = std::chrono::minutes{10};  // no new attempt begins after this long
};

// Whether the service itself may give another answer later: kUnavailable, kResourceExhausted with a
// rate (not a daily quota) as reason, kDeadlineExceeded, kAborted.
bool IsRetryable(const Error& error);

// The wait before attempt `attempt` (1 is the first retry): uniform in [0, min(maximum, initial *
// 2^(attempt-1))].
Duration BackoffDelay(const RetryPolicy& policy, int attempt, Random& random);

// Whether, and after how long, to try again once `attempt` attempts have failed with `error`.
// `started`: when the first attempt began. nullopt: give up.
std::optional<Duration> NextRetry(const RetryPolicy& policy, const Error& error, int attempt,
                                  Timestamp started, Timestamp now, Random& random);

// Runs `operation` until it succeeds, fails for good, or the policy is exhausted.
template <typename T>
Result<T> WithRetry(const RetryPolicy& policy, Clock& clock, Random& random,
                    const std::function<Result<T>()>& operation) {
  const Timestamp started = clock.Now();
  for (int attempt = 1;; ++attempt) {
    Result<T> result = operation();
    if (result.ok()) return result;
    const auto delay = NextRetry(policy, result.error(), attempt, started, clock.Now(), random);
    if (!delay) return result;
    clock.SleepFor(*delay);
  }
}

}  // namespace holdfast
