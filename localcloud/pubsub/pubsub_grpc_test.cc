// The gRPC transport, driven by plain stubs over a real port.
#include "localcloud/pubsub/pubsub_grpc.h"

#include <gmock/gmock.h>
#include <google/pubsub/v1/pubsub.grpc.pb.h>
#include <google/pubsub/v1/schema.grpc.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "localcloud/pubsub/broker_fixture.h"

namespace holdfast::pubsub {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

class PubsubGrpc : public BrokerFixture {
 protected:
  using Stream = grpc::ClientReaderWriter<wire::StreamingPullRequest, wire::StreamingPullResponse>;

  PubsubGrpc() {
    auto server = GrpcServer::Start({.pull_wait_max = milliseconds{200}}, *broker_);
    EXPECT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                   grpc::InsecureChannelCredentials());
    publisher_ = wire::Publisher::NewStub(channel_);
    subscriber_ = wire::Subscriber::NewStub(channel_);
    MakeTopic("topic");
    MakeSubscription(Settings("sub"));
  }
  ~PubsubGrpc() override { server_.reset(); }

  wire::StreamingPullRequest FirstRequest() const {
    wire::StreamingPullRequest first;
    first.set_subscription(Sub("sub"));
    first.set_stream_ack_deadline_seconds(10);
    return first;
  }

  std::unique_ptr<Stream> OpenStream(const wire::StreamingPullRequest& first) {
    stream_context_ = std::make_unique<grpc::ClientContext>();
    stream_context_->set_deadline(std::chrono::system_clock::now() + seconds{20});
    auto stream = subscriber_->StreamingPull(stream_context_.get());
    EXPECT_TRUE(stream->Write(first));
    return stream;
  }

  // The status that the stream ends with when nothing but its end comes.
  static grpc::Status EndOf(Stream& stream) {
    wire::StreamingPullResponse ignored;
    while (stream.Read(&ignored)) {
    }
    return stream.Finish();
  }

  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<wire::Publisher::Stub> publisher_;
  std::unique_ptr<wire::Subscriber::Stub> subscriber_;
  std::unique_ptr<grpc::ClientContext> stream_context_;
};

TEST_F(PubsubGrpc, PublishesAndPulls) {
  wire::PublishRequest publish;
  publish.set_topic(Topic("topic"));
  publish.add_messages()->set_data("a");
  publish.add_messages()->set_data("b");
  wire::PublishResponse published;
  grpc::ClientContext publish_context;
  ASSERT_TRUE(publisher_->Publish(&publish_context, publish, &published).ok());
  ASSERT_EQ(published.message_ids_size(), 2);

  wire::PullRequest pull;
  pull.set_subscription(Sub("sub"));
  pull.set_max_messages(1);
  wire::PullResponse pulled;
  grpc::ClientContext pull_context;
  ASSERT_TRUE(subscriber_->Pull(&pull_context, pull, &pulled).ok());
  ASSERT_EQ(pulled.received_messages_size(), 1);
  EXPECT_EQ(pulled.received_messages(0).message().message_id(), published.message_ids(0));
}

TEST_F(PubsubGrpc, AnswersAPullThatWaitsOnceAMessageComes) {
  // As long as gRPC likes: only the message ends it.
  auto patient = GrpcServer::Start({.pull_wait_max = seconds{30}}, *broker_);
  ASSERT_TRUE(patient.ok());
  const auto stub = wire::Subscriber::NewStub(grpc::CreateChannel(
      "127.0.0.1:" + std::to_string((*patient)->port()), grpc::InsecureChannelCredentials()));
  auto waiting = std::async(std::launch::async, [&] {
    wire::PullRequest pull;
    pull.set_subscription(Sub("sub"));
    pull.set_max_messages(10);
    wire::PullResponse pulled;
    grpc::ClientContext context;
    const grpc::Status status = stub->Pull(&context, pull, &pulled);
    return status.ok() ? pulled.received_messages_size() : -1;
  });
  Publish("topic", "late");
  EXPECT_EQ(waiting.get(), 1);
}

TEST_F(PubsubGrpc, AnswersAPullEmptyWhenNothingComes) {
  for (const bool at_once : {true, false}) {
    wire::PullRequest pull;
    pull.set_subscription(Sub("sub"));
    pull.set_max_messages(1);
    pull.GetReflection()->SetBool(
        &pull, wire::PullRequest::descriptor()->FindFieldByName("return_immediately"), at_once);
    wire::PullResponse pulled;
    grpc::ClientContext context;
    EXPECT_TRUE(subscriber_->Pull(&context, pull, &pulled).ok());
    EXPECT_EQ(pulled.received_messages_size(), 0);
  }
}

