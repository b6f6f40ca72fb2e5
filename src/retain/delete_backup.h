// The deletion of one backup whose tombstone is due: the second look, and then piece by piece.
//
// Internal to retain/. Idempotent from any point at which it was interrupted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "repository/repository.h"
#include "retain/prune.h"

namespace holdfast::retain {

// A backup that a deletion found lost or damaged where the catalog has it.
struct LostBackup {
  catalog::BackupRecord record;
  Error damage;
};

// What a deletion works with; borrowed. What is found lost is put into `lost`, to be noted when the
// pass is over: until then it is judged by what the plan was made of, so that nothing goes.
struct DeletionContext {
  const Services& services;
  repository::Repository& repository;
  Timestamp now;  // of the pass's plan
  const std::string& pass;
  std::vector<LostBackup>& lost;
};

// kDone: nothing is left of the backup. kKept: by now something speaks for it; its tombstone is
// gone, the backup is whole. Errors: kRetainInDoubt, kCopyInDoubt, kTombstoneDamaged,
// kObjectRetained, those of store, warehouse and catalog; what was not deleted yet is left.
Result<PruneResult> DeleteBackup(const DeletionContext& context, const PruneItem& item);

// Writes the tombstone of a backup. Errors: kRetainInDoubt when the repository has no such
// manifest, kManifestDamaged.
Status MarkBackup(const DeletionContext& context, const PruneItem& item);

// Notes what was found lost as a scan or a verification notes it: it is read from its copy from now
// on, or is damaged. Errors: those of verify::NoteLoss.
Status NoteLost(const Services& services, const std::vector<LostBackup>& lost);

// Takes the tombstone of a backup that stays away. Of replicas whose manifest an earlier pass
// deleted nothing is left then: no other pass would know of their data. Errors: of the store.
Status UnmarkBackup(const DeletionContext& context, const PruneItem& item);

}  // namespace holdfast::retain
