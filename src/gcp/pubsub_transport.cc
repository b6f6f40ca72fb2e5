#include "gcp/pubsub_transport.h"

#include <google/protobuf/empty.pb.h>
#include <google/pubsub/v1/pubsub.grpc.pb.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace holdfast::gcp {

namespace {

namespace wire = google::pubsub::v1;

constexpr int kReceiveBytesMax = 100'000'000;  // of one answer: a pull of the largest messages
constexpr int kKeepaliveMs = 60'000;           // notices a connection that died in silence

// Whether the service (localcloud) says that its disk is full; the code alone is a quota's.
bool IsDiskFull(const grpc::Status& status) {
  google::rpc::Status details;
  if (status.error_details().empty() || !details.ParseFromString(status.error_details())) {
    return false;
  }
  return std::ranges::any_of(details.details(), [](const google::protobuf::Any& detail) {
    google::rpc::ErrorInfo info;
    return detail.UnpackTo(&info) && info.reason() == "DISK_FULL";
  });
}

Error ErrorFromStatus(const grpc::Status& status, const std::string& what) {
  const std::string message = what + ": " + status.error_message();
  if (IsDiskFull(status)) return MakeError(ErrorId::kDiskFull, message);
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      return MakeError(ErrorId::kTopicNotFound, message);
    case grpc::StatusCode::PERMISSION_DENIED:
      return MakeError(ErrorId::kAccessDenied, message);
    case grpc::StatusCode::UNAUTHENTICATED:
      return MakeError(ErrorId::kCredentialsMissing, message);
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::INTERNAL:
      return MakeError(ErrorId::kServiceUnavailable, Code::kUnavailable, message);
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return MakeError(ErrorId::kServiceUnavailable, static_cast<Code>(status.error_code()),
                       message);
    default:
      return MakeError(ErrorId::kServiceRejected, static_cast<Code>(status.error_code()), message);
  }
}

std::shared_ptr<grpc::Channel> Connect(const PubsubEndpoint& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReceiveBytesMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  // The retries are ours: two layers of them would multiply.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  const auto credentials = endpoint.plaintext ? grpc::InsecureChannelCredentials()
                                              : grpc::SslCredentials(grpc::SslCredentialsOptions());
  return grpc::CreateCustomChannel(endpoint.address, credentials, arguments);
}

class GrpcTransport final : public PubsubTransport {
 public:
  GrpcTransport(const PubsubEndpoint& endpoint, TokenSource token)
      : channel_(Connect(endpoint)),
        publisher_(wire::Publisher::NewStub(channel_)),
        subscriber_(wire::Subscriber::NewStub(channel_)),
        token_(endpoint.plaintext ? TokenSource() : std::move(token)) {}

  Status CreateTopic(const wire::Topic& topic, Duration timeout) override {
    return WithoutValue(
        Call(*publisher_, &wire::Publisher::Stub::CreateTopic, topic, topic.name(), timeout));
  }

  Status CreateSubscription(const wire::Subscription& subscription, Duration timeout) override {
    return WithoutValue(Call(*subscriber_, &wire::Subscriber::Stub::CreateSubscription,
                             subscription, subscription.name(), timeout));
  }

  Result<wire::Subscription> GetSubscription(const std::string& name, Duration timeout) override {
    wire::GetSubscriptionRequest request;
    request.set_subscription(name);
    return Call(*subscriber_, &wire::Subscriber::Stub::GetSubscription, request, name, timeout);
  }

  Result<wire::PublishResponse> Publish(const wire::PublishRequest& request,
                                        Duration timeout) override {
    return Call(*publisher_, &wire::Publisher::Stub::Publish, request, request.topic(), timeout);
  }

  Result<wire::PullResponse> Pull(const wire::PullRequest& request, Duration timeout) override {
    return Call(*subscriber_, &wire::Subscriber::Stub::Pull, request, request.subscription(),
                timeout);
  }

  Status Acknowledge(const wire::AcknowledgeRequest& request, Duration timeout) override {
    return WithoutValue(Call(*subscriber_, &wire::Subscriber::Stub::Acknowledge, request,
                             request.subscription(), timeout));
  }

  Status ModifyAckDeadline(const wire::ModifyAckDeadlineRequest& request,
                           Duration timeout) override {
    return WithoutValue(Call(*subscriber_, &wire::Subscriber::Stub::ModifyAckDeadline, request,
                             request.subscription(), timeout));
  }

 private:
  template <typename Stub, typename Request, typename Response>
  Result<Response> Call(Stub& stub,
                        grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request, const std::string& what, Duration timeout) {
    Response response;
    const auto exchange = [&](const std::string& token) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + timeout);
      if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
      return (stub.*method)(&context, request, &response);
    };
    HF_ASSIGN_OR_RETURN(const std::string token, token_());
    grpc::Status status = exchange(token);
    if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED && !token.empty()) {
      // A token may be revoked before its time. Nothing was done, so sending again is harmless.
      HF_ASSIGN_OR_RETURN(const std::string fresh, token_.InPlaceOf(token));
      if (fresh != token) status = exchange(fresh);
    }
    if (!status.ok()) return ErrorFromStatus(status, what);
    return response;
  }

  template <typename T>
  static Status WithoutValue(Result<T> result) {
    return result.ok() ? Ok() : Status(std::move(result).error());
  }

  std::shared_ptr<grpc::Channel> channel_;  // shared with the stubs, as gRPC wants it
  std::unique_ptr<wire::Publisher::Stub> publisher_;
  std::unique_ptr<wire::Subscriber::Stub> subscriber_;
  TokenSource token_;
};

}  // namespace

std::unique_ptr<PubsubTransport> MakePubsubTransport(const PubsubEndpoint& endpoint,
                                                     TokenSource token) {
  return std::make_unique<GrpcTransport>(endpoint, std::move(token));
}

}  // namespace holdfast::gcp
