#include <memory>

#include "cli/backup_actions.h"
#include "cli/command.h"

namespace holdfast::cli {

namespace {

void AddRun(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "run", "Back up what changed since the last good backup, or go on with an interrupted run");
  auto options = std::make_shared<BackupRunOptions>();
  command->add_option(
      "scope", options->include,
      "Only these: project, project.dataset or project.dataset.table, with * and ?");
  command->add_option("--exclude", options->exclude, "Not these; may be given several times");
  command->add_option("--method", options->method, "export or copy")
      ->check(CLI::IsMember({"export", "copy"}));
  command->add_flag("-n,--dry-run", options->dry_run,
                    "Show what would be backed up, and do nothing");
  command->callback([context, options] {
    context.action = [context, options] { return BackupRun(context.global, *options); };
  });
}

void AddList(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand("list", "List backups, the newest first");
  auto options = std::make_shared<BackupListOptions>();
  command->add_option("name", options->name, "A project, dataset, table or table$partition");
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000));
  command->add_flag("--latest", options->latest, "Of each object only the newest");
  command->callback([context, options] {
    context.action = [context, options] { return BackupList(context.global, *options); };
  });
}

void AddShow(CLI::App& backup, CommandContext context) {
  CLI::App* command =
      backup.add_subcommand("show", "Show one backup: its manifest and its verifications");
  auto id = std::make_shared<std::string>();
  command->add_option("backup", *id, "A backup's id, or the beginning of it")->required();
  command->callback([context, id] {
    context.action = [context, id] { return BackupShow(context.global, *id); };
  });
}

void AddVerify(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand("verify", "Check backups against their manifests");
  auto options = std::make_shared<BackupVerifyOptions>();
  command->add_option("name", options->name,
                      "A backup's id, or a project, dataset, table or partition; none: everything");
  command
      ->add_option("--level", options->level,
                   "L0 objects exist, L1 every byte matches, L2 rows and content match")
      ->check(CLI::IsMember({"L0", "L1", "L2"}));
  command->add_flag("--all", options->all, "Every backup, not only the newest of each object");
  command->callback([context, options] {
    context.action = [context, options] { return BackupVerify(context.global, *options); };
  });
}

}  // namespace

void AddBackupCommands(CLI::App& app, CommandContext context) {
  CLI::App* backup = app.add_subcommand("backup", "Make, list and check backups");
  backup->require_subcommand(1);
  AddRun(*backup, context);
  AddList(*backup, context);
  AddShow(*backup, context);
  AddVerify(*backup, context);
}

}  // namespace holdfast::cli
