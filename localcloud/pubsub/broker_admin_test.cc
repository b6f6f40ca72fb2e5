// Topics and subscriptions: what is accepted, what is refused, what changes and what lasts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "localcloud/pubsub/broker_fixture.h"
#include "localcloud/pubsub/validation.h"

namespace holdfast::pubsub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BrokerAdmin : public BrokerFixture {};

TEST_F(BrokerAdmin, RefusesMalformedNames) {
  for (const char* name :
       {"", "topic", "projects/test", "projects/test/topics/", "projects/test/topics/ab",
        "projects/test/topics/1abc", "projects/test/topics/googly", "projects/test/topics/a b c",
        "projects/Test/topics/abc", "projects//topics/abc", "projects/test/topics/abc/d",
        "projects/test/subscriptions/abc"}) {
    wire::Topic topic;
    topic.set_name(name);
    const auto made = broker_->CreateTopic(topic);
    ASSERT_FALSE(made.ok()) << name;
    EXPECT_EQ(made.error().id, ErrorId::kPubsubInvalidRequest) << name;
  }
  wire::Topic longest;
  longest.set_name(Topic(std::string(255, 'a')));
  EXPECT_TRUE(broker_->CreateTopic(longest).ok());
  longest.set_name(Topic(std::string(256, 'a')));
  EXPECT_FALSE(broker_->CreateTopic(longest).ok());
}

TEST_F(BrokerAdmin, WritesTheDefaultsIntoASubscription) {
  MakeTopic("topic");
  auto settings = Settings("sub");
  settings.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("topic"));
  settings.mutable_retry_policy();
  const auto made = broker_->CreateSubscription(settings);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->ack_deadline_seconds(), 10);
  EXPECT_EQ(made->message_retention_duration().seconds(), 7 * 86400);
  EXPECT_EQ(made->expiration_policy().ttl().seconds(), 31 * 86400);
  EXPECT_EQ(made->dead_letter_policy().max_delivery_attempts(), 5);
  EXPECT_EQ(made->retry_policy().minimum_backoff().seconds(), 10);
  EXPECT_EQ(made->retry_policy().maximum_backoff().seconds(), 600);
  EXPECT_EQ(made->state(), wire::Subscription::ACTIVE);
}

TEST_F(BrokerAdmin, RefusesSettingsOutOfRange) {
  MakeTopic("topic");
  struct Case {
    std::string what;
    std::function<void(wire::Subscription&)> change;
    ErrorId error = ErrorId::kPubsubInvalidRequest;
  };
  const std::vector<Case> cases = {
      {"deadline 9", [](auto& s) { s.set_ack_deadline_seconds(9); }},
      {"deadline 601", [](auto& s) { s.set_ack_deadline_seconds(601); }},
      {"retention 599", [](auto& s) { s.mutable_message_retention_duration()->set_seconds(599); }},
      {"retention 32 days",
       [](auto& s) { s.mutable_message_retention_duration()->set_seconds(32 * 86400); }},
      {"expiration 1 hour",
       [](auto& s) { s.mutable_expiration_policy()->mutable_ttl()->set_seconds(3600); }},
      {"backoff 601 s",
       [](auto& s) { s.mutable_retry_policy()->mutable_maximum_backoff()->set_seconds(601); }},
      {"backoff crossed",
       [](auto& s) {
         s.mutable_retry_policy()->mutable_minimum_backoff()->set_seconds(20);
         s.mutable_retry_policy()->mutable_maximum_backoff()->set_seconds(10);
       }},
      {"4 attempts",
       [](auto& s) {
         s.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("topic"));
         s.mutable_dead_letter_policy()->set_max_delivery_attempts(4);
       }},
      {"101 attempts",
       [](auto& s) {
         s.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("topic"));
         s.mutable_dead_letter_policy()->set_max_delivery_attempts(101);
       }},
      {"bad filter", [](auto& s) { s.set_filter("nonsense"); }},
      {"no dead-letter topic",
       [](auto& s) { s.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("absent")); },
       ErrorId::kPubsubNotFound},
      {"no topic", [](auto& s) { s.set_topic(Topic("absent")); }, ErrorId::kPubsubNotFound},
      {"push", [](auto& s) { s.mutable_push_config()->set_push_endpoint("https://x"); },
       ErrorId::kPubsubUnimplemented},
      {"BigQuery", [](auto& s) { s.mutable_bigquery_config(); }, ErrorId::kPubsubUnimplemented},
  };
  for (const Case& c : cases) {
    auto settings = Settings("sub");
    c.change(settings);
    const auto made = broker_->CreateSubscription(settings);
    ASSERT_FALSE(made.ok()) << c.what;
    EXPECT_EQ(made.error().id, c.error) << c.what;
  }
  EXPECT_EQ(broker_->GetSubscription(Sub("sub")).error().id, ErrorId::kPubsubNotFound);
}

