// Quota plan: what runs today, in which order, and what is carried to a later day, pure.
//
// Order: critical data first; then whatever has waited kAgingDays, the longest first; then
// important, then reference data; within a class what is due first by its RPO, which a first wish
// in the past makes earlier. What does not fit a project's limit today is carried with the quota
// that it is short of; what comes later in the order and is small enough may still run.
//
// No starvation: after kAgingDays only critical data and what has waited longer goes before an
// item, and both are finite, so it runs as soon as its smallest part fits what critical data
// leaves. A part that is larger than that is never carried for ever unseen: it is in every report.
// O(n log n) in items, about 100 bytes an item. Source: issue "quotas"; google-semantics #29.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/method.h"
#include "model/quota_limits.h"

namespace holdfast {

// Days after which a waiting item goes before all that is not critical.
inline constexpr int kAgingDays = 3;

enum class DataClass : uint8_t { kCritical, kImportant, kReference };

// By the names of the data classes; another, or none, counts as important: only what somebody
// called reference may wait for it.
DataClass DataClassOf(std::string_view name);

// A project whose quotas are used.
struct QuotaProject {
  std::string id;
  QuotaAmounts limit{};  // of one day
  QuotaAmounts used{};   // today already
};

// One table, or partitions of one: what one message asks for.
struct QuotaItem {
  uint32_t project = 0;  // index of the one in which its jobs run
  Method method = Method::kExport;
  DataClass data_class = DataClass::kImportant;
  int64_t waiting_since_ms = 0;  // when it was first wanted and not done; now if it never waited
  int64_t due_ms = std::numeric_limits<int64_t>::max();  // by its RPO; max: it has none
  std::vector<int64_t> unit_bytes;                       // of each object, each one job
  bool freezes = false;                                  // the first of them takes a clone besides
};

struct QuotaVerdict {
  size_t units_today = 0;         // the first so many of its objects run today
  std::optional<Quota> short_of;  // of what the next one found too little; nullopt: all run
  int days_later = 0;             // when the last of it is expected to run; 0: today
  bool operator==(const QuotaVerdict&) const = default;
};

struct QuotaPlan {
  std::vector<uint32_t> order;         // of items, what goes first first
  std::vector<QuotaVerdict> verdicts;  // by item
  std::vector<QuotaAmounts> taken;     // by project: what runs today takes
  std::vector<QuotaAmounts> carried;   // by project: what does not would take
  int64_t units_today = 0;
  int64_t units_carried = 0;
  int days = 1;  // until all of it has run, today included, if nothing new comes
};

// The quota of which an object needs more than the whole day's limit, so that it fits no day;
// nullopt: it fits one.
std::optional<Quota> NeverFits(Method method, int64_t bytes, const QuotaAmounts& limit);

// The plan at this moment. Objects that never fit are not among the items.
QuotaPlan PlanQuota(const std::vector<QuotaProject>& projects, const std::vector<QuotaItem>& items,
                    int64_t now_ms);

}  // namespace holdfast
