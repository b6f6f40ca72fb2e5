#include "tests/contract/message_bus_contract.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

namespace holdfast::contract {
namespace {

using cloud::Message;
using cloud::ReceivedMessage;
using cloud::SubscriptionOptions;
using cloud::SubscriptionRef;
using cloud::TopicRef;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// Long enough for a message that is there; every test that finds none waits this long once.
constexpr Duration kWait = milliseconds{300};
constexpr Duration kLongWait = seconds{10};

// What the promises are made of, in a topic and a subscription of the same id.
class Steps {
 public:
  explicit Steps(MessageBusWorld& world) : bus_(world.bus()), project_(world.project()) {}

  TopicRef Topic(const std::string& id) const { return {project_, "contract-" + id}; }
  SubscriptionRef Subscription(const std::string& id) const { return {project_, "contract-" + id}; }

  void Ensure(const std::string& id, const SubscriptionOptions& options = {}) {
    ASSERT_TRUE(bus_.EnsureTopic(Topic(id)).ok());
    const Status made = bus_.EnsureSubscription(Subscription(id), Topic(id), options);
    ASSERT_TRUE(made.ok()) << made.error().ToString();
  }

  std::vector<std::string> Publish(const std::string& id, const std::vector<Message>& messages) {
    const auto ids = bus_.Publish(Topic(id), messages);
    EXPECT_TRUE(ids.ok()) << ids.error().ToString();
    return ids.value_or({});
  }

  // Pulls until `count` messages have come, or one pull comes back empty.
  std::vector<ReceivedMessage> PullAll(const std::string& id, size_t count) {
    std::vector<ReceivedMessage> all;
    while (all.size() < count) {
      auto some = bus_.Pull(Subscription(id), 100, kLongWait);
      EXPECT_TRUE(some.ok()) << some.error().ToString();
      if (!some.ok() || some->empty()) break;
      for (auto& message : *some) all.push_back(std::move(message));
    }
    return all;
  }

  std::vector<ReceivedMessage> PullNone(const std::string& id) {
    const auto none = bus_.Pull(Subscription(id), 100, kWait);
    EXPECT_TRUE(none.ok()) << none.error().ToString();
    return none.value_or({});
  }

