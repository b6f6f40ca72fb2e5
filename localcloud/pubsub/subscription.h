// One subscription at work: its settings, its leases, and its place in the backlog.
//
// It reads the backlog from the Store as consumers ask for it: `cursor` is the last message that it
// looked at; what comes back, or was passed over because its key was blocked, is remembered by the
// Delivery. It never writes: what must become durable is returned to the Broker. Thread-safe.
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "localcloud/pubsub/ack_id.h"
#include "localcloud/pubsub/delivery.h"
#include "localcloud/pubsub/filter.h"
#include "localcloud/pubsub/store.h"

namespace holdfast::pubsub {

class Subscription {
 public:
  struct Attempt {
    int64_t message_id = 0;
    int attempt = 0;
  };
  struct Taken {
    wire::PullResponse response;
    std::vector<Attempt> attempts;  // to be recorded; only with a dead-letter topic
  };

  // `newest_id`: the highest id of its backlog. `store` must outlive it.
  Subscription(StoredSubscription stored, Filter filter, int64_t newest_id, Store& store,
               int outstanding_max);

  // Its key in the store; never changes.
  int64_t id() const { return id_; }
  const Filter& filter() const { return filter_; }  // never changes
  bool ordered() const { return ordered_; }         // never changes

  // Its settings, and replacing them: deadlines, dead letters and retry hold for leases from now
  // on. Its filter and ordering stay, whatever `stored` says.
  StoredSubscription stored() const;
  void SetStored(StoredSubscription stored);

  // Makes every Take fail with `why` from now on: deleted, or the broker stops.
  void Close(Error why);

  // Messages up to `newest_id` are committed, some of them perhaps for this subscription.
  void OnPublished(int64_t newest_id);

  // Who is told of news. A consumer that is detached keeps its leases until they end.
  void Attach(const std::shared_ptr<Consumer>& consumer);
  void Detach(const std::shared_ptr<Consumer>& consumer);
  // What tells its consumers that there may be more, first in turn first.
  std::vector<std::function<void()>> Wakes();

  // How long this consumer's leases are from now on; 0: as the subscription says.
  void SetLease(Consumer& consumer, Duration lease);

  // Leases what is ready; see Puller::Take.
  Result<Taken> Take(const std::shared_ptr<Consumer>& consumer, int messages_max, int64_t bytes_max,
                     Timestamp now);

  // Ends the leases of these hand-outs, and returns the messages to take off the backlog. Ids of an
  // older life of the broker count unless the message was handed out again.
  std::vector<int64_t> Acknowledge(std::span<const AckId> ids);
  // The messages could not be taken off the backlog: they will come again.
  void AcknowledgeFailed(std::span<const int64_t> message_ids);

  // Moves the ends of these leases to `seconds` from `now`; 0 gives the messages back.
  void ModifyDeadline(std::span<const AckId> ids, int seconds, Timestamp now);

  // Ends the leases that are due, and returns the dead letters found so far, each once, with the
  // number of its hand-outs.
  std::vector<Attempt> RunDue(Timestamp now);

  // What became of a dead letter that RunDue gave: it is off the backlog; or it is ready again at
  // `retry_at`.
  void DeadLetterForwarded(int64_t message_id);
  void DeadLetterFailed(int64_t message_id, Timestamp retry_at);

  // Whether RunDue would give a dead letter already.
  bool HasDead() const;

  // When RunDue has something to do, or a consumer could be woken; nullopt: not by time alone.
  std::optional<Timestamp> NextDue(Timestamp now) const;

  // Forgets the leases and begins again at the oldest message. `newest_id` as for the constructor.
  void Restart(int64_t newest_id);

 private:
  class Batch;
  Status TakeReturned(Batch& batch);
  Status TakeNew(Batch& batch);
  Status TakePassedOver(Batch& batch, const Delivery::PassedOver& passed_over);
  int64_t OldestId(Timestamp now) const;

  const int64_t id_;
  const Filter filter_;
  const bool ordered_;
  Store& store_;
  const size_t outstanding_max_;

  mutable std::mutex mutex_;  // guards all below; held while the store is read
  StoredSubscription stored_;
  Delivery delivery_;
  int64_t newest_id_ = 0;
  int64_t cursor_ = 0;
  bool new_first_ = false;  // alternates, so that neither new messages nor returned ones starve
  std::optional<Error> closed_;
  std::vector<std::shared_ptr<Consumer>> consumers_;  // shared with the leases that they hold
};

}  // namespace holdfast::pubsub
