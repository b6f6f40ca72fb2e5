#include "localcloud/pubsub/subscription.h"

#include <algorithm>
#include <utility>

#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {

// What one Take has gathered, and how much more it may.
class Subscription::Batch {
 public:
  Batch(Subscription& owner, std::shared_ptr<Consumer> consumer, int messages_max,
        int64_t bytes_max, Timestamp now)
      : owner_(owner),
        consumer_(std::move(consumer)),
        messages_max_(messages_max),
        bytes_max_(bytes_max),
        now_(now) {
    const auto seconds = std::chrono::seconds{owner.stored_.settings.ack_deadline_seconds()};
    deadline_ = now + (consumer_->lease > Duration{0} ? consumer_->lease : Duration{seconds});
  }

  Timestamp now() const { return now_; }
  bool empty() const { return taken_.response.received_messages().empty(); }
  Taken Finish() { return std::move(taken_); }

  bool HasRoom() const {
    return taken_.response.received_messages_size() < messages_max_ && consumer_->HasRoom() &&
           (empty() || bytes_ < bytes_max_);
  }

  // Hands out the message of `row`. False: it is too large for what is left of this batch.
  Result<bool> Add(const BacklogRow& row) {
    const std::string_view body = row.Body();
    const auto size = static_cast<int64_t>(body.size());
    if (!empty() && bytes_ + size > bytes_max_) {
      bytes_ = bytes_max_;
      return false;
    }
    wire::ReceivedMessage received;
    wire::PubsubMessage& message = *received.mutable_message();
    if (!message.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
      return MakeError(ErrorId::kPubsubStoreFailed,
                       "message " + std::to_string(row.message_id) + " cannot be read");
    }
    message.set_message_id(std::to_string(row.message_id));
    *message.mutable_publish_time() = ToWire(Timestamp{Duration{row.message_id}});
    const Handout handout = owner_.delivery_.HandOut(row.message_id, std::string(row.ordering_key),
                                                     row.attempts, size, deadline_, consumer_);
    received.set_ack_id(AckId{.generation = owner_.store_.generation(),
                              .subscription = owner_.id_,
                              .message = row.message_id,
                              .lease = static_cast<int64_t>(handout.lease)}
                            .ToString());
    if (owner_.delivery_.rules().attempts_max > 0) {
      received.set_delivery_attempt(handout.attempt);
      taken_.attempts.push_back({.message_id = row.message_id, .attempt = handout.attempt});
    }
    *taken_.response.add_received_messages() = std::move(received);
    bytes_ += size;
    return true;
  }

 private:
  Subscription& owner_;
  std::shared_ptr<Consumer> consumer_;
  int messages_max_;
  int64_t bytes_max_;
  Timestamp now_;
  Timestamp deadline_;
  int64_t bytes_ = 0;
  Taken taken_;
};

Subscription::Subscription(StoredSubscription stored, Filter filter, int64_t newest_id,
                           Store& store, int outstanding_max)
    : id_(stored.id),
      filter_(std::move(filter)),
      ordered_(stored.settings.enable_message_ordering()),
      store_(store),
      outstanding_max_(static_cast<size_t>(outstanding_max)),
      stored_(std::move(stored)),
      delivery_(RulesOf(stored_.settings)),
      newest_id_(newest_id) {}

StoredSubscription Subscription::stored() const {
  const std::lock_guard lock(mutex_);
  return stored_;
}

void Subscription::SetStored(StoredSubscription stored) {
  const std::lock_guard lock(mutex_);
  stored_ = std::move(stored);
  delivery_.SetRules(RulesOf(stored_.settings));
}

void Subscription::Close(Error why) {
  const std::lock_guard lock(mutex_);
  closed_ = std::move(why);
}

void Subscription::OnPublished(int64_t newest_id) {
  const std::lock_guard lock(mutex_);
  newest_id_ = std::max(newest_id_, newest_id);
}

void Subscription::Attach(const std::shared_ptr<Consumer>& consumer) {
  const std::lock_guard lock(mutex_);
  consumers_.push_back(consumer);
}

void Subscription::Detach(const std::shared_ptr<Consumer>& consumer) {
  const std::lock_guard lock(mutex_);
  std::erase(consumers_, consumer);
}

std::vector<std::function<void()>> Subscription::Wakes() {
  const std::lock_guard lock(mutex_);
  if (!consumers_.empty()) std::ranges::rotate(consumers_, consumers_.begin() + 1);
  std::vector<std::function<void()>> wakes;
  wakes.reserve(consumers_.size());
  for (const auto& consumer : consumers_) wakes.push_back(consumer->wake);
  return wakes;
}

void Subscription::SetLease(Consumer& consumer, Duration lease) {
  const std::lock_guard lock(mutex_);
  consumer.lease = lease;
}

Result<Subscription::Taken> Subscription::Take(const std::shared_ptr<Consumer>& consumer,
                                               int messages_max, int64_t bytes_max, Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (closed_) return *closed_;
  if (stored_.settings.detached()) {
    return MakeError(ErrorId::kPubsubPrecondition,
                     stored_.settings.name() + " is detached from its topic");
  }
  delivery_.EndDueLeases(now);
  delivery_.BeginBatch();
  Batch batch(*this, consumer, messages_max, bytes_max, now);
  new_first_ = !new_first_;
  if (new_first_) HF_RETURN_IF_ERROR(TakeNew(batch));
  HF_RETURN_IF_ERROR(TakeReturned(batch));
  if (!new_first_) HF_RETURN_IF_ERROR(TakeNew(batch));
  return batch.Finish();
}

