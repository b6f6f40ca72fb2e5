#include "sim/sim_cloud.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace holdfast::sim {
namespace {

const TableRef kTable{"acme", "sales", "orders", ""};

class SimCloudTest : public testing::Test {
 protected:
  void SetUp() override {
    cloud_.AddTable(kTable, schema_, {{"2024-01-01", 1}, {"2024-01-02", 2}},
                    {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    clock_.Advance(std::chrono::hours{1});
  }

  TableInfo Info() { return *cloud_.warehouse().GetTable(kTable); }
  std::map<std::string, PartitionInfo> Partitions() {
    std::map<std::string, PartitionInfo> partitions;
    const Status status = cloud::ForEachPage<PartitionInfo>(
        [&](const std::string& token) { return cloud_.warehouse().ListPartitions(kTable, token); },
        [&](PartitionInfo&& info) -> Status {
          partitions[info.ref.partition] = info;
          return Ok();
        });
    EXPECT_TRUE(status.ok());
    return partitions;
  }
  int64_t NowMs() const { return ToUnixMillis(clock_.Now()); }

  VirtualClock clock_{FromUnixMillis(1'700'000'000'000)};
  SimCloud cloud_{clock_};
  Schema schema_{
      {{.name = "day", .type = FieldType::kDate}, {.name = "n", .type = FieldType::kInt64}}};
};

TEST_F(SimCloudTest, ADescriptionMovesTheTimeOfEveryPartition) {
  cloud_.SetDescription(kTable, "new");
  EXPECT_EQ(Info().last_modified_ms, NowMs());
  for (const auto& [id, partition] : Partitions()) {
    EXPECT_EQ(partition.last_modified_ms, NowMs()) << id;
  }
}

TEST_F(SimCloudTest, StreamedRowsAreInNoCountUntilTheyLandWithTheTimeTheyCameAt) {
  const TableInfo before = Info();
  const int64_t came_ms = NowMs();
  cloud_.StreamRows(kTable, {{"2024-01-01", 9}});
  EXPECT_EQ(Info().rows, before.rows);
  EXPECT_EQ(Info().last_modified_ms, before.last_modified_ms);
  EXPECT_EQ(Info().streaming_buffer->estimated_rows, 1);
  clock_.Advance(std::chrono::hours{1});
  cloud_.FlushStreaming(kTable);
  EXPECT_EQ(Info().rows, before.rows + 1);
  EXPECT_EQ(Info().last_modified_ms, before.last_modified_ms) << "the table's time did not move";
  EXPECT_EQ(Partitions()["20240101"].last_modified_ms, came_ms);
  EXPECT_FALSE(Info().streaming_buffer);
}

TEST_F(SimCloudTest, ADeletedPartitionIsGoneAndADroppedTableToo) {
  cloud_.DeletePartition(kTable.WithPartition("20240101"));
  EXPECT_EQ(Partitions().size(), 1);
  EXPECT_EQ(cloud_.ReadRows(kTable), (Rows{{"2024-01-02", 2}}));
  cloud_.DropTable(kTable);
  EXPECT_FALSE(cloud_.HasTable(kTable));
}

cloud::JobRef Job(const std::string& id) { return {"acme", "US", id}; }

TEST_F(SimCloudTest, AJobTakesTimeAndReadsTheTableAsItWasWhenItBegan) {
  const cloud::CopyJob copy{.sources = {kTable}, .destination = {"acme", "sales", "copy", ""}};
  ASSERT_EQ(cloud_.warehouse().StartJob(Job("j"), copy)->state, cloud::JobState::kRunning);
  cloud_.AppendRows(kTable, {{"2024-01-03", 3}});
  EXPECT_FALSE(cloud_.HasTable(copy.destination));
  clock_.Advance(std::chrono::seconds{5});
  EXPECT_TRUE(cloud_.warehouse().GetJob(Job("j"))->Succeeded());
  EXPECT_EQ(cloud_.ReadRows(copy.destination).size(), 2);
}

TEST_F(SimCloudTest, AFailedJobStaysFailedAndAnotherIdSucceeds) {
  cloud_.faults().FailJobs("copy", "backendError", 1);
  const cloud::CopyJob copy{.sources = {kTable}, .destination = {"acme", "sales", "copy", ""}};
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(cloud_.warehouse().StartJob(Job("j1"), copy).ok());
    clock_.Advance(std::chrono::seconds{5});
    EXPECT_EQ(cloud_.warehouse().GetJob(Job("j1"))->error->reason, "backendError");
  }
  ASSERT_TRUE(cloud_.warehouse().StartJob(Job("j2"), copy).ok());
  clock_.Advance(std::chrono::seconds{5});
  EXPECT_TRUE(cloud_.warehouse().GetJob(Job("j2"))->Succeeded());
  EXPECT_EQ(cloud_.JobsStarted("copy"), 2);
}

TEST_F(SimCloudTest, AnExtractIntoARetainedBucketIsRefusedToWriteAnew) {
  ASSERT_TRUE(
      cloud_.objects()
          .EnsureBucket(
              {.name = "locked", .project = "acme", .location = "US", .retention_seconds = 3600})
          .ok());
  const cloud::ExtractJob extract{.source = kTable, .destination_uri = "gs://locked/a-*.avro"};
  for (const bool first : {true, false}) {
    const cloud::JobRef job = Job(first ? "e1" : "e2");
    ASSERT_TRUE(cloud_.warehouse().StartJob(job, extract).ok());
    clock_.Advance(std::chrono::seconds{5});
    EXPECT_EQ(cloud_.warehouse().GetJob(job)->Succeeded(), first);
  }
}

TEST_F(SimCloudTest, DeniedAccessCoversWhatIsBelow) {
  cloud_.faults().DenyAccess("acme.sales");
  EXPECT_EQ(cloud_.warehouse().GetTable(kTable).error().id, ErrorId::kAccessDenied);
  EXPECT_TRUE(cloud_.warehouse().ListDatasets("acme", "").ok());
  cloud_.faults().AllowAccess("acme.sales");
  EXPECT_TRUE(cloud_.warehouse().GetTable(kTable).ok());
}

TEST_F(SimCloudTest, ACrashStopsEverythingBeforeOrAfterItsEffect) {
  const Json patch = {{"description", "x"}};
  cloud_.faults().CrashAtCall(1);
  EXPECT_EQ(cloud_.warehouse().UpdateTable(kTable, patch).error().id, ErrorId::kCancelled);
  EXPECT_EQ(cloud_.warehouse().GetTable(kTable).error().id, ErrorId::kCancelled);
  cloud_.faults().Revive();
  EXPECT_FALSE(Info().resource.contains("description"));

  cloud_.faults().CrashAtCall(1, /*after_effect=*/true);
  EXPECT_EQ(cloud_.warehouse().UpdateTable(kTable, patch).error().id, ErrorId::kCancelled);
  cloud_.faults().Revive();
  EXPECT_EQ(Info().resource.at("description"), "x");
}

TEST_F(SimCloudTest, WhatIsMadeTwiceIsCountedByWhoMadeItFirst) {
  cloud::ObjectStore& objects = cloud_.objects();
  FaultPlan& faults = cloud_.faults();
  ASSERT_TRUE(objects.EnsureBucket({.name = "data", .project = "acme", .location = "US"}).ok());
  const auto create = [&](const std::string& name, const std::string& content) {
    return cloud::CreateObjectFromString(objects, {"data", name, 0}, content);
  };
  faults.FailAtCall(1, /*after_effect=*/true);
  EXPECT_FALSE(create("a", "one").ok());
  EXPECT_EQ(create("a", "two").error().id, ErrorId::kObjectExists);
  EXPECT_EQ(faults.Struck()["found_412"], 1);

  bool is_mine = true;
  faults.SetRival([&] {
    if (!std::exchange(is_mine, false)) return;
    EXPECT_TRUE(create("b", "theirs").ok());
  });
  faults.SetRates({.rival = 1});
  EXPECT_EQ(create("b", "mine").error().id, ErrorId::kObjectExists);
  EXPECT_EQ(faults.Struck()["rival_412"], 1);
}

TEST_F(SimCloudTest, AJobWhoseAnswerWasLostIsFoundByTheNextCallOrToldAtOnce) {
  const cloud::CopyJob copy{.sources = {kTable}, .destination = {"acme", "sales", "copy", ""}};
  FaultPlan& faults = cloud_.faults();
  faults.FailAtCall(1, /*after_effect=*/true);
  EXPECT_FALSE(cloud_.warehouse().StartJob(Job("j1"), copy).ok());
  EXPECT_TRUE(cloud_.warehouse().StartJob(Job("j1"), copy)->attached);
  EXPECT_EQ(faults.Struck()["found_409"], 1);
  faults.SetRates({.told_conflict = 1});
  EXPECT_TRUE(cloud_.warehouse().StartJob(Job("j2"), copy)->attached);
  EXPECT_EQ(faults.Struck()["told_409"], 1);
  EXPECT_EQ(cloud_.JobsStarted("copy"), 2);
}

TEST_F(SimCloudTest, TheSameSeedGivesTheSameFaults) {
  const auto outcomes = [](uint64_t seed) {
    VirtualClock clock{FromUnixMillis(0)};
    SimCloud cloud(clock, {.seed = seed});
    cloud.AddProject("p");
    cloud.faults().SetRates({.unavailable = 0.3, .throttled = 0.2, .reset_after = 0.1});
    std::string text;
    for (int i = 0; i < 60; ++i) {
      const auto result = cloud.projects().GetProject("p");
      text += result.ok() ? "." : result.error().message;
    }
    return text;
  };
  EXPECT_EQ(outcomes(1), outcomes(1));
  EXPECT_NE(outcomes(1), outcomes(2));
  EXPECT_NE(outcomes(1).find("answer was lost"), std::string::npos);
}

class SimBusTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(bus().EnsureTopic(topic_).ok());
    ASSERT_TRUE(bus().EnsureTopic(dead_).ok());
    ASSERT_TRUE(bus().EnsureSubscription(dead_inbox_, dead_, {}).ok());
    ASSERT_TRUE(bus()
                    .EnsureSubscription(inbox_, topic_,
                                        {.ack_deadline_seconds = 10,
                                         .dead_letter_topic = dead_,
                                         .delivery_attempts_max = 5,
                                         .ordered = true})
                    .ok());
  }

