// The message broker of localcloud: topics, subscriptions, and messages that survive `kill -9`.
//
// It is Pub/Sub without a transport: gRPC (pubsub_grpc.h) and REST (pubsub_rest.h) only translate.
// Requests and answers are Google's own protocol messages, so that nothing is said twice. Messages
// live in one SQLite file (WAL, synchronous=FULL); publishes and acknowledgements of many callers
// share a commit. Memory holds the topics, the subscriptions and the leases that are out, of which
// there are at most `outstanding_max` per subscription; never the backlog.
//
// Promises: a publish that was answered is durable; a message is out under at most one lease at a
// time; it comes again once its lease ends without an acknowledgement, or after a restart.
// Thread-safe; time comes from the Clock alone. Source: google/pubsub/v1/pubsub.proto,
// google-semantics.md A8.
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::pubsub {

namespace wire = ::google::pubsub::v1;

struct BrokerOptions {
  std::string directory;  // holds pubsub.sqlite; made when absent
  // Called with the project of a request that creates or lists; an error refuses the request.
  // Empty: every project is welcome.
  std::function<Status(const std::string& project)> ensure_project;
  int outstanding_max = 65'536;  // messages of one subscription handed out or given back
  Duration sweep_interval = std::chrono::minutes{1};  // between removals of what retention ended
};

// How one consumer pulls from one subscription. A limit of zero or less is no limit.
struct PullerOptions {
  int64_t messages_outstanding_max = 0;  // handed out to this puller, and not yet given back
  int64_t bytes_outstanding_max = 0;
  int ack_deadline_seconds = 0;  // of its leases, 10..600; 0: the subscription's
  // Called, from a thread of the broker that holds no lock, when Take may give something else than
  // it did: messages, or an error. May be called in vain, and once more while ~Puller runs: capture
  // what it touches weakly.
  std::function<void()> wake;
};

class Broker;
class Subscription;
struct Consumer;

// One consumer of a subscription. Its leases outlive it: they end with their deadline. Thread-safe;
// must be gone before the Broker is.
class Puller {
 public:
  // For Broker::OpenPuller, which looks the subscription up. Adds the consumer to those that are
  // woken.
  Puller(Broker& broker, std::shared_ptr<Subscription> subscription,
         std::shared_ptr<Consumer> consumer);
  Puller(const Puller&) = delete;
  Puller& operator=(const Puller&) = delete;
  ~Puller();

  // Leases what is ready: up to `messages_max` messages and about `bytes_max` bytes (at least one
  // message, if any). Empty: nothing is ready or the puller is at its limits; `wake` will be
  // called. Errors: kPubsubNotFound once the subscription is deleted, kPubsubPrecondition once
  // detached, kPubsubStopped after Broker::Stop, kPubsubStoreFailed.
  Result<wire::PullResponse> Take(int messages_max, int64_t bytes_max);

  // Sets the lease of what Take gives from now on; 10..600 seconds, 0: the subscription's.
  void SetAckDeadline(int seconds);

  // The subscription's present flags, as a stream announces them.
  wire::StreamingPullResponse::SubscriptionProperties Properties() const;

 private:
  Broker& broker_;
  // Shared with the registry and the leases: a stream may outlive the subscription's deletion.
  std::shared_ptr<Subscription> subscription_;
  std::shared_ptr<Consumer> consumer_;
};

class Broker {
 public:
  using PublishDone = std::function<void(Result<wire::PublishResponse>)>;
  using AcknowledgeDone = std::function<void(Status)>;

  // Opens or makes the store in `options.directory`; what was out before is ready again. `clock`
  // must outlive the broker. Errors: kPubsubStoreFailed.
  static Result<std::unique_ptr<Broker>> Open(BrokerOptions options, Clock& clock);
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker();  // as Stop

  // Ends every wait with kPubsubStopped, commits what was accepted, ends the threads. Idempotent.
  void Stop();

  // The calls of google.pubsub.v1.Publisher. All block until the change is durable. Errors:
  // kPubsubInvalidRequest, kPubsubNotFound, kPubsubAlreadyExists, kPubsubUnimplemented (a field
  // that asks for a service localcloud lacks), kPubsubStoreFailed.
  Result<wire::Topic> CreateTopic(const wire::Topic& topic);
  Result<wire::Topic> UpdateTopic(const wire::UpdateTopicRequest& request);
  Result<wire::Topic> GetTopic(const std::string& name);
  Result<wire::ListTopicsResponse> ListTopics(const wire::ListTopicsRequest& request);
  Result<wire::ListTopicSubscriptionsResponse> ListTopicSubscriptions(
      const wire::ListTopicSubscriptionsRequest& request);

  // Its subscriptions stay, with what they hold, and name "_deleted-topic_".
  Status DeleteTopic(const std::string& name);

  // Ends delivery for good; the backlog goes. Idempotent.
  Status DetachSubscription(const std::string& name);

  // Calls `done` once, from the committing thread, when the messages are durable; or at once, from
  // this one, when the request is refused. `done` must not block.
  void Publish(wire::PublishRequest request, PublishDone done);
  Result<wire::PublishResponse> Publish(wire::PublishRequest request);  // waits

  // The calls of google.pubsub.v1.Subscriber; blocking and errors as above.
  Result<wire::Subscription> CreateSubscription(const wire::Subscription& subscription);
  Result<wire::Subscription> UpdateSubscription(const wire::UpdateSubscriptionRequest& request);
  Result<wire::Subscription> GetSubscription(const std::string& name);
  Result<wire::ListSubscriptionsResponse> ListSubscriptions(
      const wire::ListSubscriptionsRequest& request);
  Status DeleteSubscription(const std::string& name);
  Status Seek(const wire::SeekRequest& request);  // to a time; a snapshot: kPubsubUnimplemented

  // An acknowledgement of a lease that ended is honoured unless the message was handed out again.
  // `done` as for Publish.
  void Acknowledge(const wire::AcknowledgeRequest& request, AcknowledgeDone done);
  Status Acknowledge(const wire::AcknowledgeRequest& request);  // waits

  // Moves the end of leases to ack_deadline_seconds (0..600; 0 gives the messages back) from now.
  // Leases that ended are skipped. Nothing is written.
  Status ModifyAckDeadline(const wire::ModifyAckDeadlineRequest& request);

  // A consumer of a subscription, for one pull or a stream of them.
  Result<std::unique_ptr<Puller>> OpenPuller(const std::string& subscription,
                                             PullerOptions options);

  // Does what is due now: ends leases, forwards dead letters, removes what retention ended. A
  // thread of the broker calls it in time; a test with a virtual clock calls it after advancing the
  // clock.
  void RunDue();

 private:
  friend class Puller;
  class State;
  explicit Broker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace holdfast::pubsub