 private:
  cloud::MessageBus& bus_;
  std::string project_;
};

std::vector<std::string> DataOf(const std::vector<ReceivedMessage>& messages) {
  std::vector<std::string> data;
  for (const auto& message : messages) data.push_back(message.published.message.data);
  return data;
}

std::vector<std::string> AckIdsOf(const std::vector<ReceivedMessage>& messages) {
  std::vector<std::string> ids;
  for (const auto& message : messages) ids.push_back(message.ack_id);
  return ids;
}

TEST_P(MessageBusContract, CarriesAMessageUnchanged) {
  Steps steps(*world_);
  steps.Ensure("carry");
  const Message message{.data = std::string("\0\xFF\n\"", 4),
                        .attributes = {{"key", "value"}, {"empty", ""}},
                        .ordering_key = {}};
  const auto ids = steps.Publish("carry", {message});
  ASSERT_THAT(ids, SizeIs(1));
  const auto received = steps.PullAll("carry", 1);
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received[0].published.message.data, message.data);
  EXPECT_EQ(received[0].published.message.attributes, message.attributes);
  EXPECT_EQ(received[0].published.id, ids[0]);
  EXPECT_FALSE(received[0].ack_id.empty());
}

TEST_P(MessageBusContract, GivesEveryPublishedMessageAnIdOfItsOwn) {
  Steps steps(*world_);
  steps.Ensure("many");
  std::vector<Message> messages(1500);  // more than one request takes
  for (size_t i = 0; i < messages.size(); ++i) messages[i].data = std::to_string(i);
  auto ids = steps.Publish("many", messages);
  ASSERT_THAT(ids, SizeIs(messages.size()));
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
  EXPECT_THAT(steps.Publish("many", {}), IsEmpty());
}

TEST_P(MessageBusContract, CarriesTheLargestMessage) {
  Steps steps(*world_);
  steps.Ensure("large");
  const std::string data(world_->message_bytes_max(), 'x');
  ASSERT_THAT(steps.Publish("large", {{.data = data}, {.data = "small"}}), SizeIs(2));
  const auto received = steps.PullAll("large", 2);
  EXPECT_THAT(DataOf(received), UnorderedElementsAre(data, "small"));
}

TEST_P(MessageBusContract, RefusesAMessageOverALimitAndSendsNone) {
  Steps steps(*world_);
  steps.Ensure("limit");
  const std::vector<Message> too_much = {
      {},
      {.data = std::string(cloud::kMessageBytesMax + 1, 'x')},
      {.data = "x", .attributes = {{std::string(cloud::kAttributeKeyBytesMax + 1, 'k'), "v"}}},
      {.data = "x", .attributes = {{"k", std::string(cloud::kAttributeValueBytesMax + 1, 'v')}}},
      {.data = "x", .ordering_key = std::string(cloud::kOrderingKeyBytesMax + 1, 'o')}};
  for (const Message& message : too_much) {
    const std::vector<Message> batch = {{.data = "good"}, message};
    const auto published = bus().Publish(steps.Topic("limit"), batch);
    ASSERT_FALSE(published.ok());
    EXPECT_EQ(published.error().code, Code::kInvalidArgument) << published.error().ToString();
  }
  EXPECT_THAT(steps.PullNone("limit"), IsEmpty());
}

TEST_P(MessageBusContract, EnsuresTwiceWithoutLoss) {
  Steps steps(*world_);
  steps.Ensure("twice");
  steps.Publish("twice", {{.data = "a"}});
  steps.Ensure("twice", {.ack_deadline_seconds = 20});
  EXPECT_THAT(DataOf(steps.PullAll("twice", 1)), ElementsAre("a"));
}

TEST_P(MessageBusContract, RefusesASubscriptionOfAnotherTopic) {
  Steps steps(*world_);
  steps.Ensure("mine");
  ASSERT_TRUE(bus().EnsureTopic(steps.Topic("theirs")).ok());
  const Status status =
      bus().EnsureSubscription(steps.Subscription("mine"), steps.Topic("theirs"), {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kFailedPrecondition) << status.error().ToString();
}

TEST_P(MessageBusContract, SaysWhatIsNotThere) {
  Steps steps(*world_);
  const std::vector<Message> messages = {{.data = "x"}};
  EXPECT_EQ(bus().Publish(steps.Topic("absent"), messages).error().code, Code::kNotFound);
  EXPECT_EQ(bus().Pull(steps.Subscription("absent"), 1, kWait).error().code, Code::kNotFound);
  EXPECT_EQ(bus()
                .EnsureSubscription(steps.Subscription("absent"), steps.Topic("absent"), {})
                .error()
                .code,
            Code::kNotFound);
}

TEST_P(MessageBusContract, LeasesAMessageToOnePullAtATime) {
  Steps steps(*world_);
  steps.Ensure("lease");
  steps.Publish("lease", {{.data = "a"}});
  ASSERT_THAT(steps.PullAll("lease", 1), SizeIs(1));
  EXPECT_THAT(steps.PullNone("lease"), IsEmpty());
}

TEST_P(MessageBusContract, GivesAMessageBackAtOnceWhenTold) {
  Steps steps(*world_);
  steps.Ensure("back");
  steps.Publish("back", {{.data = "a"}});
  const auto received = steps.PullAll("back", 1);
  ASSERT_TRUE(bus().ExtendDeadline(steps.Subscription("back"), AckIdsOf(received), 0).ok());
  EXPECT_THAT(DataOf(steps.PullAll("back", 1)), ElementsAre("a"));
}

TEST_P(MessageBusContract, BringsAMessageBackWhenItsLeaseEnds) {
  Steps steps(*world_);
  steps.Ensure("expire", {.ack_deadline_seconds = 10});
  steps.Publish("expire", {{.data = "a"}, {.data = "b"}, {.data = "c"}});
  auto received = steps.PullAll("expire", 3);
  ASSERT_THAT(received, SizeIs(3));
  std::ranges::sort(received, {}, [](const auto& m) { return m.published.message.data; });
  const SubscriptionRef subscription = steps.Subscription("expire");
  ASSERT_TRUE(bus().Acknowledge(subscription, std::vector{received[0].ack_id}).ok());
  ASSERT_TRUE(bus().ExtendDeadline(subscription, std::vector{received[1].ack_id}, 60).ok());
  if (!world_->Advance(seconds{11})) GTEST_SKIP() << "its time cannot be moved";
  EXPECT_THAT(DataOf(steps.PullAll("expire", 1)), ElementsAre("c"));
  ASSERT_TRUE(world_->Advance(seconds{5}));
  EXPECT_THAT(steps.PullNone("expire"), IsEmpty()) << "one is extended, one acknowledged";
}

TEST_P(MessageBusContract, AcknowledgesTwiceAndLateWithoutError) {
  Steps steps(*world_);
  steps.Ensure("ack", {.ack_deadline_seconds = 10});
  steps.Publish("ack", {{.data = "a"}});
  const auto ids = AckIdsOf(steps.PullAll("ack", 1));
  const SubscriptionRef subscription = steps.Subscription("ack");
  EXPECT_TRUE(bus().Acknowledge(subscription, ids).ok());
  EXPECT_TRUE(bus().Acknowledge(subscription, ids).ok());
  EXPECT_TRUE(bus().ExtendDeadline(subscription, ids, 30).ok());
  if (!world_->Advance(seconds{60})) GTEST_SKIP() << "its time cannot be moved";
  EXPECT_TRUE(bus().Acknowledge(subscription, ids).ok());
  EXPECT_THAT(steps.PullNone("ack"), IsEmpty());
}

TEST_P(MessageBusContract, KeepsTheOrderOfAKey) {
  Steps steps(*world_);
  steps.Ensure("order", {.ordered = true});
  std::vector<Message> messages;
  std::vector<std::string> expected;
  for (int i = 0; i < 10; ++i) {
    expected.push_back(std::to_string(i));
    messages.push_back({.data = expected.back(), .ordering_key = "key"});
  }
  steps.Publish("order", messages);
  std::vector<std::string> data;
  while (data.size() < expected.size()) {
    const auto received = bus().Pull(steps.Subscription("order"), 3, kLongWait);
    ASSERT_TRUE(received.ok()) << received.error().ToString();
    ASSERT_FALSE(received->empty());
    for (const std::string& one : DataOf(*received)) data.push_back(one);
    ASSERT_TRUE(bus().Acknowledge(steps.Subscription("order"), AckIdsOf(*received)).ok());
  }
  EXPECT_EQ(data, expected);
}

TEST_P(MessageBusContract, MovesAMessageThatFailsTooOftenToTheDeadLetterTopic) {
  Steps steps(*world_);
  steps.Ensure("dead");
  steps.Ensure("failing", {.dead_letter_topic = steps.Topic("dead"), .delivery_attempts_max = 5});
  steps.Publish("failing", {{.data = "poison", .attributes = {{"k", "v"}}}});
  for (int attempt = 1; attempt <= 5; ++attempt) {
    const auto received = steps.PullAll("failing", 1);
    ASSERT_THAT(received, SizeIs(1)) << attempt;
    EXPECT_EQ(received[0].delivery_attempt, attempt);
    ASSERT_TRUE(bus().ExtendDeadline(steps.Subscription("failing"), AckIdsOf(received), 0).ok());
  }
  // Forwarding may happen at the next pull only, which then finds nothing.
  EXPECT_THAT(steps.PullNone("failing"), IsEmpty());
  const auto dead = steps.PullAll("dead", 1);
  ASSERT_THAT(DataOf(dead), ElementsAre("poison"));
  EXPECT_EQ(dead[0].published.message.attributes.at("k"), "v");
}

}  // namespace
}  // namespace holdfast::contract
