#include "catalog/rebuild_catalog.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace holdfast::catalog {

namespace {

constexpr size_t kProblemsMax = 100;

void NoteDamage(RebuildReport& report, const Error& error) {
  ++report.damaged;
  if (report.problems.size() < kProblemsMax) report.problems.push_back(error);
}

Status AddManifest(const RebuildSource& source, const Manifest& manifest, Catalog& catalog) {
  // Asked first: what is in the catalog is not read again, if this should be killed here.
  bool accepted = false;
  if (manifest.IsSuspect()) {
    HF_ASSIGN_OR_RETURN(accepted, source.is_accepted(manifest.backup));
  }
  HF_RETURN_IF_ERROR(catalog.RecordBackup(RecordOf(manifest, source.bucket, source.prefix)));
  return accepted ? catalog.AcceptBackup(manifest.backup) : Ok();
}

// A finished run, with all that it found as the outcomes of its first task.
Status AddRun(const RunReport& report, Catalog& catalog) {
  const StartBackupProcess start{.run = report.run.id};
  Run begun = report.run;
  begun.state = RunState::kRunning;
  HF_RETURN_IF_ERROR(catalog.BeginRun(begun));
  HF_RETURN_IF_ERROR(catalog.CompleteTask(TaskId(start), {}, report.items));
  return catalog.FinishRun(report.run.id, report.run.finished_ms);
}

Error LostBackup(const std::string& backup) {
  return MakeError(ErrorId::kManifestNotFound,
                   fmt::format("backup {}: a verification of it is there, its manifest is not, or "
                               "cannot be read",
                               backup));
}

Status AddRepository(const RebuildSource& source, Catalog& catalog, RebuildReport& report,
                     std::set<std::string>& runs, std::set<std::string>& told) {
  HF_RETURN_IF_ERROR(source.for_each_manifest([&](const Result<Manifest>& manifest) -> Status {
    if (!manifest.ok()) {
      NoteDamage(report, manifest.error());
      return Ok();
    }
    ++report.manifests;
    return AddManifest(source, *manifest, catalog);
  }));
  HF_RETURN_IF_ERROR(
      source.for_each_verification([&](const Result<VerificationRecord>& found) -> Status {
        if (!found.ok()) {
          NoteDamage(report, found.error());
          return Ok();
        }
        const Status recorded = catalog.RecordVerification(*found);
        // Its manifest is gone, or was one of those that could not be read.
        if (!recorded.ok() && recorded.error().id == ErrorId::kBackupNotFound) {
          if (told.insert(found->backup).second) NoteDamage(report, LostBackup(found->backup));
          return Ok();
        }
        if (recorded.ok()) ++report.verifications;
        return recorded;
      }));
  return source.for_each_run([&](const Result<RunReport>& run) -> Status {
    if (!run.ok()) {
      NoteDamage(report, run.error());
      return Ok();
    }
    // A run has a file in every repository that it wrote to.
    if (runs.insert(run->run.id).second) ++report.runs;
    return AddRun(*run, catalog);
  });
}

// Looks for backups that runs name and the index does not have: lost ones. A run tells what each
// object of its scope had; of projects of which nothing was read there may be repositories
// elsewhere.
class LostBackups {
 public:
  LostBackups(Catalog& catalog, std::set<std::string>& lost, RebuildReport& report)
      : catalog_(catalog), lost_(lost), report_(report) {}

  // By the newest run over everything, and the narrower ones since.
  Status Find() {
    HF_ASSIGN_OR_RETURN(const auto runs, catalog_.ListRuns(false, ""));
    for (const Run& run : runs.items) {
      if (run.state != RunState::kFinished) continue;
      HF_RETURN_IF_ERROR(cloud::ForEachPage<ItemOutcome>(
          [&](const std::string& token) { return catalog_.ListOutcomes(run.id, token); },
          [&](ItemOutcome&& item) { return Look(run.id, item); }));
      if (run.policy.scope.include.empty()) break;
    }
    return Ok();
  }

 private:
  Status Look(const std::string& run, const ItemOutcome& item) {
    if (item.backup.empty() || !told_.insert(item.object).second) return Ok();
    HF_ASSIGN_OR_RETURN(const bool was_read, WasRead(item.object.project));
    if (!was_read) return Ok();
    HF_ASSIGN_OR_RETURN(const auto known, catalog_.FindBackups({.id_prefix = item.backup}, ""));
    if (!known.items.empty() || !lost_.insert(item.backup).second) return Ok();
    NoteDamage(report_,
               MakeError(ErrorId::kManifestNotFound,
                         fmt::format("backup {} of {}, which run {} names, has no manifest "
                                     "that can be read",
                                     item.backup, item.object.ToString(), run)));
    return Ok();
  }

  Result<bool> WasRead(const std::string& project) {
    const auto known = was_read_.find(project);
    if (known != was_read_.end()) return known->second;
    HF_ASSIGN_OR_RETURN(const auto any, catalog_.FindBackups({.project = project}, ""));
    return was_read_.emplace(project, !any.items.empty()).first->second;
  }

  Catalog& catalog_;
  std::set<std::string>& lost_;
  RebuildReport& report_;
  std::set<TableRef> told_;  // objects of which a newer run told
  std::map<std::string, bool> was_read_;
};

}  // namespace

Result<RebuildReport> RebuildCatalog(const std::vector<RebuildSource>& sources, Catalog& catalog) {
  RebuildReport report;
  std::set<std::string> runs;
  std::set<std::string> lost;  // named, and nowhere; not told again, nor what was pruned
  for (const RebuildSource& source : sources) {
    HF_RETURN_IF_ERROR(source.for_each_removal([&](const std::string& backup) -> Status {
      lost.insert(backup);
      return Ok();
    }));
  }
  for (const RebuildSource& source : sources) {
    HF_RETURN_IF_ERROR(
        AddRepository(source, catalog, report, runs, lost).WithContext("gs://" + source.bucket));
  }
  HF_RETURN_IF_ERROR(LostBackups(catalog, lost, report).Find());
  return report;
}

}  // namespace holdfast::catalog
