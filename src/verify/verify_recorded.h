// Verifying backups that the catalog knows: manifest, data, evidence in the repository, and what
// the catalog then says of the backup.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "cloud/object_store.h"
#include "cloud/warehouse.h"
#include "repository/layout.h"
#include "verify/verify.h"

namespace holdfast::verify {

// Where copies of an object's backups may be that were made in `location`: the further repositories
// of the settings and the policy. Empty function: nowhere.
using FurtherPlaces = std::function<std::vector<repository::Location>(const TableRef& object,
                                                                      const std::string& location)>;

// References outlive it; thread-safe.
struct Services {
  cloud::Warehouse& warehouse;
  cloud::ObjectStore& objects;
  catalog::Catalog& catalog;
  Clock& clock;
  Random& random;
  std::string staging_bucket_pattern;  // where copies are extracted to, to be read
  FurtherPlaces further_places = {};
};

// The evidence of kind repository::kLeftEvidence.
Json LeftEvidence(const catalog::CopyRecord& left);

// The end of a name of evidence: when it was found, to the millisecond, and which of those found
// then; sorts as the times do, and has no '-'.
std::string EvidenceMoment(Timestamp now, Random& random);

// When the evidence was found: by the clock of who found it, as its catalog has it, but not later
// than it was written (`created_ms`), so that a clock that is ahead cannot outweigh what is found
// later.
int64_t EvidenceTime(const Json& evidence, int64_t created_ms);

// Whether an error of opening a repository or reading a manifest in it tells of damage: also that
// what the catalog knows of is not there any more. Of other calls it says nothing.
bool IsDamageOfRepository(const Error& error);

// Verifies what a manifest names, by its method, and records nothing. A copy has no kL1: it is
// verified at kL2 instead. At kL4 the source is read as of the moment that the backup holds it, and
// compared; where that moment cannot be had any more (verify_live.h), the report is one of kL2.
// kL3 is no business of this: see restore/rehearse.h. Errors: those of VerifyBackup, VerifyCopy and
// VerifyLive.
Result<VerifyReport> VerifyManifest(const Services& services, const Manifest& manifest,
                                    VerifyLevel level);

// Records in the catalog what a look at a backup found, and keeps it as evidence in its repository,
// so that a rebuilt catalog knows it too. What cannot be kept is logged.
void KeepReport(const Services& services, const std::string& backup, const VerifyReport& report);

// Verifies what lies of a backup in the place of `record`, and writes the evidence there. Damage of
// any kind, of the manifest and of the repository too, is a report with findings: the next backup
// is looked at all the same. The catalog is told, of the backup or of a copy of it. Errors mean
// that it could not be looked at: those of the services.
Result<VerifyReport> VerifyInPlace(const Services& services, const catalog::BackupRecord& record,
                                   VerifyLevel level);

// The same of a copy in a further repository, which may never have been made there: nullopt then.
// One that was there is damaged when it is not any more. `copy` tells the place.
Result<std::optional<VerifyReport>> VerifyFurtherCopy(const Services& services,
                                                      const catalog::BackupRecord& copy,
                                                      VerifyLevel level);

// A copy of a backup that was damaged or lost, and is the backup now.
struct WholeCopy {
  Manifest manifest;
  VerifyReport report;  // with a note that tells of it
};

// Looks for a copy of a damaged backup that passes at that level in the further places, and moves
// the backup there in the catalog: the next run backs its object up again in the place where it is
// to be. `damage`: of the one that the record tells of. nullopt: there is none; a place that cannot
// be read is logged. Errors: of the catalog; kCancelled, and that of a place which cannot be read
// now and may answer later, since nothing is known then: damage that was recorded would hide a
// copy.
Result<std::optional<WholeCopy>> FallBackToCopy(const Services& services,
                                                const catalog::BackupRecord& record,
                                                VerifyLevel level, const Error& damage);

// What scans and prunes do of a backup that they find lost or damaged where the catalog has it:
// true, and it is read from its copy from now on (FallBackToCopy, L0); or else that it is damaged
// is recorded and kept as evidence. Errors: those of FallBackToCopy, and then nothing is recorded.
Result<bool> NoteLoss(const Services& services, const catalog::BackupRecord& record,
                      const Error& damage);

// What is wrong with a backup of which no place has a whole copy, with what a person can do.
Error DescribeLoss(const Services& services, const catalog::BackupRecord& record,
                   const Error& damage);

// VerifyInPlace of a backup that the catalog knows, and records what was found. One that is damaged
// and has a whole copy passes by that. Errors: as above, and those of FallBackToCopy.
Result<VerifyReport> VerifyRecorded(const Services& services, const catalog::BackupRecord& record,
                                    VerifyLevel level);

}  // namespace holdfast::verify
