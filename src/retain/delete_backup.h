// The deletion of one backup whose tombstone is due: the second look, and then piece by piece.
//
// Internal to retain/. Idempotent from any point at which it was interrupted.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "repository/repository.h"
#include "retain/prune.h"

namespace holdfast::retain {

// What a deletion works with; borrowed.
struct DeletionContext {
  const Services& services;
  repository::Repository& repository;
  Timestamp now;  // of the pass's plan
  const std::string& pass;
};

// kDone: nothing is left of the backup. kKept: by now something speaks for it; its tombstone is
// gone, the backup is whole. Errors: kRetainInDoubt, kCopyInDoubt, kTombstoneDamaged,
// kObjectRetained, those of store, warehouse and catalog; what was not deleted yet is left.
Result<PruneResult> DeleteBackup(const DeletionContext& context, const PruneItem& item);

// Writes the tombstone of a backup. Errors: kRetainInDoubt when the repository has no such
// manifest, kManifestDamaged.
Status MarkBackup(const DeletionContext& context, const PruneItem& item);

// Takes the tombstone of a backup that stays away. Of replicas whose manifest an earlier pass
// deleted nothing is left then: no other pass would know of their data. Errors: of the store.
Status UnmarkBackup(const DeletionContext& context, const PruneItem& item);

}  // namespace holdfast::retain
