#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <set>

#include "backup/rebuild.h"
#include "cli/alerting.h"
#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "cli/exit_code.h"
#include "cli/further_places.h"
#include "cli/policy_source.h"
#include "cli/selector.h"
#include "cli/verify_backups.h"
#include "model/policy_field.h"
#include "repository/repository.h"

namespace holdfast::cli {

namespace {

// Adds the backups of the filter that are wanted.
Status Append(catalog::Catalog& catalog, const catalog::BackupFilter& filter,
              const std::function<bool(const catalog::BackupRecord&)>& is_wanted,
              std::vector<catalog::BackupRecord>& records) {
  return cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        if (is_wanted(record)) records.push_back(std::move(record));
        return Ok();
      });
}

// The backups that a name means: an id, or what belongs to a resource.
Result<std::vector<catalog::BackupRecord>> FindNamed(catalog::Catalog& catalog,
                                                     const BackupVerifyOptions& options) {
  catalog::BackupFilter filter;
  if (!options.name.empty()) {
    if (auto by_id = catalog::GetBackup(catalog, options.name); by_id.ok()) {
      return std::vector{*std::move(by_id)};
    }
    HF_ASSIGN_OR_RETURN(const TableRef selector, ParseSelector(options.name));
    filter = FilterOf(selector);
  }
  filter.newest_only = !options.all;
  std::vector<catalog::BackupRecord> records;
  HF_RETURN_IF_ERROR(Append(
      catalog, filter, [](const auto&) { return true; }, records));
  if (!options.all) {
    // Where the newest is suspect or damaged, a restore takes an older one.
    std::set<std::string> listed;
    for (const catalog::BackupRecord& record : records) listed.insert(record.backup);
    filter.good_only = true;
    HF_RETURN_IF_ERROR(Append(
        catalog, filter, [&](const auto& record) { return !listed.contains(record.backup); },
        records));
  }
  if (!records.empty()) return records;
  if (!options.name.empty()) return NoBackupsOf(options.name);
  return MakeError(ErrorId::kNothingToVerify, "there are no backups",
                   "Make the first with `holdfast backup run`; if the catalog was lost: holdfast "
                   "catalog rebuild");
}

// Every backup that lies in the repository, as far as it belongs to what is named.
Result<std::vector<Look>> LooksIn(Environment& environment, const BackupVerifyOptions& options) {
  const VerifyLevel level = *FindVerifyLevel(options.level);
  if (level > VerifyLevel::kL2) {
    return MakeError(ErrorId::kUsage, "of a repository backups are read, and not restored",
                     "Choose --level L0, L1 or L2");
  }
  HF_ASSIGN_OR_RETURN(const repository::Location place, ParseRepository(options.repository));
  TableRef scope;
  if (!options.name.empty()) {
    HF_ASSIGN_OR_RETURN(scope, ParseSelector(options.name));
  }
  HF_ASSIGN_OR_RETURN(auto repository, repository::Repository::Open(environment.objects(), place));
  std::vector<Look> looks;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<repository::ManifestEntry>(
      [&](const std::string& token) { return repository.ListManifests(scope, token); },
      [&](repository::ManifestEntry&& entry) -> Status {
        catalog::BackupRecord record{
            .backup = entry.path.backup, .bucket = place.bucket, .prefix = place.prefix};
        if (entry.path.object) {
          record.object = *entry.path.object;
        } else {
          // A name that was cut: the manifest has it, unless that is damaged, which is then found.
          const auto manifest = repository.ReadManifest(entry);
          record.object = manifest.ok() ? manifest->object : TableRef{entry.path.object_path};
        }
        looks.push_back({std::move(record), level, true});
        return Ok();
      }));
  if (!looks.empty()) return looks;
  return MakeError(ErrorId::kNothingToVerify, "there are no such backups in " + place.Uri());
}

// What was looked at, and where if that is not where the catalog has it.
std::string NameOf(const Look& look) {
  const repository::Location place{look.record.bucket, look.record.prefix};
  return look.record.object.ToString() + (look.is_copy ? " (copy in " + place.Uri() + ")" : "");
}

Json ReportRow(const Look& look, const verify::VerifyReport& report, bool pretty) {
  Json row = report.ToJson();
  row["result"] = report.Passed() ? "ok" : "DAMAGED";
  row["level_reached"] = VerifyLevelName(report.reached);
  row["finding"] = report.findings.empty() ? report.note : report.findings.front().message;
  if (pretty) {
    row["rows_read"] = HumanCount(report.rows_read);
    row["bytes_read"] = HumanBytes(report.bytes_read);
  }
  row["name"] = NameOf(look);
  if (look.is_copy) {
    row["copy_in"] = repository::Location{look.record.bucket, look.record.prefix}.Uri();
  }
  return row;
}

Json UncheckedRow(const Look& look, const Error& error) {
  const catalog::BackupRecord& record = look.record;
  return {{"result", "NOT CHECKED"},
          {"level_reached", VerifyLevelName(VerifyLevel::kNone)},
          {"requested", VerifyLevelName(look.level)},
          {"name", NameOf(look)},
          {"object", record.object.ToString()},
          {"backup", record.backup},
          {"rows_read", 0},
          {"bytes_read", 0},
          {"finding", error.message}};
}

std::vector<Json> RowsOf(const GlobalOptions& global, const Verified& verified) {
  const bool pretty = global.OutputFormat() == Format::kPretty;
  std::vector<Json> rows;
  for (const Looked& looked : verified.looked) {
    rows.push_back(looked.report.ok() ? ReportRow(looked.look, *looked.report, pretty)
                                      : UncheckedRow(looked.look, looked.report.error()));
  }
  return rows;
}

