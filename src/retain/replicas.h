// Replicas: the copies of a backup in further repositories, which go when it goes.
//
// A tombstone names them with their data (tombstones.h), so a deletion that was killed finds them
// again. They are looked for in every place that the settings or the policy document name today;
// what lies in a place that was taken out of both stays, for a person to delete. Internal to
// retain/. Idempotent from any point at which it was interrupted.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "retain/delete_backup.h"

namespace holdfast::retain {

// The replicas of the backup of `object`, which is of this location and lies in the repository
// `own`: by now that may be one of the further ones. Errors: kManifestDamaged,
// those of the store.
Result<std::vector<Replica>> FindReplicas(const Services& services, const repository::Location& own,
                                          const TableRef& object, const std::string& backup,
                                          const std::string& location);

// Begins the deletion of all that the tombstone names, and says why one of them stays: somebody has
// pinned it there, or it came after the tombstone. `location`: of the backup. Errors: of the store.
Result<std::vector<std::string>> ReasonsToKeepReplicas(const Services& services,
                                                       const repository::Location& own,
                                                       const Tombstone& tombstone,
                                                       const std::string& location);

// Takes the intents back, when nothing was deleted. Idempotent.
Status WithdrawReplicaIntents(const Services& services, const Tombstone& tombstone);

// Deletes their manifests. Errors: kObjectRetained, with the place; those of the store.
Status DeleteReplicaManifests(const Services& services, const Tombstone& tombstone);

// Deletes the data of those whose manifest is gone, and leaves word in their repositories. Errors:
// of the store.
Status DeleteReplicaData(const Services& services, const Tombstone& tombstone);

}  // namespace holdfast::retain
