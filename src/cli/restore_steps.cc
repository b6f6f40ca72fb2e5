#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "backup/rebuild.h"
#include "cli/further_places.h"
#include "cli/progress.h"
#include "cli/restore_actions.h"
#include "cli/restore_text.h"
#include "restore/apply.h"
#include "restore/approved_plan.h"
#include "restore/target.h"

namespace holdfast::cli {

Status LearnOfOthersBackups(const GlobalOptions& global, Environment& environment,
                            const restore::RestoreRequest& request) {
  if (request.source.project.empty() && !request.scope && request.run.empty()) return Ok();
  HF_ASSIGN_OR_RETURN(const catalog::RebuildReport report,
                      backup::CatchUp(environment.backup_services(), request.source));
  if (report.manifests > 0) {
    Say(global, fmt::format("{} made with another catalog: read in from the repository",
                            Plural(report.manifests, "backup")));
  }
  for (const Error& problem : report.problems) {
    Say(global, fmt::format("Not read: {} [{}]", problem.message, FindError(problem.id).id));
  }
  return Ok();
}

Result<PlannedRestore> PlanOf(const GlobalOptions& global, const RestoreFlags& flags) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  const Config& config = loaded.config;
  HF_ASSIGN_OR_RETURN(restore::RestoreRequest request, RequestOf(config, flags));
  HF_ASSIGN_OR_RETURN(auto environment, Environment::Open(config));
  HF_RETURN_IF_ERROR(LearnOfOthersBackups(global, *environment, request));
  restore::Services services = environment->restore_services();
  services.further_places = FurtherPlacesOf(config, ReadableDocument(global, loaded));
  HF_ASSIGN_OR_RETURN(restore::RestorePlan plan,
                      restore::PlanAndJudge(request, config.quotas, services));
  SayWhatIsResumed(plan);
  return PlannedRestore{.environment = std::move(environment),
                        .request = std::move(request),
                        .services = services,
                        .plan = std::move(plan)};
}

// The error says to drop the target, which is no way for one partition of it.
Error CompleteConflict(Environment& environment, const restore::RestoreRequest& request,
                       const restore::RestorePlan& plan, Error error) {
  if (error.id != ErrorId::kTableExists || !IsOfOnePartition(request, plan)) return error;
  const auto target = environment.warehouse().GetTable(plan.tables.front().target);
  // What an unfinished restore left behind is no one's data.
  if (target.ok() && !restore::RestoreLabelOf(*target).empty()) return error;
  error.hint = PartitionConflictHint(request, plan);
  return error;
}

Result<restore::RestoreReport> CarryOut(const GlobalOptions& global, Environment& environment,
                                        restore::Services services,
                                        const restore::RestoreRequest& request,
                                        const restore::RestorePlan& plan) {
  Progress progress(global.Mode(), IsTerminal(), environment.clock());
  services.on_step = [&](const std::string& step) {
    progress.Show(step, {{"message_type", "status"}, {"step", step}});
  };
  auto applied = restore::Apply(request, plan, services);
  progress.Clear();
  if (!applied.ok()) return CompleteConflict(environment, request, plan, applied.error());
  restore::RestoreReport report = *std::move(applied);
  for (restore::TableReport& table : report.tables) {
    if (table.error) table.error = CompleteConflict(environment, request, plan, *table.error);
  }
  PrintRestoreReport(std::cout, global.OutputFormat(), report);
  for (const restore::TableReport& table : report.tables) {
    if (table.error) std::cerr << PrintableLines(TableErrorText(table)) << '\n';
  }
  return report;
}

int ExitCodeOfReport(const restore::RestoreReport& report) {
  if (report.Count(restore::TableOutcome::kDiffers) > 0) return kExitDamaged;
  if (report.Succeeded()) return kExitOk;
  // A single table that failed is the command that failed, with that error's own code.
  if (report.tables.size() == 1 && report.tables.front().error) {
    return ExitCodeOf(*report.tables.front().error);
  }
  return kExitPartial;
}

bool LacksAnything(const restore::RestorePlan& plan) {
  return std::ranges::any_of(
      plan.missing, [](const restore::MissingObject& object) { return !object.unsupported; });
}

void SayWhatIsResumed(const restore::RestorePlan& plan) {
  if (!plan.resumes_ms) return;
  std::cerr << "Going on with the restore begun at "
            << FormatTimestamp(FromUnixMillis(*plan.resumes_ms)) << ", from its backups\n";
}

}  // namespace holdfast::cli
