#include "sim/sim_message_bus.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace holdfast::sim {

namespace {

Error NotFound(std::string_view what, const std::string& name) {
  return MakeError(ErrorId::kServiceRejected, Code::kNotFound,
                   fmt::format("{} {} is not there", what, name));
}

Error Invalid(std::string message) {
  return MakeError(ErrorId::kServiceRejected, std::move(message));
}

Status CheckOptions(const cloud::SubscriptionOptions& options) {
  if (options.ack_deadline_seconds < 10 || options.ack_deadline_seconds > 600) {
    return Invalid("an acknowledge deadline is 10 to 600 seconds");
  }
  if (options.dead_letter_topic &&
      (options.delivery_attempts_max < 5 || options.delivery_attempts_max > 100)) {
    return Invalid("delivery attempts are 5 to 100");
  }
  return Ok();
}

// The wait after a message was given back: doubles with each attempt.
Duration RetryDelay(const cloud::SubscriptionOptions& options, int attempts) {
  Duration delay = options.retry_delay_min;
  for (int i = 1; i < attempts && delay < options.retry_delay_max; ++i) delay *= 2;
  return std::min(delay, options.retry_delay_max);
}

}  // namespace

Result<SimMessageBus::Subscription*> SimMessageBus::FindSubscription(
    const cloud::SubscriptionRef& subscription) {
  const auto found = subscriptions_.find(subscription);
  if (found != subscriptions_.end()) return &found->second;
  return NotFound("subscription", subscription.subscription);
}

Status SimMessageBus::EnsureTopic(const cloud::TopicRef& topic) {
  HF_RETURN_IF_ERROR(faults_.Before(topic.project));
  const std::lock_guard lock(mutex_);
  topics_.insert(topic);
  return faults_.After();
}

Status SimMessageBus::EnsureSubscription(const cloud::SubscriptionRef& subscription,
                                         const cloud::TopicRef& topic,
                                         const cloud::SubscriptionOptions& options) {
  HF_RETURN_IF_ERROR(faults_.Before(topic.project));
  HF_RETURN_IF_ERROR(CheckOptions(options));
  const std::lock_guard lock(mutex_);
  if (!topics_.contains(topic)) return NotFound("topic", topic.topic);
  if (options.dead_letter_topic && !topics_.contains(*options.dead_letter_topic)) {
    return NotFound("dead-letter topic", options.dead_letter_topic->topic);
  }
  const auto [at, added] = subscriptions_.try_emplace(subscription);
  if (added) {
    at->second.topic = topic;
    at->second.options = options;
  } else if (at->second.topic != topic) {
    return MakeError(ErrorId::kServiceRejected, Code::kFailedPrecondition,
                     "the subscription belongs to another topic");
  }
  return faults_.After();
}

void SimMessageBus::Deliver(const cloud::TopicRef& topic,
                            const cloud::PublishedMessage& published) {
  for (auto& [ref, subscription] : subscriptions_) {
    if (subscription.topic != topic || faults_.LosesMessage()) continue;
    Held held{.published = published, .due = clock_.Now(), .ack_id = {}, .attempts = 0};
    if (faults_.DelaysMessage()) held.due += std::chrono::seconds{faults_.Pick(600)};
    if (faults_.DuplicatesMessage()) {
      subscription.held.push_back(held);
      subscription.held.back().published.id += "-again";
    }
    if (faults_.ReordersMessage()) {
      const auto before = static_cast<ptrdiff_t>(faults_.Pick(subscription.held.size() + 1));
      subscription.held.insert(std::next(subscription.held.begin(), before), std::move(held));
    } else {
      subscription.held.push_back(std::move(held));
    }
  }
}

Result<std::vector<std::string>> SimMessageBus::Publish(const cloud::TopicRef& topic,
                                                        std::span<const cloud::Message> messages) {
  HF_RETURN_IF_ERROR(faults_.Before(topic.project));
  const std::lock_guard lock(mutex_);
  if (!topics_.contains(topic)) return NotFound("topic", topic.topic);
  for (const cloud::Message& message : messages) HF_RETURN_IF_ERROR(cloud::CheckMessage(message));
  std::vector<std::string> ids;
  for (const cloud::Message& message : messages) {
    ids.push_back(std::to_string(++last_id_));
    Deliver(topic, {.message = message, .id = ids.back(), .publish_time = clock_.Now()});
  }
  HF_RETURN_IF_ERROR(faults_.After());
  return ids;
}

