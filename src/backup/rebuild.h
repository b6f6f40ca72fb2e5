// Rebuilding a lost catalog from the repositories, and catching up one that is behind them.
//
// Source: DESIGN §1.4, §5 ("with bucket + this program a clean machine can restore").
#pragma once

#include <optional>
#include <vector>

#include "backup/services.h"
#include "catalog/rebuild_catalog.h"

namespace holdfast::backup {

struct FoundRepositories {
  std::vector<repository::Location> repositories;  // by bucket, each once
  std::vector<repository::Location> further;       // likewise: that hold copies of their backups
  std::vector<Error> unsearched;                   // projects that could not be looked into: why
};

// The repositories that the patterns of the policy, and of any rule of the document, name for the
// visible projects of the organization: of each project in each location that any project has a
// dataset in, since a project that needs its backups may have lost all of its own. Errors: those of
// ListProjects of projects_stage.h.
Result<FoundRepositories> FindRepositories(
    const Services& services, const BackupPolicy& policy,
    const std::optional<PolicyDocument>& document = std::nullopt);

// Reads these repositories into the catalog. Idempotent. Errors: of Repository::Open, of listing,
// of the catalog.
Result<catalog::RebuildReport> RebuildFrom(const Services& services,
                                           const std::vector<repository::Location>& repositories);

// Takes the backups out of the catalog that a prune of another catalog deleted, in the repositories
// in which this one knows backups of what `scope` names: they are not lost. A repository that is
// gone or damaged is left out. Returns how many there were. Idempotent. Errors: as above.
Result<int64_t> ForgetPruned(const Services& services, const TableRef& scope);

// Reads in what other catalogs' workers left of the objects that `scope` names, as far as its
// members are set, in the repositories in which this catalog knows backups of them: manifests and
// runs that it does not know, verifications of backups of which it knows none, and nothing else.
// What a rebuild that was killed left out is of that kind as well. Forgets what others pruned. A
// restore by a catalog that is behind would take an older backup in silence. A repository that is
// gone or damaged is left out. Idempotent. Errors: as above.
Result<catalog::RebuildReport> CatchUp(const Services& services, const TableRef& scope);

}  // namespace holdfast::backup
