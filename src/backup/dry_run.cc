#include "backup/dry_run.h"

#include <algorithm>
#include <iterator>

#include "backup/projects_stage.h"
#include "backup/scan_stage.h"

namespace holdfast::backup {

Result<DryRun> PlanBackups(const BackupPolicy& policy,
                           const std::optional<PolicyDocument>& document,
                           const Services& services) {
  StageContext context;
  context.run.id = "dry-run";
  context.run.policy = policy;
  context.run.document = document;
  context.is_last_attempt = true;
  HF_ASSIGN_OR_RETURN(const StageResult projects,
                      ListProjects({.run = context.run.id}, context, services));
  DryRun plan;
  for (const WorkMessage& message : projects.follow_ups) {
    const auto& check = std::get<CheckProjectTables>(message);
    auto scanned = ScanProject(check, context, services);
    if (!scanned.ok()) {
      plan.outcomes.push_back(FailedOutcome({.project = check.project_to_check}, scanned.error()));
      continue;
    }
    std::ranges::move(scanned->outcomes, std::back_inserter(plan.outcomes));
    for (WorkMessage& follow_up : scanned->follow_ups) {
      plan.messages.push_back(std::get<RunBackup>(std::move(follow_up)));
    }
  }
  return plan;
}

}  // namespace holdfast::backup
