#include "localcloud/pubsub/pubsub_grpc.h"

#include <google/pubsub/v1/pubsub.grpc.pb.h>
#include <google/pubsub/v1/schema.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "localcloud/pubsub/grpc_status.h"
#include "localcloud/pubsub/open_calls.h"
#include "localcloud/pubsub/streaming_pull.h"
#include "localcloud/pubsub/unary_pull.h"
#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {

namespace {

using google::protobuf::Empty;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

// Larger than any request that is accepted, so that a refusal names Pub/Sub's rule, not gRPC's.
constexpr int kReceiveBytesMax = 2 * static_cast<int>(kRequestBytesMax);
constexpr size_t kMemoryBytesMax = size_t{512} << 20U;  // of all connections' buffers
constexpr int kPingIntervalMinMs = 10'000;              // Google's clients ping idle streams
constexpr std::chrono::seconds kStopGrace{5};
// An empty answer leaves this much before the client's deadline, to reach it.
constexpr std::chrono::milliseconds kAnswerTime{50};

// Answers a call whose result is known.
template <typename T>
ServerUnaryReactor* Answer(CallbackServerContext* context, Result<T> result, T* response) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  if (result.ok()) *response = std::move(result).value();
  reactor->Finish(result.ok() ? grpc::Status::OK : ToGrpcStatus(result.error()));
  return reactor;
}

ServerUnaryReactor* Answer(CallbackServerContext* context, const Status& status) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

class PublisherService final : public wire::Publisher::CallbackService {
 public:
  explicit PublisherService(Broker& broker) : broker_(broker) {}

  ServerUnaryReactor* CreateTopic(CallbackServerContext* context, const wire::Topic* request,
                                  wire::Topic* response) override {
    return Answer(context, broker_.CreateTopic(*request), response);
  }

  ServerUnaryReactor* UpdateTopic(CallbackServerContext* context,
                                  const wire::UpdateTopicRequest* request,
                                  wire::Topic* response) override {
    return Answer(context, broker_.UpdateTopic(*request), response);
  }

  ServerUnaryReactor* GetTopic(CallbackServerContext* context, const wire::GetTopicRequest* request,
                               wire::Topic* response) override {
    return Answer(context, broker_.GetTopic(request->topic()), response);
  }

  ServerUnaryReactor* ListTopics(CallbackServerContext* context,
                                 const wire::ListTopicsRequest* request,
                                 wire::ListTopicsResponse* response) override {
    return Answer(context, broker_.ListTopics(*request), response);
  }

  ServerUnaryReactor* ListTopicSubscriptions(
      CallbackServerContext* context, const wire::ListTopicSubscriptionsRequest* request,
      wire::ListTopicSubscriptionsResponse* response) override {
    return Answer(context, broker_.ListTopicSubscriptions(*request), response);
  }

  ServerUnaryReactor* DeleteTopic(CallbackServerContext* context,
                                  const wire::DeleteTopicRequest* request, Empty*) override {
    return Answer(context, broker_.DeleteTopic(request->topic()));
  }

  ServerUnaryReactor* DetachSubscription(CallbackServerContext* context,
                                         const wire::DetachSubscriptionRequest* request,
                                         wire::DetachSubscriptionResponse*) override {
    return Answer(context, broker_.DetachSubscription(request->subscription()));
  }

  ServerUnaryReactor* Publish(CallbackServerContext* context, const wire::PublishRequest* request,
                              wire::PublishResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    broker_.Publish(*request, [reactor, response](Result<wire::PublishResponse> result) {
      if (result.ok()) *response = std::move(result).value();
      reactor->Finish(result.ok() ? grpc::Status::OK : ToGrpcStatus(result.error()));
    });
    return reactor;
  }

 private:
  Broker& broker_;
};

class SubscriberService final : public wire::Subscriber::CallbackService {
 public:
  SubscriberService(Broker& broker, OpenCalls& open_calls, Duration pull_wait_max)
      : broker_(broker), open_calls_(open_calls), pull_wait_max_(pull_wait_max) {}

  ServerUnaryReactor* CreateSubscription(CallbackServerContext* context,
                                         const wire::Subscription* request,
                                         wire::Subscription* response) override {
    return Answer(context, broker_.CreateSubscription(*request), response);
  }

  ServerUnaryReactor* GetSubscription(CallbackServerContext* context,
                                      const wire::GetSubscriptionRequest* request,
                                      wire::Subscription* response) override {
    return Answer(context, broker_.GetSubscription(request->subscription()), response);
  }

