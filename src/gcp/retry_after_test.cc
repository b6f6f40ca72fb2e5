#include "gcp/retry_after.h"

#include <gtest/gtest.h>

namespace holdfast::gcp {
namespace {

using namespace std::chrono_literals;

TEST(RetryAfter, TakesSecondsAndNothingElse) {
  const struct {
    const char* text;
    Duration wait;
  } cases[] = {{"0", 0s},
               {"7", 7s},
               {"-7", 0s},
               {"7.5", 0s},
               {"7 ", 0s},
               {"Fri, 31 Dec 2027 23:59:59 GMT", 0s},
               {"86401", 24h},
               {"9223372036854775807", 24h},
               {"9223372036854775808", 0s}};
  for (const auto& expected : cases) {
    net::HttpResponse response{.status = 429, .headers = {}, .body = {}};
    response.headers.Set("Retry-After", expected.text);
    EXPECT_EQ(RetryAfter(response), expected.wait) << expected.text;
  }
  EXPECT_EQ(RetryAfter({.status = 429, .headers = {}, .body = {}}), 0s);
}

TEST(RetryAfter, WaitsAtLeastSoLongButNoLongerThanThePolicyAllows) {
  const auto random = MakeSeededRandom(1);
  const RetryPolicy policy{.attempts_max = 3, .initial = 1s, .maximum = 1s, .total = 1min};
  const Error busy = MakeError(ErrorId::kServiceUnavailable, "busy");
  const Timestamp started{1'000'000s};
  const auto next = [&](int attempt, Duration elapsed, Duration least) {
    return NextRetryAfter(policy, busy, attempt, started, started + elapsed, *random, least);
  };
  EXPECT_EQ(next(1, 0s, 30s), 30s);
  EXPECT_LE(next(1, 0s, 0s).value(), 1s);
  EXPECT_EQ(next(1, 30s, 30s), 30s);
  EXPECT_EQ(next(1, 31s, 30s), std::nullopt);
  EXPECT_EQ(next(3, 0s, 30s), std::nullopt);
}

}  // namespace
}  // namespace holdfast::gcp
