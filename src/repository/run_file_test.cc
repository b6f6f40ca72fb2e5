#include "repository/run_file.h"

#include <gtest/gtest.h>

#include "base/virtual_clock.h"
#include "sim/sim_cloud.h"

namespace holdfast::repository {
namespace {

constexpr const char* kRunBucket = "acme-holdfast-us";

class RunFileTest : public testing::Test {
 protected:
  Repository Open(const std::string& bucket = kRunBucket) {
    EXPECT_TRUE(store().EnsureBucket({.name = bucket, .project = "acme", .location = "US"}).ok());
    return Repository::OpenOrCreate(store(), {bucket, "vault"}, clock_, *random_).value();
  }
  cloud::ObjectStore& store() { return cloud_.objects(); }

  static ItemOutcome Item(int number) {
    return {.object = {"acme", "sales", "t" + std::to_string(1'000'000 + number), ""},
            .outcome = Outcome::kBackedUp,
            .backup = "b" + std::to_string(number),
            .rows = number};
  }

  static RunSummary SummaryOf(int items) {
    RunSummary summary{.run = {.id = "run-1", .state = RunState::kFinished}, .suspects = 3};
    for (int i = 0; i < items; ++i) summary.totals.Add(Item(i));
    return summary;
  }

  // The outcomes that are read back, in their order.
  static Result<std::vector<std::string>> Read(Repository& repository, size_t& pages) {
    HF_ASSIGN_OR_RETURN(const RunFile file, ReadRunFile(repository, "run-1"));
    std::vector<std::string> backups;
    HF_RETURN_IF_ERROR(
        ForEachRunPage(repository, file, [&](std::vector<ItemOutcome>&& items) -> Status {
          ++pages;
          for (const ItemOutcome& item : items) backups.push_back(item.backup);
          return Ok();
        }));
    return backups;
  }

  std::vector<std::string> PartNames(const std::string& bucket = kRunBucket) {
    std::vector<std::string> names;
    for (const auto& info : cloud_.AllObjects(bucket)) {
      if (info.ref.name.find("run-items/") != std::string::npos) names.push_back(info.ref.name);
    }
    return names;
  }

