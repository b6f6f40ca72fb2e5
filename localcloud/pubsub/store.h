// The durable part of the broker: topics, subscriptions, messages and who has yet to acknowledge
// which, in one SQLite file.
//
// A message's id is its publish time in microseconds since 1970, moved on so that ids always grow;
// so the order of ids is the order of time, and retention and seek are comparisons of ids. A
// message row lives while a backlog row refers to it, or its topic retains it. Settings are kept as
// Google's serialized Topic and Subscription.
//
// Two connections: the committing thread writes (methods under "Within a transaction", called only
// by the CommitQueue's operations); anyone reads what is committed, one at a time (a lock inside).
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "localcloud/pubsub/filter.h"
#include "localcloud/sqlite/database.h"

namespace holdfast::pubsub {

namespace wire = ::google::pubsub::v1;

struct StoredTopic {
  int64_t id = 0;
  wire::Topic settings;
};

struct StoredSubscription {
  int64_t id = 0;
  int64_t topic_id = 0;  // 0: the topic was deleted
  wire::Subscription settings;
};

// One message that a subscription has not acknowledged. Holds during the visit only.
struct BacklogRow {
  int64_t message_id = 0;
  int attempts = 0;               // hand-outs that were recorded
  std::string_view ordering_key;  // empty when the subscription is not ordered
  const sqlite::Statement& query;

  // A serialized PubsubMessage without id and time. Read only here: it may be large, and rows that
  // are passed over do not need it.
  std::string_view Body() const { return query.Bytes(3); }
};

// Sees one row; false ends the reading before the next.
using BacklogVisitor = std::function<Result<bool>(const BacklogRow& row)>;

class Store {
 public:
  // Opens or makes `directory`/pubsub.sqlite. Errors of this and all calls: those of
  // localcloud/sqlite/database.h, kPubsubStoreFailed (settings that cannot be parsed).
  static Result<std::unique_ptr<Store>> Open(const std::string& directory);

  // Grows with every opening: tells the acknowledgement ids of this life of the broker from older.
  int64_t generation() const { return generation_; }

  // Reads of what is committed; thread-safe.
  Result<std::vector<StoredTopic>> LoadTopics();
  Result<std::vector<StoredSubscription>> LoadSubscriptions();
  // The highest id in the subscription's backlog, or 0.
  Result<int64_t> NewestBacklogId(int64_t subscription_id);
  // Rows with an id in [first, last], in order of ids.
  Status ReadBacklog(int64_t subscription_id, int64_t first, int64_t last,
                     const BacklogVisitor& visitor);
  // The same for the messages of one ordering key.
  Status ReadOrderingKey(int64_t subscription_id, std::string_view ordering_key, int64_t first,
                         int64_t last, const BacklogVisitor& visitor);

  // Within a transaction; Begin..Commit or Rollback, on the committing thread.
  Status Begin();
  Status Commit();
  void Rollback();
  Status BeginOperation();  // what follows can be taken back alone
  Status EndOperation(bool keep);

  // Writes the topic or subscription; id 0: a new one. Returns its id.
  Result<int64_t> PutTopic(const StoredTopic& topic);

  // What the topic retains is removed by Sweep, bit by bit.
  Status DeleteTopic(int64_t id);

  Result<int64_t> PutSubscription(const StoredSubscription& subscription);
  // The backlog of a deleted or detached subscription is removed by Sweep, bit by bit.
  Status DeleteSubscription(int64_t id);

  // The id of a message that is published at `now`: greater than every id before.
  int64_t NextMessageId(Timestamp now);
  // Keeps the message; `retained`: even if no backlog refers to it.
  Status PutMessage(int64_t id, int64_t topic_id, bool retained, std::string_view body);

  // Adds the message, once, to what the subscription has yet to acknowledge.
  Status PutBacklog(int64_t subscription_id, int64_t message_id, std::string_view ordering_key);
  // The body of a message; nullopt when it is gone.
  Result<std::optional<std::string>> ReadBody(int64_t message_id);

  // Nothing when the message was acknowledged meanwhile.
  Status SetAttempts(int64_t subscription_id, int64_t message_id, int attempts);
  // Takes messages off the backlog; `retain`: so that a seek can bring them back.
  Status Acknowledge(int64_t subscription_id, std::span<const int64_t> message_ids, bool retain);

  struct SeekTarget {
    int64_t subscription_id = 0;
    int64_t topic_id = 0;
    int64_t first_id = 0;  // messages from here on become unacknowledged, the others acknowledged
    int64_t oldest_retained = 0;  // of the subscription's own acknowledged messages
    int64_t oldest_in_topic = 0;  // of the topic's retained messages; 0: it retains none
    bool retain = false;          // keep what becomes acknowledged
    bool ordered = false;
  };

  // Makes the backlog what it would be had everything before `first_id` been acknowledged and
  // nothing from it on. Takes time in the number of messages that change, and others' commits wait.
  Status Seek(const SeekTarget& target, const Filter& filter);

  // What retention allows to remove, per subscription and topic.
  struct Horizon {
    int64_t owner_id = 0;   // a subscription's or a topic's
    int64_t oldest_id = 0;  // messages below this id are removed
  };
  // Removes up to `rows_max` rows past their horizon, or whose owner is in no list. True: more is
  // left, call again.
  Result<bool> Sweep(std::span<const Horizon> subscriptions, std::span<const Horizon> topics,
                     int rows_max);

 private:
  Store() = default;
  Status Prepare();
  Status Read(Result<sqlite::Statement> prepared, const BacklogVisitor& visitor);
  Status RemoveIfUnreferenced(int64_t message_id);
  Status RestoreFromTopic(const SeekTarget& target, const Filter& filter);
  Result<int> SweepBacklog(std::span<const Horizon> subscriptions, int rows_max);
  Result<int> SweepRetained(std::span<const Horizon> topics, int rows_max);

  std::unique_ptr<sqlite::Database> writer_;
  std::mutex reader_mutex_;
  std::unique_ptr<sqlite::Database> reader_;  // guarded by reader_mutex_
  int64_t generation_ = 0;
  int64_t last_message_id_ = 0;  // of the committing thread
};

}  // namespace holdfast::pubsub
