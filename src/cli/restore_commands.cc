#include <memory>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/restore_actions.h"

namespace holdfast::cli {

namespace {

void AddRestorePlan(CLI::App& restore, CommandContext context) {
  CLI::App* command = restore.add_subcommand(
      "plan",
      "Show what a restore would do, with its jobs, quotas, time, conflicts and changes of "
      "access; keep it to be approved and applied");
  auto options = std::make_shared<RestorePlanOptions>();
  AddRestoreFlags(*command, options->flags);
  command
      ->add_option("-o,--output", options->output,
                   "Keep the plan in this file, and hold its backups for 7 days")
      ->type_name("FILE");
  SetExamples(*command,
              {{"holdfast restore plan acme-shop --map-project acme-shop:acme-restore -o plan.json",
                "a plan for somebody to look at"},
               {"holdfast restore plan acme-shop.sales --to-dataset sales_rescued --format json",
                "the same for a machine, and nothing is kept"}});
  command->callback([context, options] {
    context.action = [context, options] { return RestorePlanShow(context.global, *options); };
  });
}

void AddRestoreApply(CLI::App& restore, CommandContext context) {
  CLI::App* command = restore.add_subcommand(
      "apply",
      "Do exactly what a plan says that `restore plan` kept, or refuse it when what it "
      "was made for has changed");
  auto path = std::make_shared<std::string>();
  command->add_option("file", *path, "The plan")->required()->type_name("FILE");
  SetExamples(*command, {{"holdfast restore apply plan.json", "what was approved, and only that"}});
  command->callback([context, path] {
    context.action = [context, path] { return RestoreApplyFile(context.global, *path); };
  });
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
  command->add_flag("--yes", options->yes, "Do not ask, on a terminal, before it begins");
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
  AddRestorePlan(*restore, context);
  AddRestoreApply(*restore, context);
}

}  // namespace holdfast::cli
