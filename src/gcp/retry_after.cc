#include "gcp/retry_after.h"

#include <algorithm>
#include <charconv>

namespace holdfast::gcp {

Duration RetryAfter(const net::HttpResponse& response) {
  const std::string_view text = response.headers.Get("Retry-After");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return Duration{0};
  return std::chrono::seconds{std::clamp<int64_t>(seconds, 0, 86'400)};
}

std::optional<Duration> NextRetryAfter(const RetryPolicy& policy, const Error& error, int attempt,
                                       Timestamp started, Timestamp now, Random& random,
                                       Duration least) {
  const auto delay = NextRetry(policy, error, attempt, started, now, random);
  if (!delay || *delay >= least) return delay;
  if (now + least - started > policy.total) return std::nullopt;
  return least;
}

}  // namespace holdfast::gcp
