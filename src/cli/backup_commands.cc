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
      "Only these: project, project.dataset or project.dataset.table, with * and ?, or one "
      "partition as project.dataset.table$partition");
  command->add_option("--exclude", options->exclude, "Not these")->type_name("PATTERN");
  command->add_option("--method", options->method, "How, whatever the policy says")
      ->type_name("METHOD")
      ->check(OneOf({"export", "copy", "snapshot"}));
  command->add_flag("-n,--dry-run", options->dry_run,
                    "Show what would be backed up, and do nothing");
  command->add_flag("--force", options->force,
                    "Also what did not change since its last good backup");
  command
      ->add_flag("--due", options->due,
                 "Only the tables whose schedule in the policy document has come")
      ->excludes("--dry-run");
  SetExamples(*command,
              {{"holdfast backup run", "what changed since the last good backup"},
               {"holdfast backup run --dry-run", "what that would be"},
               {"holdfast backup run --due", "what a cron job or Cloud Scheduler calls"},
               {"holdfast backup run 'acme-*' --exclude acme-shop.scratch", "a part of it"},
               {"holdfast backup run --force 'acme-shop.sales.orders$20260101'",
                "one partition, now, changed or not"}});
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

void AddReport(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "report", "Say what became of each object in a run, and why; also as a web page");
  auto options = std::make_shared<BackupReportOptions>();
  command->add_option("run", options->run, "A run's id; none: the newest");
  command->add_option("-o,--output", options->page, "Write a web page to this file")
      ->type_name("FILE");
  SetExamples(*command, {{"holdfast backup report", "the newest run"},
                         {"holdfast backup report -o run.html", "as a page for a browser"},
                         {"holdfast backup report 20260101T040000Z-3fa9c1d2 --json", ""}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupReport(context.global, *options); };
  });
}

void AddMemory(CLI::App& command, int& mebibytes) {
  command.add_option("--memory", mebibytes, "Memory to compute in; what is more goes to disk")
      ->type_name("MIB")
      ->check(Between(64, 1'048'576));
}

void AddQuery(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "query", "Ask a backup with SQL, restoring nothing; reads only the partitions that it needs");
  auto options = std::make_shared<BackupQueryOptions>();
  command
      ->add_option(
          "table", options->table,
          "project.dataset.table, with @TIME or @BACKUP for another than the latest; other "
          "tables that the SQL names are taken as of the same time")
      ->required();
  command->add_option("sql", options->sql, "One SELECT, in GoogleSQL")->required();
  command->add_option("--limit", options->limit, "At most so many rows of the answer")
      ->type_name("N")
      ->check(Between(1, 1'000'000'000));
  AddMemory(*command, options->memory_mebibytes);
  SetExamples(
      *command,
      {{"holdfast backup query acme-shop.sales.orders 'select count(*) from orders'", "the latest"},
       {"holdfast backup query acme-shop.sales.orders@2026-11-20T00:00:00Z \"select * from orders "
        "where order_date = '2026-11-01'\"",
        "one day as it was, reading that day's partition"},
       {"holdfast backup query acme-shop.sales.orders 'select * from orders' --format csv --limit "
        "100000",
        "for a script"}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupQuery(context.global, *options); };
  });
}

void AddDiff(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "diff",
      "Say what changed between two backups: columns, partitions, rows; reads only the partitions "
      "that differ");
  auto options = std::make_shared<BackupDiffOptions>();
  command
      ->add_option("before", options->before,
                   "project.dataset.table, with @TIME or @BACKUP for another than the latest")
      ->required();
  command->add_option("after", options->after, "The same table at another time, or another table")
      ->required();
  command
      ->add_option(
          "--key", options->key,
          "Columns that name a row, parted by commas: a row whose other columns differ was "
          "changed; without them it was removed and another added")
      ->type_name("COLUMNS")
      ->delimiter(',');
  command->add_flag("--no-rows", options->no_rows,
                    "Compare schema and partitions only, and read no data");
  command->add_option("--limit", options->examples_max, "Show at most so many rows that differ")
      ->type_name("N")
      ->check(Between(0, 100'000));
  AddMemory(*command, options->memory_mebibytes);
  SetExamples(*command, {{"holdfast backup diff acme-shop.sales.orders@2026-11-20T00:00:00Z "
                          "acme-shop.sales.orders --key order_id",
                          "what changed since, row by row"},
                         {"holdfast backup diff acme-shop.sales.orders@2026-11-20T00:00:00Z "
                          "acme-shop.sales.orders --no-rows",
                          "which partitions did, at once"}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupDiff(context.global, *options); };
  });
}

