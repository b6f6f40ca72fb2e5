#include "gcp/pubsub_message_bus.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace holdfast::gcp {

namespace {

namespace wire = google::pubsub::v1;
using cloud::Message;
using cloud::ReceivedMessage;
using cloud::SubscriptionRef;
using cloud::TopicRef;

constexpr int kMessagesPerRequest = 1000;
constexpr size_t kBytesPerRequest = 9'950'000;  // Pub/Sub takes 10 MB, names and framing included
constexpr size_t kFramingBytes = 16;            // of a message or attribute, at most
constexpr int kAckIdsPerRequest = 1000;         // far below Pub/Sub's 512 KiB for such a request
// Between two pulls of one wait, when the service answers empty before the time is up.
constexpr Duration kPullPause = std::chrono::milliseconds{100};
constexpr Duration kPullTimeoutMin = std::chrono::milliseconds{100};

std::string NameOf(const TopicRef& topic) {
  return "projects/" + topic.project + "/topics/" + topic.topic;
}

std::string NameOf(const SubscriptionRef& subscription) {
  return "projects/" + subscription.project + "/subscriptions/" + subscription.subscription;
}

void SetDuration(google::protobuf::Duration& target, Duration duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  target.set_seconds(whole.count());
  target.set_nanos(static_cast<int32_t>((duration - whole).count() * 1000));
}

wire::Subscription ToWire(const SubscriptionRef& subscription, const TopicRef& topic,
                          const cloud::SubscriptionOptions& options) {
  wire::Subscription settings;
  settings.set_name(NameOf(subscription));
  settings.set_topic(NameOf(topic));
  settings.set_ack_deadline_seconds(options.ack_deadline_seconds);
  settings.set_enable_message_ordering(options.ordered);
  if (options.dead_letter_topic) {
    wire::DeadLetterPolicy& policy = *settings.mutable_dead_letter_policy();
    policy.set_dead_letter_topic(NameOf(*options.dead_letter_topic));
    policy.set_max_delivery_attempts(options.delivery_attempts_max);
  }
  if (options.retry_delay_min > Duration{0}) {
    wire::RetryPolicy& policy = *settings.mutable_retry_policy();
    SetDuration(*policy.mutable_minimum_backoff(), options.retry_delay_min);
    SetDuration(*policy.mutable_maximum_backoff(), options.retry_delay_max);
  }
  return settings;
}

size_t SizeOf(const Message& message) {
  size_t size = message.data.size() + message.ordering_key.size() + kFramingBytes;
  for (const auto& [key, value] : message.attributes) {
    size += key.size() + value.size() + kFramingBytes;
  }
  return size;
}

void ToWire(const Message& message, wire::PubsubMessage& target) {
  target.set_data(message.data);
  target.set_ordering_key(message.ordering_key);
  target.mutable_attributes()->insert(message.attributes.begin(), message.attributes.end());
}

ReceivedMessage FromWire(wire::ReceivedMessage received) {
  wire::PubsubMessage& message = *received.mutable_message();
  const auto published = std::chrono::seconds{message.publish_time().seconds()} +
                         std::chrono::microseconds{message.publish_time().nanos() / 1000};
  ReceivedMessage result{.ack_id = received.ack_id(),
                         .published = {.message = {},
                                       .id = message.message_id(),
                                       .publish_time = Timestamp{published}},
                         .delivery_attempt = received.delivery_attempt()};
  result.published.message.data = std::move(*message.mutable_data());
  result.published.message.ordering_key = message.ordering_key();
  result.published.message.attributes.insert(message.attributes().begin(),
                                             message.attributes().end());
  return result;
}

class PubsubMessageBus final : public cloud::MessageBus {
 public:
  PubsubMessageBus(std::unique_ptr<PubsubTransport> transport, PubsubOptions options, Clock& clock,
                   Random& random)
      : transport_(std::move(transport)), options_(options), clock_(clock), random_(random) {}

  Status EnsureTopic(const TopicRef& topic) override {
    wire::Topic request;
    request.set_name(NameOf(topic));
    const Status made =
        Retry<void>([&] { return transport_->CreateTopic(request, options_.call_timeout); });
    if (!made.ok() && made.error().code == Code::kAlreadyExists) return Ok();
    return made;
  }

  Status EnsureSubscription(const SubscriptionRef& subscription, const TopicRef& topic,
                            const cloud::SubscriptionOptions& options) override {
    const wire::Subscription request = ToWire(subscription, topic, options);
    const Status made =
        Retry<void>([&] { return transport_->CreateSubscription(request, options_.call_timeout); });
    if (made.ok() || made.error().code != Code::kAlreadyExists) return made;
    HF_ASSIGN_OR_RETURN(const wire::Subscription present, Retry<wire::Subscription>([&] {
                          return transport_->GetSubscription(request.name(), options_.call_timeout);
                        }));
    if (present.topic() == request.topic()) return Ok();
    return MakeError(
        ErrorId::kServiceRejected, Code::kFailedPrecondition,
        request.name() + " belongs to " + present.topic() + ", not to " + request.topic());
  }