TEST_F(BrokerAdmin, RefusesWhatIsThereAlready) {
  MakeTopic("topic");
  MakeSubscription(Settings("sub"));
  wire::Topic topic;
  topic.set_name(Topic("topic"));
  EXPECT_EQ(broker_->CreateTopic(topic).error().id, ErrorId::kPubsubAlreadyExists);
  EXPECT_EQ(broker_->CreateSubscription(Settings("sub")).error().id, ErrorId::kPubsubAlreadyExists);
}

TEST_F(BrokerAdmin, ChangesOnlyTheFieldsOfTheMask) {
  MakeTopic("topic");
  auto settings = Settings("sub");
  (*settings.mutable_labels())["old"] = "1";
  MakeSubscription(settings);
  wire::UpdateSubscriptionRequest update;
  *update.mutable_subscription() = Settings("sub");
  update.mutable_subscription()->set_ack_deadline_seconds(60);
  (*update.mutable_subscription()->mutable_labels())["new"] = "2";
  update.mutable_update_mask()->add_paths("labels");
  auto updated = broker_->UpdateSubscription(update);
  ASSERT_TRUE(updated.ok()) << updated.error().message;
  EXPECT_EQ(updated->ack_deadline_seconds(), 10);
  EXPECT_EQ(updated->labels().size(), 1);
  EXPECT_EQ(updated->labels().at("new"), "2");
  Reopen();
  EXPECT_EQ(broker_->GetSubscription(Sub("sub"))->labels().at("new"), "2");
  for (const char* path : {"filter", "topic", "name", "enable_message_ordering", "nonsense"}) {
    update.mutable_update_mask()->Clear();
    update.mutable_update_mask()->add_paths(path);
    EXPECT_EQ(broker_->UpdateSubscription(update).error().id, ErrorId::kPubsubInvalidRequest)
        << path;
  }
  update.mutable_update_mask()->Clear();
  EXPECT_FALSE(broker_->UpdateSubscription(update).ok());
}

TEST_F(BrokerAdmin, LeavesSubscriptionsOfADeletedTopicTheirBacklog) {
  MakeTopic("topic");
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  ASSERT_TRUE(broker_->DeleteTopic(Topic("topic")).ok());
  EXPECT_EQ(broker_->GetSubscription(Sub("sub"))->topic(), "_deleted-topic_");
  MakeTopic("topic");
  Publish("topic", "for nobody");
  Reopen();
  EXPECT_EQ(broker_->GetSubscription(Sub("sub"))->topic(), "_deleted-topic_");
  EXPECT_THAT(PullData("sub"), ElementsAre("a"));
}

TEST_F(BrokerAdmin, DetachesForGood) {
  MakeTopic("topic");
  MakeSubscription(Settings("sub"));
  Publish("topic", "a");
  ASSERT_TRUE(broker_->DetachSubscription(Sub("sub")).ok());
  Publish("topic", "b");
  Reopen();
  EXPECT_TRUE(broker_->GetSubscription(Sub("sub"))->detached());
  const auto puller = broker_->OpenPuller(Sub("sub"), {});
  ASSERT_TRUE(puller.ok());
  EXPECT_EQ((*puller)->Take(1, 1).error().id, ErrorId::kPubsubPrecondition);
  wire::ListTopicSubscriptionsRequest list;
  list.set_topic(Topic("topic"));
  EXPECT_THAT(broker_->ListTopicSubscriptions(list)->subscriptions(), IsEmpty());
}

