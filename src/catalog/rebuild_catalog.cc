#include "catalog/rebuild_catalog.h"

#include <set>

namespace holdfast::catalog {

namespace {

constexpr size_t kProblemsMax = 100;

void NoteDamage(RebuildReport& report, const Error& error) {
  ++report.damaged;
  if (report.problems.size() < kProblemsMax) report.problems.push_back(error);
}

Status AddManifest(const RebuildSource& source, const Manifest& manifest, Catalog& catalog) {
  HF_RETURN_IF_ERROR(catalog.RecordBackup(RecordOf(manifest, source.bucket, source.prefix)));
  if (!manifest.IsSuspect()) return Ok();
  HF_ASSIGN_OR_RETURN(const bool accepted, source.is_accepted(manifest.backup));
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

Status AddRepository(const RebuildSource& source, Catalog& catalog, RebuildReport& report,
                     std::set<std::string>& runs) {
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
        ++report.verifications;
        return catalog.RecordVerification(*found);
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

}  // namespace

Result<RebuildReport> RebuildCatalog(const std::vector<RebuildSource>& sources, Catalog& catalog) {
  RebuildReport report;
  std::set<std::string> runs;
  for (const RebuildSource& source : sources) {
    HF_RETURN_IF_ERROR(
        AddRepository(source, catalog, report, runs).WithContext("gs://" + source.bucket));
  }
  return report;
}

}  // namespace holdfast::catalog
