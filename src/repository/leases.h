// Leases: what a restore holds, so that no prune deletes its backups under it.
//
// A lease is one object, leases/<until>-<holder>.json, with the backups of one plan in one
// repository; it ends by the time in its name, so that a restore that died holds nothing for ever.
// A lease that TakeLease returned is seen by every deletion that had not begun: prune first writes
// its intent and then looks for leases, TakeLease first writes the lease and then looks for
// intents, so at least one of the two sees the other. Source: DESIGN §2 "pin"; google-semantics R2.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "repository/repository.h"

namespace holdfast::repository {

// By how much the clocks of a restore and of a prune may differ: a lease is looked at so much
// longer than it says.
inline constexpr Duration kLeaseClockMargin = std::chrono::minutes{10};

struct Lease {
  std::string holder;  // an id of ours (model/ids.h): of a plan
  int64_t until_ms = 0;
  std::vector<std::string> backups;
};

// Takes the lease, in place of an earlier one of the same holder; one that cannot be deleted, since
// its bucket retains it, stays beside it. Errors: kBackupBeingRemoved, naming one, when the
// deletion of any of them has begun: then it is given back; those of the store, kAccessDenied among
// them.
Status TakeLease(Repository& repository, const Lease& lease);

// Gives the holder's leases back. Idempotent. Errors: of the store.
Status EndLease(Repository& repository, const std::string& holder);

// Deletes the leases that hold nothing any more at `now`: those of restores that died. Idempotent.
// Errors: of the store.
Status ClearExpiredLeases(Repository& repository, Timestamp now);

// The backups that are held at `now`. Errors: of the store; kInvalidJson for a lease that cannot be
// read, since nobody knows what it holds.
Result<std::set<std::string>> LeasedBackups(Repository& repository, Timestamp now);

}  // namespace holdfast::repository