TEST_F(BrokerAdmin, ListsInPages) {
  for (const char* id : {"ccc", "aaa", "bbb"}) MakeTopic(id);
  for (const char* id : {"s3c", "s1a", "s2b"}) MakeSubscription(Settings(id, "aaa"));
  wire::ListTopicsRequest list;
  list.set_project("projects/test");
  list.set_page_size(2);
  std::vector<std::string> names;
  for (int page = 0; page < 2; ++page) {
    const auto answer = broker_->ListTopics(list);
    ASSERT_TRUE(answer.ok());
    for (const auto& topic : answer->topics()) names.push_back(topic.name());
    list.set_page_token(answer->next_page_token());
  }
  EXPECT_THAT(names, ElementsAre(Topic("aaa"), Topic("bbb"), Topic("ccc")));
  EXPECT_EQ(list.page_token(), "");
  list.set_page_token("made up");
  EXPECT_FALSE(broker_->ListTopics(list).ok());
  wire::ListTopicSubscriptionsRequest of_topic;
  of_topic.set_topic(Topic("aaa"));
  EXPECT_THAT(broker_->ListTopicSubscriptions(of_topic)->subscriptions(),
              ElementsAre(Sub("s1a"), Sub("s2b"), Sub("s3c")));
  wire::ListSubscriptionsRequest elsewhere;
  elsewhere.set_project("projects/other");
  EXPECT_THAT(broker_->ListSubscriptions(elsewhere)->subscriptions(), IsEmpty());
}

TEST_F(BrokerAdmin, AsksWhetherTheProjectMayBe) {
  broker_.reset();
  auto opened = Broker::Open({.directory = directory_.path(),
                              .ensure_project = [](const std::string& project) -> Status {
                                if (project == "test") return Ok();
                                return MakeError(ErrorId::kPubsubNotFound, "no project " + project);
                              }},
                             clock_);
  ASSERT_TRUE(opened.ok());
  broker_ = std::move(opened).value();
  MakeTopic("topic");
  wire::Topic elsewhere;
  elsewhere.set_name("projects/other/topics/topic");
  EXPECT_EQ(broker_->CreateTopic(elsewhere).error().message, "no project other");
}

TEST_F(BrokerAdmin, LimitsWhatMayBePublished) {
  MakeTopic("topic");
  struct Case {
    std::string what;
    std::function<void(wire::PublishRequest&)> fill;
    bool accepted;
  };
  const auto attribute = [](size_t key, size_t value) {
    return [key, value](wire::PublishRequest& r) {
      (*r.add_messages()->mutable_attributes())[std::string(key, 'k')] = std::string(value, 'v');
    };
  };
  const auto attributes = [](int count) {
    return [count](wire::PublishRequest& r) {
      auto& map = *r.add_messages()->mutable_attributes();
      for (int i = 0; i < count; ++i) map[std::to_string(i)] = "";
    };
  };
  const auto messages = [](int count) {
    return [count](wire::PublishRequest& r) {
      for (int i = 0; i < count; ++i) r.add_messages()->set_data("x");
    };
  };
  const auto of_size = [](size_t size) {
    return [size](wire::PublishRequest& r) {
      wire::PubsubMessage& message = *r.add_messages();
      message.set_data(std::string(size - 100, 'x'));
      message.set_data(std::string(2 * size - 100 - r.ByteSizeLong(), 'x'));
      ASSERT_EQ(r.ByteSizeLong(), size);
    };
  };
  const std::vector<Case> cases = {
      {"nothing", [](auto&) {}, false},
      {"an empty message", [](auto& r) { r.add_messages(); }, false},
      {"an ordering key alone", [](auto& r) { r.add_messages()->set_ordering_key("k"); }, false},
      {"an attribute alone", attribute(1, 0), true},
      {"a key of 256 bytes", attribute(256, 1), true},
      {"a key of 257 bytes", attribute(257, 1), false},
      {"a value of 1024 bytes", attribute(1, 1024), true},
      {"a value of 1025 bytes", attribute(1, 1025), false},
      {"a key for Google",
       [](auto& r) { (*r.add_messages()->mutable_attributes())["googfoo"] = "x"; }, false},
      {"100 attributes", attributes(100), true},
      {"101 attributes", attributes(101), false},
      {"1000 messages", messages(1000), true},
      {"1001 messages", messages(1001), false},
      {"10,000,000 bytes", of_size(10'000'000), true},
      {"10,000,001 bytes", of_size(10'000'001), false},
  };
  for (const Case& c : cases) {
    wire::PublishRequest request;
    request.set_topic(Topic("topic"));
    c.fill(request);
    const auto published = broker_->Publish(request);
    EXPECT_EQ(published.ok(), c.accepted) << c.what;
    if (published.ok()) continue;
    EXPECT_EQ(published.error().id, ErrorId::kPubsubInvalidRequest) << c.what;
  }
  wire::PublishRequest to_nobody;
  to_nobody.set_topic(Topic("absent"));
  to_nobody.add_messages()->set_data("x");
  EXPECT_EQ(broker_->Publish(to_nobody).error().id, ErrorId::kPubsubNotFound);
}

}  // namespace
}  // namespace holdfast::pubsub
