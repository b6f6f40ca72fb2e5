// A message bus in memory, on virtual time: leases end, attempts are counted, dead letters move.
//
// A Pull that finds nothing spends its wait on the clock, up to the moment at which a message
// becomes due. Thread-safe. Source: cloud/message_bus.h.
#pragma once

#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "cloud/message_bus.h"
#include "sim/fault_plan.h"

namespace holdfast::sim {

class SimMessageBus final : public cloud::MessageBus {
 public:
  // Borrows them all.
  SimMessageBus(Clock& clock, FaultPlan& faults) : clock_(clock), faults_(faults) {}

  Status EnsureTopic(const cloud::TopicRef& topic) override;
  Status EnsureSubscription(const cloud::SubscriptionRef& subscription,
                            const cloud::TopicRef& topic,
                            const cloud::SubscriptionOptions& options) override;
  Result<std::vector<std::string>> Publish(const cloud::TopicRef& topic,
                                           std::span<const cloud::Message> messages) override;
  Result<std::vector<cloud::ReceivedMessage>> Pull(const cloud::SubscriptionRef& subscription,
                                                   int messages_max, Duration wait) override;
  Status Acknowledge(const cloud::SubscriptionRef& subscription,
                     std::span<const std::string> ack_ids) override;
  Status ExtendDeadline(const cloud::SubscriptionRef& subscription,
                        std::span<const std::string> ack_ids, int seconds) override;

 private:
  struct Held {
    cloud::PublishedMessage published;
    Timestamp due;       // when it may be handed out: lease end, retry delay
    std::string ack_id;  // of the last hand-out; empty: never handed out
    int attempts = 0;
  };
  struct Subscription {
    cloud::TopicRef topic;
    cloud::SubscriptionOptions options;
    std::list<Held> held;  // in order of publishing
  };

  // The lock is held.
  Result<Subscription*> FindSubscription(const cloud::SubscriptionRef& subscription);
  void Deliver(const cloud::TopicRef& topic, const cloud::PublishedMessage& published);
  std::vector<cloud::ReceivedMessage> Take(Subscription& subscription, int messages_max);
  void MoveDeadLetters(Subscription& subscription);
  Timestamp NextDue(const Subscription& subscription, Timestamp latest) const;

  Clock& clock_;
  FaultPlan& faults_;
  std::mutex mutex_;
  std::set<cloud::TopicRef> topics_;
  std::map<cloud::SubscriptionRef, Subscription> subscriptions_;
  int64_t last_id_ = 0;
};

}  // namespace holdfast::sim
