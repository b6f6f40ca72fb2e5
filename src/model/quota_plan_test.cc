#include "model/quota_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace holdfast {
namespace {

using testing::ElementsAre;

constexpr int64_t kDay = int64_t{24} * 60 * 60 * 1000;
constexpr int64_t kNow = 1'790'000'000'000;

QuotaProject CopyProject(int64_t limit, int64_t used = 0) {
  QuotaProject project{.id = "p", .limit = QuotaLimits().Of("p")};
  project.limit[static_cast<size_t>(Quota::kCopyJobs)] = limit;
  project.used[static_cast<size_t>(Quota::kCopyJobs)] = used;
  return project;
}

QuotaItem Copy(DataClass data_class, int64_t days_waiting = 0, size_t units = 1) {
  return {.method = Method::kCopy,
          .data_class = data_class,
          .waiting_since_ms = kNow - days_waiting * kDay,
          .due_ms = kNow - days_waiting * kDay,
          .unit_bytes = std::vector<int64_t>(units, 1)};
}

TEST(QuotaPlan, PutsCriticalFirstThenWhatWaitedLongThenImportantThenReference) {
  const std::vector<QuotaItem> items = {
      Copy(DataClass::kReference),    Copy(DataClass::kImportant),
      Copy(DataClass::kCritical),     Copy(DataClass::kReference, kAgingDays),
      Copy(DataClass::kImportant, 1), Copy(DataClass::kReference, kAgingDays + 1),
      Copy(DataClass::kCritical, 1),
  };
  EXPECT_THAT(PlanQuota({CopyProject(100)}, items, kNow).order, ElementsAre(6, 2, 5, 3, 4, 1, 0));
}

TEST(QuotaPlan, TakesWithinAClassWhatIsDueFirst) {
  std::vector<QuotaItem> items(3, Copy(DataClass::kImportant));
  items[0].due_ms = kNow + kDay;
  items[1].due_ms = std::numeric_limits<int64_t>::max();
  items[2].due_ms = kNow - kDay;
  EXPECT_THAT(PlanQuota({CopyProject(100)}, items, kNow).order, ElementsAre(2, 0, 1));
}

TEST(QuotaPlan, CarriesWhatDoesNotFitWithTheQuotaAndTheDay) {
  const std::vector<QuotaItem> items = {Copy(DataClass::kReference, 0, 25),
                                        Copy(DataClass::kCritical, 0, 5)};
  const QuotaPlan plan = PlanQuota({CopyProject(10, 2)}, items, kNow);
  EXPECT_EQ(plan.verdicts[1], (QuotaVerdict{.units_today = 5}));
  EXPECT_EQ(plan.verdicts[0],
            (QuotaVerdict{.units_today = 3, .short_of = Quota::kCopyJobs, .days_later = 3}));
  EXPECT_EQ(plan.units_today, 8);
  EXPECT_EQ(plan.units_carried, 22);
  EXPECT_EQ(plan.taken, (std::vector<QuotaAmounts>{{0, 0, 8, 0}}));
  EXPECT_EQ(plan.carried, (std::vector<QuotaAmounts>{{0, 0, 22, 0}}));
  EXPECT_EQ(plan.days, 4);
}

TEST(QuotaPlan, CountsOneCloneOfATableThatIsHeldStill) {
  QuotaItem frozen = Copy(DataClass::kImportant, 0, 3);
  frozen.freezes = true;
  EXPECT_EQ(PlanQuota({CopyProject(4)}, {frozen}, kNow).verdicts[0].units_today, 3U);
  const QuotaPlan plan = PlanQuota({CopyProject(3)}, {frozen}, kNow);
  EXPECT_EQ(plan.verdicts[0].units_today, 2U);
  EXPECT_EQ(plan.taken, (std::vector<QuotaAmounts>{{0, 0, 3, 0}}));
}

TEST(QuotaPlan, ExpectsWhatFillsADayExactlyOnThatDay) {
  for (const auto& [units, days] : {std::pair<size_t, int>{20, 1}, {21, 2}, {30, 2}, {31, 3}}) {
    const QuotaPlan plan =
        PlanQuota({CopyProject(10)}, {Copy(DataClass::kImportant, 0, units)}, kNow);
    EXPECT_EQ(plan.verdicts[0].days_later, days) << units;
  }
}

TEST(QuotaPlan, KeepsTheProjectsApart) {
  std::vector<QuotaItem> items(4, Copy(DataClass::kImportant));
  items[2].project = items[3].project = 1;
  const QuotaPlan plan = PlanQuota({CopyProject(1), CopyProject(2)}, items, kNow);
  EXPECT_EQ(plan.verdicts[0].units_today, 1U);
  EXPECT_EQ(plan.verdicts[1].units_today, 0U);
  EXPECT_EQ(plan.verdicts[2].units_today + plan.verdicts[3].units_today, 2U);
}

TEST(QuotaPlan, CountsBytesOfExportsAndLetsSmallOnesPassALargeOne) {
  const int64_t tebibyte = int64_t{1} << 40U;
  QuotaItem large{
      .method = Method::kExport, .data_class = DataClass::kCritical, .unit_bytes = {40 * tebibyte}};
  QuotaItem small = large;
  small.data_class = DataClass::kReference;
  small.unit_bytes = {tebibyte};
  QuotaProject project{.id = "p", .limit = QuotaLimits().Of("p")};
  project.used[static_cast<size_t>(Quota::kExtractBytes)] = 20 * tebibyte;
  const QuotaPlan plan = PlanQuota({project}, {large, small}, kNow);
  EXPECT_EQ(plan.verdicts[0].short_of, Quota::kExtractBytes);
  EXPECT_EQ(plan.verdicts[0].days_later, 1);
  EXPECT_EQ(plan.verdicts[1].units_today, 1U);
}

TEST(QuotaPlan, NamesWhatFitsNoDay) {
  const QuotaAmounts limit = QuotaLimits().Of("p");
  EXPECT_EQ(NeverFits(Method::kExport, limit[1] + 1, limit), Quota::kExtractBytes);
  EXPECT_EQ(NeverFits(Method::kExport, limit[1], limit), std::nullopt);
  EXPECT_EQ(NeverFits(Method::kCopy, limit[1] + 1, limit), std::nullopt);
}

TEST(QuotaPlan, OfNothingTakesADay) {
  const QuotaPlan plan = PlanQuota({}, {}, kNow);
  EXPECT_EQ(plan.units_today + plan.units_carried, 0);
  EXPECT_EQ(plan.days, 1);
}

// A random organization: projects with limits, some of it used, items of all classes and methods.
struct World {
  std::vector<QuotaProject> projects;
  std::vector<QuotaItem> items;
};

World RandomWorld(uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](int64_t bound) { return static_cast<int64_t>(random() % bound); };
  World world;
  for (int64_t i = 1 + below(3); i > 0; --i) {
    QuotaProject project{.id = "p" + std::to_string(i)};
    for (size_t q = 0; q < kPlannedQuotas; ++q) {
      project.limit[q] = 20 + below(40);
      project.used[q] = below(70);  // more than the limit now and then: others may have raised it
    }
    world.projects.push_back(std::move(project));
  }
  constexpr Method kMethods[] = {Method::kExport, Method::kCopy, Method::kSnapshot,
                                 Method::kDefinition};
  for (int64_t i = below(60); i > 0; --i) {
    QuotaItem item{.project = static_cast<uint32_t>(below(world.projects.size())),
                   .method = kMethods[below(4)],
                   .data_class = static_cast<DataClass>(below(3)),
                   .waiting_since_ms = kNow - below(6) * kDay,
                   .due_ms = kNow + below(100) * kDay / 10};
    for (int64_t u = 1 + below(5); u > 0; --u) item.unit_bytes.push_back(below(20));
    world.items.push_back(std::move(item));
  }
  return world;
}