  VirtualClock clock_{FromUnixMillis(1'700'000'000'000)};
  sim::SimCloud cloud_{clock_};
  std::unique_ptr<Random> random_ = MakeSeededRandom(7);
};

TEST_F(RunFileTest, IsReadBackPageByPageFromEveryRepository) {
  constexpr int kItems = 2 * static_cast<int>(kRunPartItemsMax) + 5;
  RunFileWriter writer({Open(), Open("acme-holdfast-eu")}, "run-1");
  for (int i = 0; i < kItems; ++i) writer.Add(Item(i));
  writer.Finish(SummaryOf(kItems));
  for (const char* bucket : {kRunBucket, "acme-holdfast-eu"}) {
    Repository repository = Open(bucket);
    size_t pages = 0;
    const auto backups = Read(repository, pages);
    ASSERT_TRUE(backups.ok()) << backups.error().message;
    ASSERT_EQ(backups->size(), static_cast<size_t>(kItems));
    EXPECT_EQ(pages, 3U);
    EXPECT_EQ(backups->front(), "b0");
    EXPECT_EQ(backups->back(), "b" + std::to_string(kItems - 1));
    const RunFile file = ReadRunFile(repository, "run-1").value();
    EXPECT_EQ(file.summary.totals, SummaryOf(kItems).totals);
    EXPECT_EQ(file.summary.suspects, 3);
    const auto runs = repository.ListRuns("");
    ASSERT_TRUE(runs.ok());
    EXPECT_EQ(runs->items, std::vector<std::string>{"run-1"});
  }
}

TEST_F(RunFileTest, ACrashBeforeTheSummaryLeavesNoRunAndTheNextTryWritesTheSameParts) {
  constexpr int kItems = static_cast<int>(kRunPartItemsMax) + 1;
  Repository repository = Open();
  {
    RunFileWriter dies({repository}, "run-1");
    for (int i = 0; i < kItems; ++i) dies.Add(Item(i));
  }
  EXPECT_EQ(ReadRunFile(repository, "run-1").error().id, ErrorId::kObjectNotFound);
  EXPECT_TRUE(repository.ListRuns("")->items.empty());
  EXPECT_EQ(PartNames().size(), 1U);
  for (int time = 1; time <= 2; ++time) {
    RunFileWriter writer({repository}, "run-1");
    for (int i = 0; i < kItems; ++i) writer.Add(Item(i));
    RunSummary summary = SummaryOf(kItems);
    summary.run.finished_ms = time;  // by then it is later
    writer.Finish(summary);
    EXPECT_EQ(PartNames().size(), 2U) << "parts are found again, not written again";
    EXPECT_EQ(ReadRunFile(repository, "run-1")->summary.run.finished_ms, 1) << "the first stays";
  }
}

TEST_F(RunFileTest, APartThatWasAlteredIsFound) {
  Repository repository = Open();
  RunFileWriter writer({repository}, "run-1");
  writer.Add(Item(1));
  writer.Add(Item(2));
  writer.Finish(SummaryOf(2));
  const std::string part = PartNames().at(0);
  const auto info = store().StatObject({kRunBucket, part, 0}).value().value();
  const std::string text = ReadObjectToString(store(), info.ref, 100'000).value();
  std::string altered = text;
  altered[altered.find("\"b1\"") + 2] = '7';
  for (const std::string& content : {altered, text.substr(0, text.size() - 5), std::string()}) {
    const auto there = store().StatObject({kRunBucket, part, 0}).value().value();
    ASSERT_TRUE(store().DeleteObject(there.ref).ok());
    ASSERT_TRUE(CreateObjectFromString(store(), {kRunBucket, part, 0}, content).ok());
    size_t pages = 0;
    EXPECT_EQ(Read(repository, pages).error().id, ErrorId::kObjectCorrupt) << content;
  }
  const auto there = store().StatObject({kRunBucket, part, 0}).value().value();
  ASSERT_TRUE(store().DeleteObject(there.ref).ok());
  size_t pages = 0;
  EXPECT_EQ(Read(repository, pages).error().id, ErrorId::kObjectNotFound);
}

TEST_F(RunFileTest, OneThatIsASingleDocumentIsReadAsWell) {
  Repository repository = Open();
  const RunReport report =
      MakeRunReport({.id = "run-1", .state = RunState::kFinished}, {Item(2), Item(1)});
  ASSERT_TRUE(CreateObjectFromString(store(), {kRunBucket, RunFileName("vault", "run-1"), 0},
                                     DumpJson(report.ToJson()))
                  .ok());
  size_t pages = 0;
  EXPECT_EQ(Read(repository, pages).value(), (std::vector<std::string>{"b1", "b2"}));
  EXPECT_EQ(ReadRunFile(repository, "run-1")->summary.totals, report.totals);
}

TEST_F(RunFileTest, WhatIsNoSummaryIsRefused) {
  Repository repository = Open();
  EXPECT_EQ(ReadRunFile(repository, "../x").error().id, ErrorId::kInvalidName);
  int number = 0;
  for (const char* text :
       {"{}", "[]", "{", R"({"run": {}, "totals": {}, "suspects": 0})",
        R"({"run": {"id": "run-1", "state": "finished", "started_ms": 1, "finished_ms": 2,)"
        R"( "policy": {}}, "totals": {"objects": 0, "rows": 0, "bytes": 0}, "suspects": 0})"}) {
    const std::string run = "bad-" + std::to_string(++number);
    ASSERT_TRUE(
        CreateObjectFromString(store(), {kRunBucket, RunFileName("vault", run), 0}, text).ok());
    EXPECT_EQ(ReadRunFile(repository, run).error().id, ErrorId::kInvalidJson) << text;
  }
}

}  // namespace
}  // namespace holdfast::repository
