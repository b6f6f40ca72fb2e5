#include "backup/dry_run.h"

#include <algorithm>
#include <iterator>

#include "backup/deleted.h"
#include "backup/projects_stage.h"
#include "backup/scan_stage.h"

namespace holdfast::backup {

namespace {

// As the run would find them, had it backed up what it would.
Status AddDeletions(const Run& run, const Services& services, DryRun& plan) {
  const size_t settled = plan.outcomes.size();
  std::vector<ItemOutcome> items = plan.outcomes;
  for (const RunBackup& message : plan.messages) {
    for (const BackupUnit& unit : message.units) {
      items.push_back({.object = message.table_to_backup.WithPartition(unit.partition),
                       .outcome = Outcome::kBackedUp,
                       .error_id = {}});
    }
  }
  const size_t found = items.size();
  HF_RETURN_IF_ERROR(AddDeleted(services.catalog, run, items));
  std::copy_n(items.begin(), settled, plan.outcomes.begin());
  plan.outcomes.insert(plan.outcomes.end(), items.begin() + static_cast<ptrdiff_t>(found),
                       items.end());
  return Ok();
}

}  // namespace

Result<DryRun> PlanBackups(const BackupPolicy& policy,
                           const std::optional<PolicyDocument>& document,
                           const Services& services) {
  StageContext context;
  context.run.id = "dry-run";
  context.run.started_ms = ToUnixMillis(services.clock.Now());
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
  HF_RETURN_IF_ERROR(AddDeletions(context.run, services, plan));
  return plan;
}

}  // namespace holdfast::backup
