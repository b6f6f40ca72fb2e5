// Rows of runs and of outcomes, for the two files that make up the run ledger in SQL.
//
// All of it is of one session, whose transaction is the caller's.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/sql_store.h"
#include "model/run.h"

namespace holdfast::catalog {

// The run as it was last recorded. kRunNotFound, kCatalogDamaged.
Result<Run> ReadRun(SqlSession& session, const std::string& run);

// Records outcomes of a task that is being completed, and adds them to the run's sums: an object
// that has an outcome keeps it, joined by that of a method that it says nothing of.
Status AddOutcomes(SqlSession& session, const std::string& run,
                   const std::vector<ItemOutcome>& outcomes);

}  // namespace holdfast::catalog
