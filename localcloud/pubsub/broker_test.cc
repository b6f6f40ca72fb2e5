// What a consumer sees: leases, redelivery, backoff, dead letters, retention, seek.
#include "localcloud/pubsub/broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "localcloud/pubsub/broker_fixture.h"

namespace holdfast::pubsub {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class BrokerDelivery : public BrokerFixture {
 protected:
  BrokerDelivery() { MakeTopic("topic"); }
};

TEST_F(BrokerDelivery, GivesEachSubscriptionItsOwnCopy) {
  MakeSubscription(Settings("one"));
  MakeSubscription(Settings("two"));
  const std::string first = Publish("topic", "a", "", {{"k", "v"}});
  const std::string second = Publish("topic", "b");
  EXPECT_LT(std::stoll(first), std::stoll(second));
  EXPECT_THAT(PullData("one"), ElementsAre("a", "b"));
  const auto received = Pull("two");
  ASSERT_THAT(received, SizeIs(2));
  EXPECT_EQ(received[0].message().message_id(), first);
  EXPECT_EQ(received[0].message().attributes().at("k"), "v");
  EXPECT_EQ(received[0].message().publish_time().seconds(),
            kTestStart.time_since_epoch() / seconds{1});
  EXPECT_EQ(received[0].delivery_attempt(), 0) << "counted only with a dead-letter topic";
}

TEST_F(BrokerDelivery, BeginsWithTheSubscription) {
  Publish("topic", "before");
  MakeSubscription(Settings("sub"));
  Publish("topic", "after");
  EXPECT_THAT(PullData("sub"), ElementsAre("after"));
}

TEST_F(BrokerDelivery, HidesALeasedMessageUntilItsDeadline) {
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  ASSERT_THAT(PullData("sub"), ElementsAre("a"));
  Advance(seconds{10} - Duration{1});
  EXPECT_THAT(Pull("sub"), IsEmpty());
  Advance(Duration{1});
  EXPECT_THAT(PullData("sub"), ElementsAre("a"));
}

TEST_F(BrokerDelivery, NeverRepeatsWhatWasAcknowledged) {
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  const auto received = Pull("sub");
  ASSERT_TRUE(Acknowledge("sub", received).ok());
  ASSERT_TRUE(Acknowledge("sub", received).ok()) << "again is no error";
  Advance(hours{1});
  EXPECT_THAT(Pull("sub"), IsEmpty());
  Reopen();
  EXPECT_THAT(Pull("sub"), IsEmpty());
}

TEST_F(BrokerDelivery, ExtendsAndGivesBackLeases) {
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  const auto received = Pull("sub");
  ASSERT_TRUE(ModifyDeadline("sub", received, 60).ok());
  Advance(seconds{59});
  EXPECT_THAT(Pull("sub"), IsEmpty());
  ASSERT_TRUE(ModifyDeadline("sub", received, 0).ok());
  EXPECT_THAT(PullData("sub"), ElementsAre("a"));
}

TEST_F(BrokerDelivery, HonoursALateAcknowledgementUnlessTheMessageIsOutAgain) {
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  const auto first = Pull("sub");
  Advance(seconds{10});
  const auto second = Pull("sub");
  ASSERT_THAT(second, SizeIs(1));
  ASSERT_TRUE(Acknowledge("sub", first).ok());
  Advance(seconds{10});
  EXPECT_THAT(PullData("sub"), ElementsAre("a")) << "the first lease had ended";
  Advance(seconds{10});
  const auto last = Pull("sub");
  Advance(seconds{10});
  ASSERT_TRUE(Acknowledge("sub", last).ok());
  EXPECT_THAT(Pull("sub"), IsEmpty()) << "nobody else had it";
}

TEST_F(BrokerDelivery, RefusesAcknowledgementIdsThatAreNone) {
  MakeSubscription(Settings("sub"));
  MakeSubscription(Settings("other"));
  Publish("topic", "a");
  const auto of_other = Pull("other");
  EXPECT_EQ(Acknowledge("sub", of_other).error().id, ErrorId::kPubsubInvalidRequest);
  for (const char* text : {"", "x", "1-2-3", "1-2-3-4-5", "1-2-3-", "1-2-3-4x", "-1-2-3-4",
                           "1-2-3-99999999999999999999"}) {
    wire::ReceivedMessage forged;
    forged.set_ack_id(text);
    EXPECT_EQ(Acknowledge("sub", {forged}).error().id, ErrorId::kPubsubInvalidRequest) << text;
    EXPECT_FALSE(ModifyDeadline("sub", {forged}, 10).ok()) << text;
  }
  EXPECT_THAT(PullData("sub"), ElementsAre("a"));
}

TEST_F(BrokerDelivery, WaitsLongerAfterEachFailureUpToTheMaximum) {
  auto settings = Settings("sub");
  settings.mutable_retry_policy()->mutable_minimum_backoff()->set_seconds(10);
  settings.mutable_retry_policy()->mutable_maximum_backoff()->set_seconds(30);
  MakeSubscription(settings);
  Publish("topic", "a");
  for (const seconds wait : {seconds{10}, seconds{20}, seconds{30}, seconds{30}}) {
    const auto received = Pull("sub");
    ASSERT_THAT(received, SizeIs(1));
    ASSERT_TRUE(ModifyDeadline("sub", received, 0).ok());
    Advance(wait - Duration{1});
    EXPECT_THAT(Pull("sub"), IsEmpty());
    Advance(Duration{1});
  }
}

TEST_F(BrokerDelivery, GivesBackEverythingAfterARestart) {
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  Publish("topic", "b");
  const auto received = Pull("sub");
  ASSERT_THAT(received, SizeIs(2));
  Reopen();
  ASSERT_TRUE(Acknowledge("sub", {received[0]}).ok()) << "of the broker's last life, still good";
  EXPECT_THAT(PullData("sub"), ElementsAre(received[1].message().data()));
}

TEST_F(BrokerDelivery, DoesNotLetAReturnedMessageStarveNewOnes) {
  MakeSubscription(Settings("sub"));
  Publish("topic", "poison");
  for (int i = 0; i < 3; ++i) Publish("topic", "good" + std::to_string(i));
  int good = 0;
  for (int round = 0; round < 8; ++round) {
    const auto received = Pull("sub", 1);
    ASSERT_THAT(received, SizeIs(1));
    if (received[0].message().data() == "poison") {
      ASSERT_TRUE(ModifyDeadline("sub", received, 0).ok());
    } else {
      ++good;
      ASSERT_TRUE(Acknowledge("sub", received).ok());
    }
  }
  EXPECT_EQ(good, 3);
}

TEST_F(BrokerDelivery, ForwardsADeadLetterAfterItsLastAttempt) {
  MakeTopic("dead");
  MakeSubscription(Settings("dead-sub", "dead"));
  auto settings = Settings("sub");
  settings.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("dead"));
  settings.mutable_dead_letter_policy()->set_max_delivery_attempts(5);
  MakeSubscription(settings);
  Publish("topic", std::string("\0bit\xFF", 5), "", {{"k", "v"}});
  for (int attempt = 1; attempt <= 5; ++attempt) {
    const auto received = Pull("sub");
    ASSERT_THAT(received, SizeIs(1)) << attempt;
    EXPECT_EQ(received[0].delivery_attempt(), attempt);
    if (attempt % 2 == 0) {
      ASSERT_TRUE(ModifyDeadline("sub", received, 0).ok());
    } else {
      Advance(seconds{10});
    }
  }
  broker_->RunDue();
  EXPECT_THAT(Pull("sub"), IsEmpty());
  const auto dead = Pull("dead-sub");
  ASSERT_THAT(dead, SizeIs(1));
  EXPECT_EQ(dead[0].message().data(), std::string("\0bit\xFF", 5));
  const auto& attributes = dead[0].message().attributes();
  EXPECT_EQ(attributes.at("k"), "v");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceDeliveryCount"), "5");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceSubscription"), "sub");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceSubscriptionProject"), "test");
  EXPECT_EQ(attributes.at("CloudPubSubDeadLetterSourceTopicPublishTime"), "2026-11-21T00:00:00Z");
}

