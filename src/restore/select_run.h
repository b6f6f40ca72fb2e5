// The choice of backups for a run: the set of versions that one run found in place, as it found it.
//
// What the run backed up and what it found unchanged make up one set. A backup of it that is
// suspect, damaged or pruned by now is missing from the set; another one does not take its place.
#pragma once

#include <string>

#include "base/result.h"
#include "catalog/catalog.h"
#include "model/policy.h"
#include "restore/selection.h"

namespace holdfast::restore {

// The run's objects that `scope` covers. Errors: kRunNotFound; of the catalog.
Result<Selection> SelectRun(catalog::Catalog& catalog, const std::string& run, const Scope& scope);

}  // namespace holdfast::restore
