// Census: which of the objects that a restore names were there, by what finished runs saw of them.
//
// Runs are added from the newest to the oldest; for each object the first run that covered it and
// could look decides. A run that did not list a table although it covered its dataset testifies
// that the table is gone; one whose look at the dataset or project failed testifies nothing by
// silence, but what it did list counts. A table that a run could not read is there, and older runs
// tell what it consists of. Pure; not thread-safe. Source: DESIGN §4 "Restore".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/run.h"

namespace holdfast::restore {

// How an object stood at the time asked for.
enum class Presence {
  kBackedUp,     // `backup` holds it
  kFailed,       // there, and not backed up by the run: see `reason`
  kUnsupported,  // there, and of a kind that is not backed up: see `reason`
};

// One object, as the newest run that tells of it saw it.
struct ObjectState {
  TableRef object;  // a whole table that kFailed may have partitions: no run told which
  Presence presence = Presence::kFailed;
  std::string backup;
  std::string reason;
  int64_t seen_ms = 0;        // when the run that decided began
  std::string later_failure;  // why a newer run could not read the table; empty: it could
};

class Census {
 public:
  // Of a dataset (table empty), a table or a partition. `with_backups`: the tables of it that have
  // any backup; for others older runs have nothing to tell.
  Census(TableRef source, std::set<TableRef> with_backups)
      : source_(std::move(source)), with_backups_(std::move(with_backups)) {}

  // Whether the run may tell anything of the source, and whether an outcome belongs to that.
  static bool Concerns(const TableRef& source, const Run& run);
  static bool Concerns(const TableRef& source, const ItemOutcome& item);

  // Adds a finished run that is older than those before it, with all outcomes that concern the
  // source; others are ignored.
  void Add(const Run& run, const std::vector<ItemOutcome>& items);

  // Whether older runs can tell nothing more.
  bool IsComplete() const;

  // The objects named that were there, in order.
  std::vector<ObjectState> Objects() const;

  // Whether a run tells that the table was there, or was gone: one that ended before `since_ms`
  // does not tell the latter.
  bool Knows(const TableRef& table, int64_t since_ms) const;

  // Whether a run tells that exactly this table or partition was there, or was gone.
  bool KnowsObject(const TableRef& object) const;

  // When the run ended that tells of the object, or that listed all of its table without it. A
  // backup that came later, of a run that was killed or is under way, is not known to it. nullopt:
  // no run tells.
  std::optional<int64_t> ToldUntil(const TableRef& object) const;

  // Whether the object is divided as the table is by the newest run that tells: a partition of a
  // partitioned table, or a whole one.
  bool IsDividedAs(const TableRef& object) const;

 private:
  enum class Layout { kUnknown, kWhole, kPartitioned };

  struct TableCensus {
    std::map<std::string, std::optional<ObjectState>> objects;  // by partition; nullopt: gone
    std::map<std::string, int64_t> told_ms;                     // of the same, when its run ended
    Layout layout = Layout::kUnknown;                           // of the newest that told
    bool closed = false;                                        // a run listed all of it
    int64_t closed_ms = 0;                                      // when that run ended
    std::optional<ObjectState> failure;                         // of the newest run, on the whole
  };

  // A run that looked: what it covered and did not list was not there.
  struct Witness {
    Scope scope;
    int64_t finished_ms = 0;
  };

  bool IsGone(const TableRef& table, int64_t since_ms) const;
  static void AddTable(TableCensus& table, const Run& run,
                       const std::vector<const ItemOutcome*>& items, bool looked);
  static Layout LayoutOf(const std::vector<const ItemOutcome*>& items);

  TableRef source_;
  std::set<TableRef> with_backups_;
  std::map<TableRef, TableCensus> tables_;
  std::vector<Witness> witnesses_;
  bool covered_ = false;  // a run that looked covered the whole source
};

// Whether the scope holds every table of the dataset, whatever its name. Pure.
bool CoversWholeDataset(const Scope& scope, const DatasetRef& dataset);

}  // namespace holdfast::restore
