#include "localcloud/pubsub/dispatcher.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace holdfast::pubsub {

namespace {

// The longest sleep: a clock that is set forward is noticed after this long.
constexpr Duration kSleepMax = std::chrono::seconds{1};
// The shortest: leases that end close together are handled together.
constexpr Duration kSleepMin = std::chrono::milliseconds{5};

}  // namespace

Dispatcher::Dispatcher(Clock& clock, Attend attend, Recur recur)
    : clock_(clock),
      attend_(std::move(attend)),
      recur_(std::move(recur)),
      thread_([this] { Loop(); }) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Notify(std::shared_ptr<Subscription> subscription) {
  {
    const std::lock_guard lock(mutex_);
    news_.insert(std::move(subscription));
  }
  changed_.notify_one();
}

void Dispatcher::Reschedule(const std::shared_ptr<Subscription>& subscription) {
  const auto next = subscription->NextDue(clock_.Now());
  {
    const std::lock_guard lock(mutex_);
    if (!next) {
      due_.erase(subscription);
      return;
    }
    const auto [entry, added] = due_.try_emplace(subscription, *next);
    if (!added && entry->second == *next) return;
    entry->second = *next;
    rescheduled_ = true;
  }
  changed_.notify_one();
}

void Dispatcher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// Sleeps until there is something to look at. False: stopping.
bool Dispatcher::WaitForWork(std::unique_lock<std::mutex>& lock) {
  Duration sleep = kSleepMax;
  const Timestamp now = clock_.Now();
  for (const auto& [subscription, when] : due_) sleep = std::min(sleep, when - now);
  rescheduled_ = false;
  changed_.wait_for(lock, std::max(sleep, kSleepMin),
                    [this] { return stopping_ || rescheduled_ || !news_.empty(); });
  return !stopping_;
}

void Dispatcher::Loop() {
  std::unique_lock lock(mutex_);
  while (WaitForWork(lock)) {
    auto attended = std::exchange(news_, {});
    const Timestamp now = clock_.Now();
    for (const auto& [subscription, when] : due_) {
      if (when <= now) attended.insert(subscription);
    }
    lock.unlock();
    for (const auto& subscription : attended) {
      attend_(subscription);
      Reschedule(subscription);
    }
    recur_();
    lock.lock();
  }
}

}  // namespace holdfast::pubsub
