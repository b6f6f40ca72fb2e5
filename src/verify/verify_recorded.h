// Verifying backups that the catalog knows: manifest, data, evidence in the repository, and what
// the catalog then says of the backup.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "cloud/object_store.h"
#include "cloud/warehouse.h"
#include "verify/verify.h"

namespace holdfast::verify {

// References outlive it; thread-safe.
struct Services {
  cloud::Warehouse& warehouse;
  cloud::ObjectStore& objects;
  catalog::Catalog& catalog;
  Clock& clock;
  Random& random;
  std::string staging_bucket_pattern;  // where copies are extracted to, to be read
};

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

// Verifies one backup, writes the evidence and records what was found. Damage of any kind, of the
// manifest and of the repository too, is a report with findings: the next backup is looked at all
// the same. Errors mean that it could not be looked at: those of the services.
Result<VerifyReport> VerifyRecorded(const Services& services, const catalog::BackupRecord& record,
                                    VerifyLevel level);

}  // namespace holdfast::verify
