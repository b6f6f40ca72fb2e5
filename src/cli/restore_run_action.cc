#include <unistd.h>

#include <iostream>
#include <string>

#include "cli/audit.h"
#include "cli/restore_actions.h"
#include "cli/restore_text.h"
#include "restore/apply.h"
#include "restore/judge.h"

namespace holdfast::cli {

namespace {

// Only where a person can answer: a script that runs this has decided already.
Status Confirm(const restore::RestorePlan& plan, bool yes) {
  if (yes || isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) return Ok();
  std::cerr << RestorePlanLine(plan) << "\nType yes to begin: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return Ok();
  return MakeError(ErrorId::kRestoreNotConfirmed, "the restore was not begun");
}

}  // namespace

Result<int> RestoreRun(const GlobalOptions& global, const RestoreRunOptions& options) {
  HF_ASSIGN_OR_RETURN(const PlannedRestore planned, PlanOf(global, options.flags));
  const auto& [environment, request, services, plan] = planned;
  if (options.dry_run) PrintRestorePlan(std::cout, global.OutputFormat(), plan);
  const Status refused = options.dry_run ? restore::CheckTargets(request, plan, services)
                                         : restore::RefuseConflicts(plan);
  if (!refused.ok()) return CompleteConflict(*environment, request, plan, refused.error());
  if (options.dry_run) return LacksAnything(plan) ? kExitPartial : kExitOk;
  HF_RETURN_IF_ERROR(Confirm(plan, options.yes));
  HF_RETURN_IF_ERROR(Audit(*environment, "restore.run", plan.hash, plan.Summary()));
  HF_ASSIGN_OR_RETURN(const restore::RestoreReport report,
                      CarryOut(global, *environment, services, request, plan));
  return ExitCodeOfReport(report);
}

}  // namespace holdfast::cli
