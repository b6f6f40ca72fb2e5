#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "cli/audit.h"
#include "cli/replace_file.h"
#include "cli/restore_actions.h"
#include "cli/restore_text.h"
#include "restore/approved_plan.h"

namespace holdfast::cli {

namespace {

// Keeps the plan in the file, and holds its backups meanwhile: the file comes last, so that there
// is none of a plan whose backups may be gone.
Result<restore::RestorePlan> Keep(const GlobalOptions& global, Environment& environment,
                                  const restore::Services& services,
                                  const restore::RestoreRequest& request, restore::RestorePlan plan,
                                  const std::string& path) {
  HF_ASSIGN_OR_RETURN(restore::ApprovedPlan approved,
                      restore::HoldPlan(request, std::move(plan), services));
  const std::string text = restore::SerializePlan(approved);
  Status written =
      text.size() <= restore::kPlanFileBytesMax
          ? Audit(environment, "restore.plan", approved.plan.hash, approved.plan.Summary())
          : Status(MakeError(ErrorId::kLimitExceeded,
                             fmt::format("the plan has {}, and may have {}",
                                         HumanBytes(static_cast<int64_t>(text.size())),
                                         HumanBytes(restore::kPlanFileBytesMax)),
                             "Plan the restore in several parts"));
  if (written.ok()) written = ReplaceFile(path, text);
  if (!written.ok()) {
    restore::EndHold(approved, services);
    return written.error();
  }
  Say(global, fmt::format("Kept in {0}. To apply it, until {1}: holdfast restore apply {0}", path,
                          FormatTimestamp(FromUnixMillis(approved.plan.held_until_ms))));
  return std::move(approved.plan);
}

}  // namespace

Result<int> RestorePlanShow(const GlobalOptions& global, const RestorePlanOptions& options) {
  HF_ASSIGN_OR_RETURN(PlannedRestore planned, PlanOf(global, options.flags));
  auto& [environment, request, services, plan] = planned;
  for (restore::Conflict& conflict : plan.conflicts) {
    conflict.error = CompleteConflict(*environment, request, plan, conflict.error);
  }
  if (!options.output.empty()) {
    HF_ASSIGN_OR_RETURN(
        plan, Keep(global, *environment, services, request, std::move(plan), options.output));
  }
  PrintRestorePlan(std::cout, global.OutputFormat(), plan);
  const auto fatal = std::ranges::find_if(plan.conflicts, &restore::Conflict::is_fatal);
  if (fatal != plan.conflicts.end()) return ExitCodeOf(fatal->error);
  return LacksAnything(plan) ? kExitPartial : kExitOk;
}

}  // namespace holdfast::cli
