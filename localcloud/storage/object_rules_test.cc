#include "localcloud/storage/object_rules.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace holdfast::storage {
namespace {

const Timestamp kToday = FromUnixMillis(1'790'000'000'000);

TEST(ObjectName, AcceptsAnyUtf8ThatIsNotAPathRule) {
  const std::vector<std::string> names = {"a",
                                          "../../etc/passwd",
                                          "/absolute",
                                          "a//b",
                                          "%2e%2e",
                                          "it's \"quoted\"",
                                          "tab\there",
                                          "übung/日本/🙂",
                                          "a/./b",
                                          "...",
                                          std::string(1024, 'x')};
  for (const std::string& name : names) EXPECT_TRUE(CheckObjectName(name).ok()) << name;
}

TEST(ObjectName, RefusesWhatCloudStorageRefuses) {
  const std::vector<std::string> names = {"",
                                          ".",
                                          "..",
                                          std::string(1025, 'x'),
                                          "line\nfeed",
                                          "carriage\rreturn",
                                          std::string("a\0b", 3),
                                          "escape\x1B",
                                          "\xC0\xAF",
                                          "\xED\xA0\x80",
                                          "\xF5\x80\x80\x80",
                                          "cut\xE2\x82",
                                          ".well-known/acme-challenge/x"};
  for (const std::string& name : names) {
    const Status status = CheckObjectName(name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().id, ErrorId::kStorageInvalid);
  }
}

TEST(BucketName, FollowsTheNamingRules) {
  for (const char* name : {"abc", "a-b_c.d", "0start", "with.dots.inside"}) {
    EXPECT_TRUE(CheckBucketName(name).ok()) << name;
  }
  const std::string long_name(64, 'a');
  for (const char* name : {"ab", "Upper", "-dash", "dash-", "two..dots", "a/b", "../x", "sp ace",
                           long_name.c_str(), ""}) {
    EXPECT_FALSE(CheckBucketName(name).ok()) << name;
  }
}

struct PreconditionCase {
  const char* title;
  Preconditions conditions;
  bool live;                     // generation 7, metageneration 3
  std::optional<ErrorId> write;  // the refusal of a write
  std::optional<ErrorId> read;   // the refusal of a read (only when live)
};

std::optional<ErrorId> RefusalOf(const Status& status) {
  return status.ok() ? std::nullopt : std::optional(status.error().id);
}

TEST(Conditions, AreMetOrRefusedAsDocumented) {
  constexpr auto kPrecondition = ErrorId::kStoragePrecondition;
  constexpr auto kNotModified = ErrorId::kStorageNotModified;
  const std::vector<PreconditionCase> cases = {
      {"none, live", {}, true, {}, {}},
      {"none, absent", {}, false, {}, {}},
      {"match", {.generation_match = 7}, true, {}, {}},
      {"match other", {.generation_match = 8}, true, kPrecondition, kPrecondition},
      {"match 0 on live", {.generation_match = 0}, true, kPrecondition, kPrecondition},
      {"match 0 on absent", {.generation_match = 0}, false, {}, {}},
      {"match on absent", {.generation_match = 7}, false, kPrecondition, {}},
      {"not match", {.generation_not_match = 7}, true, kPrecondition, kNotModified},
      {"not match other", {.generation_not_match = 8}, true, {}, {}},
      {"not match 0 on absent", {.generation_not_match = 0}, false, kPrecondition, {}},
      {"meta match", {.metageneration_match = 3}, true, {}, {}},
      {"meta match other", {.metageneration_match = 4}, true, kPrecondition, kPrecondition},
      {"meta match on absent", {.metageneration_match = 3}, false, kPrecondition, {}},
      {"meta not match", {.metageneration_not_match = 3}, true, kPrecondition, kNotModified},
      {"meta not match other", {.metageneration_not_match = 4}, true, {}, {}},
  };
  const ObjectRecord live{.generation = 7, .metageneration = 3};
  for (const PreconditionCase& test : cases) {
    const ObjectRecord* object = test.live ? &live : nullptr;
    EXPECT_EQ(RefusalOf(CheckWriteConditions(test.conditions, object)), test.write) << test.title;
    if (!test.live) continue;
    EXPECT_EQ(RefusalOf(CheckReadConditions(test.conditions, live)), test.read) << test.title;
  }
}

TEST(Retention, EndsExactlyWhenThePeriodHasPassed) {
  const BucketRecord bucket{.name = "b", .retention = RetentionPolicy{.seconds = 60}};
  const ObjectRecord object{.bucket = "b", .name = "o", .created = kToday};
  EXPECT_FALSE(CheckNotRetained(bucket, object, kToday + std::chrono::seconds{59}).ok());
  EXPECT_TRUE(CheckNotRetained(bucket, object, kToday + std::chrono::seconds{60}).ok());
}

TEST(Retention, OfAnEventBasedHoldBeginsWhenItIsReleased) {
  const BucketRecord bucket{.name = "b", .retention = RetentionPolicy{.seconds = 60}};
  ObjectRecord object{.created = kToday, .settings = {{"eventBasedHold", true}}};
  EXPECT_EQ(RetentionExpiration(bucket, object), std::nullopt);
  EXPECT_FALSE(CheckNotRetained(bucket, object, kToday + std::chrono::hours{1}).ok());
  object.settings["eventBasedHold"] = false;
  object.retention_start = kToday + std::chrono::hours{1};
  EXPECT_EQ(RetentionExpiration(bucket, object),
            kToday + std::chrono::hours{1} + std::chrono::seconds{60});
}

TEST(Retention, OfATemporaryHoldNeedsNoPolicy) {
  const ObjectRecord object{.settings = {{"temporaryHold", true}}};
  const Status status = CheckNotRetained(BucketRecord{}, object, kToday);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, ErrorId::kStorageRetained);
}

