// The runs of a catalog from the newest to the oldest, read once for all objects of a restore.
//
// Runs, and the outcomes of what lies above tables, are read as they are asked for and kept; those
// of a dataset's tables are read anew each time. Borrows the catalog. One thread. Errors: of the
// catalog.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"

namespace holdfast::restore {

class RunHistory {
 public:
  explicit RunHistory(catalog::Catalog& catalog) : catalog_(catalog) {}

  // The run of that place, 0 the newest; nullptr behind the oldest. Valid until the next call.
  Result<const Run*> At(size_t place);

  // What the run tells of a dataset's or table's objects, and of the failures above them.
  Result<std::vector<ItemOutcome>> OutcomesOf(const Run& run, const TableRef& source);

 private:
  catalog::Catalog& catalog_;
  std::vector<Run> runs_;
  std::string next_page_;
  bool complete_ = false;
  std::map<std::string, std::vector<ItemOutcome>> above_;  // by run
};

}  // namespace holdfast::restore