void AddExport(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "export", "Write a table as it was backed up into Parquet, CSV or NDJSON files");
  auto options = std::make_shared<BackupExportOptions>();
  command
      ->add_option("table", options->table,
                   "project.dataset.table, or table$partition, with @TIME or @BACKUP for another "
                   "than the latest")
      ->required();
  command->add_option("-o,--output", options->output, "A directory, or gs://bucket/prefix")
      ->type_name("PLACE")
      ->required();
  command->add_option("--as", options->form, "The form of the files")
      ->type_name("FORM")
      ->check(OneOf({"parquet", "csv", "ndjson"}));
  command
      ->add_option("--compression", options->compression,
                   "Of the files: parquet has snappy if not, the others none")
      ->type_name("CODEC")
      ->check(OneOf({"none", "gzip", "snappy", "zstd"}));
  command->add_option("--file-size", options->file_mebibytes, "Begin a new file from here on")
      ->type_name("MIB")
      ->check(Between(1, 1'048'576));
  AddMemory(*command, options->memory_mebibytes);
  SetExamples(
      *command,
      {{"holdfast backup export acme-shop.sales.orders -o orders", "the latest, as Parquet"},
       {"holdfast backup export 'acme-shop.sales.events$20260101' -o gs://acme-share/events --as "
        "ndjson --compression gzip",
        "one partition, for somebody else"}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupExport(context.global, *options); };
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

void AddAcceptLoss(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "accept-loss",
      "Say that a loss is known: of partitions at the source, of backups, of copies of them");
  auto options = std::make_shared<BackupAcceptLossOptions>();
  command->add_option("name", options->name,
                      "A project, dataset, table or table$partition, or a backup's id");
  command
      ->add_option("--partitions", options->partitions,
                   "Of the table only these; none: all that are lost")
      ->type_name("PARTITION")
      ->delimiter(',');
  command->add_option("--reason", options->reason, "Why, for whoever asks later")->type_name("WHY");
  CLI::Option* withdraw =
      command->add_flag("--withdraw", options->withdraw, "Take it back: it is told of again");
  command->add_flag("--list", options->list, "Print what was accepted, by whom and why")
      ->excludes(withdraw);
  SetExamples(
      *command,
      {{"holdfast backup accept-loss acme-shop.sales.orders --reason 'old years were dropped'",
        "all partitions of it that are lost"},
       {"holdfast backup accept-loss acme-shop.sales.orders --partitions 20260101,20260102 "
        "--reason 'ticket 4711'",
        "some of them"},
       {"holdfast backup accept-loss acme-shop --reason 'the first bucket burnt down'",
        "its backups, too"},
       {"holdfast backup accept-loss --list", "who accepted what"},
       {"holdfast backup accept-loss acme-shop.sales.orders --withdraw --reason 'a mistake'", ""}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupAcceptLoss(context.global, *options); };
  });
}

