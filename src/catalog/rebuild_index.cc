#include "catalog/rebuild_index.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kProblemsMax = 100;

}  // namespace

Result<RebuildReport> RebuildIndex(const std::vector<ManifestSource>& sources, BackupIndex& index) {
  RebuildReport report;
  for (const ManifestSource& source : sources) {
    const auto visit = [&](Result<Manifest> manifest) -> Status {
      if (manifest.ok()) {
        ++report.manifests;
        return index.RecordBackup(RecordOf(*manifest, source.bucket, source.prefix));
      }
      ++report.damaged;
      if (report.problems.size() < kProblemsMax) report.problems.push_back(manifest.error());
      return Ok();
    };
    HF_RETURN_IF_ERROR(source.for_each(visit).WithContext("gs://" + source.bucket));
  }
  return report;
}

}  // namespace holdfast::catalog
