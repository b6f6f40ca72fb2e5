#include <fmt/format.h>

#include <iostream>
#include <map>
#include <set>

#include "backup/admission.h"
#include "backup/dry_run.h"
#include "backup/run_backup.h"
#include "catalog/sqlite_catalog.h"
#include "cli/alerting.h"
#include "cli/audit.h"
#include "cli/backup_actions.h"
#include "cli/continued_runs.h"
#include "cli/environment.h"
#include "cli/policy_source.h"
#include "cli/quota_text.h"
#include "cli/run_schedules.h"
#include "cli/run_text.h"
#include "cli/selector.h"

namespace holdfast::cli {

namespace {

Result<BackupPolicy> PolicyOf(const Config& config, const BackupRunOptions& options) {
  BackupPolicy policy = config.policy;
  policy.scope = WholeScope(config);
  if (!options.include.empty()) policy.scope.include.clear();
  policy.force = options.force;
  for (const std::string& text : options.include) {
    std::string name = text;
    if (text.find('$') != std::string::npos) {
      HF_ASSIGN_OR_RETURN(const TableRef partition, ParseSelector(text));
      policy.scope.partitions.insert(partition);
      name = partition.WholeTable().ToString();
    }
    HF_ASSIGN_OR_RETURN(std::string pattern, ScopePattern(name));
    policy.scope.include.push_back(std::move(pattern));
  }
  for (const std::string& text : options.exclude) {
    HF_ASSIGN_OR_RETURN(std::string pattern, ScopePattern(text));
    policy.scope.exclude.push_back(std::move(pattern));
  }
  if (!options.method.empty()) {
    policy.method = *FindMethod(options.method);
    policy.further_methods.clear();
  }
  return policy;
}

// What was asked for by its whole name: of that something is to be backed up or known unchanged.
std::map<TableRef, std::string> ObjectsAskedFor(const std::vector<std::string>& include) {
  std::map<TableRef, std::string> named;
  for (const std::string& text : include) {
    if (text.find_first_of("*?") != std::string::npos) continue;
    const auto object = ParseSelector(text);
    if (object.ok() && !object->table.empty()) named.emplace(*object, "there is no such table");
  }
  return named;
}

// What would be the reason of a backup, as the run itself says it.
std::string ChangeText(const BackupUnit& unit, bool is_first, bool pretty) {
  if (is_first) return pretty ? "first backup" : "first_backup";
  if (!pretty) return std::string(ChangeName(unit.change));
  if (!unit.made_before.empty()) return "unchanged, copied to a further repository";
  return unit.change == Change::kMetadataOnly ? "description changed" : "changed, or due again";
}

// The partitions of a table of which there is a backup; "" is the table as a whole.
Result<std::set<std::string>> BackedUpPartitions(catalog::Catalog& catalog, const TableRef& table) {
  HF_ASSIGN_OR_RETURN(const auto records, catalog::LatestIntactOfTable(catalog, table));
  std::set<std::string> partitions;
  for (const catalog::BackupRecord& record : records) partitions.insert(record.object.partition);
  return partitions;
}

// What became of the objects that would not be backed up, for people.
Status PrintSettled(catalog::RunLedger& scratch) {
  catalog::OutcomeReader outcomes(scratch, backup::kDryRunId);
  RunItemPrinter printer(std::cout);
  while (true) {
    HF_ASSIGN_OR_RETURN(const ItemOutcome* item, outcomes.Peek());
    if (item == nullptr) break;
    if (item->outcome != Outcome::kBackedUp) printer.Add(*item);
    outcomes.Next();
  }
  printer.Finish();
  return Ok();
}

Status DryRun(const GlobalOptions& global, const BackupPolicy& policy,
              const std::optional<PolicyDocument>& document, Environment& environment) {
  const bool pretty = global.OutputFormat() == Format::kPretty;
  const backup::Services services = environment.backup_services();
  // A file without a name, which is gone with the process.
  HF_ASSIGN_OR_RETURN(const auto scratch, catalog::SqliteCatalog::Open(""));
  std::vector<RunBackup> planned;
  HF_RETURN_IF_ERROR(backup::PlanBackups(policy, document, services, *scratch,
                                         [&](const RunBackup& message) -> Status {
                                           planned.push_back(message);
                                           return Ok();
                                         }));
  HF_ASSIGN_OR_RETURN(const backup::QuotaForecast forecast,
                      backup::ForecastQuota(services, policy, planned));
  RowPrinter rows(std::cout, global.OutputFormat(),
                  {{.member = "object", .heading = "WOULD BACK UP"},
                   {.member = "change", .heading = "CHANGE"},
                   {.member = "rows", .heading = "ROWS", .align_right = true},
                   {.member = "bytes", .heading = "BYTES", .align_right = true},
                   {.member = "day", .heading = "DAY"}},
                  "Nothing changed: nothing would be backed up.");
  for (size_t m = 0; m < planned.size(); ++m) {
    const TableRef& table = planned[m].table_to_backup;
    HF_ASSIGN_OR_RETURN(const auto known, BackedUpPartitions(environment.catalog(), table));
    for (size_t u = 0; u < planned[m].units.size(); ++u) {
      const BackupUnit& unit = planned[m].units[u];
      const bool is_first = !known.contains(unit.partition);
      rows.Add({{"object", table.WithPartition(unit.partition).ToString()},
                {"change", ChangeText(unit, is_first, pretty)},
                {"rows", unit.fingerprint.rows},
                {"bytes", unit.fingerprint.bytes},
                {"day", DayText(services.clock.Now(), forecast.days_later[m][u])}});
    }
  }
  rows.Finish();
  if (pretty) HF_RETURN_IF_ERROR(PrintSettled(*scratch));
  for (const std::string& line : ForecastText(forecast)) Say(global, line);
  return Ok();
}

void ShowProgress(Progress& progress, Clock& clock, Timestamp started,
                  const backup::BackupProgress& at) {
  const RunTotals& totals = at.progress.totals;
  const int64_t tasks = at.progress.tasks_done + at.progress.tasks_pending;
  const int64_t percent = tasks == 0 ? 0 : at.progress.tasks_done * 100 / tasks;
  const int64_t elapsed_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now() - started).count();
  progress.Show(fmt::format("backing up: {} of {} tasks, {} done, {}, {}", at.progress.tasks_done,
                            tasks, Plural(totals.objects, "object"), Plural(totals.rows, "row"),
                            HumanBytes(totals.bytes)),
                {{"message_type", "status"},
                 {"run", at.run},
                 {"seconds_elapsed", elapsed_ms / 1000},
                 {"percent_done", percent},
                 {"objects_done", totals.objects},
                 {"bytes_done", totals.bytes},
                 {"rows_done", totals.rows},
                 {"error_count", totals.Of(Outcome::kFailed)}});
}

// What the end of the command says must not be all that is known of a run that it went on with.
void ShowContinued(const GlobalOptions& global, catalog::Catalog& catalog, Progress& progress,
                   const ContinuedRuns::News& news) {
  if (!news.ended.empty()) {
    progress.Clear();
    const auto text = DescribeContinued(catalog, news.ended);
    if (!text.ok()) {
      Say(global, "How run " + news.ended + " ended cannot be read: " + text.error().message);
    } else if (global.OutputFormat() == Format::kPretty) {
      std::cout << *text << '\n' << std::flush;
    } else {
      Say(global, *text);
    }
  }
  if (!news.going_on_with.empty()) Say(global, GoingOnText(news.going_on_with));
}

// Prints the run's outcomes as they are read from the ledger, and counts what is to be said of
// them.
Status PrintReport(const GlobalOptions& global, catalog::RunLedger& ledger,
                   const RunSummary& summary, const ContinuedRuns& continued,
                   RunFindings& findings) {
  const bool pretty = global.OutputFormat() == Format::kPretty;
  RunItemPrinter printer(std::cout);
  bool is_read = false;
  const auto for_each = [&](const std::function<void(const Json& item)>& visit) -> Status {
    catalog::OutcomeReader outcomes(ledger, summary.run.id);
    is_read = true;
    while (true) {
      HF_ASSIGN_OR_RETURN(const ItemOutcome* item, outcomes.Peek());
      if (item == nullptr) return Ok();
      findings.Add(*item);
      if (pretty) printer.Add(*item);
      if (visit) visit(item->ToJson());
      outcomes.Next();
    }
  };
  if (!pretty) {
    Json document = RunDocument(summary);
    document["continued"] = continued.ids();
    HF_RETURN_IF_ERROR(
        PrintDocumentWithList(std::cout, global.OutputFormat(), document, "items", for_each));
    return is_read ? Ok() : for_each(nullptr);
  }
  HF_RETURN_IF_ERROR(for_each(nullptr));
  printer.Finish();
  std::cout << "Run " << summary.run.id << ": " << SummarizeRun(summary) << '\n';
  return Ok();
}

// Runs it, with progress on stderr. `continued` is told what it went on with.
Result<RunSummary> RunWithProgress(const GlobalOptions& global, backup::BackupRequest request,
                                   Environment& environment, ContinuedRuns& continued) {
  Progress progress(global.Mode(), IsTerminal(), environment.clock());
  const Timestamp started = environment.clock().Now();
  const backup::BusSetup setup = environment.bus_setup();
  const backup::Services services = environment.backup_services();
  request.workers = environment.config().workers;
  return backup::RunToEnd(request, setup, services, [&](const backup::BackupProgress& at) {
    ShowContinued(global, environment.catalog(), progress, continued.Follow(at));
    ShowProgress(progress, environment.clock(), started, at);
  });
}

void SayWhatIsSuspect(const GlobalOptions& global, const RunFindings& findings) {
  const int64_t backups = findings.suspect_backups;
  const int64_t partitions = findings.suspect_deletions;
  if (backups > 0) {
    Say(global,
        fmt::format("WARNING: {} suspect: rows or bytes are missing since the last good backup, "
                    "which is kept and which restores go on using. Look at the source; if it is "
                    "meant to be so: holdfast backup accept BACKUP",
                    Plural(backups, "backup") + (backups == 1 ? " is" : " are")));
  }
  if (partitions > 0) {
    Say(global,
        fmt::format("WARNING: {} gone, and with them most rows of a table. Their backups are "
                    "kept, but a restore of the table leaves them out from now on: --as-of TIME "
                    "takes it as it was before. It is suspect until they or as many rows are back, "
                    "their backups are pruned, or policy.shrink_threshold allows it.",
                    Plural(partitions, "partition") + (partitions == 1 ? " is" : " are")));
  }
}

// The document of the configuration. A method that a flag gives holds for every table.
Result<std::optional<PolicyDocument>> DocumentOf(const LoadedConfig& loaded,
                                                 const BackupRunOptions& options) {
  HF_ASSIGN_OR_RETURN(std::optional<PolicyDocument> document, LoadPolicyDocument(loaded));
  if (document && !options.method.empty()) {
    for (PolicyRule& rule : document->rules) rule.fields.erase("methods");
    std::erase_if(document->bounds.fields,
                  [](const OwnerBound& bound) { return bound.field == "methods"; });
  }
  return document;
}

int EndOfRun(const GlobalOptions& global, const RunSummary& summary, const RunFindings& findings) {
  SayWhatIsSuspect(global, findings);
  const int64_t failed = summary.totals.Of(Outcome::kFailed);
  const int64_t carried = summary.totals.Of(Outcome::kCarried);
  if (carried > 0) Say(global, CarriedText(carried));
  bool is_whole = summary.suspects == 0 && carried == 0;
  for (const auto& [object, why] : findings.missed) {
    if (why.empty()) continue;
    is_whole = false;
    Say(global, fmt::format("NOT BACKED UP: {}: {}", object.ToString(), why));
  }
  if (failed == 0) return is_whole ? kExitOk : kExitPartial;
  Say(global, DescribeFailures(findings));
  return kExitPartial;
}

// Says what was missed. Whether anything is due.
bool TellDue(const GlobalOptions& global, const backup::DueDecision& decision,
             bool is_run_under_way) {
  for (const backup::MissedSchedule& missed : decision.missed) {
    Say(global, "Caught up now: " + backup::DescribeMissed(missed));
  }
  if (!decision.due.empty()) return true;
  Say(global, is_run_under_way
                  ? std::string("A run is under way; nothing more is begun.")
                  : "Nothing is due; next at " + FormatTimestamp(*decision.next) + ".");
  return false;
}

}  // namespace

