// What is known of every object, side by side: its newest backups, and what the last runs saw.
//
// An object is whatever has a backup, or an outcome in one of the runs that are looked at. They are
// read in order of object, a page of each listing in memory, so memory does not grow with their
// number. Reads only; what others write meanwhile may be seen in part. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "model/run.h"

namespace holdfast::observe {

// A backup in a place that is not the one that it is read from.
struct PlacedBackup {
  std::string backup;
  std::string place;  // gs://bucket/prefix
};

// One object. Pointers are valid during the visit.
struct ObjectView {
  TableRef object;
  const catalog::BackupRecord* newest = nullptr;  // of whatever quality; nullptr: it has none
  const catalog::BackupRecord* good = nullptr;    // the newest good one; nullptr: it has none
  // Ids of its damaged backups, whichever version, newest first; of those that are read from a copy
  // since they were lost or damaged where they were; and of damaged copies, with the repository.
  // What a person accepted is left out.
  std::vector<std::string> damaged;
  std::vector<PlacedBackup> from_copies;
  std::vector<PlacedBackup> damaged_copies;
  int64_t accepted_backups = 0;                 // that are left out so
  std::vector<catalog::AcceptedLoss> accepted;  // all that was accepted of the object
  std::vector<const ItemOutcome*> outcomes;     // one for each run, in their order; nullptr: none
  // For each run that has none of it, the outcome where it would be; nullptr: it has one, or the
  // end.
  std::vector<const ItemOutcome*> next;

  // The newest outcome with the run that gave it, of the first `runs_max`; -1: none did.
  int NewestOutcome(size_t runs_max = SIZE_MAX) const;

  // The time up to which everything that was in the object can be restored: of the newest good
  // backup, or of a run that found that it still holds what is there. 0: there is none.
  int64_t RecoveryPointMs(const std::vector<Run>& runs) const;
};

// Runs to look at, the newest first.
struct RecentRuns {
  std::vector<Run> runs;  // finished
  int whole = -1;         // the newest of them that looked at everything; -1: none did
};

// The newest `count_max` finished runs, or fewer by one and the newest that looked at all of the
// scope `whole`, if that is an older one. Errors: the catalog's.
Result<RecentRuns> FindRecentRuns(catalog::RunLedger& ledger, const Scope& whole,
                                  size_t count_max = 4);

// Whether the run looked at all of the scope: one of some schedules leaves out what others cover.
bool IsWhole(const Run& run, const Scope& whole);

// Calls `visit` for each object. Errors: the catalog's, and those of `visit`.
Status VisitObjects(catalog::Catalog& catalog, const std::vector<Run>& runs,
                    const std::function<Status(const ObjectView& view)>& visit);

// The object's name; of a project or dataset that failed whole, its own.
std::string NameOf(const TableRef& object);

}  // namespace holdfast::observe
