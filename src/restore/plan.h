// The plan of a restore: which tables are made, and from which backups each is filled.
//
// `MakePlan` is pure; `PlanRestore` (unfinished.h) asks the catalog and goes on with an unfinished
// plan of the same request. What `Apply` (apply.h) does is exactly what a plan says. Source: DESIGN
// §1.5, §4 "Restore".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "restore/request.h"
#include "restore/selection.h"

namespace holdfast::restore {

// One table to be made, or one object without data: of a kind that its one backup has.
struct TableRestore {
  TableRef source;
  TableRef target;
  std::vector<catalog::BackupRecord> backups;  // one, or one for each partition; in partition order
  std::vector<std::string> notes;  // of backups that are not the newest or not to be trusted
  int64_t rows = 0;
  int64_t bytes = 0;      // stored
  bool finished = false;  // by an earlier run of the same command: it is not restored again
};

struct RestorePlan {
  std::string key;                     // RequestKey: names the request on targets and stored plans
  std::vector<TableRestore> tables;    // those with data first; in order of target
  std::vector<MissingObject> missing;  // what was there and is not restored; in order
  std::vector<std::string> notes;      // on the choice of backups as a whole
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string hash;  // 16 hexadecimal digits over sources, targets and backups: names the plan
  std::optional<int64_t> resumes_ms;  // when the unfinished restore that this goes on with began

  // What is printed for machines and audited; stable.
  Json ToJson() const;
};

// Errors: those of ValidateRequest; kInvalidName for one table name for several tables;
// kNothingToRestore for no backups; kTargetAmbiguous for backups of a table as a whole beside some
// of its partitions; those of CheckTargetsApart (mapping.h).
Result<RestorePlan> MakePlan(const RestoreRequest& request, const Selection& selection);

// The plan of these tables: in order, added up and hashed. Pure.
RestorePlan PlanOf(const RestoreRequest& request, std::vector<TableRestore> tables,
                   std::vector<MissingObject> missing, std::vector<std::string> notes);

}  // namespace holdfast::restore