TEST_F(BrokerDelivery, CountsAttemptsAcrossARestart) {
  MakeTopic("dead");
  auto settings = Settings("sub");
  settings.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("dead"));
  MakeSubscription(settings);
  Publish("topic", "a");
  ASSERT_EQ(Pull("sub").at(0).delivery_attempt(), 1);
  Advance(seconds{10});
  ASSERT_EQ(Pull("sub").at(0).delivery_attempt(), 2);
  Reopen();
  EXPECT_EQ(Pull("sub").at(0).delivery_attempt(), 3);
}

TEST_F(BrokerDelivery, KeepsADeadLetterWhoseTopicIsGone) {
  MakeTopic("dead");
  auto settings = Settings("sub");
  settings.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("dead"));
  MakeSubscription(settings);
  Publish("topic", "a");
  ASSERT_TRUE(broker_->DeleteTopic(Topic("dead")).ok());
  for (int attempt = 1; attempt <= 5; ++attempt) {
    ASSERT_THAT(Pull("sub"), SizeIs(1));
    Advance(seconds{10});
  }
  EXPECT_THAT(Pull("sub"), IsEmpty());
  Advance(seconds{10});
  EXPECT_THAT(PullData("sub"), ElementsAre("a"));
}

TEST_F(BrokerDelivery, AppliesTheFilterWhenMessagesArePublished) {
  auto settings = Settings("sub");
  settings.set_filter("attributes.lang = \"en\"");
  MakeSubscription(settings);
  Publish("topic", "no");
  Publish("topic", "yes", "", {{"lang", "en"}});
  EXPECT_THAT(PullData("sub"), ElementsAre("yes"));
  EXPECT_EQ(broker_->GetSubscription(Sub("sub"))->filter(), "attributes.lang = \"en\"");
}

