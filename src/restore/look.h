// What is there now, where a restore would put things: what a plan is judged by (judge.h).
//
// Read in bulk: each dataset of targets once, its tables by one listing. What is absent is no
// error. Writes nothing. Errors: of the services.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "catalog/backup_index.h"
#include "model/table.h"
#include "restore/plan.h"
#include "restore/request.h"
#include "restore/services.h"

namespace holdfast::restore {

// The dataset that tables come from, as the newest of their backups has it.
struct SavedDataset {
  DatasetRef source;
  DatasetRef target;
  Json resource = Json::object();
  std::string unknown;  // why it could not be read; empty: it was
};

struct Surroundings {
  std::map<DatasetRef, DatasetInfo> datasets;  // of the plan's targets, those that are there
  std::map<TableRef, SeenTarget> targets;      // likewise; datasets themselves are not among them
  std::vector<Conflict> conflicts;             // of targets that are there and in the way
  std::vector<SavedDataset> saved;             // in order of target
};

// Datasets and targets only.
Result<Surroundings> LookAtTargets(const RestorePlan& plan, const Services& services);

// All of it. A target that is in the way is looked at by itself.
Result<Surroundings> LookAround(const RestoreRequest& request, const RestorePlan& plan,
                                const Services& services);

// The plan's backups as the catalog has them now, by id; those that it does not know are absent.
Result<std::map<std::string, catalog::BackupRecord>> LookAtBackups(const RestorePlan& plan,
                                                                   const Services& services);

}  // namespace holdfast::restore
