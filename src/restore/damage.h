// What a restore finds out about the backups that it uses, and where it is kept.
//
// A backup is damaged when its own bytes, manifest or repository say so, and then the catalog is
// told, so that the next restore takes the good one before it. A restored table that differs, or a
// load that failed, says nothing of the kind by itself: the backups are read before they are
// condemned. Thread-safe as far as the services are. Source: DESIGN §4 "Restore".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/manifest.h"
#include "restore/compare.h"
#include "restore/plan.h"
#include "restore/services.h"
#include "restore/target.h"

namespace holdfast::restore {

// The manifests of a table's backups, each with its objects in place (L0). One that is lost or
// damaged is read from a whole copy in a further repository, and `notes` says so. Errors: the first
// damage found of which there is no copy, which is recorded; those of the services.
Result<std::vector<Manifest>> ReadManifests(const Services& services, const TableRestore& restore,
                                            std::vector<std::string>& notes);

// Why a load failed: the damage of a backup, recorded, when its bytes are not those that its
// manifest tells of, which the service may put in any words; else the error itself. Reads the
// backups only when the error is one of the data (L1), after looking at all objects (L0).
Error ExplainLoadFailure(const Services& services, const std::vector<Manifest>& manifests,
                         const Error& error);

// Reads every backup (L2) of a table that was restored and holds other rows, records what that
// shows of each, and tells in words which are damaged, or that all are whole.
std::string ExamineBackups(const Services& services, const std::vector<Manifest>& manifests);

// Keeps the comparison where it outlives this machine; in the catalog too, when it proves the
// backups. What cannot be kept is logged.
void KeepEvidence(const Services& services, const TableRestore& restore, const OwnedTable& owned,
                  const TableComparison& comparison);

}  // namespace holdfast::restore
