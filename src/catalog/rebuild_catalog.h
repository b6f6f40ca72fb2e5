// Rebuilding the catalog from repositories, when it was lost.
//
// Adds what is missing and leaves what is there; run again after a failure it goes on harmlessly.
// Memory is bounded by one manifest or one run's report, and
// the names of what the newest runs saw and of what was pruned. The audit log does not come back,
// but what verifications found does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "model/manifest.h"
#include "model/run.h"

namespace holdfast::catalog {

// Takes one manifest, or why it could not be read.
using ManifestVisitor = std::function<Status(Result<Manifest> manifest)>;

// Takes one run's report, or why it could not be read.
using RunVisitor = std::function<Status(Result<RunReport> report)>;

// Takes what one verification found, or why that could not be read.
using VerificationVisitor = std::function<Status(Result<VerificationRecord> found)>;

// Takes the id of a backup.
using RemovalVisitor = std::function<Status(const std::string& backup)>;

// One repository as the rebuild reads it: where it is, and the loops over what is in it, which end
// when the visitor returns an error.
struct RebuildSource {
  std::string bucket;
  std::string prefix;
  std::function<Status(const ManifestVisitor& visit)> for_each_manifest;
  std::function<Status(const RunVisitor& visit)> for_each_run;
  // Oldest first, of each backup.
  std::function<Status(const VerificationVisitor& visit)> for_each_verification;
  // The backups that prune was about to delete: one that is gone was not lost.
  std::function<Status(const RemovalVisitor& visit)> for_each_removal;
  // Whether a person said of a suspect backup that it is good.
  std::function<Result<bool>(const std::string& backup)> is_accepted;
};

struct RebuildReport {
  int64_t manifests = 0;        // read well, and now in the index
  int64_t runs = 0;             // the same of runs, each once
  int64_t verifications = 0;    // the same of what verifications found
  int64_t damaged = 0;          // could not be read, or are named and not there
  std::vector<Error> problems;  // the first 100 of the damaged
};

// Errors: those of listing and of the catalog; a damaged manifest is counted, not an error, and so
// is a backup that a verification or the newest run names and that no manifest is of.
Result<RebuildReport> RebuildCatalog(const std::vector<RebuildSource>& sources, Catalog& catalog);

}  // namespace holdfast::catalog
