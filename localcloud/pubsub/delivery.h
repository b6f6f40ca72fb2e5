// Which messages of one subscription are out, until when, and which may come next.
//
// The rules of leases, redelivery, backoff, dead letters and ordering keys, over message ids alone:
// no time of its own, no storage. It tracks every message that was handed out and is not yet
// acknowledged, and for an ordered subscription the keys that these block. A key's messages are
// handed out in order of ids, one batch at a time: none while an earlier batch is out; when one of
// them comes back, so do the later ones. Not thread-safe: guarded by its Subscription.
// Source: google/pubsub/v1/pubsub.proto (ack_deadline_seconds, RetryPolicy, DeadLetterPolicy,
// enable_message_ordering).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace holdfast::pubsub {

// What one consumer may hold, holds, and how it is told that more may be had.
struct Consumer {
  int64_t messages_max = 0;  // <= 0: no limit
  int64_t bytes_max = 0;
  Duration lease{0};  // 0: the subscription's
  std::function<void()> wake;
  int64_t messages = 0;  // out to it now
  int64_t bytes = 0;

  // Whether one more message may be handed out to it. The last one may pass the limit of bytes.
  bool HasRoom() const {
    return (messages_max <= 0 || messages < messages_max) && (bytes_max <= 0 || bytes < bytes_max);
  }
};

struct DeliveryRules {
  bool ordered = false;
  int attempts_max = 0;     // 0: no dead-letter topic
  Duration backoff_min{0};  // 0: a message that comes back is ready at once
  Duration backoff_max{0};
};

// The outcome of a hand-out: what names it when it is acknowledged.
struct Handout {
  uint64_t lease = 0;
  int attempt = 0;
};

class Delivery {
 public:
  // The rules; replacing them holds for what is handed out or given back from now on.
  explicit Delivery(DeliveryRules rules) : rules_(rules) {}
  void SetRules(DeliveryRules rules) { rules_ = rules; }
  const DeliveryRules& rules() const { return rules_; }

  // How many messages are tracked: out, or given back and not yet handed out again.
  size_t size() const { return tracked_.size(); }

  // Begins a batch: messages of one key may follow each other within it.
  void BeginBatch() { ++batch_; }

  // A message that was given back and may be handed out again now. When there is none, a key may
  // still have messages that were passed over.
  std::optional<int64_t> NextReady(Timestamp now) const;

  // Of a key that was blocked and is free now: the first message of it that was passed over.
  struct PassedOver {
    std::string key;
    int64_t first_id = 0;
  };

  // nullopt: no such key, or one whose messages that were given back come first.
  std::optional<PassedOver> NextPassedOver(Timestamp now) const;
  // Says how far the messages passed over were read: the next begins at `first_id`; nullopt: none
  // is left.
  void SetPassedOver(const std::string& key, std::optional<int64_t> first_id);

  // Whether a message that was never handed out may be handed out now. When not, its key remembers
  // it.
  bool AdmitNew(int64_t id, const std::string& key);

  // Leases a message until `deadline`: one given back (NextReady), or a new one with the hand-outs
  // that storage recorded of it.
  Handout HandOut(int64_t id, const std::string& key, int recorded_attempts, int64_t bytes,
                  Timestamp deadline, const std::shared_ptr<Consumer>& consumer);

  // Ends tracking: acknowledged, or gone from storage.
  void Remove(int64_t id);

  // Whether `lease` is the last hand-out of the message: then its acknowledgement counts.
  bool IsLatest(int64_t id, uint64_t lease) const;
  bool IsTracked(int64_t id) const { return tracked_.contains(id); }
  int AttemptsOf(int64_t id) const { return tracked_.at(id).attempts; }  // of a tracked message

  // Moves the end of the lease; false when that lease is not out.
  bool Extend(int64_t id, uint64_t lease, Timestamp deadline);

  // Ends the lease now; false as above.
  bool GiveBack(int64_t id, uint64_t lease, Timestamp now);

  // Ends every lease whose time has come.
  void EndDueLeases(Timestamp now);

  // The messages whose last permitted attempt failed since the last call. They stay tracked, and
  // their keys blocked, until Remove or Retry.
  std::vector<int64_t> TakeDead();
  bool HasDead() const { return !dead_.empty(); }
  // The dead letter could not be forwarded: the message is ready again at `when`.
  void Retry(int64_t id, Timestamp when);

  // The next time at which something above changes by itself; nullopt: never.
  std::optional<Timestamp> NextDue(Timestamp now) const;

  // Forgets all leases, as after a seek.
  void Clear();

 private:
  enum class State { kOut, kReady, kDead };
  struct Tracked {
    std::string key;  // empty unless ordered
    State state = State::kOut;
    Timestamp when;  // out: the deadline; ready: from when on
    uint64_t lease = 0;
    int attempts = 0;
    int64_t bytes = 0;
    std::shared_ptr<Consumer> consumer;  // shared: a lease outlives the stream that took it
  };
  struct Key {
    std::set<int64_t> out;      // handed out, or dead: the key is blocked
    std::set<int64_t> waiting;  // given back
    std::optional<int64_t> passed_over;
    uint64_t batch = 0;  // in which `out` was handed out
    Timestamp ready_at{};
    std::optional<Timestamp> listed_at;  // its place in ready_keys_
  };

  Timestamp ReadyTime(const Tracked& message, Timestamp now) const;
  void EndLease(int64_t id, Timestamp now);
  void GiveBackLater(const std::string& key, int64_t id, Timestamp when);
  void MakeReady(int64_t id, Tracked& message, Timestamp when);
  void LeaveState(int64_t id, Tracked& message);
  void KeyChanged(const std::string& name);
  const Key* FindKey(const std::string& name) const;
  bool InThisBatch(const Key& key) const { return !key.out.empty() && key.batch == batch_; }

  DeliveryRules rules_;
  uint64_t batch_ = 0;
  uint64_t last_lease_ = 0;
  std::unordered_map<int64_t, Tracked> tracked_;
  std::set<std::pair<Timestamp, int64_t>> deadlines_;       // of what is out
  std::set<std::pair<Timestamp, int64_t>> ready_;           // given back, without a key
  std::unordered_map<std::string, Key> keys_;               // with something tracked or passed over
  std::set<std::pair<Timestamp, std::string>> ready_keys_;  // nothing out, and something to give
  std::string batch_key_;  // the key that the present batch handed out last
  std::vector<int64_t> dead_;
};

}  // namespace holdfast::pubsub
