#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "backup/rebuild.h"
#include "cli/audit.h"
#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/environment.h"
#include "cli/further_places.h"
#include "cli/restore_options.h"
#include "cli/restore_text.h"
#include "restore/apply.h"
#include "restore/target.h"
#include "restore/unfinished.h"

namespace holdfast::cli {

namespace {

struct RestoreRunOptions {
  RestoreFlags flags;
  bool dry_run = false;
};

int ExitCodeOfReport(const restore::RestoreReport& report) {
  if (report.Count(restore::TableOutcome::kDiffers) > 0) return kExitDamaged;
  if (report.Succeeded()) return kExitOk;
  // A single table that failed is the command that failed, with that error's own code.
  if (report.tables.size() == 1 && report.tables.front().error) {
    return ExitCodeOf(*report.tables.front().error);
  }
  return kExitPartial;
}

// The error of a target that is there says to drop it, which is no way for one partition of it.
Error CompleteConflict(Environment& environment, const restore::RestoreRequest& request,
                       const restore::RestorePlan& plan, Error error) {
  if (error.id != ErrorId::kTableExists || !IsOfOnePartition(request, plan)) return error;
  const auto target = environment.warehouse().GetTable(plan.tables.front().target);
  // What an unfinished restore left behind is no one's data.
  if (target.ok() && !restore::RestoreLabelOf(*target).empty()) return error;
  error.hint = PartitionConflictHint(request, plan);
  return error;
}

// A catalog that is behind the repository would restore an older backup without knowing.
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

Result<int> RestoreRun(const GlobalOptions& global, const RestoreRunOptions& options) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  const Config& config = loaded.config;
  HF_ASSIGN_OR_RETURN(const restore::RestoreRequest request, RequestOf(config, options.flags));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_RETURN_IF_ERROR(LearnOfOthersBackups(global, *environment, request));
  restore::Services services = environment->restore_services();
  services.further_places = FurtherPlacesOf(config, ReadableDocument(global, loaded));
  HF_ASSIGN_OR_RETURN(const restore::RestorePlan plan, restore::PlanRestore(request, services));
  if (plan.resumes_ms) {
    std::cerr << "Going on with the restore begun at "
              << FormatTimestamp(FromUnixMillis(*plan.resumes_ms)) << ", from its backups\n";
  }
  if (options.dry_run) {
    PrintRestorePlan(std::cout, global.OutputFormat(), plan);
    const Status refused = restore::CheckTargets(request, plan, services);
    if (!refused.ok()) return CompleteConflict(*environment, request, plan, refused.error());
    const bool lacks = std::ranges::any_of(
        plan.missing, [](const restore::MissingObject& object) { return !object.unsupported; });
    return lacks ? kExitPartial : kExitOk;
  }
  Progress progress(global.Mode(), IsTerminal(), environment->clock());
  services.on_step = [&](const std::string& step) {
    progress.Show(step, {{"message_type", "status"}, {"step", step}});
  };
  HF_RETURN_IF_ERROR(Audit(*environment, "restore.run", plan.hash, plan.ToJson()));
  auto applied = restore::Apply(request, plan, services);
  progress.Clear();
  if (!applied.ok()) return CompleteConflict(*environment, request, plan, applied.error());
  restore::RestoreReport report = *std::move(applied);
  for (restore::TableReport& table : report.tables) {
    if (table.error) table.error = CompleteConflict(*environment, request, plan, *table.error);
  }
  PrintRestoreReport(std::cout, global.OutputFormat(), report);
  for (const restore::TableReport& table : report.tables) {
    if (table.error) std::cerr << PrintableLines(TableErrorText(table)) << '\n';
  }
  return ExitCodeOfReport(report);
}

}  // namespace

void AddRestoreCommands(CLI::App& app, CommandContext context) {
  CLI::App* restore = app.add_subcommand("restore", "Get data back from backups");
  restore->require_subcommand(1);
  CLI::App* command = restore->add_subcommand("run",
                                              "Restore projects, datasets, tables, partitions, "
                                              "views or routines, and compare each with its "
                                              "backup");
  auto options = std::make_shared<RestoreRunOptions>();
  AddRestoreFlags(*command, options->flags);
  command->add_flag("-n,--dry-run", options->dry_run, "Show the plan, and do nothing");
  SetExamples(
      *command,
      {{"holdfast restore run acme-shop.sales.orders --to-project acme-restore", "a table"},
       {"holdfast restore run 'acme-shop.sales.events$20260101' --to-project acme-restore",
        "one partition"},
       {"holdfast restore run acme-shop --exclude 'acme-shop.scratch*' --as-of "
        "2026-11-21T10:00:00Z "
        "--map-project acme-shop:acme-restore",
        "a project as it was, in another one"},
       {"holdfast restore run acme-shop.sales.routine:net_price --to-table net_price_before",
        "a function, beside the one that is there"},
       {"holdfast restore run acme-shop.sales --to-dataset sales_rescued --dry-run",
        "what it would take to get a dataset back beside the other"}});
  command->callback([context, options] {
    context.action = [context, options] { return RestoreRun(context.global, *options); };
  });
}

}  // namespace holdfast::cli
