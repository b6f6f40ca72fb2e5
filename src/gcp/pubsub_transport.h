// The calls of Pub/Sub that the message bus needs, one gRPC exchange each: no retry, no
// translation.
//
// A status that is not OK becomes an Error whose code says whether trying again may help (UNKNOWN
// and INTERNAL, which Google's own clients retry, become kUnavailable) and whose id says what to
// do. Thread-safe. Source: google/pubsub/v1/pubsub.proto; AIP-193.
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

class PubsubTransport {
 public:
  virtual ~PubsubTransport() = default;

  // Each gives up after `timeout` with the code kDeadlineExceeded.
  virtual Status CreateTopic(const google::pubsub::v1::Topic& topic, Duration timeout) = 0;
  virtual Status CreateSubscription(const google::pubsub::v1::Subscription& subscription,
                                    Duration timeout) = 0;
  virtual Result<google::pubsub::v1::Subscription> GetSubscription(const std::string& name,
                                                                   Duration timeout) = 0;
  virtual Result<google::pubsub::v1::PublishResponse> Publish(
      const google::pubsub::v1::PublishRequest& request, Duration timeout) = 0;
  virtual Result<google::pubsub::v1::PullResponse> Pull(
      const google::pubsub::v1::PullRequest& request, Duration timeout) = 0;
  virtual Status Acknowledge(const google::pubsub::v1::AcknowledgeRequest& request,
                             Duration timeout) = 0;
  virtual Status ModifyAckDeadline(const google::pubsub::v1::ModifyAckDeadlineRequest& request,
                                   Duration timeout) = 0;
};

struct PubsubEndpoint {
  std::string address = "pubsub.googleapis.com:443";  // host:port
  bool plaintext = false;                             // an emulator: no TLS, and so no token
};

// Connects lazily; a connection that breaks is made again. `token` is asked for each call, and not
// at all on a plaintext connection.
std::unique_ptr<PubsubTransport> MakePubsubTransport(const PubsubEndpoint& endpoint,
                                                     TokenSource token);

}  // namespace holdfast::gcp
