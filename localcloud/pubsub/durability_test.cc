// What survives `kill -9`, and what many threads at once may not break.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "localcloud/pubsub/broker_fixture.h"

namespace holdfast::pubsub {
namespace {

using std::chrono::seconds;

class BrokerDurability : public BrokerFixture {
 protected:
  // In a child process: publishes from four threads for ever, and writes each id that was
  // acknowledged to `pipe`. The process knows nothing of the parent's broker.
  [[noreturn]] static void PublishUntilKilled(const std::string& directory, int pipe) {
    VirtualClock clock(kTestStart);
    auto broker = Broker::Open({.directory = directory}, clock);
    if (!broker.ok()) ::_exit(1);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0;; ++n) {
          wire::PublishRequest request;
          request.set_topic(Topic("topic"));
          for (int m = 0; m < 3; ++m) request.add_messages()->set_data(std::string(500, 'x'));
          const auto published = (*broker)->Publish(request);
          if (!published.ok()) ::_exit(2);
          std::string ids;
          for (const auto& id : published->message_ids()) ids.append(id).append("\n");
          if (::write(pipe, ids.data(), ids.size()) < 0) ::_exit(3);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ::_exit(4);
  }

  static std::set<std::string> ReadIds(int pipe, size_t count_min) {
    std::string text;
    char buffer[4096];
    while (static_cast<size_t>(std::ranges::count(text, '\n')) < count_min) {
      const ssize_t size = ::read(pipe, buffer, sizeof(buffer));
      if (size <= 0) break;
      text.append(buffer, static_cast<size_t>(size));
    }
    std::set<std::string> ids;
    size_t start = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
      ids.insert(text.substr(start, end - start));
      start = end + 1;
    }
    return ids;
  }
};

TEST_F(BrokerDurability, KeepsEveryAnsweredPublishAfterAKill) {
  MakeTopic("topic");
  MakeSubscription(Settings("sub"));
  std::set<std::string> answered;
  for (int life = 0; life < 3; ++life) {
    broker_.reset();  // no thread of ours is left when the process forks
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) PublishUntilKilled(directory_.path(), pipe[1]);
    ::close(pipe[1]);
    answered.merge(ReadIds(pipe[0], 60));
    ::kill(child, SIGKILL);
    answered.merge(ReadIds(pipe[0], SIZE_MAX));  // what it had written before
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    ::close(pipe[0]);
  }
  Reopen();
  std::set<std::string> kept;
  while (true) {
    const auto received = Pull("sub", 1000);
    if (received.empty()) break;
    for (const auto& message : received) {
      EXPECT_TRUE(kept.insert(message.message().message_id()).second) << "twice";
    }
    ASSERT_TRUE(Acknowledge("sub", received).ok());
  }
  ASSERT_GE(answered.size(), 180U);
  for (const std::string& id : answered) EXPECT_TRUE(kept.contains(id)) << id;
}

TEST_F(BrokerDurability, LeasesAMessageToOneConsumerAtATimeAndLosesNone) {
  constexpr int kPublishers = 3;
  constexpr int kPullers = 4;
  constexpr int kPerPublisher = 150;
  MakeTopic("topic");
  auto settings = Settings("sub");
  settings.set_enable_message_ordering(true);  // half of the messages have a key
  MakeSubscription(settings);

  std::mutex mutex;
  std::set<std::string> held;
  std::map<std::string, int> done;
  std::atomic<int> remaining = kPublishers * kPerPublisher;
  std::atomic<int> overlaps = 0;
  std::vector<std::thread> threads;
  for (int p = 0; p < kPublishers; ++p) {
    threads.emplace_back([&, p] {
      for (int i = 0; i < kPerPublisher; ++i) {
        Publish("topic", std::to_string(i), i % 2 == 0 ? "key" + std::to_string(p) : "");
      }
    });
  }
  for (int p = 0; p < kPullers; ++p) {
    threads.emplace_back([&, p] {
      int turn = p;
      while (remaining > 0) {
        for (const auto& received : Pull("sub", 5)) {
          const std::string& id = received.message().message_id();
          {
            const std::lock_guard lock(mutex);
            if (!held.insert(id).second) ++overlaps;
          }
          const bool give_back = ++turn % 7 == 0 && received.message().ordering_key().empty();
          {
            // Before the broker hears of it: from then on another one may hold it.
            const std::lock_guard lock(mutex);
            held.erase(id);
            if (!give_back && ++done[id] == 1) --remaining;
          }
          const Status told =
              give_back ? ModifyDeadline("sub", {received}, 0) : Acknowledge("sub", {received});
          EXPECT_TRUE(told.ok());
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(done.size(), static_cast<size_t>(kPublishers * kPerPublisher));
  for (const auto& [id, times] : done) EXPECT_EQ(times, 1) << id;
}

TEST_F(BrokerDurability, WakesAWaitingConsumerForEveryKindOfNews) {
  MakeTopic("topic");
  MakeSubscription(Settings("sub"));
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;
    // Fails the test by its time limit when no wake comes.
    void Await() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return count > 0; });
      count = 0;
    }
  };
  const auto signal = std::make_shared<Signal>();
  const auto puller = broker_->OpenPuller(Sub("sub"), {.wake = [signal] {
                                            const std::lock_guard lock(signal->mutex);
                                            ++signal->count;
                                            signal->changed.notify_one();
                                          }});
  ASSERT_TRUE(puller.ok());
  const auto take = [&] {
    while (true) {
      const auto taken = (*puller)->Take(10, 1000);
      if (!taken.ok() || taken->received_messages_size() > 0) return taken;
      signal->Await();
    }
  };
  Publish("topic", "a");
  auto taken = take();
  ASSERT_EQ(taken->received_messages_size(), 1);
  ASSERT_TRUE(ModifyDeadline("sub", {taken->received_messages(0)}, 0).ok());
  ASSERT_EQ(take()->received_messages_size(), 1);
  clock_.Advance(seconds{10});  // the broker's thread notices by itself
  ASSERT_EQ(take()->received_messages_size(), 1);
  std::thread stopper([this] { broker_->Stop(); });
  while (take().ok()) {
  }
  stopper.join();
  EXPECT_EQ(take().error().id, ErrorId::kPubsubStopped);
}

}  // namespace
}  // namespace holdfast::pubsub