TEST(QuotaPlan, NeverExceedsALimitAndLosesNothing) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    const World world = RandomWorld(seed);
    const QuotaPlan plan = PlanQuota(world.projects, world.items, kNow);
    std::vector<QuotaAmounts> taken(world.projects.size());
    int64_t units = 0;
    for (size_t i = 0; i < world.items.size(); ++i) {
      const QuotaItem& item = world.items[i];
      const QuotaVerdict& verdict = plan.verdicts[i];
      units += static_cast<int64_t>(item.unit_bytes.size());
      ASSERT_LE(verdict.units_today, item.unit_bytes.size());
      // Carried if and only if something says why and when.
      const bool carried = verdict.units_today < item.unit_bytes.size();
      ASSERT_EQ(carried, verdict.short_of.has_value()) << seed;
      ASSERT_EQ(carried, verdict.days_later > 0) << seed;
      for (size_t u = 0; u < verdict.units_today; ++u) {
        const QuotaAmounts use = UseOf(item.method, item.unit_bytes[u]);
        for (size_t q = 0; q < kPlannedQuotas; ++q) taken[item.project][q] += use[q];
      }
      ASSERT_LT(verdict.days_later, plan.days) << seed;
    }
    ASSERT_EQ(plan.units_today + plan.units_carried, units) << seed;
    ASSERT_EQ(plan.taken, taken) << seed;
    for (size_t p = 0; p < taken.size(); ++p) {
      for (size_t q = 0; q < kPlannedQuotas; ++q) {
        const int64_t left = world.projects[p].limit[q] - world.projects[p].used[q];
        ASSERT_LE(taken[p][q], std::max<int64_t>(left, 0)) << seed;
      }
    }
    std::vector<uint32_t> order = plan.order;
    std::ranges::sort(order);
    for (uint32_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i) << seed;
  }
}

