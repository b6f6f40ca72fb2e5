#include "model/quota_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace holdfast {
namespace {

int64_t LimitOf(const QuotaLimits& limits, const char* project, Quota quota) {
  return limits.Of(project)[static_cast<size_t>(quota)];
}

TEST(Quotas, HaveANameLimitAndSourceEach) {
  std::set<std::string_view> names;
  for (const QuotaEntry& entry : AllQuotas()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_GT(entry.limit, 0) << entry.name;
    EXPECT_FALSE(entry.source.empty()) << entry.name;
    EXPECT_FALSE(QuotaScopeText(entry.scope).empty()) << entry.name;
  }
  EXPECT_GE(names.size(), 15U);
}

TEST(Quotas, AreGooglesOwnUnlessSet) {
  const QuotaLimits limits;
  EXPECT_EQ(LimitOf(limits, "p", Quota::kCopyJobs), 100'000);
  EXPECT_EQ(LimitOf(limits, "p", Quota::kSnapshotJobs), 50'000);
  EXPECT_EQ(LimitOf(limits, "p", Quota::kExtractJobs), 100'000);
  EXPECT_EQ(LimitOf(limits, "p", Quota::kExtractBytes), int64_t{50} << 40U);
  EXPECT_EQ(limits.ToJson(), Json::object());
}

TEST(Quotas, AreSetForAllProjectsAndForOne) {
  const Json json = {{"copy_jobs_per_day", 50},
                     {"projects", {{"acme-big", {{"copy_jobs_per_day", 400'000}}}}}};
  const auto limits = QuotaLimits::FromJson(json);
  ASSERT_TRUE(limits.ok()) << limits.error().message;
  EXPECT_EQ(LimitOf(*limits, "acme-shop", Quota::kCopyJobs), 50);
  EXPECT_EQ(LimitOf(*limits, "acme-big", Quota::kCopyJobs), 400'000);
  EXPECT_EQ(LimitOf(*limits, "acme-big", Quota::kExtractJobs), 100'000);
  EXPECT_EQ(limits->ToJson(), json);
}

TEST(Quotas, AreRefusedBeyondTheirBoundsWithTheMembersName) {
  const struct {
    const char* json;
    const char* names;
  } kCases[] = {
      {R"({"copy_jobs_per_day": 0})", "copy_jobs_per_day"},
      {R"({"copy_jobs_per_day": -1})", "copy_jobs_per_day"},
      {R"({"copy_jobs_per_day": 100000001})", "1 to 100000000"},
      {R"({"copy_jobs_per_day": 18446744073709551615})", "1 to 100000000"},
      {R"({"copy_jobs_per_day": 1.5})", "whole number"},
      {R"({"copy_jobs_per_day": "many"})", "whole number"},
      {R"({"copy_jobs": 5})", "\"copy_jobs\" is none"},
      {R"({"load_jobs_per_day": 5})", "is none that can be set"},
      {R"({"projects": []})", "projects"},
      {R"({"projects": {"a b": {}}})", "a b"},
      {R"({"projects": {"acme-big": 7}})", "acme-big"},
      {R"({"projects": {"acme-big": {"projects": {}}}})", "within"},
      {R"([])", "not a map"},
  };
  for (const auto& at : kCases) {
    const auto limits = QuotaLimits::FromJson(Json::parse(at.json));
    ASSERT_FALSE(limits.ok()) << at.json;
    EXPECT_EQ(limits.error().id, ErrorId::kConfigInvalid);
    EXPECT_THAT(limits.error().message, testing::HasSubstr(at.names)) << at.json;
  }
}

TEST(Quotas, AreUsedByTheMethodThatRunsJobs) {
  EXPECT_EQ(UseOf(Method::kExport, 7), (QuotaAmounts{1, 7, 0, 0}));
  EXPECT_EQ(UseOf(Method::kCopy, 7), (QuotaAmounts{0, 0, 1, 0}));
  EXPECT_EQ(UseOf(Method::kSnapshot, 7), (QuotaAmounts{0, 0, 1, 1}));
  EXPECT_EQ(UseOf(Method::kDefinition, 7), QuotaAmounts{});
}

// Midnight in California, in winter and in summer, and on the two days of 2026 that are not of 24
// hours.
TEST(QuotaDay, BeginsAtMidnightPacificTime) {
  const struct {
    const char* now;
    const char* start;
    const char* next;
    const char* date;
  } kCases[] = {
      {"2026-01-15T07:59:59Z", "2026-01-14T08:00:00Z", "2026-01-15T08:00:00Z", "2026-01-14"},
      {"2026-01-15T08:00:00Z", "2026-01-15T08:00:00Z", "2026-01-16T08:00:00Z", "2026-01-15"},
      {"2026-07-01T06:59:00Z", "2026-06-30T07:00:00Z", "2026-07-01T07:00:00Z", "2026-06-30"},
      {"2026-03-08T20:00:00Z", "2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z", "2026-03-08"},
      {"2026-11-01T20:00:00Z", "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z", "2026-11-01"},
  };
  for (const auto& at : kCases) {
    const Timestamp now = ParseTimestamp(at.now).value();
    EXPECT_EQ(FormatTimestamp(QuotaDayStart(now)), at.start) << at.now;
    EXPECT_EQ(FormatTimestamp(QuotaDayStart(now, 1)), at.next) << at.now;
    EXPECT_EQ(QuotaDate(now), at.date) << at.now;
  }
}

}  // namespace
}  // namespace holdfast
