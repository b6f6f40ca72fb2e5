#include "restore/approved_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "model/ids.h"
#include "restore/judge.h"
#include "restore/look.h"
#include "restore/plan_lease.h"
#include "restore/unfinished.h"

namespace holdfast::restore {

Result<RestorePlan> PlanAndJudge(const RestoreRequest& request, const QuotaLimits& limits,
                                 const Services& services) {
  HF_ASSIGN_OR_RETURN(RestorePlan plan, PlanRestore(request, services));
  HF_ASSIGN_OR_RETURN(const Surroundings there, LookAround(request, plan, services));
  Judge(request, there, limits, plan);
  return plan;
}

Result<ApprovedPlan> HoldPlan(const RestoreRequest& request, RestorePlan plan,
                              const Services& services) {
  const Timestamp now = services.clock.Now();
  plan.id = NewRunId(now, services.random);
  plan.created_ms = ToUnixMillis(now);
  plan.held_until_ms = ToUnixMillis(now + kLeaseTime);
  if (!RefuseConflicts(plan).ok()) {
    plan.notes.emplace_back(
        "its backups are not held against a prune: with a conflict it is not applied");
    return ApprovedPlan{request, std::move(plan)};
  }
  HF_ASSIGN_OR_RETURN(const PlanLease lease, PlanLease::TakeForFile(plan, services));
  std::ranges::copy(lease.notes(), std::back_inserter(plan.notes));
  return ApprovedPlan{request, std::move(plan)};
}

Result<RestorePlan> CheckApproved(const ApprovedPlan& approved, const Services& services) {
  const RestorePlan& plan = approved.plan;
  HF_RETURN_IF_ERROR(RefuseConflicts(plan));
  HF_ASSIGN_OR_RETURN(auto begun, ResumePlan(approved.request, plan, services));
  HF_ASSIGN_OR_RETURN(const Surroundings there, LookAtTargets(plan, services));
  HF_ASSIGN_OR_RETURN(const auto backups, LookAtBackups(plan, services));
  const std::vector<std::string> reasons =
      WhyStale(plan, there, backups, services.clock.Now(), begun.has_value());
  if (reasons.empty()) return begun ? *std::move(begun) : plan;
  return MakeError(
      ErrorId::kPlanStale,
      fmt::format("the plan of {} is stale: {}", FormatTimestamp(FromUnixMillis(plan.created_ms)),
                  fmt::join(reasons, "; ")));
}

void EndHold(const ApprovedPlan& approved, const Services& services) {
  PlanLease::OfFile(approved.plan, services).End();
}

}  // namespace holdfast::restore