// Whoever goes first in the order is never short of jobs that somebody behind took.
TEST(QuotaPlan, NeverTakesAJobFromWhatGoesFirst) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    World world = RandomWorld(seed);
    for (QuotaItem& item : world.items) item.method = Method::kCopy;
    const QuotaPlan plan = PlanQuota(world.projects, world.items, kNow);
    std::vector<bool> is_full(world.projects.size());
    for (const uint32_t index : plan.order) {
      const uint32_t project = world.items[index].project;
      if (plan.verdicts[index].units_today > 0) {
        ASSERT_FALSE(is_full[project]) << seed;
      }
      if (plan.verdicts[index].short_of) is_full[project] = true;
    }
  }
}

TEST(QuotaPlan, RunsNoLessWhenALimitIsRaised) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    World world = RandomWorld(seed);
    for (QuotaItem& item : world.items) item.method = Method::kSnapshot;
    const QuotaPlan before = PlanQuota(world.projects, world.items, kNow);
    for (QuotaProject& project : world.projects) {
      for (int64_t& limit : project.limit) limit += 7;
    }
    const QuotaPlan after = PlanQuota(world.projects, world.items, kNow);
    for (size_t i = 0; i < world.items.size(); ++i) {
      ASSERT_GE(after.verdicts[i].units_today, before.verdicts[i].units_today) << seed;
      ASSERT_LE(after.verdicts[i].days_later, before.verdicts[i].days_later) << seed;
    }
  }
}

// 60 days on which critical data takes 30 of 50 jobs and new important data wants 40 more each day:
// reference data that came on the first day runs all the same, once it has waited long enough.
TEST(QuotaPlan, StarvesNothingWhileCriticalDataLeavesRoom) {
  constexpr int kReferenceItems = 15;
  std::vector<QuotaItem> waiting;
  for (int i = 0; i < kReferenceItems; ++i) waiting.push_back(Copy(DataClass::kReference));
  int last_reference_day = -1;
  int longest_important_wait = 0;
  for (int day = 0; day < 60; ++day) {
    const int64_t now = kNow + day * kDay;
    const auto want = [&](DataClass data_class, int count) {
      for (int i = 0; i < count; ++i) {
        QuotaItem item = Copy(data_class);
        item.waiting_since_ms = item.due_ms = now;
        waiting.push_back(std::move(item));
      }
    };
    want(DataClass::kCritical, 30);
    // No more than the objects that there are: what waits is not wanted twice.
    const auto important =
        std::ranges::count(waiting, DataClass::kImportant, &QuotaItem::data_class);
    want(DataClass::kImportant, 40 - static_cast<int>(important));
    const QuotaPlan plan = PlanQuota({CopyProject(50)}, waiting, now);
    std::vector<QuotaItem> carried;
    for (size_t i = 0; i < waiting.size(); ++i) {
      if (plan.verdicts[i].units_today == 0) {
        ASSERT_NE(waiting[i].data_class, DataClass::kCritical) << day;
        carried.push_back(waiting[i]);
        continue;
      }
      const int waited = static_cast<int>((now - waiting[i].waiting_since_ms) / kDay);
      if (waiting[i].data_class == DataClass::kReference) last_reference_day = day;
      if (waiting[i].data_class == DataClass::kImportant) {
        longest_important_wait = std::max(longest_important_wait, waited);
      }
    }
    waiting = std::move(carried);
  }
  EXPECT_EQ(std::ranges::count(waiting, DataClass::kReference, &QuotaItem::data_class), 0);
  EXPECT_GE(last_reference_day, kAgingDays);
  EXPECT_LE(last_reference_day, kAgingDays + 1);
  EXPECT_LE(longest_important_wait, kAgingDays + 1);
}

}  // namespace
}  // namespace holdfast