TEST_F(BrokerDelivery, ForgetsMessagesPastTheirRetention) {
  auto settings = Settings("sub");
  settings.mutable_message_retention_duration()->set_seconds(600);
  MakeSubscription(settings);
  MakeSubscription(Settings("week"));
  Publish("topic", "old");
  ASSERT_THAT(PullData("sub"), ElementsAre("old"));
  clock_.Advance(minutes{9});
  Publish("topic", "young");
  clock_.Advance(minutes{2});
  EXPECT_THAT(PullData("sub"), ElementsAre("young")) << "also before anything was removed";
  broker_->RunDue();
  EXPECT_THAT(PullData("week"), UnorderedElementsAre("old", "young"));
  Advance(days{8});
  EXPECT_THAT(Pull("week"), IsEmpty());
}

TEST_F(BrokerDelivery, SeeksBackToRetainedMessagesAndForwardPastOthers) {
  auto settings = Settings("sub");
  settings.set_retain_acked_messages(true);
  MakeSubscription(settings);
  Publish("topic", "a");
  clock_.Advance(minutes{1});
  const Timestamp middle = clock_.Now();
  Publish("topic", "b");
  clock_.Advance(minutes{1});
  ASSERT_TRUE(Acknowledge("sub", Pull("sub")).ok());
  ASSERT_THAT(Pull("sub"), IsEmpty());
  ASSERT_TRUE(SeekTo("sub", middle).ok());
  EXPECT_THAT(PullData("sub"), ElementsAre("b"));
  ASSERT_TRUE(SeekTo("sub", kTestStart).ok());
  EXPECT_THAT(PullData("sub"), ElementsAre("a", "b")) << "leases do not survive a seek";
  ASSERT_TRUE(SeekTo("sub", clock_.Now()).ok());
  EXPECT_THAT(Pull("sub"), IsEmpty());
  Reopen();
  EXPECT_THAT(Pull("sub"), IsEmpty());
  ASSERT_TRUE(SeekTo("sub", kTestStart - hours{1}).ok());
  EXPECT_THAT(PullData("sub"), ElementsAre("a", "b"));
}

