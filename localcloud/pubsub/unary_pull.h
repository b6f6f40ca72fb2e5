// One unary Pull: answers with what is ready, or waits for the first message without a thread.
//
// It ends with messages, empty after its wait (or shortly before the client's deadline, so that no
// message is leased to a client that has gone), or with an error. Owned by itself until gRPC is
// done.
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>
#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>
#include <mutex>

#include "localcloud/pubsub/broker.h"
#include "localcloud/pubsub/open_calls.h"

namespace holdfast::pubsub {

class UnaryPull final : public grpc::ServerUnaryReactor,
                        public WaitingCall,
                        public std::enable_shared_from_this<UnaryPull> {
 public:
  // Begins the call; the reactor that gRPC wants. `response` lives until the call is done.
  static grpc::ServerUnaryReactor* Start(Broker& broker, OpenCalls& open_calls,
                                         std::chrono::system_clock::time_point latest,
                                         const wire::PullRequest& request,
                                         wire::PullResponse* response);

  void End(const grpc::Status& status) override;
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override { self_.reset(); }

 private:
  UnaryPull(int messages_max, wire::PullResponse* response)
      : messages_max_(messages_max), response_(response) {}
  void Begin(Broker& broker, std::chrono::system_clock::time_point latest,
             const wire::PullRequest& request);
  void Try(bool wait);

  const int messages_max_;
  wire::PullResponse* const response_;
  std::mutex mutex_;  // guards all below
  std::unique_ptr<Puller> puller_;
  bool ended_ = false;
  grpc::Alarm alarm_;
  std::shared_ptr<UnaryPull> self_;  // shared with wakes, which may come when gRPC is done
};

}  // namespace holdfast::pubsub
