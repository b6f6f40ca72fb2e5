// What a restore has to give back, by the runs' own words and the truth at the time.
//
// Follows the finished runs in order: an object that a run says is backed up, or unchanged, has to
// be restorable as it was when the run was at it; one that failed, or shrank and is suspect, as it
// was in its last good backup. Knows nothing of manifests, catalogs and plans: it is the oracle
// that they are held against. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "model/run.h"
#include "tests/simulation/organization.h"

namespace holdfast::simulation {

// The last good backup of an object.
struct Good {
  std::string backup;
  std::vector<Content> contents;  // one of these; more than one when the run was interrupted
  std::vector<Json> definitions;  // of its table, likewise
};

// Whether the run did not save the object, and said so.
inline bool IsNotSaved(const ItemOutcome& item) {
  return item.outcome == Outcome::kFailed || item.outcome == Outcome::kCarried;
}

class Expectation {
 public:
  // Of snapshots, which are of the whole of a table however it is divided.
  enum class Of { kObjects, kSnapshots };
  explicit Expectation(Of of = Of::kObjects) : of_(of) {}

  // The run is finished, with these outcomes; `truths` is what was there at each time at which a
  // process was at it. Adds test failures for an outcome that cannot be true.
  void Follow(const Run& run, const std::vector<ItemOutcome>& items,
              const std::vector<Truth>& truths);

  // The catalog no longer has these backups of objects that are gone: nothing of them is expected.
  void ForgetRemoved(catalog::BackupIndex& index);

  // Objects of a dataset that were there when the last run looked.
  std::vector<TableRef> PresentIn(const DatasetRef& dataset) const;

  // nullptr: it never had a good backup.
  const Good* GoodOf(const TableRef& object) const;

  // When the run began that made the newest good backup of what is there of a table, as it stands
  // in the ids of backups; empty: there is none.
  std::string NewestRunOf(const TableRef& table) const;

  // Whether nobody can say: a table vanished under the last run that looked at it, or came back
  // and is not due yet.
  bool IsUncertain(const TableRef& object) const {
    return uncertain_.contains(object.WholeTable());
  }

 private:
  void FollowTable(const TableRef& table, const std::vector<const ItemOutcome*>& items,
                   const std::vector<Truth>& truths);
  void FollowObject(const ItemOutcome& item, const std::vector<Truth>& truths);

  Of of_;
  std::map<TableRef, std::set<TableRef>> present_;  // objects by table
  std::map<TableRef, Good> good_;
  std::set<TableRef> uncertain_;
};

}  // namespace holdfast::simulation
