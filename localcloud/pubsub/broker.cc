#include "localcloud/pubsub/broker.h"

#include <future>
#include <utility>

#include "base/log.h"
#include "localcloud/pubsub/ack_id.h"
#include "localcloud/pubsub/broker_state.h"
#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {

namespace {

// Publishes that wait for the disk hold at most this much memory.
constexpr int64_t kPendingBytesMax = int64_t{256} << 20U;
constexpr int kSweepRows = 5000;
// A dead letter that could not be forwarded is handed out again after this long.
constexpr Duration kDeadLetterRetry = std::chrono::seconds{10};

Error Stopped() { return MakeError(ErrorId::kPubsubStopped, "Pub/Sub is stopping"); }

// What a forwarded message says of where it comes from, in the attributes that Google gives it.
void MarkDeadLetter(const wire::Subscription& source, int64_t message_id, int attempts,
                    wire::PubsubMessage& message) {
  auto& attributes = *message.mutable_attributes();
  attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = std::to_string(attempts);
  attributes["CloudPubSubDeadLetterSourceSubscription"] = LastSegment(source.name());
  attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] =
      ProjectOfSubscription(source.name()).value_or(std::string());
  attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] =
      FormatTimestamp(Timestamp{Duration{message_id}});
}

Result<std::vector<AckId>> ParseAckIds(
    const Subscription& subscription,
    const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<AckId> ids;
  for (const std::string& text : texts) {
    HF_ASSIGN_OR_RETURN(const AckId id, ParseAckId(text));
    if (id.subscription != subscription.id()) {
      return MakeError(ErrorId::kPubsubInvalidRequest,
                       "acknowledgement id of another subscription");
    }
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

Broker::State::State(BrokerOptions broker_options, Clock& broker_clock,
                     std::unique_ptr<Store> broker_store)
    : options(std::move(broker_options)),
      clock(broker_clock),
      store(std::move(broker_store)),
      queue(*store, kPendingBytesMax),
      next_sweep_(clock.Now() + options.sweep_interval),
      dispatcher(
          clock, [this](const auto& subscription) { Attend(subscription); },
          [this] { SweepWhenDue(); }) {}

Broker::State::~State() { Stop(); }

void Broker::State::Stop() {
  if (stopped_.exchange(true)) return;
  for (const auto& subscription : registry.AllSubscriptions()) {
    subscription->Close(Stopped());
    for (const auto& wake : subscription->Wakes()) wake();
  }
  dispatcher.Stop();
  queue.Stop();
}

Status Broker::State::Load() {
  HF_ASSIGN_OR_RETURN(auto topics, store->LoadTopics());
  for (StoredTopic& topic : topics) registry.PutTopic(std::move(topic));
  HF_ASSIGN_OR_RETURN(auto subscriptions, store->LoadSubscriptions());
  for (StoredSubscription& stored : subscriptions) {
    HF_ASSIGN_OR_RETURN(auto subscription, MakeSubscription(std::move(stored)));
    registry.AddSubscription(std::move(subscription));
  }
  return Ok();
}

Result<std::shared_ptr<Subscription>> Broker::State::MakeSubscription(StoredSubscription stored) {
  HF_ASSIGN_OR_RETURN(Filter filter, Filter::Parse(stored.settings.filter()));
  HF_ASSIGN_OR_RETURN(const int64_t newest_id, store->NewestBacklogId(stored.id));
  return std::make_shared<Subscription>(std::move(stored), std::move(filter), newest_id, *store,
                                        options.outstanding_max);
}

Status Broker::State::Save(StoredTopic& topic) {
  return queue.Run([&topic](Store& transaction) -> Status {
    HF_ASSIGN_OR_RETURN(topic.id, transaction.PutTopic(topic));
    return Ok();
  });
}

Status Broker::State::Save(StoredSubscription& subscription) {
  return queue.Run([&subscription](Store& transaction) -> Status {
    HF_ASSIGN_OR_RETURN(subscription.id, transaction.PutSubscription(subscription));
    return Ok();
  });
}

Status Broker::State::EnsureProject(const std::string& project) const {
  return options.ensure_project ? options.ensure_project(project) : Ok();
}

Result<int64_t> Broker::State::Deliver(Store& transaction, const TopicEntry& topic,
                                       wire::PubsubMessage message) {
  const int64_t id = transaction.NextMessageId(clock.Now());
  message.clear_message_id();
  message.clear_publish_time();
  const bool retained = topic.Retention() > Duration{0};
  bool wanted = retained;
  for (const auto& subscription : topic.subscriptions) {
    if (!subscription->filter().Matches(message)) continue;
    wanted = true;
    HF_RETURN_IF_ERROR(transaction.PutBacklog(
        subscription->id(), id, subscription->ordered() ? message.ordering_key() : std::string()));
  }
  if (wanted) {
    HF_RETURN_IF_ERROR(
        transaction.PutMessage(id, topic.stored.id, retained, message.SerializeAsString()));
  }
  return id;
}

void Broker::State::Announce(const TopicEntry& topic, int64_t newest_id) {
  for (const auto& subscription : topic.subscriptions) {
    subscription->OnPublished(newest_id);
    dispatcher.Notify(subscription);
  }
}

Result<wire::PullResponse> Broker::State::Take(const std::shared_ptr<Subscription>& subscription,
                                               const std::shared_ptr<Consumer>& consumer,
                                               int messages_max, int64_t bytes_max) {
  HF_ASSIGN_OR_RETURN(Subscription::Taken taken,
                      subscription->Take(consumer, messages_max, bytes_max, clock.Now()));
  if (!taken.attempts.empty()) {
    auto record = [id = subscription->id(),
                   attempts = std::move(taken.attempts)](Store& to) -> Status {
      for (const auto& [message_id, attempt] : attempts) {
        HF_RETURN_IF_ERROR(to.SetAttempts(id, message_id, attempt));
      }
      return Ok();
    };
    // Nobody waits for it: should it be lost, a message gets one attempt more.
    queue.Submit({.work = std::move(record), .done = [](const Status&) {}});
  }
  if (subscription->HasDead()) dispatcher.Notify(subscription);
  if (!taken.response.received_messages().empty()) dispatcher.Reschedule(subscription);
  return std::move(taken.response);
}

void Broker::State::Attend(const std::shared_ptr<Subscription>& subscription) {
  {
    const std::lock_guard lock(due_mutex_);
    ForwardDeadLetters(subscription);
  }
  for (const auto& wake : subscription->Wakes()) wake();
}

void Broker::State::ForwardDeadLetters(const std::shared_ptr<Subscription>& subscription) {
  const auto dead = subscription->RunDue(clock.Now());
  if (dead.empty()) return;
  const wire::Subscription source = subscription->stored().settings;
  const std::string target = source.dead_letter_policy().dead_letter_topic();
  std::shared_ptr<const TopicEntry> topic;
  int64_t newest_id = 0;
  const Status forwarded = queue.Run([&](Store& transaction) -> Status {
    HF_ASSIGN_OR_RETURN(topic, registry.GetTopic(target));
    for (const auto& [id, attempts] : dead) {
      HF_ASSIGN_OR_RETURN(const auto body, transaction.ReadBody(id));
      wire::PubsubMessage message;
      if (!body || !message.ParseFromString(*body)) continue;
      MarkDeadLetter(source, id, attempts, message);
      HF_ASSIGN_OR_RETURN(newest_id, Deliver(transaction, *topic, std::move(message)));
      HF_RETURN_IF_ERROR(transaction.Acknowledge(subscription->id(), std::span(&id, 1),
                                                 source.retain_acked_messages()));
    }
    return Ok();
  });
  if (!forwarded.ok()) {
    LogWarning("dead letters could not be forwarded",
               {{"subscription", source.name()}, {"why", forwarded.error().message}});
  }
  for (const auto& [id, attempts] : dead) {
    if (forwarded.ok()) {
      subscription->DeadLetterForwarded(id);
    } else {
      subscription->DeadLetterFailed(id, clock.Now() + kDeadLetterRetry);
    }
  }
  if (forwarded.ok()) Announce(*topic, newest_id);
}

void Broker::State::RunDue() {
  const std::lock_guard lock(due_mutex_);
  for (const auto& subscription : registry.AllSubscriptions()) ForwardDeadLetters(subscription);
  while (SweepOnce().value_or(false)) {
  }
}

void Broker::State::SweepWhenDue() {
  const Timestamp now = clock.Now();
  if (now < next_sweep_) return;
  const Result<bool> more = SweepOnce();
  if (!more.ok()) {
    LogWarning("retention could not be applied", {{"why", more.error().message}});
  }
  // A long sweep is done in pieces, so that deliveries go on between them.
  if (!more.value_or(false)) next_sweep_ = now + options.sweep_interval;
}

Result<bool> Broker::State::SweepOnce() {
  const Timestamp now = clock.Now();
  std::vector<Store::Horizon> of_subscriptions;
  for (const auto& subscription : registry.AllSubscriptions()) {
    const wire::Subscription settings = subscription->stored().settings;
    if (settings.detached()) continue;
    const Timestamp oldest = now - ToDuration(settings.message_retention_duration());
    of_subscriptions.push_back(
        {.owner_id = subscription->id(), .oldest_id = oldest.time_since_epoch().count()});
  }
  std::vector<Store::Horizon> of_topics;
  for (const auto& topic : registry.AllTopics()) {
    const Timestamp oldest = now - topic->Retention();
    of_topics.push_back(
        {.owner_id = topic->stored.id, .oldest_id = oldest.time_since_epoch().count()});
  }
  bool more = false;
  const Status swept = queue.Run([&](Store& transaction) -> Status {
    HF_ASSIGN_OR_RETURN(more, transaction.Sweep(of_subscriptions, of_topics, kSweepRows));
    return Ok();
  });
  HF_RETURN_IF_ERROR(swept);
  return more;
}

Broker::Broker(std::unique_ptr<State> state) : state_(std::move(state)) {}

Broker::~Broker() = default;

Result<std::unique_ptr<Broker>> Broker::Open(BrokerOptions options, Clock& clock) {
  HF_ASSIGN_OR_RETURN(auto store, Store::Open(options.directory));
  auto state = std::make_unique<State>(std::move(options), clock, std::move(store));
  HF_RETURN_IF_ERROR(state->Load());
  return std::unique_ptr<Broker>(new Broker(std::move(state)));
}

void Broker::Stop() { state_->Stop(); }

void Broker::RunDue() { state_->RunDue(); }

void Broker::Publish(wire::PublishRequest request, PublishDone done) {
  const Status valid = ValidatePublish(request);
  if (!valid.ok()) return done(valid.error());
  const auto known = state_->registry.GetTopic(request.topic());
  if (!known.ok()) return done(known.error());

  struct Run {
    wire::PublishRequest request;
    wire::PublishResponse response;
    std::shared_ptr<const TopicEntry> topic;
    int64_t newest_id = 0;
  };
  // Shared by the two steps below, which std::function copies.
  auto run = std::make_shared<Run>();
  const auto size = static_cast<int64_t>(request.ByteSizeLong());
  run->request = std::move(request);
  auto work = [this, run](Store& transaction) -> Status {
    HF_ASSIGN_OR_RETURN(run->topic, state_->registry.GetTopic(run->request.topic()));
    for (wire::PubsubMessage& message : *run->request.mutable_messages()) {
      HF_ASSIGN_OR_RETURN(run->newest_id,
                          state_->Deliver(transaction, *run->topic, std::move(message)));
      run->response.add_message_ids(std::to_string(run->newest_id));
    }
    return Ok();
  };
  auto finish = [this, run, done = std::move(done)](Status status) {
    if (!status.ok()) return done(std::move(status).error());
    state_->Announce(*run->topic, run->newest_id);
    done(std::move(run->response));
  };
  state_->queue.Submit({.work = std::move(work), .done = std::move(finish), .size_bytes = size});
}

Result<wire::PublishResponse> Broker::Publish(wire::PublishRequest request) {
  std::promise<Result<wire::PublishResponse>> promise;
  Publish(std::move(request), [&promise](auto result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

void Broker::Acknowledge(const wire::AcknowledgeRequest& request, AcknowledgeDone done) {
  auto subscription = state_->registry.GetSubscription(request.subscription());
  if (!subscription.ok()) return done(subscription.error());
  const auto parsed = ParseAckIds(**subscription, request.ack_ids());
  if (!parsed.ok()) return done(parsed.error());
  auto acknowledged = (*subscription)->Acknowledge(*parsed);
  if (acknowledged.empty()) return done(Ok());
  state_->dispatcher.Notify(*subscription);
  const bool retain = (*subscription)->stored().settings.retain_acked_messages();
  auto work = [id = (*subscription)->id(), acknowledged, retain](Store& transaction) {
    return transaction.Acknowledge(id, acknowledged, retain);
  };
  auto finish = [subscription = *subscription, acknowledged,
                 done = std::move(done)](Status status) {
    if (!status.ok()) subscription->AcknowledgeFailed(acknowledged);
    done(std::move(status));
  };
  state_->queue.Submit({.work = std::move(work), .done = std::move(finish)});
}

Status Broker::Acknowledge(const wire::AcknowledgeRequest& request) {
  std::promise<Status> promise;
  Acknowledge(request, [&promise](Status status) { promise.set_value(std::move(status)); });
  return promise.get_future().get();
}

Status Broker::ModifyAckDeadline(const wire::ModifyAckDeadlineRequest& request) {
  constexpr int kSecondsMax = 600;
  if (request.ack_deadline_seconds() < 0 || request.ack_deadline_seconds() > kSecondsMax) {
    return MakeError(ErrorId::kPubsubInvalidRequest, "ack_deadline_seconds: must be from 0 to 600");
  }
  HF_ASSIGN_OR_RETURN(auto subscription, state_->registry.GetSubscription(request.subscription()));
  HF_ASSIGN_OR_RETURN(const auto ids, ParseAckIds(*subscription, request.ack_ids()));
  subscription->ModifyDeadline(ids, request.ack_deadline_seconds(), state_->clock.Now());
  if (request.ack_deadline_seconds() == 0) {
    state_->dispatcher.Notify(std::move(subscription));
  } else {
    state_->dispatcher.Reschedule(subscription);
  }
  return Ok();
}

Result<std::unique_ptr<Puller>> Broker::OpenPuller(const std::string& name, PullerOptions options) {
  HF_RETURN_IF_ERROR(ValidateAckDeadline(options.ack_deadline_seconds, /*zero_allowed=*/true));
  HF_ASSIGN_OR_RETURN(auto subscription, state_->registry.GetSubscription(name));
  auto consumer = std::make_shared<Consumer>();
  consumer->messages_max = options.messages_outstanding_max;
  consumer->bytes_max = options.bytes_outstanding_max;
  consumer->lease = std::chrono::seconds{options.ack_deadline_seconds};
  consumer->wake = options.wake ? std::move(options.wake) : [] {};
  return std::make_unique<Puller>(*this, std::move(subscription), std::move(consumer));
}

Puller::Puller(Broker& broker, std::shared_ptr<Subscription> subscription,
               std::shared_ptr<Consumer> consumer)
    : broker_(broker), subscription_(std::move(subscription)), consumer_(std::move(consumer)) {
  subscription_->Attach(consumer_);
}

Puller::~Puller() { subscription_->Detach(consumer_); }

Result<wire::PullResponse> Puller::Take(int messages_max, int64_t bytes_max) {
  return broker_.state_->Take(subscription_, consumer_, messages_max, bytes_max);
}

void Puller::SetAckDeadline(int seconds) {
  subscription_->SetLease(*consumer_, std::chrono::seconds{seconds});
}

wire::StreamingPullResponse::SubscriptionProperties Puller::Properties() const {
  const wire::Subscription settings = subscription_->stored().settings;
  wire::StreamingPullResponse::SubscriptionProperties properties;
  properties.set_exactly_once_delivery_enabled(settings.enable_exactly_once_delivery());
  properties.set_message_ordering_enabled(settings.enable_message_ordering());
  return properties;
}

}  // namespace holdfast::pubsub
