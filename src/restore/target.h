// The target table of a restore: made from the saved definition, and owned while it is filled.
//
// A table that is being restored carries a label with the plan's hash and a fresh number. Who finds
// the label of its own plan goes on where an earlier process stopped, with the same job ids; any
// other table is somebody's and a conflict. Expirations are left out, or old partitions would
// vanish on arrival (google-semantics trap 2). Access lists are not restored: a copy elsewhere must
// not be readable by more people than the source.
#pragma once

#include <string>

#include "model/manifest.h"
#include "restore/plan.h"
#include "restore/services.h"

namespace holdfast::restore {

inline constexpr std::string_view kRestoreLabel = "holdfast-restore";

struct OwnedTable {
  TableInfo table;
  std::string restore_id;  // the label's value: part of every job id
  bool resumed = false;
};

// Makes dataset and table, or finds them made by this plan before. Errors: kTableExists (somebody
// else's), kLocationMismatch.
Result<OwnedTable> TakeTarget(const Services& services, const RestorePlan& plan,
                              const TableRestore& restore, const Manifest& manifest);

// Takes the label off: the table is complete.
Result<TableInfo> ReleaseTarget(const Services& services, const OwnedTable& owned);

// The definition of a restored table, from the saved one. Pure.
Json TargetResource(const Json& saved_resource, const std::string& label);

// The definition of its dataset. Pure.
Json TargetDatasetResource(const Json& saved_resource);

}  // namespace holdfast::restore