TEST_F(PubsubGrpc, StreamsWithinTheClientsFlowControl) {
  for (const char* data : {"1", "2", "3"}) Publish("topic", data);
  auto first = FirstRequest();
  first.set_max_outstanding_messages(2);
  const auto stream = OpenStream(first);
  wire::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.received_messages_size(), 2);
  wire::StreamingPullRequest next;
  next.add_ack_ids(response.received_messages(0).ack_id());
  next.add_modify_deadline_ack_ids(response.received_messages(1).ack_id());
  next.add_modify_deadline_seconds(60);
  ASSERT_TRUE(stream->Write(next));
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.received_messages_size(), 1);
  EXPECT_EQ(response.received_messages(0).message().data(), "3");
  Publish("topic", "4");
  wire::AcknowledgeRequest acknowledge;  // by a call of its own: it makes room all the same
  acknowledge.set_subscription(Sub("sub"));
  acknowledge.add_ack_ids(response.received_messages(0).ack_id());
  ASSERT_TRUE(broker_->Acknowledge(acknowledge).ok());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.received_messages(0).message().data(), "4");
  stream->WritesDone();
  EXPECT_TRUE(EndOf(*stream).ok());
  Advance(seconds{30});
  EXPECT_THAT(PullData("sub"), ElementsAre("4")) << "2 was extended, 1 and 3 are done";
}

TEST_F(PubsubGrpc, EndsAStreamThatBreaksARule) {
  auto late_limit = wire::StreamingPullRequest();
  late_limit.set_max_outstanding_messages(5);
  auto uneven = wire::StreamingPullRequest();
  uneven.add_modify_deadline_seconds(10);
  auto malformed = wire::StreamingPullRequest();
  malformed.add_ack_ids("nonsense");
  auto renamed = wire::StreamingPullRequest();
  renamed.set_subscription(Sub("other"));
  for (const auto& second : {late_limit, uneven, malformed, renamed}) {
    const auto stream = OpenStream(FirstRequest());
    ASSERT_TRUE(stream->Write(second));
    EXPECT_EQ(EndOf(*stream).error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << second.ShortDebugString();
  }
  auto hasty = FirstRequest();
  hasty.set_stream_ack_deadline_seconds(5);
  EXPECT_EQ(EndOf(*OpenStream(hasty)).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  auto absent = FirstRequest();
  absent.set_subscription(Sub("absent"));
  EXPECT_EQ(EndOf(*OpenStream(absent)).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(PubsubGrpc, EndsAStreamWhoseSubscriptionGoes) {
  const auto stream = OpenStream(FirstRequest());
  Publish("topic", "a");
  wire::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_TRUE(broker_->DeleteSubscription(Sub("sub")).ok());
  EXPECT_EQ(EndOf(*stream).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(PubsubGrpc, EndsOpenStreamsWhenItStops) {
  const auto stream = OpenStream(FirstRequest());
  Publish("topic", "a");
  wire::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  server_->Stop();
  EXPECT_EQ(EndOf(*stream).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(PubsubGrpc, EndsOpenStreamsWhenTheBrokerStops) {
  const auto stream = OpenStream(FirstRequest());
  Publish("topic", "a");
  wire::StreamingPullResponse response;
  ASSERT_TRUE(stream->Read(&response));
  broker_->Stop();
  EXPECT_EQ(EndOf(*stream).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(PubsubGrpc, SaysWhatItDoesNotHave) {
  wire::Schema schema;
  wire::GetSchemaRequest get;
  get.set_name("projects/test/schemas/s");
  grpc::ClientContext schema_context;
  EXPECT_EQ(
      wire::SchemaService::NewStub(channel_)->GetSchema(&schema_context, get, &schema).error_code(),
      grpc::StatusCode::UNIMPLEMENTED);
  wire::CreateSnapshotRequest create;
  create.set_name("projects/test/snapshots/s");
  create.set_subscription(Sub("sub"));
  wire::Snapshot snapshot;
  grpc::ClientContext snapshot_context;
  EXPECT_EQ(subscriber_->CreateSnapshot(&snapshot_context, create, &snapshot).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(PubsubGrpc, RefusesAPortThatIsTaken) {
  const auto second = GrpcServer::Start({.port = server_->port()}, *broker_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().id, ErrorId::kPubsubListenFailed);
}

}  // namespace
}  // namespace holdfast::pubsub
