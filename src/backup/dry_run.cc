#include "backup/dry_run.h"

#include <utility>
#include <vector>

#include "backup/deleted.h"
#include "backup/projects_stage.h"
#include "backup/scan_stage.h"

namespace holdfast::backup {

namespace {

// As it would be in the ledger, had the run backed it up.
void AddPlanned(const RunBackup& message, std::vector<ItemOutcome>& outcomes) {
  for (const BackupUnit& unit : message.units) {
    outcomes.push_back({.object = message.table_to_backup.WithPartition(unit.partition),
                        .outcome = Outcome::kBackedUp,
                        .error_id = {}});
  }
}

}  // namespace

Status PlanBackups(const BackupPolicy& policy, const std::optional<PolicyDocument>& document,
                   const Services& services, catalog::RunLedger& scratch,
                   const PlannedBackup& visit) {
  StageContext context;
  context.run.id = kDryRunId;
  context.run.started_ms = ToUnixMillis(services.clock.Now());
  context.run.policy = policy;
  context.run.document = document;
  context.is_last_attempt = true;
  HF_ASSIGN_OR_RETURN(const StageResult projects,
                      ListProjects({.run = context.run.id}, context, services));
  HF_RETURN_IF_ERROR(scratch.BeginRun(context.run));
  const auto record = [&](StageResult&& result) -> Status {
    for (const WorkMessage& follow_up : result.follow_ups) {
      const auto& backup = std::get<RunBackup>(follow_up);
      AddPlanned(backup, result.outcomes);
      HF_RETURN_IF_ERROR(visit(backup));
    }
    return scratch.RecordOutcomes(context.run.id, result.outcomes);
  };
  for (const WorkMessage& message : projects.follow_ups) {
    HF_RETURN_IF_ERROR(
        ScanWholeProject(std::get<CheckProjectTables>(message), context, services, record));
  }
  return RecordDeleted(services.catalog, scratch, context.run);
}

}  // namespace holdfast::backup
