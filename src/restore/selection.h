// Which backups make up what a restore asks for, and what of it no good backup holds.
//
// The choice is made for each object: of the newest good backup that was made after the last
// finished run ended, by one that was stopped or is under way; else of the backup that the newest
// finished run before the time found in place, or, when that run failed on it or its backup is
// suspect or damaged, of the newest good one before. What is there and has no good backup is listed
// as missing, never left out in silence. What the source names and is gone by the time asked for is
// taken as it last was; of a dataset that still has tables, those that are gone stay out, unless
// they are asked for. Of several datasets each is decided by itself. Source:
// DESIGN §4 "Restore", R4 of the invariants in google-semantics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "restore/request.h"

namespace holdfast::restore {

struct SelectedBackup {
  catalog::BackupRecord record;
  std::string note;  // why it is not the newest, or not to be trusted; empty: it is as expected
};

// What was there, and is not restored.
struct MissingObject {
  TableRef object;
  std::string reason;
  bool unsupported = false;  // of a kind that is not backed up: no run failed
  // The nearest times as of which it can be had; nullopt: none is known.
  std::optional<int64_t> before_ms = {};
  std::optional<int64_t> after_ms = {};

  // As a plan and a report show it.
  Json ToJson() const;
};

struct Selection {
  std::vector<SelectedBackup> backups;  // each object once; in no particular order
  std::vector<MissingObject> missing;   // in order of object
  std::vector<std::string> notes;       // on the choice as a whole
};

// `now`: from which RestoreRequest::partition_days_max counts. Errors: kNothingToRestore (with why,
// or with the nearest names that have backups); kBeforeFirstBackup; kRunNotFound; kBackupNotFound,
// kBackupAmbiguous; kUsage when the backup named is of another object than the source, or of one
// partition where the whole table is named.
Result<Selection> Select(catalog::Catalog& catalog, const RestoreRequest& request, Timestamp now);

}  // namespace holdfast::restore