// With progress on stderr, until Ctrl-C: what was looked at by then stays so.
Result<Verified> VerifyWithProgress(Environment& environment, const LoadedConfig& loaded,
                                    const GlobalOptions& global, const std::vector<Look>& looks) {
  const auto document = ReadableDocument(global, loaded);
  Progress progress(global.Mode(), IsTerminal(), environment.clock());
  const auto show = [&](const Look& look, size_t done, size_t total) -> Status {
    progress.Show(
        fmt::format("verifying {} of {}: {}", done + 1, total, look.record.object.ToString()),
        {{"message_type", "status"}, {"done", done}, {"total", total}});
    return Ok();
  };
  return VerifyAll(environment, document, looks, show);
}

// What is due, and words on what is left for later passes.
Result<std::vector<Look>> DueOf(Environment& environment, const LoadedConfig& loaded,
                                const GlobalOptions& global, const BackupVerifyOptions& options) {
  HF_ASSIGN_OR_RETURN(const auto document, LoadPolicyDocument(loaded));
  HF_ASSIGN_OR_RETURN(const Duration every, ParsePolicyDuration(options.every));
  verify::RotationOptions rotation{.interval = every};
  rotation.bytes_max = options.mebibytes_max << 20U;
  HF_ASSIGN_OR_RETURN(DueLooks due, FindDueLooks(environment, document, rotation));
  if (due.reading.backups == 0) {
    return MakeError(ErrorId::kNothingToVerify, "there are no backups",
                     "Make the first with `holdfast backup run`; if the catalog was lost: holdfast "
                     "catalog rebuild");
  }
  Say(global, fmt::format("{}, {}: {} due now, {} of them overdue",
                          Plural(due.reading.backups, "backup"), HumanBytes(due.reading.bytes),
                          due.looks.size(), due.reading.overdue + due.rehearsals.overdue));
  if (const int64_t left = due.reading.deferred + due.rehearsals.deferred; left > 0) {
    Say(global, fmt::format("WARNING: {} more should be looked at before the next pass, and are "
                            "over the limit of this one.",
                            HumanCount(left)));
  }
  return std::move(due.looks);
}

// A mistake in the policy must not keep damage from being told of: recovery points are then not
// looked at.
void TellAlertsOfVerify(const GlobalOptions& global, Environment& environment,
                        const LoadedConfig& loaded) {
  const auto document = LoadPolicyDocument(loaded);
  TellAlerts(global, environment, document.value_or(std::nullopt));
}

}  // namespace

Result<int> BackupVerify(const GlobalOptions& global, const BackupVerifyOptions& options) {
  HF_ASSIGN_OR_RETURN(const LoadedConfig loaded, EffectiveSettings(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(loaded.config));
  // What another catalog pruned is not damaged.
  HF_RETURN_IF_ERROR(backup::ForgetPruned(environment->backup_services(), {}));
  std::vector<Look> looks;
  if (!options.repository.empty()) {
    HF_ASSIGN_OR_RETURN(looks, LooksIn(*environment, options));
  } else if (options.due) {
    HF_ASSIGN_OR_RETURN(looks, DueOf(*environment, loaded, global, options));
  } else {
    HF_ASSIGN_OR_RETURN(auto records, FindNamed(environment->catalog(), options));
    for (catalog::BackupRecord& record : records) {
      looks.push_back({std::move(record), *FindVerifyLevel(options.level)});
    }
  }
  HF_ASSIGN_OR_RETURN(const Verified verified,
                      VerifyWithProgress(*environment, loaded, global, looks));
  const std::vector<Json> rows = RowsOf(global, verified);
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "result", .heading = "RESULT"},
             {.member = "level_reached", .heading = "LEVEL"},
             {.member = "name", .heading = "OBJECT"},
             {.member = "backup", .heading = "BACKUP"},
             {.member = "rows_read", .heading = "ROWS", .align_right = true},
             {.member = "bytes_read", .heading = "READ", .align_right = true},
             {.member = "finding", .heading = "FINDING"}},
            rows, options.due ? "Nothing is due." : "");
  TellAlertsOfVerify(global, *environment, loaded);
  Say(global, fmt::format("{} verified{}, {} damaged, {} read",
                          Plural(static_cast<int64_t>(rows.size()), "backup"),
                          options.due ? "" : " at " + options.level, verified.damaged,
                          HumanBytes(verified.bytes)));
  if (!verified.unchecked.empty()) {
    Say(global, fmt::format("{} could not be looked at, which says nothing of whether it is good: "
                            "run the same command again.",
                            Plural(static_cast<int64_t>(verified.unchecked.size()), "backup")));
  }
  if (verified.stopped) {
    Say(global, fmt::format("{} of {} were not looked at, since several in a row could not be: {}",
                            looks.size() - verified.looked.size(), looks.size(),
                            verified.stopped->message));
  }
  if (verified.from_copies > 0) {
    Say(global, fmt::format("WARNING: {} lost or damaged where it was, and good in a further "
                            "repository, which is used from now on. Find out what happened to the "
                            "first; the next `holdfast backup run` fills it again.",
                            Plural(verified.from_copies, "backup") +
                                (verified.from_copies == 1 ? " was" : " were")));
  }
  if (verified.damaged == 0 && verified.from_copies > 0) return kExitPartial;
  if (verified.damaged == 0) {
    return verified.unchecked.empty() ? kExitOk : ExitCodeOf(verified.unchecked.front());
  }
  Say(global,
      "A damaged backup is not used by restores any more. The next `holdfast backup run` takes "
      "its object again. Of a damaged copy the backup itself is used, as before.");
  return kExitDamaged;
}

}  // namespace holdfast::cli
