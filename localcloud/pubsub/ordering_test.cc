// Ordering keys: in order per key, one batch at a time, the later ones again after a failure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "localcloud/pubsub/broker_fixture.h"

namespace holdfast::pubsub {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class BrokerOrdering : public BrokerFixture {
 protected:
  BrokerOrdering() {
    MakeTopic("topic");
    auto settings = Settings("sub");
    settings.set_enable_message_ordering(true);
    MakeSubscription(settings);
  }
};

TEST_F(BrokerOrdering, GivesABatchOfAKeyInOrderAndBlocksTheRest) {
  for (const char* data : {"1", "2", "3", "4"}) Publish("topic", data, "key");
  Publish("topic", "free");
  const auto batch = Pull("sub", 2);
  ASSERT_THAT(DataOf(batch), ElementsAre("1", "2"));
  EXPECT_THAT(DataOf(Pull("sub")), ElementsAre("free")) << "the key is out, others are not";
  ASSERT_TRUE(Acknowledge("sub", {batch[0]}).ok());
  EXPECT_THAT(Pull("sub"), IsEmpty()) << "the batch is not done";
  ASSERT_TRUE(Acknowledge("sub", {batch[1]}).ok());
  EXPECT_THAT(DataOf(Pull("sub")), ElementsAre("3", "4"));
}

TEST_F(BrokerOrdering, RepeatsTheLaterOnesAfterAFailure) {
  for (const char* data : {"1", "2", "3", "4"}) Publish("topic", data, "key");
  const auto batch = Pull("sub", 3);
  ASSERT_THAT(batch, SizeIs(3));
  ASSERT_TRUE(ModifyDeadline("sub", {batch[1]}, 0).ok());
  EXPECT_THAT(Pull("sub"), IsEmpty()) << "the first is still out";
  ASSERT_TRUE(Acknowledge("sub", {batch[0]}).ok());
  EXPECT_THAT(DataOf(Pull("sub")), ElementsAre("2", "3", "4"));
}

TEST_F(BrokerOrdering, RepeatsAKeyInOrderAfterItsDeadline) {
  for (const char* data : {"1", "2"}) Publish("topic", data, "key");
  ASSERT_THAT(Pull("sub"), SizeIs(2));
  Publish("topic", "3", "key");
  EXPECT_THAT(Pull("sub"), IsEmpty());
  Advance(seconds{10});
  EXPECT_THAT(DataOf(Pull("sub")), ElementsAre("1", "2", "3"));
}

TEST_F(BrokerOrdering, GoesOnAfterADeadLetter) {
  MakeTopic("dead");
  MakeSubscription(Settings("dead-sub", "dead"));
  auto settings = Settings("strict");
  settings.set_enable_message_ordering(true);
  settings.mutable_dead_letter_policy()->set_dead_letter_topic(Topic("dead"));
  MakeSubscription(settings);
  Publish("topic", "poison", "key");
  Publish("topic", "next", "key");
  for (int attempt = 1; attempt <= 5; ++attempt) {
    const auto received = Pull("strict");
    ASSERT_THAT(DataOf(received), ElementsAre("poison", "next")) << attempt;
    EXPECT_EQ(received[1].delivery_attempt(), 1) << "it did not fail";
    ASSERT_TRUE(ModifyDeadline("strict", {received[0]}, 0).ok());
  }
  broker_->RunDue();
  EXPECT_THAT(DataOf(Pull("strict")), ElementsAre("next"));
  EXPECT_THAT(DataOf(Pull("dead-sub")), ElementsAre("poison"));
}

// Whatever consumers do, the acknowledged messages of a key are in order, and none is lost.
TEST_F(BrokerOrdering, KeepsTheOrderOfEveryKeyUnderAnySchedule) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto random = MakeSeededRandom(seed);
    const auto below = [&](uint64_t bound) { return random->Next() % bound; };
    std::map<std::string, int> published;
    std::map<std::string, int> acknowledged;
    std::vector<wire::ReceivedMessage> out;
    int remaining = 0;
    for (int step = 0; step < 300; ++step) {
      const uint64_t choice = below(10);
      if (choice < 3 && step < 200) {
        const std::string key = "key" + std::to_string(below(4));
        Publish("topic", std::to_string(published[key]++), key);
        ++remaining;
      } else if (choice < 6) {
        for (auto& received : Pull("sub", 1 + static_cast<int>(below(5)))) out.push_back(received);
      } else if (choice < 9 && !out.empty()) {
        const auto received = out.front();
        out.erase(out.begin());
        if (below(4) == 0) {
          ASSERT_TRUE(ModifyDeadline("sub", {received}, 0).ok());
          // Those handed out after it are void; the broker does not count their acknowledgements.
          std::erase_if(out, [&](const auto& other) {
            return other.message().ordering_key() == received.message().ordering_key();
          });
          continue;
        }
        ASSERT_TRUE(Acknowledge("sub", {received}).ok());
        const std::string& key = received.message().ordering_key();
        EXPECT_EQ(received.message().data(), std::to_string(acknowledged[key]++)) << seed;
        --remaining;
      } else if (choice == 9) {
        Advance(seconds{below(2) == 0 ? 1 : 10});
        out.clear();
        Advance(seconds{10});
      }
    }
    Advance(seconds{10});
    while (true) {
      const auto received = Pull("sub");
      if (received.empty()) break;
      for (const auto& message : received) {
        const std::string& key = message.message().ordering_key();
        EXPECT_EQ(message.message().data(), std::to_string(acknowledged[key]++)) << seed;
        --remaining;
      }
      ASSERT_TRUE(Acknowledge("sub", received).ok());
    }
    EXPECT_EQ(remaining, 0) << seed;
  }
}

}  // namespace
}  // namespace holdfast::pubsub
