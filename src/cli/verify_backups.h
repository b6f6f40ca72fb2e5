// Verifying backups side by side, as many at once as the setting `workers` says, each by whatever
// level it is to have.
//
// L0 to L2 and L4 read the backup (verify/verify_recorded.h), L3 restores it into a scratch dataset
// (restore/rehearse.h). Evidence and the catalog say what was found.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cli/environment.h"
#include "verify/rotation.h"

namespace holdfast::cli {

// One backup and how far it is to be verified.
struct Look {
  catalog::BackupRecord record;
  VerifyLevel level = VerifyLevel::kL2;
  bool in_place = false;  // what lies where the record says, whatever the catalog knows
  bool is_copy = false;   // a copy in a further repository: where there is none, nothing is told
};

// A backup that was looked at, or why it could not be.
struct Looked {
  Look look;
  Result<verify::VerifyReport> report;
};

// What looking at several came to.
struct Verified {
  std::vector<Looked> looked;
  int64_t damaged = 0;
  int64_t bytes = 0;
  int64_t from_copies = 0;  // lost or damaged where they were, and read in a further repository
  std::vector<Error> unchecked;
  std::optional<Error> stopped;  // why the rest was not looked at: the service is away
};

// Called before each look, by one thread at a time.
using LookProgress = std::function<Status(const Look& look, size_t done, size_t total)>;

// Looks at each; one that is lost or damaged is looked for in the document's further repositories.
// The reports are in the order of `looks`. One that cannot be looked at does not hide the damage of
// the next; after several in a row the rest is left. Errors: those of `progress`.
Result<Verified> VerifyAll(Environment& environment, const std::optional<PolicyDocument>& document,
                           const std::vector<Look>& looks, const LookProgress& progress);

// What is due now, by the settings and the policy document: backups to be read, those to be
// restored after them. `plan` tells the sums of both. Errors: of the catalog.
struct DueLooks {
  std::vector<Look> looks;
  verify::RotationPlan reading;     // without items
  verify::RotationPlan rehearsals;  // likewise
};
Result<DueLooks> FindDueLooks(Environment& environment,
                              const std::optional<PolicyDocument>& document,
                              const verify::RotationOptions& options);

}  // namespace holdfast::cli
