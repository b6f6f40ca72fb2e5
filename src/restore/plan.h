// The plan of a restore: which tables are made, and from which backups each is filled.
//
// `Select` asks the catalog which backups make up the consistent set; `MakePlan` is pure. What
// `Apply` (apply.h) does is exactly what a plan says. Source: DESIGN §1.5, §4 "Restore".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "restore/request.h"

namespace holdfast::restore {

// One table to be made.
struct TableRestore {
  TableRef source;
  TableRef target;
  std::vector<catalog::BackupRecord> backups;  // one, or one for each partition; in partition order
  int64_t rows = 0;
  int64_t bytes = 0;  // stored
};

struct RestorePlan {
  std::vector<TableRestore> tables;  // in order of target
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string hash;  // 16 hexadecimal digits over sources, targets and backups: names the plan

  Json ToJson() const;
};

// The backups that hold what the request names: the named one, or the set that the newest run
// before the time found in place. A partition that was gone by then is not in it. Errors:
// kNothingToRestore (with the nearest names that have backups), kBackupNotFound, kBackupAmbiguous.
Result<std::vector<catalog::BackupRecord>> Select(catalog::Catalog& catalog,
                                                  const RestoreRequest& request);

// Errors: kInvalidName for a target that is no table's name, or one table name for a whole dataset;
// kNothingToRestore for no backups.
Result<RestorePlan> MakePlan(const RestoreRequest& request,
                             const std::vector<catalog::BackupRecord>& backups);

}  // namespace holdfast::restore
