#include "model/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using testing::HasSubstr;

TEST(TimeSpan, ReadsAndWritesResticsForm) {
  const auto span = ParseTimeSpan("2y5m7d3h");
  ASSERT_TRUE(span.ok());
  EXPECT_EQ(*span, (TimeSpan{.years = 2, .months = 5, .days = 7, .hours = 3}));
  EXPECT_EQ(ParseTimeSpan("3h2w")->ToString(), "2w3h");
  EXPECT_EQ(ParseTimeSpan("0d")->ToString(), "0h");
}

TEST(TimeSpan, RefusesAnythingElse) {
  for (const char* text : {"", "7", "d", "7D", "-7d", "+7d", "7d7d", "1.5d", "7 d", " 7d", "7d ",
                           "1001y", "99999999999d", "5s"}) {
    const auto span = ParseTimeSpan(text);
    ASSERT_FALSE(span.ok()) << text;
    EXPECT_EQ(span.error().id, ErrorId::kRetentionInvalid);
  }
}

TEST(Calendar, CountsBackByTheCalendar) {
  const auto before = [](const char* zone, const char* at, const char* span) {
    return FormatTimestamp(
        Calendar::Of(zone)->Before(ParseTimestamp(at).value(), ParseTimeSpan(span).value()));
  };
  EXPECT_EQ(before("UTC", "2026-03-31T10:00:00Z", "1m"), "2026-02-28T10:00:00Z");
  EXPECT_EQ(before("UTC", "2024-02-29T10:00:00Z", "1y"), "2023-02-28T10:00:00Z");
  EXPECT_EQ(before("UTC", "2026-01-01T00:00:00Z", "1w1h"), "2025-12-24T23:00:00Z");
  // A day before the clocks went forward it was noon too, 23 hours earlier.
  EXPECT_EQ(before("America/New_York", "2026-03-08T16:00:00Z", "1d"), "2026-03-07T17:00:00Z");
  EXPECT_EQ(before("America/New_York", "2026-03-08T16:00:00Z", "24h"), "2026-03-07T16:00:00Z");
  // Half past two was left out on the 8th.
  EXPECT_EQ(before("America/New_York", "2026-03-09T06:30:00Z", "1d"), "2026-03-08T07:00:00Z");
}

TEST(Calendar, RefusesAnUnknownZone) {
  EXPECT_FALSE(Calendar::Of("Mars/Olympus").ok());
  EXPECT_FALSE(Calendar::Of("").ok());
}

TEST(RetentionPolicy, ComesBackFromItsJson) {
  for (const char* text :
       {R"({})", R"({"keep_daily":7,"keep_hourly":"unlimited","keep_last":3,"keep_yearly":1})",
        R"({"keep_within":"2y5m7d3h","keep_within_weekly":"3m"})",
        R"({"max_age":"1y","max_versions":9,"minimum_age":"3d","minimum_count":0})",
        R"({"deleted_source":{"grace":"7m","keep_last":1,"minimum_count":1},"keep_last":2})",
        R"({"keep_daily":7,"time_zone":"Europe/Berlin"})", R"({"preset":"bbq"})",
        R"({"grace_months":3,"keep_young":5,"preset":"bbq","young_old_months":2})"}) {
    const auto policy = RetentionPolicy::FromJson(ParseJson(text).value());
    ASSERT_TRUE(policy.ok()) << text << policy.error().message;
    EXPECT_EQ(DumpJson(policy->ToJson()), text);
    EXPECT_EQ(RetentionPolicy::FromJson(policy->ToJson()).value(), *policy);
  }
}

TEST(RetentionPolicy, LaysOtherMembersOverAPreset) {
  const auto policy =
      RetentionPolicy::FromJson(ParseJson(R"({"preset": "gfs", "keep_weekly": 4})").value());
  EXPECT_EQ(DumpJson(policy->ToJson()),
            R"({"keep_daily":7,"keep_monthly":12,"keep_weekly":4,"keep_yearly":10})");
}

TEST(RetentionPolicy, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "not an object"},
      {R"({"keep_dayly": 7})", "keep_dayly"},
      {R"({"keep_daily": "7"})", "keep_daily"},
      {R"({"keep_daily": -1})", "keep_daily"},
      {R"({"keep_daily": 1.5})", "keep_daily"},
      {R"({"keep_within": 7})", "keep_within"},
      {R"({"keep_within_monthly": "7x"})", "keep_within_monthly"},
      {R"({"max_versions": "unlimited"})", "max_versions"},
      {R"({"time_zone": "Mars/Olympus"})", "Mars/Olympus"},
      {R"({"time_zone": 1})", "time_zone"},
      {R"({"preset": "qbb"})", "qbb"},
      {R"({"preset": "bbq", "keep_last": 3})", "keep_last"},
      {R"({"preset": "bbq", "grace_months": 0})", "grace_months"},
      {R"({"keep_young": 3})", "keep_young"},
      {R"({"deleted_source": {}})", "deleted_source.grace"},
      {R"({"deleted_source": {"grace": "0d"}})", "deleted_source.grace"},
      {R"({"deleted_source": {"grace": "1d", "time_zone": "UTC"}})", "deleted_source.time_zone"},
      {R"({"deleted_source": true})", "deleted_source"},
  };
  for (const auto& [text, part] : cases) {
    const auto policy = RetentionPolicy::FromJson(ParseJson(text).value());
    ASSERT_FALSE(policy.ok()) << text;
    EXPECT_EQ(policy.error().id, ErrorId::kRetentionInvalid);
    EXPECT_THAT(policy.error().message, HasSubstr(part));
  }
}

}  // namespace
}  // namespace holdfast
