#include "cli/quota_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/output.h"
#include "cli/reference_text.h"
#include "model/quota_limits.h"

namespace holdfast::cli {

namespace {

constexpr const char* kQuotaIntroduction = R"(# Quotas

<!-- Written by the program itself; a test fails when they differ. To write it anew:
holdfast help --markdown quotas > docs/reference/quotas.md -->

Google limits what a project may do in a day. A run keeps to these limits by a plan: when everything was
looked at, what has changed is put in order (critical data first; then what has waited for three days or
longer, the longest first; then important, then reference data; within a class what its RPO makes due first),
and as much is let through as the project in which the jobs run has left that day. The rest ends the run as
`carried`, with the reason and the expected day, and the next run takes it up: nothing waits for ever as
long as critical data leaves room. What a run let through is counted in the catalog, so another run on the
same day has what is left. `holdfast backup run --dry-run` says before the first job what fits today, and how
many days all of it takes.

The first days of an organization with more tables than a day has jobs: with 50 copy jobs a day and 180
tables, 40 critical, 60 important and 80 reference, the first day takes all that is critical and 10 that are
important, the second 50 important, the third 50 and the fourth 30 of reference, and none twice
(`QuotaRun.TakesTheCriticalTablesFirstAndAllOfThemInFourDays`).

A quota day begins at midnight Pacific Time ("Daily quotas are reset at midnight Pacific Time": BigQuery,
"Create custom query quotas"). Most quotas are replenished in smaller steps all day long, says BigQuery's page
"Quotas and limits"; the plan does not count on that. Other programs use the same quotas and are not in the
count: where they do, set a lower limit. When the service answers `quotaExceeded` all the same, what is left
in that project by that method is carried too, and no further job is tried in this run; `rateLimitExceeded`
is waited out. An object that needs more than a whole day's limit fails (B0020).

```yaml
quotas:
  copy_jobs_per_day: 50000        # leave half to others
  projects:
    acme-big: {copy_jobs_per_day: 400000}
```

A limit that is set is from 1 to 1,000 times Google's own; `projects` names the project in which the jobs
run: the table's own, or those of `backup_operation_projects`.

## Limits by which a run is planned, and that can be set

)";

constexpr const char* kQuotaTableHead =
    "| name | limit | of | what counts | what is done | part of Google's page |\n"
    "|---|---|---|---|---|---|\n";

constexpr const char* kQuotaEnding = R"(
Every figure was read in Google's page [Quotas and limits](https://docs.cloud.google.com/bigquery/quotas) of
BigQuery, in the text of 2026 that was at hand on 2026-11-21, and none was tried against the service.
)";

std::string QuotaRow(const QuotaEntry& entry) {
  const std::string limit = entry.unit == QuotaUnit::kBytes
                                ? fmt::format("{} TiB", entry.limit >> 40U)
                                : HumanCount(entry.limit);
  return fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", entry.name, limit,
                     QuotaScopeText(entry.scope), entry.what, entry.handling, entry.source);
}

}  // namespace

std::string QuotaReference() {
  std::string text = std::string(kQuotaIntroduction) + kQuotaTableHead;
  const auto quotas = AllQuotas();
  for (const QuotaEntry& entry : quotas.first(kPlannedQuotas)) text += QuotaRow(entry);
  text += std::string("\n## Limits that are known\n\n") + kQuotaTableHead;
  for (const QuotaEntry& entry : quotas.subspan(kPlannedQuotas)) text += QuotaRow(entry);
  return text + kQuotaEnding;
}

std::string DayText(Timestamp now, int days_later) {
  return days_later < 0 ? std::string("never") : QuotaDate(now, days_later);
}

std::vector<std::string> ForecastText(const backup::QuotaForecast& forecast) {
  std::vector<std::string> lines;
  int64_t never = 0;
  for (const auto& message : forecast.days_later) never += std::ranges::count(message, -1);
  if (never > 0) {
    lines.push_back(fmt::format("{} more than a whole day's quota, and would fail (B0020).",
                                Plural(never, "object") + (never == 1 ? " needs" : " need")));
  }
  if (forecast.plan.units_carried == 0) return lines;
  lines.push_back(
      fmt::format("The day's quotas are too small: {} would run today, {} would be carried. All of "
                  "it takes {}.",
                  Plural(forecast.plan.units_today, "job"), HumanCount(forecast.plan.units_carried),
                  Plural(forecast.plan.days, "day")));
  for (size_t p = 0; p < forecast.projects.size(); ++p) {
    const QuotaProject& project = forecast.projects[p];
    for (size_t q = 0; q < kPlannedQuotas; ++q) {
      const int64_t wanted = forecast.plan.taken[p][q] + forecast.plan.carried[p][q];
      if (wanted <= std::max<int64_t>(project.limit[q] - project.used[q], 0)) continue;
      const auto quota = static_cast<Quota>(q);
      std::string line =
          fmt::format("  {}: {} wanted, of {} a day", project.id, QuotaAmountText(quota, wanted),
                      QuotaAmountText(quota, project.limit[q]));
      if (project.used[q] > 0) {
        line += fmt::format(", {} used today", QuotaAmountText(quota, project.used[q]));
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::string CarriedText(int64_t objects) {
  return Plural(objects, "object") + (objects == 1 ? " was" : " were") +
         " carried to a later day for want of quota: the next run takes them up. See "
         "docs/reference/quotas.md.";
}

}  // namespace holdfast::cli