  cloud::MessageBus& bus() { return cloud_.bus(); }
  void Publish(const std::string& data, const std::string& key = "") {
    const cloud::Message message{.data = data, .ordering_key = key};
    ASSERT_TRUE(bus().Publish(topic_, {&message, 1}).ok());
  }
  std::vector<cloud::ReceivedMessage> Pull(Duration wait = Duration{0}) {
    return *bus().Pull(inbox_, 10, wait);
  }
  void Acknowledge(const cloud::ReceivedMessage& message) {
    ASSERT_TRUE(bus().Acknowledge(inbox_, {&message.ack_id, 1}).ok());
  }

  VirtualClock clock_{FromUnixMillis(1'700'000'000'000)};
  SimCloud cloud_{clock_};
  cloud::TopicRef topic_{"acme", "work"};
  cloud::TopicRef dead_{"acme", "dead"};
  cloud::SubscriptionRef inbox_{"acme", "inbox"};
  cloud::SubscriptionRef dead_inbox_{"acme", "dead-inbox"};
};

TEST_F(SimBusTest, AnAcknowledgedMessageDoesNotComeAgain) {
  Publish("a");
  const auto messages = Pull();
  ASSERT_EQ(messages.size(), 1);
  EXPECT_TRUE(Pull().empty()) << "it is leased";
  Acknowledge(messages[0]);
  clock_.Advance(std::chrono::minutes{1});
  EXPECT_TRUE(Pull().empty());
}

