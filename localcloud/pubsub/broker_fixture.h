// A broker over a temporary directory and a clock that stands still, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/virtual_clock.h"
#include "localcloud/pubsub/broker.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::pubsub {

inline constexpr Timestamp kTestStart{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};

class BrokerFixture : public ::testing::Test {
 protected:
  BrokerFixture() { Reopen(); }

  void Reopen() {
    broker_.reset();
    auto opened = Broker::Open({.directory = directory_.path()}, clock_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    broker_ = std::move(opened).value();
  }

  void Advance(Duration duration) {
    clock_.Advance(duration);
    broker_->RunDue();
  }

  static std::string Topic(const std::string& id) { return "projects/test/topics/" + id; }
  static std::string Sub(const std::string& id) { return "projects/test/subscriptions/" + id; }

  void MakeTopic(const std::string& id) {
    wire::Topic topic;
    topic.set_name(Topic(id));
    const auto made = broker_->CreateTopic(topic);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  // Settings of a subscription of topic "topic", to be changed and given to MakeSubscription.
  static wire::Subscription Settings(const std::string& id, const std::string& topic = "topic") {
    wire::Subscription settings;
    settings.set_name(Sub(id));
    settings.set_topic(Topic(topic));
    return settings;
  }

  void MakeSubscription(const wire::Subscription& settings) {
    const auto made = broker_->CreateSubscription(settings);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  // Publishes one message whose data is `data`; returns its id.
  std::string Publish(const std::string& topic, const std::string& data,
                      const std::string& ordering_key = {},
                      const std::vector<std::pair<std::string, std::string>>& attributes = {}) {
    wire::PublishRequest request;
    request.set_topic(Topic(topic));
    wire::PubsubMessage& message = *request.add_messages();
    message.set_data(data);
    message.set_ordering_key(ordering_key);
    for (const auto& [key, value] : attributes) (*message.mutable_attributes())[key] = value;
    const auto response = broker_->Publish(request);
    EXPECT_TRUE(response.ok()) << response.error().message;
    return response.ok() ? response->message_ids(0) : std::string();
  }

  std::vector<wire::ReceivedMessage> Pull(const std::string& subscription, int messages_max = 100) {
    const auto puller = broker_->OpenPuller(Sub(subscription), {});
    EXPECT_TRUE(puller.ok()) << puller.error().message;
    if (!puller.ok()) return {};
    const auto taken = (*puller)->Take(messages_max, int64_t{10'000'000});
    EXPECT_TRUE(taken.ok()) << taken.error().message;
    if (!taken.ok()) return {};
    return {taken->received_messages().begin(), taken->received_messages().end()};
  }

  // The data of what a pull gives, sorted: between keys no order is promised.
  std::vector<std::string> PullData(const std::string& subscription, int messages_max = 100) {
    auto data = DataOf(Pull(subscription, messages_max));
    std::ranges::sort(data);
    return data;
  }

  static std::vector<std::string> DataOf(const std::vector<wire::ReceivedMessage>& messages) {
    std::vector<std::string> data;
    for (const auto& received : messages) data.push_back(received.message().data());
    return data;
  }

  Status Acknowledge(const std::string& subscription,
                     const std::vector<wire::ReceivedMessage>& messages) {
    wire::AcknowledgeRequest request;
    request.set_subscription(Sub(subscription));
    for (const auto& received : messages) request.add_ack_ids(received.ack_id());
    return broker_->Acknowledge(request);
  }

  Status ModifyDeadline(const std::string& subscription,
                        const std::vector<wire::ReceivedMessage>& messages, int seconds) {
    wire::ModifyAckDeadlineRequest request;
    request.set_subscription(Sub(subscription));
    request.set_ack_deadline_seconds(seconds);
    for (const auto& received : messages) request.add_ack_ids(received.ack_id());
    return broker_->ModifyAckDeadline(request);
  }

  Status SeekTo(const std::string& subscription, Timestamp time) {
    wire::SeekRequest request;
    request.set_subscription(Sub(subscription));
    request.mutable_time()->set_seconds(time.time_since_epoch() / std::chrono::seconds{1});
    request.mutable_time()->set_nanos(static_cast<int32_t>(
        time.time_since_epoch() % std::chrono::seconds{1} / std::chrono::microseconds{1} * 1000));
    return broker_->Seek(request);
  }

  testing_support::TemporaryDirectory directory_;
  VirtualClock clock_{kTestStart};
  std::unique_ptr<Broker> broker_;
};

}  // namespace holdfast::pubsub
