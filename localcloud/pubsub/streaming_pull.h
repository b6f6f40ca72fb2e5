// One StreamingPull: messages out as they become ready, acknowledgements in, on one stream.
//
// At most one answer is in flight and none is prepared ahead, so a client that does not read costs
// one answer's memory and no leases beyond it. The client's flow-control limits are kept by its
// Puller. It ends when the client closes or cancels, breaks a rule (INVALID_ARGUMENT), the
// subscription goes, or the server stops. Owned by itself until gRPC is done. Source: pubsub.proto
// StreamingPullRequest.
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "localcloud/pubsub/broker.h"
#include "localcloud/pubsub/open_calls.h"

namespace holdfast::pubsub {

class StreamingPull final
    : public grpc::ServerBidiReactor<wire::StreamingPullRequest, wire::StreamingPullResponse>,
      public WaitingCall,
      public std::enable_shared_from_this<StreamingPull> {
 public:
  using Reactor = grpc::ServerBidiReactor<wire::StreamingPullRequest, wire::StreamingPullResponse>;

  // Begins the call; the reactor that gRPC wants.
  static Reactor* Start(Broker& broker, OpenCalls& open_calls);

  void End(const grpc::Status& status) override;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override { self_.reset(); }

 private:
  explicit StreamingPull(Broker& broker) : broker_(broker) {}
  Status Open(const wire::StreamingPullRequest& first);
  Status Continue(const wire::StreamingPullRequest& next);
  Status Process(const wire::StreamingPullRequest& request);
  void Pump();  // sends what is ready, unless an answer is in flight

  Broker& broker_;
  wire::StreamingPullRequest request_;  // being read; touched by one read at a time
  std::string subscription_;            // of the first request
  std::mutex mutex_;                    // guards all below
  std::unique_ptr<Puller> puller_;
  wire::StreamingPullResponse response_;  // in flight while writing_
  bool writing_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> ending_;   // to be sent once the answer in flight has gone
  std::shared_ptr<StreamingPull> self_;  // shared with wakes, which may come when gRPC is done
};

}  // namespace holdfast::pubsub
