#include <fmt/format.h>

#include <functional>
#include <iostream>
#include <set>

#include "cli/alerting.h"
#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "cli/exit_code.h"
#include "cli/policy_source.h"
#include "cli/selector.h"
#include "verify/verify_recorded.h"

namespace holdfast::cli {

namespace {

// Backups in a row that cannot be looked at, after which it is the service that is away.
constexpr int kFailuresMax = 3;

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

Json ReportRow(const verify::VerifyReport& report, bool pretty) {
  Json row = report.ToJson();
  row["result"] = report.Passed() ? "ok" : "DAMAGED";
  row["level_reached"] = VerifyLevelName(report.reached);
  row["finding"] = report.findings.empty() ? "" : report.findings.front().message;
  if (pretty) {
    row["rows_read"] = HumanCount(report.rows_read);
    row["bytes_read"] = HumanBytes(report.bytes_read);
  }
  row["name"] = report.object.ToString();
  return row;
}

Json UncheckedRow(const catalog::BackupRecord& record, VerifyLevel level, const Error& error) {
  return {{"result", "NOT CHECKED"},
          {"level_reached", VerifyLevelName(VerifyLevel::kNone)},
          {"requested", VerifyLevelName(level)},
          {"name", record.object.ToString()},
          {"object", record.object.ToString()},
          {"backup", record.backup},
          {"rows_read", 0},
          {"bytes_read", 0},
          {"finding", error.message}};
}

// What verifying several backups came to.
struct Verified {
  std::vector<Json> rows;
  int64_t damaged = 0;
  int64_t bytes = 0;
  std::vector<Error> unchecked;  // why these could not be looked at
};

Result<Verified> VerifyAll(Environment& environment, const GlobalOptions& global,
                           const std::vector<catalog::BackupRecord>& records, VerifyLevel level) {
  Verified verified;
  const verify::Services services = environment.verify_services();
  Progress progress(global.Mode(), IsTerminal(), environment.clock());
  int failed_in_a_row = 0;
  for (const catalog::BackupRecord& record : records) {
    const size_t done = verified.rows.size();
    progress.Show(
        fmt::format("verifying {} of {}: {}", done + 1, records.size(), record.object.ToString()),
        {{"message_type", "status"}, {"done", done}, {"total", records.size()}});
    const auto report = verify::VerifyRecorded(services, record, level);
    if (!report.ok()) {
      // One that cannot be looked at must not hide the damage of the next; a service that is down
      // ends it.
      if (++failed_in_a_row == kFailuresMax) return report.error();
      verified.unchecked.push_back(report.error());
      verified.rows.push_back(UncheckedRow(record, level, report.error()));
      continue;
    }
    failed_in_a_row = 0;
    verified.damaged += report->Passed() ? 0 : 1;
    verified.bytes += report->bytes_read;
    verified.rows.push_back(ReportRow(*report, global.OutputFormat() == Format::kPretty));
  }
  return verified;
}

// A mistake in the policy must not keep damage from being told of: recovery points are then not
// looked at.
void TellAlertsOfVerify(const GlobalOptions& global, Environment& environment) {
  const auto loaded = EffectiveSettings(global);
  const auto document = loaded.ok() ? LoadPolicyDocument(*loaded)
                                    : Result<std::optional<PolicyDocument>>(loaded.error());
  TellAlerts(global, environment, document.value_or(std::nullopt));
}

}  // namespace

Result<int> BackupVerify(const GlobalOptions& global, const BackupVerifyOptions& options) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const auto records, FindNamed(environment->catalog(), options));
  HF_ASSIGN_OR_RETURN(const Verified verified,
                      VerifyAll(*environment, global, records, *FindVerifyLevel(options.level)));
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "result", .heading = "RESULT"},
             {.member = "level_reached", .heading = "LEVEL"},
             {.member = "name", .heading = "OBJECT"},
             {.member = "backup", .heading = "BACKUP"},
             {.member = "rows_read", .heading = "ROWS", .align_right = true},
             {.member = "bytes_read", .heading = "READ", .align_right = true},
             {.member = "finding", .heading = "FINDING"}},
            verified.rows, "");
  TellAlertsOfVerify(global, *environment);
  Say(global, fmt::format("{} verified at {}, {} damaged, {} read",
                          Plural(static_cast<int64_t>(verified.rows.size()), "backup"),
                          options.level, verified.damaged, HumanBytes(verified.bytes)));
  if (!verified.unchecked.empty()) {
    Say(global, fmt::format("{} could not be looked at, which says nothing of whether it is good: "
                            "run the same command again.",
                            Plural(static_cast<int64_t>(verified.unchecked.size()), "backup")));
  }
  if (verified.damaged == 0) {
    return verified.unchecked.empty() ? kExitOk : ExitCodeOf(verified.unchecked.front());
  }
  Say(global,
      "A damaged backup is not used by restores any more. The next `holdfast backup run` takes "
      "its object again.");
  return kExitDamaged;
}

}  // namespace holdfast::cli
