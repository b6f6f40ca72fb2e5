#include "base/retry.h"

#include <gtest/gtest.h>

#include "base/virtual_clock.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

// Draws the same bits for ever: all zeros give the shortest wait.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(uint64_t bits) : bits_(bits) {}
  uint64_t Next() override { return bits_; }

 private:
  uint64_t bits_;
};

Error ErrorOf(Code code, std::string reason = {}) {
  return WithReason(std::move(reason), MakeError(ErrorId::kServiceUnavailable, code, "failed"));
}

// Fails `failures` times with `error`, then succeeds; counts its calls.
struct Flaky {
  int failures;
  Error error;
  int calls = 0;
  Result<int> operator()() {
    if (++calls <= failures) return error;
    return 42;
  }
};

TEST(IsRetryable, OnlyWhatMayAnswerOtherwiseSoon) {
  for (const Code code : {Code::kUnavailable, Code::kDeadlineExceeded, Code::kAborted}) {
    EXPECT_TRUE(IsRetryable(ErrorOf(code))) << CodeName(code);
  }
  for (const Code code :
       {Code::kCancelled, Code::kUnknown, Code::kInvalidArgument, Code::kNotFound,
        Code::kAlreadyExists, Code::kPermissionDenied, Code::kFailedPrecondition, Code::kOutOfRange,
        Code::kUnimplemented, Code::kInternal, Code::kDataLoss, Code::kUnauthenticated}) {
    EXPECT_FALSE(IsRetryable(ErrorOf(code))) << CodeName(code);
  }
  EXPECT_TRUE(IsRetryable(ErrorOf(Code::kResourceExhausted, "rateLimitExceeded")));
  EXPECT_FALSE(IsRetryable(ErrorOf(Code::kResourceExhausted, "quotaExceeded")));
  EXPECT_FALSE(IsRetryable(MakeError(ErrorId::kQuotaExceeded, "used up")));
  EXPECT_FALSE(IsRetryable(MakeError(ErrorId::kDiskFull, "full")));
}

TEST(BackoffDelay, IsUniformUnderADoublingCeiling) {
  const RetryPolicy policy{.initial = 500ms, .maximum = 32s};
  const struct {
    int attempt;
    Duration ceiling;
  } cases[] = {{1, 500ms}, {2, 1s}, {3, 2s}, {7, 32s}, {8, 32s}, {1000, 32s}};
  const auto random = MakeSeededRandom(1);
  for (const auto& expected : cases) {
    Duration longest{0};
    for (int i = 0; i < 1000; ++i) {
      const Duration delay = BackoffDelay(policy, expected.attempt, *random);
      EXPECT_GE(delay, Duration{0});
      EXPECT_LE(delay, expected.ceiling);
      longest = std::max(longest, delay);
    }
    EXPECT_GT(longest, expected.ceiling * 9 / 10) << expected.attempt;
  }
}

TEST(WithRetry, TriesAgainUntilItSucceeds) {
  VirtualClock clock(Timestamp{});
  const auto random = MakeSeededRandom(1);
  Flaky flaky{.failures = 3, .error = ErrorOf(Code::kUnavailable)};
  const auto result = WithRetry<int>({}, clock, *random, std::ref(flaky));
  EXPECT_EQ(result.value(), 42);
  EXPECT_EQ(flaky.calls, 4);
  EXPECT_GT(clock.Now(), Timestamp{}) << "it waited in between";
}

TEST(WithRetry, GivesUpAtOnceOnWhatIsFinal) {
  VirtualClock clock(Timestamp{});
  FixedRandom random(0);
  Flaky flaky{.failures = 3, .error = ErrorOf(Code::kNotFound)};
  EXPECT_EQ(WithRetry<int>({}, clock, random, std::ref(flaky)).error().code, Code::kNotFound);
  EXPECT_EQ(flaky.calls, 1);
}

TEST(WithRetry, GivesUpAfterSoManyAttempts) {
  VirtualClock clock(Timestamp{});
  FixedRandom random(0);
  Flaky flaky{.failures = 100, .error = ErrorOf(Code::kUnavailable)};
  EXPECT_FALSE(WithRetry<int>({.attempts_max = 5}, clock, random, std::ref(flaky)).ok());
  EXPECT_EQ(flaky.calls, 5);
}

TEST(WithRetry, BeginsNoAttemptAfterItsTotalTime) {
  VirtualClock clock(Timestamp{});
  FixedRandom random(0);
  int calls = 0;
  const auto result =
      WithRetry<int>({.attempts_max = 1000, .total = 10min}, clock, random, [&]() -> Result<int> {
        ++calls;
        clock.Advance(4min);
        return ErrorOf(Code::kUnavailable);
      });
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(calls, 3) << "at 0, 4 and 8 minutes";
}

}  // namespace
}  // namespace holdfast
