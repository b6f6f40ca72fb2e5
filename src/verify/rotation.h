// Rotation: which backups a pass looks at, so that all of them are read, in every repository in
// which they lie, and restored in a set time.
//
// A pass takes what would be overdue before the next pass, and beside that, the oldest read first,
// an equal share of all bytes, so that the work of a month is not done on its last day. It keeps
// no state of its own: what was read, and when, is in the catalog, so any process may make any
// pass. `RotationPlanner` is pure; memory is bounded by `items_max`. Source: issue "Verification,
// always on".
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "model/verification_policy.h"
#include "verify/verify_recorded.h"

namespace holdfast::verify {

struct RotationOptions {
  Duration interval = std::chrono::hours{24};  // until the next pass
  int64_t bytes_max = 0;                       // read in this pass at most; 0: no limit
  size_t items_max = 100'000;                  // in one plan
};

// One backup to be looked at.
struct RotationItem {
  catalog::BackupRecord record;
  int64_t due_ms = 0;    // when it has to have been looked at
  bool live = false;     // and held against its source (VerificationPolicy::live)
  bool is_copy = false;  // the place of `record` is a further repository, where there may be none
};

struct RotationPlan {
  std::vector<RotationItem> items;  // the most urgent first
  int64_t backups = 0;              // all that there are, and all copies that there may be
  int64_t bytes = 0;                // of them
  int64_t planned_bytes = 0;        // of `items`
  int64_t overdue = 0;              // past their time already
  int64_t deferred = 0;             // due before the next pass, and over a limit
};

// Takes backups one by one and keeps the most urgent.
class RotationPlanner {
 public:
  RotationPlanner(const RotationOptions& options, Timestamp now);

  // `last_ms`: when it was last looked at as the rotation asks; `within`: how often that is to be.
  void Add(RotationItem item, int64_t last_ms, Duration within);

  RotationPlan Finish();

 private:
  const RotationOptions options_;
  const int64_t now_ms_;
  double share_ = 0;                 // of this pass, in bytes and calls
  std::vector<RotationItem> items_;  // a heap, the least urgent first
  RotationPlan plan_;
};

// What verification an object's backups are to have.
using VerificationPolicyOf = std::function<Result<VerificationPolicy>(const TableRef& object)>;

// When a backup was last looked at with success at that level or a higher one; 0: never.
Result<int64_t> LastVerified(catalog::BackupIndex& index, const catalog::BackupRecord& record,
                             VerifyLevel level);

// Which backups are to be read now (L2), and which of their copies in `further_places` (empty:
// there are none). Damaged ones are left out: that is known. Errors: of the catalog and of
// `policy_of`.
Result<RotationPlan> PlanReading(catalog::Catalog& catalog, const VerificationPolicyOf& policy_of,
                                 const FurtherPlaces& further_places,
                                 const RotationOptions& options, Timestamp now);

// Of which objects the newest good backup is to be restored now (L3): those of which none was for
// the time that the policy says, since the first backup was made. Objects without data are left
// out. Errors: as above.
Result<RotationPlan> PlanRehearsals(catalog::BackupIndex& index,
                                    const VerificationPolicyOf& policy_of,
                                    const RotationOptions& options, Timestamp now);

}  // namespace holdfast::verify
