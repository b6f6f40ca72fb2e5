#include "adapters/log_forwarder.h"

#include <gtest/gtest.h>

#include <set>

#include "base/virtual_clock.h"

namespace holdfast {
namespace {

// A service that may be held up, or fail.
class HeldSink final : public cloud::LogSink {
 public:
  Status WriteEntries(std::span<const cloud::LogEntry> entries) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    called_.notify_all();
    released_.wait(lock, [this] { return !is_held_; });
    LogError("what sending causes");
    if (fails_) return MakeError(ErrorId::kServiceUnavailable, "down");
    taken_.insert(taken_.end(), entries.begin(), entries.end());
    return Ok();
  }

  void Hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    released_.notify_all();
  }
  void Fail() {
    const std::lock_guard lock(mutex_);
    fails_ = true;
  }
  void AwaitCall() {
    std::unique_lock lock(mutex_);
    called_.wait(lock, [this] { return calls_ > 0; });
  }
  std::vector<cloud::LogEntry> taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable called_;
  std::condition_variable released_;
  bool is_held_ = false;
  bool fails_ = false;
  int calls_ = 0;
  std::vector<cloud::LogEntry> taken_;
};

class ForwardedLog : public testing::Test {
 protected:
  // Only a full batch or the end sends: no test waits for time.
  LogForwarderOptions options_{
      .buffer_entries = 100, .batch_entries = 10, .age_max = std::chrono::hours{1}};
  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  HeldSink sink_;
};

TEST_F(ForwardedLog, ArrivesInOrderWithFieldsAndItsOwnIds) {
  LogForwarder forwarder(sink_, clock_, *random_, options_);
  for (int i = 0; i < 25; ++i) {
    LogInfo("stage done", {{"run", "r1"}, {"object", "a.b.c" + std::to_string(i)}});
  }
  LogDebug("below the level");
  forwarder.Stop();
  LogInfo("after the end");
  const auto taken = sink_.taken();
  ASSERT_EQ(taken.size(), 25U);
  std::set<std::string> ids;
  for (size_t i = 0; i < taken.size(); ++i) {
    EXPECT_EQ(taken[i].fields.at(1).second, "a.b.c" + std::to_string(i));
    EXPECT_EQ(taken[i].at, clock_.Now());
    ids.insert(taken[i].id);
  }
  EXPECT_EQ(ids.size(), 25U);
  EXPECT_EQ(forwarder.counts().sent, 25);
}

TEST_F(ForwardedLog, NeverWaitsForTheServiceAndCountsWhatItDrops) {
  sink_.Hold();
  LogForwarder forwarder(sink_, clock_, *random_, options_);
  for (int i = 0; i < 10; ++i) LogInfo("first batch");
  sink_.AwaitCall();  // it hangs in the service now
  for (int i = 0; i < 150; ++i) LogInfo("more than fits");
  EXPECT_EQ(forwarder.counts().dropped, 50);
  sink_.Release();
  forwarder.Stop();
  EXPECT_EQ(forwarder.counts().sent, 110);
  EXPECT_EQ(forwarder.counts().dropped, 50);
}

TEST_F(ForwardedLog, IsBoundedInBytesToo) {
  options_.buffer_bytes = 200'000;
  sink_.Hold();
  LogForwarder forwarder(sink_, clock_, *random_, options_);
  for (int i = 0; i < 5; ++i) LogInfo(std::string(50'000, 'x'));
  EXPECT_EQ(forwarder.counts().dropped, 2);
  LogInfo(std::string(10'000'000, 'y'));
  EXPECT_EQ(forwarder.counts().dropped, 2 + 1);
  sink_.Release();
  forwarder.Stop();
  EXPECT_EQ(forwarder.counts().sent, 3);
}

TEST_F(ForwardedLog, EndsAfterOneFailureAndSaysWhatIsMissing) {
  sink_.Fail();
  LogForwarder forwarder(sink_, clock_, *random_, options_);
  for (int i = 0; i < 9; ++i) LogInfo("entry");
  testing::internal::CaptureStderr();
  forwarder.Stop();
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(sink_.calls(), 1);
  EXPECT_EQ(forwarder.counts().not_taken, 9);
  EXPECT_NE(told.find("does not take log entries error=down"), std::string::npos) << told;
  EXPECT_NE(told.find("not_taken=9"), std::string::npos) << told;
}

TEST_F(ForwardedLog, WithoutALineSendsNothing) {
  { LogForwarder forwarder(sink_, clock_, *random_, options_); }
  EXPECT_EQ(sink_.calls(), 0);
}

}  // namespace
}  // namespace holdfast
