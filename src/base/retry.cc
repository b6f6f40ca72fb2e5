#include "base/retry.h"

#include <algorithm>

namespace holdfast {

bool IsRetryable(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kAborted:
      return true;
    case Code::kResourceExhausted:
      // A daily quota comes back in hours; waiting here only burns the deadline (A5 #38).
      return error.reason != "quotaExceeded" && error.id != ErrorId::kQuotaExceeded &&
             error.id != ErrorId::kDiskFull;
    default:
      return false;
  }
}

Duration BackoffDelay(const RetryPolicy& policy, int attempt, Random& random) {
  const int doublings = std::min(attempt - 1, 30);
  const int64_t ceiling =
      std::min(policy.maximum.count(), policy.initial.count() * (int64_t{1} << doublings));
  if (ceiling <= 0) return Duration{0};
  return Duration{static_cast<int64_t>(random.Next() % static_cast<uint64_t>(ceiling + 1))};
}

std::optional<Duration> NextRetry(const RetryPolicy& policy, const Error& error, int attempt,
                                  Timestamp started, Timestamp now, Random& random) {
  if (!IsRetryable(error) || attempt >= policy.attempts_max) return std::nullopt;
  const Duration delay = BackoffDelay(policy, attempt, random);
  if (now + delay - started > policy.total) return std::nullopt;
  return delay;
}

}  // namespace holdfast