Result<int> BackupRun(const GlobalOptions& global, const BackupRunOptions& options) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  const Config& config = loaded.config;
  HF_ASSIGN_OR_RETURN(const BackupPolicy policy, PolicyOf(config, options));
  if (options.due && (!options.include.empty() || !options.exclude.empty())) {
    return MakeError(ErrorId::kUsage, "--due takes no scope and no --exclude",
                     "What is due is everything that the schedules name: a run of a part of it "
                     "would count for the whole. Leave out --due to back up a part");
  }
  HF_ASSIGN_OR_RETURN(const auto document, DocumentOf(loaded, options));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  if (options.dry_run) {
    HF_RETURN_IF_ERROR(DryRun(global, policy, document, *environment));
    return kExitOk;
  }
  backup::BackupRequest request{.policy = policy, .document = document, .due = {}, .stop = {}};
  std::unique_ptr<DirectoryLock> lock;
  if (options.due) {
    HF_ASSIGN_OR_RETURN(lock, LockSchedules(config));
    HF_ASSIGN_OR_RETURN(const DueNow now, FindDue(*environment, document));
    if (!TellDue(global, now.decision, now.is_run_under_way)) return kExitOk;
    if (!now.decision.missed.empty()) {
      TellAlerts(global, *environment, document, FindingsOf(now.decision.missed));
    }
    request.due = now.decision.due;
  }
  HF_RETURN_IF_ERROR(
      Audit(*environment, "backup.run", policy.name, {{"scope", policy.scope.ToJson()}}));
  ContinuedRuns continued;
  const auto ran = RunWithProgress(global, std::move(request), *environment, continued);
  if (!ran.ok()) {
    if (ran.error().code != Code::kCancelled) {
      TellAlerts(global, *environment, document, {}, {FindingOfRun(ran.error())});
    }
    return ran.error();
  }
  const RunSummary& summary = *ran;
  RunFindings findings;
  findings.missed = ObjectsAskedFor(options.include);
  HF_RETURN_IF_ERROR(PrintReport(global, environment->catalog(), summary, continued, findings));
  TellAlerts(global, *environment, document);
  return EndOfRun(global, summary, findings);
}

}  // namespace holdfast::cli
