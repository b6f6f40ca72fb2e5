// The unfinished runs that a command goes on with before its own begins.
//
// Told of all progress in the order in which it is made, by one thread. Source: run_backup.h.
#pragma once

#include <string>
#include <vector>

#include "backup/run_backup.h"
#include "catalog/run_ledger.h"

namespace holdfast::cli {

class ContinuedRuns {
 public:
  // What one piece of progress shows that those before did not.
  struct News {
    std::string going_on_with;  // a run that was begun before; empty: nothing new
    std::string ended;          // one that was gone on with and is finished now; empty: none
  };

  // Each run is news once in either way.
  News Follow(const backup::BackupProgress& at);

  // The runs that were gone on with, in that order.
  const std::vector<std::string>& ids() const { return ids_; }

 private:
  std::string current_;
  bool current_is_resumed_ = false;
  std::vector<std::string> ids_;
};

// How a run that was gone on with ended, over all that were at work on it: "Run 2026..., begun ...
// and gone on with: 186 objects backed up; ...". Errors: the ledger's.
Result<std::string> DescribeContinued(catalog::RunLedger& ledger, const std::string& run);

}  // namespace holdfast::cli
