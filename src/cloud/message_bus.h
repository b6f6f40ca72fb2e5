// The message bus that the engine works over: topics that keep messages, subscriptions that hand
// them out under a lease until they are acknowledged.
//
// Delivery is at least once and in no order (but for messages of one ordering key on an ordered
// subscription): a handler must be idempotent. A message that nobody acknowledges in time comes
// again; after `delivery_attempts_max` tries it goes to the dead-letter topic, if there is one.
// Every method is thread-safe, and blocks the caller for at most its deadline. Implementations
// retry by themselves what is safe to repeat, as said per method. Source: DESIGN §1.3,
// google-semantics.md A8 #50-#55.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::cloud {

// The limits of one Publish message and of the sizes below; every bus accepts at least these.
inline constexpr size_t kMessageBytesMax = 9'900'000;  // data + attributes + ordering key
inline constexpr size_t kMessageAttributesMax = 100;
inline constexpr size_t kAttributeKeyBytesMax = 256;
inline constexpr size_t kAttributeValueBytesMax = 1024;
inline constexpr size_t kOrderingKeyBytesMax = 1024;
inline constexpr int kPullMessagesMax = 1000;

struct TopicRef {
  std::string project;
  std::string topic;  // 3..255 of [A-Za-z0-9-_.~+%], beginning with a letter, not with "goog"
  auto operator<=>(const TopicRef&) const = default;
};

struct SubscriptionRef {
  std::string project;
  std::string subscription;  // by the same rule as a topic's
  auto operator<=>(const SubscriptionRef&) const = default;
};

// What a publisher says. Either data or at least one attribute is not empty.
struct Message {
  std::string data;
  std::map<std::string, std::string> attributes;
  std::string ordering_key;  // empty: in any order
};

// Checks a message against the limits above. Every implementation does so before it sends anything.
// Errors: kLimitExceeded, naming the limit.
Status CheckMessage(const Message& message);

// A message as the bus keeps it.
struct PublishedMessage {
  Message message;
  std::string id;  // unique in its topic; a publish that is retried makes a second id
  Timestamp publish_time;
};

// One hand-out of a message: the lease begins when the bus sends it.
struct ReceivedMessage {
  std::string ack_id;  // names this hand-out, not the message; opaque
  PublishedMessage published;
  int delivery_attempt = 0;  // 1 on the first; approximate; 0: no dead-letter topic, not counted
};

// What a subscription is created with; one that exists keeps its own.
struct SubscriptionOptions {
  int ack_deadline_seconds = 60;              // lease of a hand-out: 10..600
  std::optional<TopicRef> dead_letter_topic;  // must exist, and should have a subscription
  int delivery_attempts_max = 5;              // 5..100; only with a dead-letter topic
  bool ordered = false;                       // messages of one ordering key come in order
  Duration retry_delay_min = Duration{0};     // wait before a message comes again: 0..600 s
  Duration retry_delay_max =
      std::chrono::minutes{10};  // doubles from min up to this; only if min > 0
};

class MessageBus {
 public:
  virtual ~MessageBus() = default;

  // Makes the topic unless it is there. Idempotent; retried.
  // Errors: kInvalidArgument for a malformed name, kPermissionDenied.
  virtual Status EnsureTopic(const TopicRef& topic) = 0;

  // Makes the subscription unless it is there; one that is there keeps its options. It receives
  // what is published from then on. Idempotent; retried. Errors: kNotFound when the topic or the
  // dead-letter topic is absent, kFailedPrecondition when the subscription belongs to another
  // topic, kInvalidArgument for an option out of its range.
  virtual Status EnsureSubscription(const SubscriptionRef& subscription, const TopicRef& topic,
                                    const SubscriptionOptions& options) = 0;

  // Publishes `messages` and returns their ids in the same order, once all are durable. Any number:
  // sent in as many requests as the service's limits need. Not idempotent, and yet retried: after a
  // lost answer a message is there twice. After an error some of the messages may be published:
  // publishing all of them again loses none.
  // Errors: kNotFound when the topic is absent; kInvalidArgument over a limit (nothing is sent).
  virtual Result<std::vector<std::string>> Publish(const TopicRef& topic,
                                                   std::span<const Message> messages) = 0;

  // Takes up to `messages_max` (1..kPullMessagesMax) messages, and waits up to `wait` for the first
  // one; an empty list means that none came. Fewer than asked for may come although there are more.
  // Not idempotent: each call leases other messages. Retried within `wait`.
  // Errors: kNotFound when the subscription is absent.
  virtual Result<std::vector<ReceivedMessage>> Pull(const SubscriptionRef& subscription,
                                                    int messages_max, Duration wait) = 0;

  // Says that the messages of these hand-outs are done with. Idempotent; retried. An id whose lease
  // ran out is no error, but its message may come again: only effects count, not this call.
  // Errors: kNotFound when the subscription is absent; kInvalidArgument for an id that is none.
  virtual Status Acknowledge(const SubscriptionRef& subscription,
                             std::span<const std::string> ack_ids) = 0;

  // Lets the leases end `seconds` (0..600) from now; 0 gives the messages back at once. Idempotent;
  // retried. An id whose lease ran out is no error. Errors: as Acknowledge.
  virtual Status ExtendDeadline(const SubscriptionRef& subscription,
                                std::span<const std::string> ack_ids, int seconds) = 0;
};

}  // namespace holdfast::cloud
