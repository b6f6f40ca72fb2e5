// Drift: where the catalog and the repositories have come apart, and repositories from themselves.
//
// Looks at every manifest, its data at L0, every record of the catalog, every data object, and
// every other document (documents.h). Pins, tombstones and evidence that are gone leave no trace.
// Changes nothing in a repository but to leave evidence of damage; what is damaged is recorded, so
// that the next run backs it up again. Memory: about 100 bytes a backup, and the findings that are
// kept. Source: google-semantics trap 8, A7 #49.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "repository/leftovers.h"
#include "repository/repository.h"
#include "verify/verify_recorded.h"

namespace holdfast::verify {

enum class DriftKind {
  kDataLost,         // a manifest whose data is gone or was altered
  kManifestDamaged,  // one that cannot be read
  kManifestLost,     // a record of the catalog without one
  kSharedData,       // two backups that name the same stored data
  kUnknownBackup,    // a manifest that the catalog does not have: `catalog rebuild` reads it in
  kLeftover,         // data that no manifest names, older than the grace period
  kDocumentDamaged,  // a run file, evidence, pin or tombstone that is not as it was written
  kRunFileLost,      // a finished run wrote backups here, and its file is not there
};
inline constexpr int kDriftKinds = 8;
std::string_view DriftKindName(DriftKind kind);  // "data_lost", ...

struct DriftFinding {
  DriftKind kind = DriftKind::kDataLost;
  std::string subject;  // the object and its backup, or the URI of what was left over
  std::string detail;   // what is wrong, for a person
};

struct DriftOptions {
  repository::LeftoverOptions leftovers;  // per repository
  size_t findings_max = 1'000;            // kept; all are counted
  std::function<void(int64_t manifests)> on_progress = [](int64_t) {};
};

struct DriftReport {
  int64_t manifests = 0;               // looked at
  int64_t records = 0;                 // of the catalog, in the repositories looked at
  int64_t records_elsewhere = 0;       // in others: not looked at
  int64_t pruned_elsewhere = 0;        // another catalog pruned them: taken out of this one
  int64_t data_young = 0;              // data without a manifest that is within its grace period
  int64_t data_in_doubt = 0;           // or of which it cannot be said whose it is
  int64_t count[kDriftKinds] = {};     // by DriftKind
  std::vector<DriftFinding> findings;  // the first of them
  std::vector<repository::LeftoverPlan> leftovers;  // of each repository, to be collected

  int64_t Of(DriftKind kind) const { return count[static_cast<int>(kind)]; }
  // Whether a backup cannot be restored, or may not be, or what tells of backups was altered.
  bool HasDamage() const;
  // Whether nothing at all was found.
  bool IsClean() const;
  Json ToJson() const;
};

// Checks the repositories against themselves and the catalog. Errors: those of opening a repository
// and of listing, and of the catalog.
Result<DriftReport> CheckDrift(const Services& services,
                               std::vector<repository::Repository>& repositories,
                               const DriftOptions& options = {});

}  // namespace holdfast::verify
