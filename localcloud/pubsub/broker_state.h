// The parts of a Broker and what they do together; private to broker*.cc.
//
// Three kinds of threads meet here: callers, the committing thread of the CommitQueue (which fans
// messages out, and calls back what waits for durability), and the Dispatcher's. Settings change
// under `admin_mutex`, first durably, then in the Registry. Locks are taken in the order
// admin_mutex, due_mutex, a Subscription's, the Store's.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "localcloud/pubsub/broker.h"
#include "localcloud/pubsub/commit_queue.h"
#include "localcloud/pubsub/dispatcher.h"
#include "localcloud/pubsub/registry.h"
#include "localcloud/pubsub/store.h"
#include "localcloud/pubsub/subscription.h"

namespace holdfast::pubsub {

class Broker::State {
 public:
  // Starts the threads. `clock` must outlive this. Call Load once, before anything else.
  State(BrokerOptions options, Clock& clock, std::unique_ptr<Store> store);
  ~State();

  Status Load();  // what the store holds, into the registry

  // As Broker::Stop: consumers first, so that nobody waits for a thread that has ended.
  void Stop();

  // Makes the settings durable, and gives what is new its id.
  Status Save(StoredTopic& topic);
  Status Save(StoredSubscription& subscription);

  // Asks `options.ensure_project`, if there is one; its error refuses the request.
  Status EnsureProject(const std::string& project) const;

  // What is stored as a subscription at work, with nothing leased. Not in the registry yet. Errors:
  // kPubsubInvalidRequest (the filter), those of Store.
  Result<std::shared_ptr<Subscription>> MakeSubscription(StoredSubscription stored);

  // On the committing thread: keeps `message` for whom it is meant, and returns its id.
  Result<int64_t> Deliver(Store& store, const TopicEntry& topic, wire::PubsubMessage message);
  // After the commit: the topic's subscriptions have messages up to `newest_id`.
  void Announce(const TopicEntry& topic, int64_t newest_id);

  // As Puller::Take. Hand-outs that count towards a dead letter are recorded without waiting for
  // it: lost by a crash, the message gets one more.
  Result<wire::PullResponse> Take(const std::shared_ptr<Subscription>& subscription,
                                  const std::shared_ptr<Consumer>& consumer, int messages_max,
                                  int64_t bytes_max);

  void RunDue();  // all subscriptions, and a whole sweep

  const BrokerOptions options;
  Clock& clock;
  const std::unique_ptr<Store> store;
  Registry registry;
  std::mutex admin_mutex;  // one change of topics or subscriptions at a time
  CommitQueue queue;

 private:
  void Attend(const std::shared_ptr<Subscription>& subscription);
  void ForwardDeadLetters(const std::shared_ptr<Subscription>& subscription);
  void SweepWhenDue();
  Result<bool> SweepOnce();

  std::atomic<bool> stopped_ = false;
  std::mutex due_mutex_;  // who looks after what is due: the dispatcher, or a caller of RunDue
  Timestamp next_sweep_;  // of the dispatcher's thread

 public:
  Dispatcher dispatcher;  // last: its thread uses all of the above
};

}  // namespace holdfast::pubsub
