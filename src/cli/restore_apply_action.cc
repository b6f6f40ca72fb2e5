#include "cli/audit.h"
#include "cli/further_places.h"
#include "cli/restore_actions.h"
#include "cli/text_file.h"
#include "restore/approved_plan.h"

namespace holdfast::cli {

Result<int> RestoreApplyFile(const GlobalOptions& global, const std::string& path) {
  HF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, restore::kPlanFileBytesMax));
  auto parsed = restore::ParsePlan(text);
  if (!parsed.ok()) return std::move(parsed).error().WithContext(path);
  const restore::ApprovedPlan approved = *std::move(parsed);
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
  restore::RestoreRequest named = approved.request;
  if (!named.scope && named.source.project.empty()) {
    named.source = approved.plan.tables.front().source;
  }
  HF_RETURN_IF_ERROR(LearnOfOthersBackups(global, *environment, named));
  restore::Services services = environment->restore_services();
  services.further_places = FurtherPlacesOf(loaded.config, ReadableDocument(global, loaded));
  HF_ASSIGN_OR_RETURN(const restore::RestorePlan plan, restore::CheckApproved(approved, services));
  SayWhatIsResumed(plan);
  HF_RETURN_IF_ERROR(Audit(*environment, "restore.apply", plan.hash, plan.Summary()));
  HF_ASSIGN_OR_RETURN(const restore::RestoreReport report,
                      CarryOut(global, *environment, services, approved.request, plan));
  // One that is not done is applied again, from the same backups.
  if (report.Count(restore::TableOutcome::kFailed) == 0 &&
      report.Count(restore::TableOutcome::kDiffers) == 0) {
    restore::EndHold(approved, services);
  }
  return ExitCodeOfReport(report);
}

}  // namespace holdfast::cli
