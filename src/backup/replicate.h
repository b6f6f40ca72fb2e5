// Further repositories: the same backups once more, in another project or location.
//
// Written after the first repository has the backup, and in the same order: the data objects,
// copied inside the storage service and held to size and checksum, then the manifest. Every step
// can be repeated. A backup that is not there when a run finds its object unchanged is copied then.
// The catalog knows the first repository's, until that is lost (verify_recorded.h). A
// copy or a snapshot is a table where its source is, and is not copied. Source: DESIGN §5 (end).
#pragma once

#include <string>

#include "backup/services.h"
#include "backup/unit.h"
#include "model/manifest.h"

namespace holdfast::backup {

// Whether backups of that method go to further repositories.
bool IsReplicated(Method method);

// Where a further repository is for an object whose dataset is in `location`.
repository::Location PlaceOfFurther(const FurtherRepository& further, const TableRef& object,
                                    const std::string& location);

// Copies a backup that is committed in the first repository to each further one of the policy, made
// if it is absent; success where it is there already. Errors: of the store, naming the repository;
// kObjectCorrupt when a copy is not what was copied.
Status Replicate(const TableBackup& common, const Manifest& manifest);

// The outcome of a unit that is unchanged, its backup copied to where it was missing.
Result<ItemOutcome> MakeUpFor(const TableBackup& common, const Unit& unit);

}  // namespace holdfast::backup
