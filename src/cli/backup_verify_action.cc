#include <fmt/format.h>

#include <iostream>

#include "base/log.h"
#include "cli/backup_actions.h"
#include "cli/environment.h"
#include "cli/selector.h"
#include "repository/repository.h"
#include "verify/verify.h"

namespace holdfast::cli {

namespace {

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
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        records.push_back(std::move(record));
        return Ok();
      }));
  if (records.empty()) {
    return MakeError(
        ErrorId::kNothingToVerify,
        options.name.empty() ? "there are no backups" : "there are no backups of " + options.name,
        "See what there is with `holdfast backup list`");
  }
  return records;
}

// Verifies one backup. Damage of any kind, the manifest's included, is a report with findings.
Result<verify::VerifyReport> VerifyOne(Environment& environment,
                                       const catalog::BackupRecord& record, VerifyLevel level) {
  verify::VerifyReport damaged{.backup = record.backup,
                               .object = record.object,
                               .requested = level,
                               .content_digest = {},
                               .problems = 1,
                               .findings = {}};
  HF_ASSIGN_OR_RETURN(
      repository::Repository repository,
      repository::Repository::Open(environment.objects(), {record.bucket, record.prefix}));
  const auto manifest = repository.ReadManifest(record.object, record.backup);
  if (!manifest.ok()) {
    const ErrorId id = manifest.error().id;
    if (id != ErrorId::kManifestDamaged && id != ErrorId::kManifestNotFound) {
      return manifest.error();
    }
    damaged.findings.push_back(manifest.error());
    return damaged;
  }
  auto report = verify::VerifyBackup(environment.objects(), *manifest, level);
  if (report.ok()) {
    const Status kept = repository.WriteEvidence(
        "verify", record.backup + "-" + FormatCompact(environment.clock().Now()), report->ToJson());
    if (!kept.ok()) LogWarning("evidence was not written", {{"error", kept.error().message}});
  }
  return report;
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

// What verifying several backups came to.
struct Verified {
  std::vector<Json> rows;
  int64_t damaged = 0;
  int64_t bytes = 0;
  int64_t skipped = 0;  // copies: tables of the warehouse, not files
};

Result<Verified> VerifyAll(Environment& environment, const GlobalOptions& global,
                           const std::vector<catalog::BackupRecord>& records, VerifyLevel level) {
  Verified verified;
  Progress progress(global.Mode(), IsTerminal(), environment.clock());
  for (const catalog::BackupRecord& record : records) {
    if (record.method != Method::kExport) {
      ++verified.skipped;
      continue;
    }
    const size_t done = verified.rows.size();
    progress.Show(
        fmt::format("verifying {} of {}: {}", done + 1, records.size(), record.object.ToString()),
        {{"message_type", "status"}, {"done", done}, {"total", records.size()}});
    HF_ASSIGN_OR_RETURN(const verify::VerifyReport report, VerifyOne(environment, record, level));
    HF_RETURN_IF_ERROR(environment.catalog().RecordVerification(
        {.backup = record.backup,
         .at_ms = ToUnixMillis(environment.clock().Now()),
         .level = level,
         .passed = report.Passed(),
         .detail = report.findings.empty() ? "" : report.findings.front().message}));
    verified.damaged += report.Passed() ? 0 : 1;
    verified.bytes += report.bytes_read;
    verified.rows.push_back(ReportRow(report, global.OutputFormat() == Format::kPretty));
  }
  return verified;
}

}  // namespace

Result<int> BackupVerify(const GlobalOptions& global, const BackupVerifyOptions& options) {
  HF_ASSIGN_OR_RETURN(const Config config, EffectiveConfig(global));
  HF_ASSIGN_OR_RETURN(const auto environment, Environment::Open(config));
  HF_ASSIGN_OR_RETURN(const auto records, FindNamed(environment->catalog(), options));
  HF_ASSIGN_OR_RETURN(const Verified verified,
                      VerifyAll(*environment, global, records, *FindVerifyLevel(options.level)));
  if (verified.rows.empty()) {
    return MakeError(
        ErrorId::kVerifyUnsupported,
        "the backups named are copies in the warehouse, which are not files to verify");
  }
  PrintRows(std::cout, global.OutputFormat(),
            {{.member = "result", .heading = "RESULT"},
             {.member = "level_reached", .heading = "LEVEL"},
             {.member = "name", .heading = "OBJECT"},
             {.member = "backup", .heading = "BACKUP"},
             {.member = "rows_read", .heading = "ROWS", .align_right = true},
             {.member = "bytes_read", .heading = "READ", .align_right = true},
             {.member = "finding", .heading = "FINDING"}},
            verified.rows, "");
  Say(global,
      fmt::format(
          "{} verified at {}, {} damaged, {} read{}",
          Plural(static_cast<int64_t>(verified.rows.size()), "backup"), options.level,
          verified.damaged, HumanBytes(verified.bytes),
          verified.skipped == 0 ? "" : fmt::format("; {} left out: copies", verified.skipped)));
  if (verified.damaged == 0) return kExitOk;
  Say(global,
      "A damaged backup is not used by restores any more. The next `holdfast backup run` takes "
      "its object again.");
  return kExitDamaged;
}

}  // namespace holdfast::cli
