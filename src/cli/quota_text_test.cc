#include "cli/quota_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using testing::ElementsAre;

backup::QuotaForecast ForecastOf(int64_t limit, int64_t used, int copies) {
  backup::QuotaForecast forecast;
  forecast.projects = {{.id = "acme-shop", .limit = {100, 100, limit, 100}, .used = {0, 0, used}}};
  const std::vector<QuotaItem> items(static_cast<size_t>(copies),
                                     {.method = Method::kCopy, .unit_bytes = {1}});
  forecast.plan = PlanQuota(forecast.projects, items, 0);
  return forecast;
}

TEST(QuotaText, SaysNothingWhenEverythingFits) {
  EXPECT_TRUE(ForecastText(ForecastOf(10, 0, 10)).empty());
}

TEST(QuotaText, SaysWhatDoesNotFitAndHowLongAllOfItTakes) {
  EXPECT_THAT(ForecastText(ForecastOf(50, 0, 180)),
              ElementsAre("The day's quotas are too small: 50 jobs would run today, 130 would be "
                          "carried. All of it takes 4 days.",
                          "  acme-shop: 180 copy jobs wanted, of 50 copy jobs a day"));
  EXPECT_THAT(ForecastText(ForecastOf(50, 49, 2)),
              ElementsAre("The day's quotas are too small: 1 job would run today, 1 would be "
                          "carried. All of it takes 2 days.",
                          "  acme-shop: 2 copy jobs wanted, of 50 copy jobs a day, 49 copy jobs "
                          "used today"));
}

TEST(QuotaText, NamesWhatFitsNoDay) {
  backup::QuotaForecast forecast = ForecastOf(10, 0, 1);
  forecast.days_later = {{0, -1}, {-1}};
  EXPECT_THAT(ForecastText(forecast),
              ElementsAre("2 objects need more than a whole day's quota, and would fail (B0020)."));
}

TEST(QuotaText, NamesTheDay) {
  const Timestamp now = ParseTimestamp("2026-11-21T20:00:00Z").value();
  EXPECT_EQ(DayText(now, 0), "2026-11-21");
  EXPECT_EQ(DayText(now, 2), "2026-11-23");
  EXPECT_EQ(DayText(now, -1), "never");
}

}  // namespace
}  // namespace holdfast::cli
