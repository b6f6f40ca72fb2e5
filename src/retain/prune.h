// Prune: deletes the backups that retention does not keep, in two phases.
//
// A plan is made over the catalog, object by object; applying it writes tombstones for what is to
// go and, once a tombstone's grace is over, looks again at pins, holds and the plan and deletes:
// the manifest first, so that no visible manifest ever lacks an object, then the data by
// generation, the table of a copy, the record in the catalog, the tombstone. Every step is
// idempotent; a prune that was killed between any two goes on with the next. What is in doubt
// stays and is reported. A pass is capped, and none is made when the clock is in doubt. Memory is
// bounded by the backups of one object, the caps, and the pins and tombstones there are.
// Source: DESIGN §5; google-semantics R1 to R5, M1.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "retain/plan_retention.h"
#include "retain/services.h"
#include "retain/tombstones.h"

namespace holdfast::retain {

using repository::kPruneEvidence;

struct PruneOptions {
  Duration grace = std::chrono::hours{72};  // between a tombstone and the deletion
  // Of one pass, deletions and new tombstones each: at most so many, and at most this share of all
  // backups, but one at least.
  int64_t removals_max = 1'000;
  double share_max = 0.1;
  Duration clock_forward_max = std::chrono::hours{24};
  bool accept_clock = false;  // a person says that the clock is right

  bool operator==(const PruneOptions&) const = default;
};

enum class PruneAction {
  kDelete,  // its tombstone is due
  kUnmark,  // it has a tombstone, and is kept after all
  kMark,    // to get a tombstone
};
std::string_view PruneActionName(PruneAction action);  // "delete", ...

// One backup with what is to be done about it.
struct PruneItem {
  PruneAction action = PruneAction::kMark;
  repository::Location repository;
  TableRef object;  // empty in a kDelete of a backup that the catalog does not know
  std::string backup;
  int64_t bytes = 0;
  std::vector<std::string> reasons;
  std::optional<TombstoneEntry> tombstone;  // but for kMark
};

// An object or repository that could not be judged: nothing of it goes.
struct PruneProblem {
  std::string subject;
  Error error;
};

struct PrunePlan {
  Timestamp now;
  std::string clock_doubt;       // why the clock is in doubt; empty: it is not
  std::vector<PruneItem> items;  // kDelete, then kUnmark, then kMark; each in order of object
  int64_t objects = 0;
  int64_t backups = 0;
  int64_t kept = 0;
  int64_t waiting = 0;                 // with a tombstone that is not due
  int64_t deferred = 0;                // over the caps: of a later pass
  std::vector<PruneProblem> problems;  // the first 100
  int64_t problem_count = 0;

  int64_t Count(PruneAction action) const;
};

// Takes the verdicts over one object, each with its reasons.
using PlanVisitor = std::function<Status(const RetentionPlan& plan)>;

// What a pass would do now. Writes nothing. Errors: of the catalog, of `visit`, of a listing.
Result<PrunePlan> PlanPrune(const Services& services, const PruneOptions& options,
                            const PlanVisitor& visit);

enum class PruneOutcome {
  kDone,      // as the action says
  kKept,      // a pin, a hold or the plan says otherwise by now; its tombstone is taken away
  kRetained,  // a retention policy of the bucket forbids it for now: a later pass tries again
  kFailed,    // see the error; a later pass tries again
};
std::string_view PruneOutcomeName(PruneOutcome outcome);  // "done", ...

struct PruneResult {
  PruneItem item;
  PruneOutcome outcome = PruneOutcome::kDone;
  std::string reason;          // why not done
  std::optional<Error> error;  // kRetained, kFailed
};

struct PruneReport {
  std::string pass;  // its id
  std::vector<PruneResult> results;

  int64_t Count(PruneAction action, PruneOutcome outcome) const;
  int64_t CountNotDone() const;  // retained and failed
};

// Carries the plan out. One backup that fails does not stop the others. Errors: kClockJumped before
// anything was deleted; kCancelled.
Result<PruneReport> ApplyPrune(const Services& services, const PruneOptions& options,
                               const PrunePlan& plan);

}  // namespace holdfast::retain
