// Leftovers: data objects that no manifest names, from attempts that failed or were cut short.
//
// They are never loaded; they cost storage. A plan lists them, applying it deletes each by
// generation after looking at its manifest once more (google-semantics trap 8, A7 #48, #49). On any
// doubt - a manifest that cannot be read, a name that is not ours, an object younger than the grace
// period - the object stays. Memory is bounded by the plan's limit and one manifest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/object_store.h"
#include "model/resource_names.h"
#include "repository/repository.h"

namespace holdfast::repository {

struct LeftoverOptions {
  Duration grace = std::chrono::hours{72};  // longer than any run takes; a job may take 6 hours
  size_t objects_max = 10'000;              // of one plan
};

// What no manifest names any more. Nothing is deleted by making it.
struct LeftoverPlan {
  std::vector<cloud::ObjectInfo> objects;  // to delete, each with its generation
  int64_t bytes = 0;                       // sum of their sizes
  int64_t kept_young = 0;                  // named by no manifest, but within the grace period
  int64_t kept_in_doubt = 0;               // see above
  bool truncated = false;                  // there are more than objects_max: plan again
};

// What carrying out a plan did.
struct LeftoverReport {
  int64_t deleted = 0;
  int64_t bytes = 0;
  int64_t kept = 0;             // a manifest names it by now
  std::vector<Error> failures;  // the first 100 objects that could not be deleted
};

// What could be deleted below `scope` as of `now`.
Result<LeftoverPlan> PlanLeftovers(Repository& repository, const TableRef& scope, Timestamp now,
                                   const LeftoverOptions& options = {});

// Deletes it. Idempotent: what is gone is skipped.
Result<LeftoverReport> CollectLeftovers(Repository& repository, const LeftoverPlan& plan);

}  // namespace holdfast::repository