TEST(RetentionChange, OfALockedPolicyOnlyExtends) {
  const BucketRecord locked{.retention = RetentionPolicy{.seconds = 60, .locked = true}};
  BucketRecord after = locked;
  after.retention->seconds = 61;
  EXPECT_TRUE(CheckRetentionChange(locked, after).ok());
  after.retention->seconds = 59;
  EXPECT_EQ(CheckRetentionChange(locked, after).error().id, ErrorId::kStoragePolicyLocked);
  after.retention.reset();
  EXPECT_EQ(CheckRetentionChange(locked, after).error().id, ErrorId::kStoragePolicyLocked);
  const BucketRecord open{.retention = RetentionPolicy{.seconds = 60}};
  EXPECT_TRUE(CheckRetentionChange(open, after).ok());
}

TEST(AfterPrefix, IsTheLeastStringBeyondThePrefix) {
  EXPECT_EQ(AfterPrefix("a/"), "a0");
  EXPECT_EQ(AfterPrefix("a\xFF"), "b");
  EXPECT_EQ(AfterPrefix("\xFF\xFF"), std::nullopt);
  EXPECT_EQ(AfterPrefix(""), std::nullopt);
}

// The definition itself, exponential but plainly right.
bool MatchesByDefinition(const std::string& pattern, const std::string& name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] != '*') {
    return !name.empty() && name[0] == pattern[0] &&
           MatchesByDefinition(pattern.substr(1), name.substr(1));
  }
  for (size_t taken = 0; taken <= name.size(); ++taken) {
    if (MatchesByDefinition(pattern.substr(1), name.substr(taken))) return true;
  }
  return false;
}

TEST(Wildcard, MatchesAsItsDefinitionSays) {
  const auto text = rc::gen::container<std::string>(rc::gen::element('a', 'b', '/'));
  const auto pattern = rc::gen::container<std::string>(rc::gen::element('a', 'b', '/', '*'));
  EXPECT_TRUE(rc::check([&] {
    const std::string shape = (*pattern).substr(0, 8);
    const std::string name = (*text).substr(0, 10);
    RC_ASSERT(MatchesWildcard(shape, name) == MatchesByDefinition(shape, name));
  }));
}

}  // namespace
}  // namespace holdfast::storage