void AddVerify(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand("verify", "Check backups against their manifests");
  auto options = std::make_shared<BackupVerifyOptions>();
  command->add_option("name", options->name,
                      "A backup's id, or a project, dataset, table or partition; none: everything");
  command
      ->add_option(
          "--level", options->level,
          "L0 objects exist with size and checksum, L1 every byte matches, L2 rows and "
          "content match, L3 restored into a scratch dataset it is equal, L4 the source as "
          "of that moment, if it can still be read, is equal too")
      ->type_name("LEVEL")
      ->check(OneOf({"L0", "L1", "L2", "L3", "L4"}));
  command->add_flag("--all", options->all,
                    "Every backup, not only the newest and the newest good one of each object");
  CLI::Option* repository =
      command
          ->add_option("--repository", options->repository,
                       "Every backup that lies in this one, gs://bucket/prefix, as one that holds "
                       "copies: L0 to L2, whatever the catalog knows")
          ->type_name("REPOSITORY");
  CLI::Option* due = command->add_flag(
      "--due", options->due,
      "What is due by `verification` of the settings and the policy document, the oldest read "
      "first: so that all is read and restored in the time that it says");
  command->add_option("--every", options->every, "With --due: until the next such pass")
      ->type_name("DURATION")
      ->needs(due);
  command
      ->add_option("--max-mebibytes", options->mebibytes_max,
                   "With --due: read at most so much in this pass")
      ->type_name("N")
      ->check(Between(0, 1'000'000'000))
      ->needs(due);
  due->excludes(repository);
  SetExamples(*command, {{"holdfast backup verify", "every byte and row of the newest ones"},
                         {"holdfast backup verify --due --every 1d",
                          "once a day: every backup is read within the set period"},
                         {"holdfast backup verify acme-shop.sales --level L0", "quickly"},
                         {"holdfast backup verify --repository gs://acme-vault/second --level L1",
                          "every copy in a further repository"}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupVerify(context.global, *options); };
  });
}

void AddPrune(CLI::App& backup, CommandContext context) {
  CLI::App* command = backup.add_subcommand(
      "prune", "Show which backups retention keeps and removes, and why; delete with --yes");
  auto options = std::make_shared<BackupPruneOptions>();
  CLI::Option* yes = command->add_flag(
      "--yes", options->yes, "Mark what is to go, and delete what was marked a grace period ago");
  command->add_flag("-n,--dry-run", options->dry_run, "Only show it, which is the default")
      ->excludes(yes);
  command->add_flag(
      "--accept-clock", options->accept_clock,
      "The clock is right, although nothing was seen for long or it was ahead before");
  command->add_option("--limit", options->limit, "Show the verdicts on at most so many backups")
      ->type_name("N")
      ->check(Between(0, 10'000'000));
  SetExamples(*command,
              {{"holdfast backup prune", "what would be kept and what would go, with reasons"},
               {"holdfast backup prune --yes", "do it, within the caps of one pass"}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupPrune(context.global, *options); };
  });
}

struct PinCommand {
  const char* name;
  const char* summary;
  const char* why;  // of its example
  retain::PinKind kind;
  bool release;
};

void AddPin(CLI::App& backup, CommandContext context, const PinCommand& pin) {
  CLI::App* command = backup.add_subcommand(pin.name, pin.summary);
  auto options = std::make_shared<BackupPinOptions>();
  options->kind = pin.kind;
  options->release = pin.release;
  command->add_option("backup", options->backup, "A backup's id, or the beginning of it")
      ->required();
  command->add_option("--reason", options->reason, "Why, for whoever asks later")
      ->type_name("WHY")
      ->required();
  SetExamples(*command, {{std::string("holdfast backup ") + pin.name +
                              " 20260101T040000Z-5b0c9d21e6a0 --reason '" + pin.why + "'",
                          ""}});
  command->callback([context, options] {
    context.action = [context, options] { return BackupPin(context.global, *options); };
  });
}

void AddPins(CLI::App& backup, CommandContext context) {
  using retain::PinKind;
  AddPin(backup, context,
         {"pin", "Keep a backup from being pruned", "end of year", PinKind::kPin, false});
  AddPin(backup, context,
         {"unpin", "Release the pins of a backup", "year is audited", PinKind::kPin, true});
  AddPin(backup, context,
         {"hold", "Hold a backup for an incident or by law", "case 4711", PinKind::kHold, false});
  AddPin(backup, context,
         {"release", "Release the holds of a backup", "case closed", PinKind::kHold, true});
}

}  // namespace

void AddBackupCommands(CLI::App& app, CommandContext context) {
  CLI::App* backup = app.add_subcommand("backup", "Make, list, check and prune backups");
  backup->require_subcommand(1);
  AddRun(*backup, context);
  AddList(*backup, context);
  AddShow(*backup, context);
  AddReport(*backup, context);
  AddQuery(*backup, context);
  AddDiff(*backup, context);
  AddExport(*backup, context);
  AddAccept(*backup, context);
  AddAcceptLoss(*backup, context);
  AddVerify(*backup, context);
  AddPrune(*backup, context);
  AddPins(*backup, context);
}

}  // namespace holdfast::cli
