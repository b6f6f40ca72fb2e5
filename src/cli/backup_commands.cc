#include <memory>

#include "cli/backup_actions.h"
#include "cli/command.h"
#include "cli/command_tree.h"

namespace holdfast::cli {

namespace {

void AddRun(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "run", "Back up what changed since the last good backup, or go on with an interrupted run");
  auto options = std::make_shared<BackupRunOptions>();
  command->add_option(
      "scope", options->include,
      "Only these: project, project.dataset or project.dataset.table, with * and ?");
  command->add_option("--exclude", options->exclude, "Not these")->type_name("PATTERN");
  command->add_option("--method", options->method, "How, whatever the policy says")
      ->type_name("METHOD")
      ->check(OneOf({"export", "copy"}));
  command->add_flag("-n,--dry-run", options->dry_run,
                    "Show what would be backed up, and do nothing");
  command
      ->add_flag("--due", options->due,
                 "Only the tables whose schedule in the policy document has come")
      ->excludes("--dry-run");
  SetExamples(*command,
              {{"holdfast backup run", "what changed since the last good backup"},
               {"holdfast backup run --dry-run", "what that would be"},
               {"holdfast backup run --due", "what a cron job or Cloud Scheduler calls"},
               {"holdfast backup run 'acme-*' --exclude acme-shop.scratch", "a part of it"}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupRun(context.global, *options); };
  });
}

void AddList(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand("list", "List backups, the newest first");
  auto options = std::make_shared<BackupListOptions>();
  command->add_option("name", options->name, "A project, dataset, table or table$partition");
  command->add_option("--limit", options->limit, "At most so many")
      ->type_name("N")
      ->check(Between(1, 1'000'000));
  command->add_flag("--latest", options->latest, "Of each object only the newest");
  SetExamples(*command,
              {{"holdfast backup list --latest", "the newest backup of each object"},
               {"holdfast backup list 'acme-shop.sales.orders$20260101' --json", "for a script"}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupList(context.global, *options); };
  });
}

void AddShow(CLI::App& backup, CommandContext context) {
  CLI::App* command =
      backup.add_subcommand("show", "Show one backup: its manifest and its verifications");
  auto id = std::make_shared<std::string>();
  command->add_option("backup", *id, "A backup's id, or the beginning of it")->required();
  SetExamples(*command, {{"holdfast backup show 20260101T040000Z-6d2a", ""}});
  command->callback([context, id] {
    context.action = [context, id] { return BackupShow(context.global, *id); };
  });
}

void AddAccept(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "accept", "Say that a suspect backup is good: that its table was meant to shrink");
  auto id = std::make_shared<std::string>();
  command->add_option("backup", *id, "A backup's id, or the beginning of it")->required();
  SetExamples(*command, {{"holdfast backup accept 20260101T040000Z-5b0c9d21e6a0", ""}});
  command->callback([context, id] {
    context.action = [context, id] { return BackupAccept(context.global, *id); };
  });
}

void AddVerify(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand("verify", "Check backups against their manifests");
  auto options = std::make_shared<BackupVerifyOptions>();
  command->add_option("name", options->name,
                      "A backup's id, or a project, dataset, table or partition; none: everything");
  command
      ->add_option("--level", options->level,
                   "L0 objects exist with size and checksum, L1 every byte matches, L2 rows and "
                   "content match; L3, restored and equal, is what `restore run` proves")
      ->type_name("LEVEL")
      ->check(OneOf({"L0", "L1", "L2"}));
  command->add_flag("--all", options->all,
                    "Every backup, not only the newest and the newest good one of each object");
  SetExamples(*command, {{"holdfast backup verify", "every byte and row of the newest ones"},
                         {"holdfast backup verify acme-shop.sales --level L0", "quickly"}});
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
  AddAccept(*backup, context);
  AddVerify(*backup, context);
}

}  // namespace holdfast::cli
