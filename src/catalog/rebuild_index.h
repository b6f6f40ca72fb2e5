// Rebuilding the index from the manifests of repositories, when the catalog was lost.
//
// Adds what is missing and leaves what is there; run again after a failure it goes on harmlessly.
// Memory is bounded by one manifest. Runs and the audit log are not in manifests and do not come
// back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/backup_index.h"
#include "model/manifest.h"

namespace holdfast::catalog {

// Takes one manifest, or why it could not be read.
using ManifestVisitor = std::function<Status(Result<Manifest> manifest)>;

// One repository as the rebuild reads it: where it is, and the loop over its manifests
// (repository::ForEachManifest), which ends when the visitor returns an error.
struct ManifestSource {
  std::string bucket;
  std::string prefix;
  std::function<Status(const ManifestVisitor& visit)> for_each;
};

struct RebuildReport {
  int64_t manifests = 0;        // read well, and now in the index
  int64_t damaged = 0;          // could not be read
  std::vector<Error> problems;  // the first 100 of the damaged
};

// Errors: those of listing and of the index; a damaged manifest is counted, not an error.
Result<RebuildReport> RebuildIndex(const std::vector<ManifestSource>& sources, BackupIndex& index);

}  // namespace holdfast::catalog