  ServerUnaryReactor* UpdateSubscription(CallbackServerContext* context,
                                         const wire::UpdateSubscriptionRequest* request,
                                         wire::Subscription* response) override {
    return Answer(context, broker_.UpdateSubscription(*request), response);
  }

  ServerUnaryReactor* ListSubscriptions(CallbackServerContext* context,
                                        const wire::ListSubscriptionsRequest* request,
                                        wire::ListSubscriptionsResponse* response) override {
    return Answer(context, broker_.ListSubscriptions(*request), response);
  }

  ServerUnaryReactor* DeleteSubscription(CallbackServerContext* context,
                                         const wire::DeleteSubscriptionRequest* request,
                                         Empty*) override {
    return Answer(context, broker_.DeleteSubscription(request->subscription()));
  }

  ServerUnaryReactor* ModifyAckDeadline(CallbackServerContext* context,
                                        const wire::ModifyAckDeadlineRequest* request,
                                        Empty*) override {
    return Answer(context, broker_.ModifyAckDeadline(*request));
  }

  ServerUnaryReactor* Acknowledge(CallbackServerContext* context,
                                  const wire::AcknowledgeRequest* request, Empty*) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    broker_.Acknowledge(*request,
                        [reactor](const Status& status) { reactor->Finish(ToGrpcStatus(status)); });
    return reactor;
  }

  ServerUnaryReactor* Pull(CallbackServerContext* context, const wire::PullRequest* request,
                           wire::PullResponse* response) override {
    const auto latest = std::min(std::chrono::system_clock::now() + pull_wait_max_,
                                 context->deadline() - kAnswerTime);
    return UnaryPull::Start(broker_, open_calls_, latest, *request, response);
  }

  grpc::ServerBidiReactor<wire::StreamingPullRequest, wire::StreamingPullResponse>* StreamingPull(
      CallbackServerContext*) override {
    return pubsub::StreamingPull::Start(broker_, open_calls_);
  }

  ServerUnaryReactor* ModifyPushConfig(CallbackServerContext* context,
                                       const wire::ModifyPushConfigRequest* request,
                                       Empty*) override {
    wire::UpdateSubscriptionRequest update;
    update.mutable_subscription()->set_name(request->subscription());
    *update.mutable_subscription()->mutable_push_config() = request->push_config();
    update.mutable_update_mask()->add_paths("push_config");
    const auto updated = broker_.UpdateSubscription(update);
    return Answer(context, updated.ok() ? Ok() : Status(updated.error()));
  }

  ServerUnaryReactor* Seek(CallbackServerContext* context, const wire::SeekRequest* request,
                           wire::SeekResponse*) override {
    return Answer(context, broker_.Seek(*request));
  }

 private:
  Broker& broker_;
  OpenCalls& open_calls_;
  const Duration pull_wait_max_;
};

class Server final : public GrpcServer {
 public:
  Server(Broker& broker, Duration pull_wait_max)
      : publisher_(broker), subscriber_(broker, open_calls_, pull_wait_max) {}
  ~Server() override { Stop(); }

  Status Listen(const std::string& address, uint16_t port) {
    const std::string where = address + ":" + std::to_string(port);
    int bound_port = 0;
    grpc::ResourceQuota quota("pubsub");
    quota.Resize(kMemoryBytesMax);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(where, grpc::InsecureServerCredentials(), &bound_port)
        .AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0)
        .AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                            kPingIntervalMinMs)
        .AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1)
        .SetMaxReceiveMessageSize(kReceiveBytesMax)
        .SetResourceQuota(quota)
        .RegisterService(&publisher_)
        .RegisterService(&subscriber_)
        .RegisterService(&schemas_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || bound_port == 0) {
      return MakeError(ErrorId::kPubsubListenFailed, "cannot listen on " + where);
    }
    port_ = static_cast<uint16_t>(bound_port);
    return Ok();
  }

  uint16_t port() const override { return port_; }

  void Stop() override {
    if (server_ == nullptr) return;
    open_calls_.EndAll();
    server_->Shutdown(std::chrono::system_clock::now() + kStopGrace);
    server_->Wait();
    server_.reset();
  }

 private:
  OpenCalls open_calls_;
  PublisherService publisher_;
  SubscriberService subscriber_;
  wire::SchemaService::CallbackService schemas_;  // every method answers UNIMPLEMENTED
  std::unique_ptr<grpc::Server> server_;
  uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                      Broker& broker) {
  auto server = std::make_unique<Server>(broker, options.pull_wait_max);
  HF_RETURN_IF_ERROR(server->Listen(options.address, options.port));
  return std::unique_ptr<GrpcServer>(std::move(server));
}

}  // namespace holdfast::pubsub
