// Rebuilding the catalog from repositories, when it was lost.
//
// Adds what is missing and leaves what is there, but for a backup that is not any more where the
// catalog has it: its copy in the repository takes its place. Of a backup that the catalog has in
// another repository the verifications here are those of the copy, which is known from its manifest
// on. A word that accepted a loss is taken for the damage of which it was said, not for damage
// since. Run again after a failure it goes on harmlessly. Memory is bounded by one manifest or one
// part of a run, and the names of what the newest runs saw. The audit log does not come back, but
// what verifications found does.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "model/manifest.h"
#include "model/run.h"

namespace holdfast::catalog {

// Takes one manifest, or why it could not be read.
using ManifestVisitor = std::function<Status(Result<Manifest> manifest)>;

// One run as it is read: itself, and the loop over its outcomes a page at a time, which ends when
// the visitor returns an error.
struct FoundRun {
  Run run;
  std::function<Status(const std::function<Status(std::vector<ItemOutcome>&& items)>& visit)>
      for_each_page;
};

// Takes one run, or why it could not be read.
using RunVisitor = std::function<Status(Result<FoundRun> run)>;

// Takes what one verification found, or why that could not be read.
using VerificationVisitor = std::function<Status(Result<VerificationRecord> found)>;

// A word on a loss that was left in a repository: where a backup was before it was read from there,
// or that people accepted a loss.
using FoundLoss = std::variant<CopyRecord, AcceptedLoss>;

// Takes one, or why it could not be read.
using LossVisitor = std::function<Status(Result<FoundLoss> found)>;

// One repository as the rebuild reads it: where it is, and the loops over what is in it, which end
// when the visitor returns an error.
struct RebuildSource {
  std::string bucket;
  std::string prefix;
  int64_t now_ms = 0;  // of the rebuild
  std::function<Status(const ManifestVisitor& visit)> for_each_manifest;
  std::function<Status(const RunVisitor& visit)> for_each_run;
  // In any order.
  std::function<Status(const VerificationVisitor& visit)> for_each_verification;
  // In any order; empty: there are none.
  std::function<Status(const LossVisitor& visit)> for_each_loss = {};
  // Whether the manifest of a backup that the catalog has in another repository is there still. If
  // not, its pins and holds there are carried over here.
  std::function<Result<bool>(const BackupRecord& record)> has_manifest;
  // Whether a person said of a suspect backup that it is good.
  std::function<Result<bool>(const std::string& backup)> is_accepted;
  // Whether a prune deleted the backup: then what still names it names nothing that was lost.
  std::function<Result<bool>(const std::string& backup)> is_pruned;
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
