#include "model/quota_plan.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/check.h"

namespace holdfast {

namespace {

constexpr int64_t kDayMs = int64_t{24} * 60 * 60 * 1000;

// What goes first is less. Ties are broken by the items' own order, so that a plan made twice is
// the same.
struct Urgency {
  int rank;
  int64_t time_ms;
  uint32_t index;

  auto operator<=>(const Urgency&) const = default;
};

Urgency UrgencyOf(const QuotaItem& item, uint32_t index, int64_t now_ms) {
  if (item.data_class == DataClass::kCritical) return {0, item.due_ms, index};
  if (now_ms - item.waiting_since_ms >= kAgingDays * kDayMs) {
    return {1, item.waiting_since_ms, index};
  }
  return {item.data_class == DataClass::kImportant ? 2 : 3, item.due_ms, index};
}

std::vector<uint32_t> OrderOf(const std::vector<QuotaItem>& items, int64_t now_ms) {
  std::vector<Urgency> urgencies;
  urgencies.reserve(items.size());
  for (uint32_t i = 0; i < items.size(); ++i) urgencies.push_back(UrgencyOf(items[i], i, now_ms));
  std::ranges::sort(urgencies);
  std::vector<uint32_t> order;
  order.reserve(items.size());
  for (const Urgency& urgency : urgencies) order.push_back(urgency.index);
  return order;
}

void AddTo(QuotaAmounts& amounts, const QuotaAmounts& more) {
  for (size_t i = 0; i < kPlannedQuotas; ++i) amounts[i] += more[i];
}

// One project's quotas while its items are gone through in order.
struct Budget {
  QuotaAmounts left{};     // of today
  QuotaAmounts limit{};    // of a day
  QuotaAmounts taken{};    // by what runs today
  QuotaAmounts carried{};  // by what does not, so far

  explicit Budget(const QuotaProject& project) : limit(project.limit) {
    for (size_t i = 0; i < kPlannedQuotas; ++i) {
      left[i] = std::max<int64_t>(project.limit[i] - project.used[i], 0);
    }
  }

  std::optional<Quota> ShortOf(const QuotaAmounts& use) const {
    for (size_t i = 0; i < kPlannedQuotas; ++i) {
      if (use[i] > left[i]) return static_cast<Quota>(i);
    }
    return std::nullopt;
  }

  void Take(const QuotaAmounts& use) {
    for (size_t i = 0; i < kPlannedQuotas; ++i) left[i] -= use[i];
    AddTo(taken, use);
  }

  // The day on which it is expected, 1 being tomorrow, behind all that was carried before.
  int Carry(const QuotaAmounts& use) {
    int64_t day = 1;
    for (size_t i = 0; i < kPlannedQuotas; ++i) {
      if (use[i] == 0) continue;
      carried[i] += use[i];
      day = std::max(day, (carried[i] - 1) / std::max<int64_t>(limit[i], 1) + 1);
    }
    return static_cast<int>(std::min<int64_t>(day, std::numeric_limits<int>::max()));
  }
};

QuotaVerdict Decide(const QuotaItem& item, Budget& budget) {
  QuotaVerdict verdict;
  for (size_t i = 0; i < item.unit_bytes.size(); ++i) {
    QuotaAmounts use = UseOf(item.method, item.unit_bytes[i]);
    if (item.freezes && i == 0) AddTo(use, UseOfFreeze());
    if (!verdict.short_of) verdict.short_of = budget.ShortOf(use);
    if (verdict.short_of) {
      verdict.days_later = std::max(verdict.days_later, budget.Carry(use));
    } else {
      budget.Take(use);
      ++verdict.units_today;
    }
  }
  return verdict;
}

}  // namespace

DataClass DataClassOf(std::string_view name) {
  if (name == "critical") return DataClass::kCritical;
  return name == "reference" ? DataClass::kReference : DataClass::kImportant;
}

std::optional<Quota> NeverFits(Method method, int64_t bytes, const QuotaAmounts& limit) {
  const QuotaAmounts use = UseOf(method, bytes);
  for (size_t i = 0; i < kPlannedQuotas; ++i) {
    if (use[i] > limit[i]) return static_cast<Quota>(i);
  }
  return std::nullopt;
}

QuotaPlan PlanQuota(const std::vector<QuotaProject>& projects, const std::vector<QuotaItem>& items,
                    int64_t now_ms) {
  CHECK(items.size() < std::numeric_limits<uint32_t>::max(), "more items than a plan counts");
  std::vector<Budget> budgets(projects.begin(), projects.end());
  QuotaPlan plan;
  plan.order = OrderOf(items, now_ms);
  plan.verdicts.resize(items.size());
  for (const uint32_t index : plan.order) {
    const QuotaItem& item = items[index];
    QuotaVerdict& verdict = plan.verdicts[index];
    verdict = Decide(item, budgets.at(item.project));
    plan.units_today += static_cast<int64_t>(verdict.units_today);
    plan.units_carried += static_cast<int64_t>(item.unit_bytes.size() - verdict.units_today);
    plan.days = std::max(plan.days, verdict.days_later + 1);
  }
  plan.taken.reserve(budgets.size());
  plan.carried.reserve(budgets.size());
  for (const Budget& budget : budgets) {
    plan.taken.push_back(budget.taken);
    plan.carried.push_back(budget.carried);
  }
  return plan;
}

}  // namespace holdfast
