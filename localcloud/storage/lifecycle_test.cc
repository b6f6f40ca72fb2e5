#include "localcloud/storage/lifecycle.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "localcloud/storage/store_fixture.h"

namespace holdfast::storage {
namespace {

const Timestamp kNow = *ParseTimestamp("2026-06-15T12:00:00Z");
constexpr auto kDay = std::chrono::days{1};

Json Lifecycle(const Json& condition, const std::string& action = "Delete") {
  return {{"lifecycle",
           {{"rule", Json::array({{{"action", {{"type", action}}}, {"condition", condition}}})}}}};
}

LifecycleRule RuleOf(const Json& condition) {
  return ParseLifecycle(Lifecycle(condition)).value().at(0);
}

struct ConditionCase {
  const char* title;
  Json condition;
  bool taken;
};

TEST(LifecycleRule, TakesObjectsByEachCondition) {
  ObjectRecord object{.name = "logs/a.csv", .created = kNow - 10 * kDay};
  object.deleted = kNow - 3 * kDay;
  object.settings = {{"storageClass", "NEARLINE"}, {"customTime", "2026-06-01T00:00:00Z"}};
  const std::vector<ConditionCase> cases = {
      {"age reached", {{"age", 10}}, true},
      {"age not reached", {{"age", 11}}, false},
      {"created before", {{"createdBefore", "2026-06-06"}}, true},
      {"created on the day", {{"createdBefore", "2026-06-05"}}, false},
      {"noncurrent", {{"isLive", false}}, true},
      {"live only", {{"isLive", true}}, false},
      {"newer versions reached", {{"numNewerVersions", 2}}, true},
      {"newer versions not reached", {{"numNewerVersions", 3}}, false},
      {"days noncurrent", {{"daysSinceNoncurrentTime", 3}}, true},
      {"days noncurrent not reached", {{"daysSinceNoncurrentTime", 4}}, false},
      {"noncurrent before", {{"noncurrentTimeBefore", "2026-06-13"}}, true},
      {"custom time", {{"daysSinceCustomTime", 14}}, true},
      {"custom time not reached", {{"daysSinceCustomTime", 15}}, false},
      {"custom time before", {{"customTimeBefore", "2026-06-01"}}, false},
      {"class", {{"matchesStorageClass", {"COLDLINE", "NEARLINE"}}}, true},
      {"other class", {{"matchesStorageClass", {"STANDARD"}}}, false},
      {"prefix", {{"matchesPrefix", {"logs/"}}}, true},
      {"other prefix", {{"matchesPrefix", {"data/"}}}, false},
      {"suffix", {{"matchesSuffix", {".avro", ".csv"}}}, true},
      {"all of them", {{"age", 10}, {"isLive", false}, {"matchesPrefix", {"logs/"}}}, true},
      {"all but one", {{"age", 10}, {"isLive", true}, {"matchesPrefix", {"logs/"}}}, false},
      {"none", Json::object(), false},
  };
  for (const ConditionCase& test : cases) {
    EXPECT_EQ(TakesObject(RuleOf(test.condition), object, 2, kNow), test.taken) << test.title;
  }
}

TEST(LifecycleRule, OfAnotherActionTakesNothing) {
  const auto rules = ParseLifecycle(Lifecycle({{"age", 0}}, "SetStorageClass")).value();
  EXPECT_FALSE(TakesObject(rules.at(0), {.created = kNow - kDay}, 0, kNow));
}

TEST(LifecycleRule, RefusesMalformedConditions) {
  const std::vector<Json> conditions = {{{"age", "soon"}},
                                        {{"age", -1}},
                                        {{"createdBefore", "yesterday"}},
                                        {{"isLive", "yes"}},
                                        {{"matchesPrefix", "x"}},
                                        {{"matchesSuffix", {1}}}};
  for (const Json& condition : conditions) {
    EXPECT_FALSE(ParseLifecycle(Lifecycle(condition)).ok()) << condition;
  }
}

TEST(LifecyclePass, KeepsTheNewestVersionsAndSparesHeldOnes) {
  StoreFixture fixture;
  Json settings = Lifecycle({{"numNewerVersions", 2}});
  settings["versioning"] = {{"enabled", true}};
  fixture.MakeBucket("bucket", settings);
  std::vector<ObjectRecord> versions;
  for (int i = 0; i < 5; ++i) {
    versions.push_back(fixture.Write("bucket", "a", std::to_string(i)).value());
  }
  const auto hold = [](ObjectRecord& object) {
    object.settings["temporaryHold"] = true;
    return Ok();
  };
  ASSERT_TRUE(fixture.store().ChangeObject({"bucket", "a", versions[0].generation}, {}, hold).ok());

  const LifecycleReport report = fixture.store().ApplyLifecycle(fixture.clock().Now()).value();

  EXPECT_EQ(report.examined, 5);
  EXPECT_EQ(report.deleted, 2);
  EXPECT_EQ(report.retained, 1);
  const auto page = fixture.store().ListObjects({.bucket = "bucket", .versions = true}).value();
  ASSERT_EQ(page.objects.size(), 3U);
  EXPECT_EQ(page.objects[0].generation, versions[0].generation);
  EXPECT_EQ(page.objects[1].generation, versions[3].generation);
  EXPECT_EQ(page.objects[2].generation, versions[4].generation);
  EXPECT_EQ(fixture.CountBlobs(), 3U);
}

TEST(LifecyclePass, MakesLiveObjectsOfAVersionedBucketNoncurrentFirst) {
  StoreFixture fixture;
  Json settings = Lifecycle({{"age", 1}});
  settings["versioning"] = {{"enabled", true}};
  fixture.MakeBucket("bucket", settings);
  ASSERT_TRUE(fixture.Write("bucket", "a", "bytes").ok());
  fixture.clock().Advance(kDay);

  const auto first = fixture.store().ApplyLifecycle(fixture.clock().Now()).value();
  EXPECT_EQ(first.made_noncurrent, 1);
  EXPECT_EQ(first.deleted, 0);
  EXPECT_FALSE(fixture.store().GetObject({"bucket", "a"}).ok());

  const auto second = fixture.store().ApplyLifecycle(fixture.clock().Now()).value();
  EXPECT_EQ(second.deleted, 1);
  EXPECT_EQ(fixture.CountBlobs(), 0U);
}

}  // namespace
}  // namespace holdfast::storage
