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

// How many jobs of each kind something takes.
struct JobCounts {
  int64_t load = 0;
  int64_t copy = 0;     // restores of snapshots too
  int64_t extract = 0;  // to compare what was restored

  bool operator==(const JobCounts&) const = default;
};

// A target as it was when the plan was made (look.h).
struct SeenTarget {
  bool exists = false;
  int64_t creation_ms = 0;
  int64_t last_modified_ms = 0;
  int64_t rows = 0;

  bool operator==(const SeenTarget&) const = default;
};

// The dataset of targets as it was then.
struct SeenDataset {
  DatasetRef dataset;
  bool exists = false;
  int64_t creation_ms = 0;
  std::string location;
  std::string access_hash;  // of its access list, whatever the order; empty: it has none

  bool operator==(const SeenDataset&) const = default;
};

// Why the plan cannot be carried out, if it is fatal; else what a person must know of.
struct Conflict {
  TableRef object;  // the target; of a dataset without `table`, of a project without `dataset`
  Error error;
  bool is_fatal = true;
};

// Who may read what is restored and could not read the source, or the other way round.
struct AccessChange {
  DatasetRef dataset;  // the target's
  std::string what;    // in words
};

// How much of one of Google's quotas the plan takes.
struct QuotaNeed {
  std::string of;     // a project, or the table that takes most of a quota of tables
  std::string quota;  // "load_jobs_per_day"
  int64_t needed = 0;
  int64_t limit = 0;

  bool operator==(const QuotaNeed&) const = default;
};

// One table to be made, or one object without data: of a kind that its one backup has.
struct TableRestore {
  TableRef source;
  TableRef target;
  std::vector<catalog::BackupRecord> backups;  // one, or one for each partition; in partition order
  std::vector<std::string> notes;  // of backups that are not the newest or not to be trusted
  int64_t rows = 0;
  int64_t bytes = 0;      // stored
  bool finished = false;  // by an earlier run of the same command: it is not restored again
  SeenTarget before;      // judged plans only, as `jobs`
  JobCounts jobs;
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

  // What a plan that was judged (judge.h) tells besides.
  std::vector<SeenDataset> datasets;  // of the targets; in order
  std::vector<Conflict> conflicts;    // all of them
  std::vector<AccessChange> access_changes;
  std::vector<QuotaNeed> quotas;
  JobCounts jobs;
  int64_t estimate_ms = 0;

  // Of a plan that is kept in a file (plan_file.h) only.
  std::string id;             // names the leases by which its backups are held
  int64_t created_ms = 0;     // when it was made
  int64_t held_until_ms = 0;  // from then on its backups may be gone

  // What is printed for machines; stable: members are only ever added.
  Json ToJson() const;

  // What is audited: the same without the lists, which may be as long as an organization.
  Json Summary() const;
};

// Errors: those of ValidateRequest; kInvalidName for one table name for several tables;
// kNothingToRestore for no backups; kTargetAmbiguous for backups of a table as a whole beside some
// of its partitions; those of CheckTargetsApart (mapping.h).
Result<RestorePlan> MakePlan(const RestoreRequest& request, const Selection& selection);

// The object of a conflict: a table, a dataset or a project.
std::string TargetText(const TableRef& target);

// The plan of these tables: in order, added up and hashed. Pure.
RestorePlan PlanOf(const RestoreRequest& request, std::vector<TableRestore> tables,
                   std::vector<MissingObject> missing, std::vector<std::string> notes);

}  // namespace holdfast::restore
