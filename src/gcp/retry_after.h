// How long a service asks to be left alone after it turned a call away.
//
// Its wish is the least wait before the next try, never a longer one than the retry policy allows
// in all: then the call is given up at once. Pure and thread-safe. Source: RFC 9110 §10.2.3.
#pragma once

#include "base/retry.h"
#include "net/http.h"

namespace holdfast::gcp {

// The Retry-After of an answer, at most a day; zero when it has none in seconds.
Duration RetryAfter(const net::HttpResponse& response);

// NextRetry (base/retry.h), but with a wait of at least `least`; nullopt, too, when that would end
// after the policy's time.
std::optional<Duration> NextRetryAfter(const RetryPolicy& policy, const Error& error, int attempt,
                                       Timestamp started, Timestamp now, Random& random,
                                       Duration least);

}  // namespace holdfast::gcp
