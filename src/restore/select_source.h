// The choice of backups for what one name means: a dataset, a table or a partition.
//
// How it is made is told in selection.h, which asks this for each source of a request. Borrows what
// it is given. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "catalog/catalog.h"
#include "model/policy.h"
#include "restore/run_history.h"
#include "restore/selection.h"

namespace holdfast::restore {

struct SourceQuestion {
  TableRef source;                  // a dataset (table empty), a table, or a partition of one
  std::optional<int64_t> as_of_ms;  // as RestoreRequest
  bool include_deleted = false;     // likewise
  const Scope* within = nullptr;    // of the source only what this covers; nullptr: all of it
  bool also_if_gone = true;         // when nothing of it is there, it is taken as it last was
};

// What is selected and what is missing; both empty when nothing is known of the source. Errors: of
// the catalog.
Result<Selection> SelectSource(catalog::Catalog& catalog, RunHistory& history,
                               const SourceQuestion& question);

// When the first good backup of exactly this object after that time was read; nullopt: there is
// none.
Result<std::optional<int64_t>> FirstAfter(catalog::BackupIndex& index, const TableRef& object,
                                          int64_t time_ms);

// "is damaged: ...", "is suspect: ...": of a backup that is not good.
std::string WhyNotGood(const catalog::BackupRecord& record);

}  // namespace holdfast::restore