  Result<std::vector<std::string>> Publish(const TopicRef& topic,
                                           std::span<const Message> messages) override {
    for (const Message& message : messages) HF_RETURN_IF_ERROR(cloud::CheckMessage(message));
    std::vector<std::string> ids;
    while (!messages.empty()) {
      wire::PublishRequest request;
      request.set_topic(NameOf(topic));
      size_t size = 0;
      while (!messages.empty() && request.messages_size() < kMessagesPerRequest) {
        size += SizeOf(messages.front());
        if (request.messages_size() > 0 && size > kBytesPerRequest) break;
        ToWire(messages.front(), *request.add_messages());
        messages = messages.subspan(1);
      }
      HF_ASSIGN_OR_RETURN(const wire::PublishResponse response, Retry<wire::PublishResponse>([&] {
                            return transport_->Publish(request, options_.call_timeout);
                          }));
      ids.insert(ids.end(), response.message_ids().begin(), response.message_ids().end());
    }
    return ids;
  }

  Result<std::vector<ReceivedMessage>> Pull(const SubscriptionRef& subscription, int messages_max,
                                            Duration wait) override {
    if (messages_max < 1 || messages_max > cloud::kPullMessagesMax) {
      return MakeError(ErrorId::kLimitExceeded, "pull: from 1 to 1000 messages at a time");
    }
    wire::PullRequest request;
    request.set_subscription(NameOf(subscription));
    request.set_max_messages(messages_max);
    if (wait <= Duration{0}) SetReturnImmediately(request);
    const Timestamp started = clock_.Now();
    for (int attempt = 1;; ++attempt) {
      const Duration left = started + wait - clock_.Now();
      auto answer = transport_->Pull(
          request, wait <= Duration{0} ? options_.call_timeout : std::max(left, kPullTimeoutMin));
      if (answer.ok() && !answer->received_messages().empty()) return FromWire(*answer);
      // The deadline of a call that waits is the wait: that it ran out is no failure.
      const bool ran_out = !answer.ok() && answer.error().code == Code::kDeadlineExceeded;
      if (answer.ok() || (ran_out && wait > Duration{0})) {
        if (clock_.Now() + kPullPause >= started + wait) return std::vector<ReceivedMessage>();
        clock_.SleepFor(kPullPause);
        continue;
      }
      RetryPolicy within_wait = options_.retry;
      within_wait.total = std::min(within_wait.total, wait);
      const auto delay =
          NextRetry(within_wait, answer.error(), attempt, started, clock_.Now(), random_);
      if (!delay) return std::move(answer).error();
      clock_.SleepFor(*delay);
    }
  }

  Status Acknowledge(const SubscriptionRef& subscription,
                     std::span<const std::string> ack_ids) override {
    wire::AcknowledgeRequest request;
    request.set_subscription(NameOf(subscription));
    return InChunks(ack_ids, request,
                    [&] { return transport_->Acknowledge(request, options_.call_timeout); });
  }

  Status ExtendDeadline(const SubscriptionRef& subscription, std::span<const std::string> ack_ids,
                        int seconds) override {
    wire::ModifyAckDeadlineRequest request;
    request.set_subscription(NameOf(subscription));
    request.set_ack_deadline_seconds(seconds);
    return InChunks(ack_ids, request,
                    [&] { return transport_->ModifyAckDeadline(request, options_.call_timeout); });
  }

 private:
  template <typename T>
  Result<T> Retry(const std::function<Result<T>()>& operation) {
    return WithRetry<T>(options_.retry, clock_, random_, operation);
  }

  // Sends `request` as often as its service takes for all of `ack_ids`.
  template <typename Request>
  Status InChunks(std::span<const std::string> ack_ids, Request& request,
                  const std::function<Status()>& send) {
    while (!ack_ids.empty()) {
      const auto chunk = ack_ids.first(std::min<size_t>(ack_ids.size(), kAckIdsPerRequest));
      request.clear_ack_ids();
      for (const std::string& id : chunk) request.add_ack_ids(id);
      HF_RETURN_IF_ERROR(Retry<void>(send));
      ack_ids = ack_ids.subspan(chunk.size());
    }
    return Ok();
  }

  static std::vector<ReceivedMessage> FromWire(wire::PullResponse& response) {
    std::vector<ReceivedMessage> messages;
    messages.reserve(static_cast<size_t>(response.received_messages_size()));
    for (auto& received : *response.mutable_received_messages()) {
      messages.push_back(gcp::FromWire(std::move(received)));
    }
    return messages;
  }

  static void SetReturnImmediately(wire::PullRequest& request) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    request.set_return_immediately(true);  // deprecated, and the only way to say "do not wait"
#pragma GCC diagnostic pop
  }

  std::unique_ptr<PubsubTransport> transport_;
  const PubsubOptions options_;
  Clock& clock_;
  Random& random_;
};

}  // namespace

std::unique_ptr<cloud::MessageBus> MakePubsubMessageBus(std::unique_ptr<PubsubTransport> transport,
                                                        PubsubOptions options, Clock& clock,
                                                        Random& random) {
  return std::make_unique<PubsubMessageBus>(std::move(transport), options, clock, random);
}

}  // namespace holdfast::gcp
