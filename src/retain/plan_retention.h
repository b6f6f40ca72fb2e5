// Which backups of one object are kept and which go, with every reason: a pure function.
//
// Invariants that hold whatever the policy says (google-semantics R1 to R4, DESIGN §5):
//  - a backup that is pinned or held is kept;
//  - the newest good backup is kept while the source exists, and until the grace for deleted
//    sources has passed; where none is good, the newest of the best that there is;
//  - a backup that is suspect, damaged or failed is judged by the rules as if it were good, beside
//    the good ones: it never takes a place of theirs, and never is the newest good one;
//  - minimum_count good backups are kept (of a deleted source, as deleted_source says; where the
//    fourth filter of BBQ applies, none);
//  - a backup whose time is after now is kept and takes no place: the clock is in doubt;
//  - never everything, but for a source that is gone by a policy with rules for that;
//  - a policy without keep rule and limit keeps everything.
// Of two backups of one time the one with the greater id is the newer.
#pragma once

#include <string>
#include <vector>

#include "model/retention.h"
#include "retain/history.h"

namespace holdfast::retain {

struct Verdict {
  HistoryEntry backup;
  bool keep = true;
  // In words, one at least: of one that is kept each reason to keep it, of one that goes why no
  // rule keeps it or which limit takes it.
  std::vector<std::string> reasons;
};

struct RetentionPlan {
  std::string object;
  std::vector<Verdict> verdicts;  // every backup of the history once, the newest first

  size_t CountKept() const;
};

RetentionPlan PlanRetention(const ObjectHistory& history, const RetentionPolicy& policy,
                            Timestamp now);

}  // namespace holdfast::retain
