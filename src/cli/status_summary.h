// What is protected and what is not, added up from the catalog.
//
// An object is a table or a partition of which there is a backup, or which a run tried to back up.
// What the newest backup of each is, and what the newest finished run over the whole scope saw of
// it, are read side by side in order of object, so memory does not grow with their number. Reads
// only; what other processes write meanwhile may be seen in part.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "model/run.h"

namespace holdfast::cli {

inline constexpr size_t kStatusNamesMax = 5;  // objects that are named of each kind

// How many objects are of a kind, and the names of the first ones.
struct NamedObjects {
  int64_t count = 0;
  std::vector<std::string> first;  // kStatusNamesMax at most

  // Counts one more; a project or dataset that failed whole counts under its own name.
  void Add(const TableRef& object);
};

// The objects of one project.
struct ProjectStatus {
  int64_t objects = 0;  // all of them: what is not protected too
  int64_t rows = 0;     // of the newest good backups, as all that follows
  int64_t bytes = 0;
  int64_t verified = 0;              // at L2 or better
  std::optional<int64_t> oldest_ms;  // the recovery point that lies furthest back, of what was not
                                     // deleted; nullopt: there is none
  int64_t suspect = 0;               // as in StatusSummary
  int64_t damaged = 0;
  int64_t without_good_backup = 0;
  int64_t deleted = 0;
};

// One run and how it went.
struct RunStatus {
  Run run;
  catalog::RunProgress progress;
  bool whole_scope = false;  // it looked at all that the configuration covers
  NamedObjects failed;       // of last_whole_run: those that were not backed up since
  int64_t suspect = 0;
};

struct StatusSummary {
  std::optional<RunStatus> last_run;
  // The newest finished run over the whole scope, when `last_run` is another one.
  std::optional<RunStatus> last_whole_run;
  std::map<std::string, ProjectStatus> projects;
  // As observe::Protection says of each object.
  NamedObjects suspect;
  NamedObjects lost;  // of the suspect: partitions that are gone with most of their table's rows
  NamedObjects damaged;
  NamedObjects from_copies;
  NamedObjects damaged_copies;
  NamedObjects accepted;
  NamedObjects without_good_backup;
  NamedObjects unsupported;
  NamedObjects deleted;  // backed up, and seen no more by the newest whole run
};

// `whole`: the scope that the configuration covers. Errors: those of the catalog.
Result<StatusSummary> SummarizeStatus(catalog::Catalog& catalog, const Scope& whole);

}  // namespace holdfast::cli