// Messages that were given back, and those that waited for them.
Status Subscription::TakeReturned(Batch& batch) {
  while (batch.HasRoom()) {
    if (const auto id = delivery_.NextReady(batch.now())) {
      bool found = false;
      const int64_t oldest = OldestId(batch.now());
      HF_RETURN_IF_ERROR(store_.ReadBacklog(id_, std::max(*id, oldest), *id,
                                            [&](const BacklogRow& row) -> Result<bool> {
                                              found = true;
                                              return batch.Add(row);
                                            }));
      if (!found) delivery_.Remove(*id);  // retention ended it
    } else if (const auto passed_over = delivery_.NextPassedOver(batch.now())) {
      if (delivery_.size() >= outstanding_max_) return Ok();
      HF_RETURN_IF_ERROR(TakePassedOver(batch, *passed_over));
    } else {
      return Ok();
    }
  }
  return Ok();
}

Status Subscription::TakePassedOver(Batch& batch, const Delivery::PassedOver& passed_over) {
  std::optional<int64_t> left;
  const int64_t first = std::max(passed_over.first_id, OldestId(batch.now()));
  HF_RETURN_IF_ERROR(store_.ReadOrderingKey(
      id_, passed_over.key, first, cursor_, [&](const BacklogRow& row) -> Result<bool> {
        const bool room = batch.HasRoom() && delivery_.size() < outstanding_max_;
        HF_ASSIGN_OR_RETURN(const bool added, room ? batch.Add(row) : Result<bool>(false));
        if (!added) left = row.message_id;
        return added;
      }));
  delivery_.SetPassedOver(passed_over.key, left);
  return Ok();
}

// Messages that were not looked at before.
Status Subscription::TakeNew(Batch& batch) {
  if (cursor_ >= newest_id_ || !batch.HasRoom()) return Ok();
  bool stopped = false;
  const int64_t first = std::max(cursor_ + 1, OldestId(batch.now()));
  HF_RETURN_IF_ERROR(
      store_.ReadBacklog(id_, first, newest_id_, [&](const BacklogRow& row) -> Result<bool> {
        stopped = !batch.HasRoom() || delivery_.size() >= outstanding_max_;
        if (stopped) return false;
        const bool admitted = !delivery_.IsTracked(row.message_id) &&
                              delivery_.AdmitNew(row.message_id, std::string(row.ordering_key));
        HF_ASSIGN_OR_RETURN(const bool passed, admitted ? batch.Add(row) : Result<bool>(true));
        stopped = !passed;
        if (passed) cursor_ = row.message_id;
        return passed;
      }));
  if (!stopped) cursor_ = newest_id_;
  return Ok();
}

// Messages below this id are past the subscription's retention.
int64_t Subscription::OldestId(Timestamp now) const {
  const Duration retention = ToDuration(stored_.settings.message_retention_duration());
  return (now - retention).time_since_epoch().count();
}

std::vector<int64_t> Subscription::Acknowledge(std::span<const AckId> ids) {
  const std::lock_guard lock(mutex_);
  std::vector<int64_t> done;
  for (const AckId& id : ids) {
    const bool of_this_life = id.generation == store_.generation();
    const bool counts = of_this_life
                            ? delivery_.IsLatest(id.message, static_cast<uint64_t>(id.lease))
                            : !delivery_.IsTracked(id.message);
    if (!counts) continue;
    delivery_.Remove(id.message);
    done.push_back(id.message);
  }
  return done;
}

void Subscription::AcknowledgeFailed(std::span<const int64_t> message_ids) {
  const std::lock_guard lock(mutex_);
  for (const int64_t id : message_ids) cursor_ = std::min(cursor_, id - 1);
}

void Subscription::ModifyDeadline(std::span<const AckId> ids, int seconds, Timestamp now) {
  const std::lock_guard lock(mutex_);
  delivery_.EndDueLeases(now);
  for (const AckId& id : ids) {
    if (id.generation != store_.generation()) continue;
    const auto lease = static_cast<uint64_t>(id.lease);
    if (seconds == 0) {
      delivery_.GiveBack(id.message, lease, now);
    } else {
      delivery_.Extend(id.message, lease, now + std::chrono::seconds{seconds});
    }
  }
}

std::vector<Subscription::Attempt> Subscription::RunDue(Timestamp now) {
  const std::lock_guard lock(mutex_);
  delivery_.EndDueLeases(now);
  std::vector<Attempt> dead;
  for (const int64_t id : delivery_.TakeDead()) {
    dead.push_back({.message_id = id, .attempt = delivery_.AttemptsOf(id)});
  }
  return dead;
}

void Subscription::DeadLetterForwarded(int64_t message_id) {
  const std::lock_guard lock(mutex_);
  delivery_.Remove(message_id);
}

void Subscription::DeadLetterFailed(int64_t message_id, Timestamp retry_at) {
  const std::lock_guard lock(mutex_);
  delivery_.Retry(message_id, retry_at);
}

bool Subscription::HasDead() const {
  const std::lock_guard lock(mutex_);
  return delivery_.HasDead();
}

std::optional<Timestamp> Subscription::NextDue(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return delivery_.NextDue(now);
}

void Subscription::Restart(int64_t newest_id) {
  const std::lock_guard lock(mutex_);
  delivery_.Clear();
  cursor_ = 0;
  newest_id_ = std::max(newest_id_, newest_id);
}

}  // namespace holdfast::pubsub
