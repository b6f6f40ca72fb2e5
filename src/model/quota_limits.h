// Quota limits: how much Google lets a project do in a day, and how much of that a run may use.
//
// The figures are data (quota_limits.def) with their source; those by which runs are planned may be
// set in the configuration, for all projects or for one whose quota was raised. A quota day begins
// at midnight Pacific Time: "Daily quotas are reset at midnight Pacific Time" (BigQuery, "Create
// custom query quotas"). Google adds that most are replenished in smaller steps all day long, so
// what is planned is a lower bound and an answer of quotaExceeded is handled all the same. Plain
// values; pure. Source: issue "quotas"; DESIGN §3 "Registries are data".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/method.h"

namespace holdfast {

enum class Quota {
#define HF_QUOTA(name, text, limit, unit, scope, what, handling, source) name,
#include "model/quota_limits.def"
#undef HF_QUOTA
};

enum class QuotaUnit { kCount, kBytes };

// What a limit is for: "of one project in one day" and so on.
enum class QuotaScope {
  kProjectDay,
  kTableDay,
  kTable,
  kJob,
  kAtOnce,
  kUserSecond,
  kProjectSecond,
};

struct QuotaEntry {
  Quota quota;
  std::string_view name;  // "copy_jobs_per_day"
  int64_t limit;
  QuotaUnit unit;
  QuotaScope scope;
  std::string_view what;
  std::string_view handling;
  std::string_view source;  // the part of Google's page
};

// All of them, in the list's order.
std::span<const QuotaEntry> AllQuotas();

// "per project and day"
std::string_view QuotaScopeText(QuotaScope scope);

// The quotas by which runs are planned: the first of Quota.
inline constexpr size_t kPlannedQuotas = 4;

// An amount of each planned quota, by Quota's number.
using QuotaAmounts = std::array<int64_t, kPlannedQuotas>;

// What a backup of an object of so many bytes takes, of the project that its job runs in. Nothing
// for a method without jobs.
QuotaAmounts UseOf(Method method, int64_t bytes);

// What it takes to hold a table still: a clone, whose job counts as a copy job.
QuotaAmounts UseOfFreeze();

// The planned quota of that name; nullopt: none is called so.
std::optional<Quota> FindPlannedQuota(std::string_view name);
std::string_view QuotaName(Quota quota);

// "50 copy jobs", "50 TiB of extracted data": an amount of a planned quota for a person.
std::string QuotaAmountText(Quota quota, int64_t amount);

inline constexpr int64_t kQuotaRaiseMax = 1000;  // at most so many times Google's own limit
inline constexpr size_t kQuotaProjectsMax = 10'000;

class QuotaLimits {
 public:
  // Google's own.
  QuotaLimits();

  // {"copy_jobs_per_day": 50000, "projects": {"acme-big": {"copy_jobs_per_day": 400000}}}; absent
  // members keep what is set for all, or Google's own. Errors: kConfigInvalid naming the member
  // (unknown, not a whole number of 1 to 1,000 times Google's limit, no project id).
  static Result<QuotaLimits> FromJson(const Json& json);

  // What differs from Google's own, so that FromJson gives the same.
  Json ToJson() const;

  // What holds in the project.
  const QuotaAmounts& Of(std::string_view project) const;

  bool operator==(const QuotaLimits&) const = default;

 private:
  QuotaAmounts all_;
  std::map<std::string, QuotaAmounts, std::less<>> projects_;
};

// When the quota day of `now` began, or the one so many days later begins.
Timestamp QuotaDayStart(Timestamp now, int days_later = 0);

// Its date: "2026-11-21".
std::string QuotaDate(Timestamp now, int days_later = 0);

}  // namespace holdfast