TEST_F(BrokerDelivery, DoesNotBringBackWhatWasNotRetained) {
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  ASSERT_TRUE(Acknowledge("sub", Pull("sub")).ok());
  ASSERT_TRUE(SeekTo("sub", kTestStart - hours{1}).ok());
  EXPECT_THAT(Pull("sub"), IsEmpty());
}

TEST_F(BrokerDelivery, SeeksInWhatTheTopicRetains) {
  wire::Topic topic;
  topic.set_name(Topic("retaining"));
  topic.mutable_message_retention_duration()->set_seconds(3600);
  ASSERT_TRUE(broker_->CreateTopic(topic).ok());
  Publish("retaining", "before any subscription", "", {{"lang", "en"}});
  Publish("retaining", "filtered out");
  auto settings = Settings("sub", "retaining");
  settings.set_filter("attributes:lang");
  MakeSubscription(settings);
  EXPECT_EQ(broker_->GetSubscription(Sub("sub"))->topic_message_retention_duration().seconds(),
            3600);
  ASSERT_THAT(Pull("sub"), IsEmpty());
  ASSERT_TRUE(SeekTo("sub", kTestStart).ok());
  const auto received = Pull("sub");
  ASSERT_THAT(DataOf(received), ElementsAre("before any subscription"));
  ASSERT_TRUE(Acknowledge("sub", received).ok());
  ASSERT_TRUE(SeekTo("sub", kTestStart).ok());
  EXPECT_THAT(Pull("sub"), SizeIs(1));
  Advance(hours{2});
  ASSERT_TRUE(Acknowledge("sub", Pull("sub")).ok());
  ASSERT_TRUE(SeekTo("sub", kTestStart).ok());
  EXPECT_THAT(Pull("sub"), IsEmpty()) << "the topic's retention ended";
}

TEST_F(BrokerDelivery, LimitsAPullByBytesButGivesAtLeastOne) {
  MakeSubscription(Settings("sub"));
  for (int i = 0; i < 3; ++i) Publish("topic", std::string(1000, 'x'));
  const auto puller = broker_->OpenPuller(Sub("sub"), {});
  EXPECT_EQ((*puller)->Take(10, 2100)->received_messages_size(), 2);
  EXPECT_EQ((*puller)->Take(10, 10)->received_messages_size(), 1);
}

TEST_F(BrokerDelivery, LimitsWhatAConsumerHoldsUntilItGivesSomeBack) {
  MakeSubscription(Settings("sub"));
  for (int i = 0; i < 5; ++i) Publish("topic", "m" + std::to_string(i));
  const auto puller = broker_->OpenPuller(Sub("sub"), {.messages_outstanding_max = 2});
  const auto taken = (*puller)->Take(10, 1000);
  ASSERT_EQ(taken->received_messages_size(), 2);
  EXPECT_EQ((*puller)->Take(10, 1000)->received_messages_size(), 0);
  ASSERT_TRUE(Acknowledge("sub", {taken->received_messages(0)}).ok());
  EXPECT_EQ((*puller)->Take(10, 1000)->received_messages_size(), 1);
  EXPECT_THAT(Pull("sub"), SizeIs(2)) << "others are not limited by it";
}

TEST_F(BrokerDelivery, BoundsWhatIsOutstandingInAll) {
  broker_.reset();
  auto opened = Broker::Open({.directory = directory_.path(), .outstanding_max = 3}, clock_);
  ASSERT_TRUE(opened.ok());
  broker_ = std::move(opened).value();
  MakeSubscription(Settings("sub"));
  for (int i = 0; i < 5; ++i) Publish("topic", "m" + std::to_string(i));
  const auto first = Pull("sub");
  ASSERT_THAT(first, SizeIs(3));
  EXPECT_THAT(Pull("sub"), IsEmpty());
  ASSERT_TRUE(Acknowledge("sub", first).ok());
  EXPECT_THAT(Pull("sub"), SizeIs(2));
}

}  // namespace
}  // namespace holdfast::pubsub
