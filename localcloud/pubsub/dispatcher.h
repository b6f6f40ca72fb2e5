// The broker's own thread: it does what is due by time, and tells waiting consumers of news.
//
// Work arrives as names of subscriptions to look at; between, it sleeps until the next lease ends.
// Waits are in real time, but what is due is decided by the Clock alone. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "base/clock.h"
#include "localcloud/pubsub/subscription.h"

namespace holdfast::pubsub {

class Dispatcher {
 public:
  // Called on the thread, for a subscription that has news or is due.
  using Attend = std::function<void(const std::shared_ptr<Subscription>& subscription)>;
  // Called on the thread after each round: what else recurs.
  using Recur = std::function<void()>;

  // Starts the thread. `clock` and what the functions touch must outlive this.
  Dispatcher(Clock& clock, Attend attend, Recur recur);
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;
  ~Dispatcher();  // as Stop

  // There is news for the consumers of `subscription`, or it has dead letters.
  void Notify(std::shared_ptr<Subscription> subscription);

  // The subscription's next due time may have come closer.
  void Reschedule(const std::shared_ptr<Subscription>& subscription);

  void Stop();  // ends the thread after what it does now; idempotent

 private:
  void Loop();
  bool WaitForWork(std::unique_lock<std::mutex>& lock);

  Clock& clock_;
  const Attend attend_;
  const Recur recur_;
  std::mutex mutex_;  // guards all below but the thread
  std::condition_variable changed_;
  std::set<std::shared_ptr<Subscription>> news_;
  std::map<std::shared_ptr<Subscription>, Timestamp> due_;  // with a time at all
  bool rescheduled_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace holdfast::pubsub