TEST_F(SimBusTest, ALeaseThatRanOutGivesTheMessageBackAndItsOldAckDoesNothing) {
  Publish("a");
  const auto first = Pull();
  clock_.Advance(std::chrono::seconds{10});
  const auto second = Pull();
  ASSERT_EQ(second.size(), 1);
  EXPECT_EQ(second[0].delivery_attempt, 2);
  Acknowledge(first[0]);
  clock_.Advance(std::chrono::seconds{10});
  EXPECT_EQ(Pull().size(), 1);
}

TEST_F(SimBusTest, AnExtendedLeaseHolds) {
  Publish("a");
  const auto messages = Pull();
  ASSERT_TRUE(bus().ExtendDeadline(inbox_, {&messages[0].ack_id, 1}, 60).ok());
  clock_.Advance(std::chrono::seconds{30});
  EXPECT_TRUE(Pull().empty());
  ASSERT_TRUE(bus().ExtendDeadline(inbox_, {&messages[0].ack_id, 1}, 0).ok());
  EXPECT_EQ(Pull().size(), 1);
}

TEST_F(SimBusTest, APullWaitsOnTheClockUntilAMessageIsDue) {
  Publish("a");
  ASSERT_EQ(Pull().size(), 1);
  const Timestamp before = clock_.Now();
  EXPECT_EQ(Pull(std::chrono::minutes{5}).size(), 1);
  EXPECT_EQ(clock_.Now() - before, std::chrono::seconds{10});
}

TEST_F(SimBusTest, AfterTheLastAttemptAMessageIsADeadLetter) {
  Publish("poison");
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Pull().size(), 1) << i;
    clock_.Advance(std::chrono::seconds{10});
  }
  EXPECT_TRUE(Pull().empty());
  const auto dead = bus().Pull(dead_inbox_, 10, Duration{0});
  ASSERT_EQ(dead->size(), 1);
  EXPECT_EQ((*dead)[0].published.message.data, "poison");
}

TEST_F(SimBusTest, MessagesOfOneKeyComeOneAfterAnother) {
  Publish("1", "k");
  Publish("2", "k");
  Publish("other");
  std::set<std::string> data;
  const auto messages = Pull();
  for (const auto& message : messages) data.insert(message.published.message.data);
  EXPECT_EQ(data, (std::set<std::string>{"1", "other"}));
  Acknowledge(messages[0]);
  const auto next = Pull();
  ASSERT_EQ(next.size(), 1);
  EXPECT_EQ(next[0].published.message.data, "2");
}

TEST_F(SimBusTest, AbsentTopicsAndSubscriptionsAreNotFound) {
  const cloud::Message message{.data = "a"};
  EXPECT_EQ(bus().Publish({"acme", "absent"}, {&message, 1}).error().code, Code::kNotFound);
  EXPECT_EQ(bus().Pull({"acme", "absent"}, 1, Duration{0}).error().code, Code::kNotFound);
  EXPECT_EQ(bus().EnsureSubscription(inbox_, dead_, {}).error().code, Code::kFailedPrecondition);
}

}  // namespace
}  // namespace holdfast::sim