void SimMessageBus::MoveDeadLetters(Subscription& subscription) {
  if (!subscription.options.dead_letter_topic) return;
  const Timestamp now = clock_.Now();
  const int attempts_max = subscription.options.delivery_attempts_max;
  std::vector<cloud::PublishedMessage> dead;
  std::erase_if(subscription.held, [&](const Held& held) {
    const bool is_dead = held.attempts >= attempts_max && held.due <= now;
    if (is_dead) dead.push_back(held.published);
    return is_dead;
  });
  for (const auto& message : dead) Deliver(*subscription.options.dead_letter_topic, message);
}

std::vector<cloud::ReceivedMessage> SimMessageBus::Take(Subscription& subscription,
                                                        int messages_max) {
  MoveDeadLetters(subscription);
  const Timestamp now = clock_.Now();
  std::vector<cloud::ReceivedMessage> taken;
  std::set<std::string> waiting_keys;  // of which an earlier message is not acknowledged
  for (Held& held : subscription.held) {
    if (static_cast<int>(taken.size()) == messages_max) break;
    const std::string& key = held.published.message.ordering_key;
    const bool in_turn =
        !subscription.options.ordered || key.empty() || !waiting_keys.contains(key);
    waiting_keys.insert(key);
    if (held.due > now || !in_turn) continue;
    ++held.attempts;
    held.ack_id = fmt::format("{}-{}", held.published.id, held.attempts);
    held.due = now + std::chrono::seconds{subscription.options.ack_deadline_seconds};
    const int attempt = subscription.options.dead_letter_topic ? held.attempts : 0;
    taken.push_back(
        {.ack_id = held.ack_id, .published = held.published, .delivery_attempt = attempt});
  }
  return taken;
}

Timestamp SimMessageBus::NextDue(const Subscription& subscription, Timestamp latest) const {
  Timestamp next = latest;
  for (const Held& held : subscription.held) next = std::min(next, held.due);
  return next;
}

Result<std::vector<cloud::ReceivedMessage>> SimMessageBus::Pull(
    const cloud::SubscriptionRef& subscription, int messages_max, Duration wait) {
  HF_RETURN_IF_ERROR(faults_.Before(subscription.project));
  const Timestamp deadline = clock_.Now() + wait;
  while (true) {
    Timestamp next;
    {
      const std::lock_guard lock(mutex_);
      HF_ASSIGN_OR_RETURN(Subscription * found, FindSubscription(subscription));
      std::vector<cloud::ReceivedMessage> taken = Take(*found, messages_max);
      if (!taken.empty() || clock_.Now() >= deadline) {
        HF_RETURN_IF_ERROR(faults_.After());
        return taken;
      }
      next = NextDue(*found, deadline);
    }
    clock_.SleepFor(std::max(next - clock_.Now(), Duration{1}));
  }
}

Status SimMessageBus::Acknowledge(const cloud::SubscriptionRef& subscription,
                                  std::span<const std::string> ack_ids) {
  HF_RETURN_IF_ERROR(faults_.Before(subscription.project));
  const bool lost = faults_.LosesAcknowledgement();
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(Subscription * found, FindSubscription(subscription));
  const Timestamp now = clock_.Now();
  const std::set<std::string> ids(ack_ids.begin(), ack_ids.end());
  if (!lost) {
    std::erase_if(found->held,
                  [&](const Held& held) { return ids.contains(held.ack_id) && held.due > now; });
  }
  return faults_.After();
}

Status SimMessageBus::ExtendDeadline(const cloud::SubscriptionRef& subscription,
                                     std::span<const std::string> ack_ids, int seconds) {
  HF_RETURN_IF_ERROR(faults_.Before(subscription.project));
  if (seconds < 0 || seconds > 600) return Invalid("a deadline is 0 to 600 seconds away");
  const std::lock_guard lock(mutex_);
  HF_ASSIGN_OR_RETURN(Subscription * found, FindSubscription(subscription));
  const Timestamp now = clock_.Now();
  const std::set<std::string> ids(ack_ids.begin(), ack_ids.end());
  for (Held& held : found->held) {
    if (!ids.contains(held.ack_id) || held.due <= now) continue;
    held.due = seconds > 0 ? now + std::chrono::seconds{seconds}
                           : now + RetryDelay(found->options, held.attempts);
  }
  return faults_.After();
}

}  // namespace holdfast::sim
