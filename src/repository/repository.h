// Repository: manifests, run files and evidence in a bucket, all of them write-once.
//
// A backup exists when its manifest is there: `WriteManifest` is the commit point and comes after
// the data (DESIGN §5, google-semantics A7 #49). Nothing is edited in place. Borrows the store,
// holds no other state, thread-safe; any number of processes may use one repository. Errors besides
// those named are the store's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "cloud/object_store.h"
#include "cloud/page.h"
#include "model/manifest.h"
#include "model/run.h"
#include "repository/layout.h"

namespace holdfast::repository {

inline constexpr int kRepositoryFormatVersion = 1;

// The kind of evidence that a verification leaves: <backup>-<time>, a VerifyReport as JSON.
inline constexpr const char* kVerifyEvidence = "verify";

// The kind that a restore leaves which was compared with its backups: member "backups", and
// "equal".
inline constexpr const char* kRestoreEvidence = "restore";

// The kind that a pass of prune leaves before it deletes: member "items", each with "action",
// "object", "backup".
inline constexpr const char* kPruneEvidence = "prune";

// The kind of evidence by which a person says that a suspect backup is good; its id is the backup.
inline constexpr const char* kAcceptedEvidence = "accepted";

// The kind by which a prune says that it deleted a backup; its id is the backup. A catalog that
// still has such a backup is behind: nothing is damaged.
inline constexpr const char* kPrunedEvidence = "pruned";

// The kind that tells where the audit log ended (verify/audit_anchor.h).
inline constexpr const char* kAuditEvidence = "audit";

// The kind that tells where a backup was, which was lost or damaged there and is read from here
// since: <backup>-<time>.
inline constexpr const char* kLeftEvidence = "left";

// The kind by which people accept losses, or take that back.
inline constexpr const char* kAcceptedLossEvidence = "accepted-loss";

// A manifest as a listing shows it, unread.
struct ManifestEntry {
  ManifestPath path;
  cloud::ObjectInfo info;
};

// Evidence as a listing shows it.
struct EvidenceEntry {
  std::string id;
  int64_t created_ms = 0;  // server time
};

class Repository {
 public:
  // Opens the repository at `location`. Errors: kRepositoryNotFound (no repository.json),
  // kRepositoryVersion (of a newer program), kRepositoryDamaged, kBucketNotFound.
  static Result<Repository> Open(cloud::ObjectStore& store, const Location& location);

  // Opens it, and writes repository.json first when there is none. Idempotent: of two that create
  // at once one wins and both open the same. The bucket must exist.
  static Result<Repository> OpenOrCreate(cloud::ObjectStore& store, const Location& location,
                                         const Clock& clock, Random& random);

  const Location& location() const { return location_; }
  const std::string& id() const { return id_; }  // 32 hexadecimal digits, from repository.json

  // Commits a backup. The same manifest again: success. kManifestExists when another manifest of
  // that backup is there (another worker won): read it and take it.
  Result<cloud::ObjectInfo> WriteManifest(const Manifest& manifest);

  // Whether the backup is committed.
  Result<bool> HasManifest(const TableRef& object, const std::string& backup);

  // Reads one. Errors: kManifestNotFound, kManifestDamaged (edited, cut; also when the manifest
  // tells of another object or backup than its name), kManifestVersion.
  Result<Manifest> ReadManifest(const TableRef& object, const std::string& backup);
  Result<Manifest> ReadManifest(const ManifestEntry& entry);

  // Manifests below `scope` (as far as its members are set) in order of name: of one object, the
  // oldest backup first. Objects of other names are left out.
  Result<cloud::Page<ManifestEntry>> ListManifests(const TableRef& scope,
                                                   const std::string& page_token);

  // The ids of the runs that wrote a file here, the oldest first.
  Result<cloud::Page<std::string>> ListRuns(const std::string& page_token);

  // Manifests below `scope` as ListManifests, those alone whose names are `start` or come after it
  // (layout.h).
  Result<cloud::Page<ManifestEntry>> ListManifestsFrom(const TableRef& scope,
                                                       const std::string& start,
                                                       const std::string& page_token);

  // Writes evidence/<kind>/<id>.json, write-once as above. `kind` and `id` as IsValidId.
  Status WriteEvidence(const std::string& kind, const std::string& id, const Json& evidence);

  // The evidence of that kind in order of id, unread.
  Result<cloud::Page<EvidenceEntry>> ListEvidence(const std::string& kind,
                                                  const std::string& page_token);

  // Reads one; kObjectNotFound.
  Result<Json> ReadEvidence(const std::string& kind, const std::string& id);

  // Whether that evidence is there.
  Result<bool> HasEvidence(const std::string& kind, const std::string& id);

  // The store it was opened on, which outlives it.
  cloud::ObjectStore& store() const { return *store_; }

 private:
  Repository(cloud::ObjectStore& store, Location location, std::string id)
      : store_(&store), location_(std::move(location)), id_(std::move(id)) {}
  cloud::ObjectRef RefOf(std::string name) const { return {location_.bucket, std::move(name), 0}; }

  cloud::ObjectStore* store_;
  Location location_;
  std::string id_;
};

// Whether a manifest is to be read, by what its listing tells.
using WantManifest = std::function<Result<bool>(const ManifestEntry& entry)>;

// Reads every manifest below `scope` that is wanted, one at a time, in order of name. One that
// cannot be read is visited as its error (kManifestDamaged, kManifestVersion), so that it does not
// hide the others; a store that fails ends the loop, as does an error of the visitor.
Status ForEachManifest(
    Repository& repository, const TableRef& scope,
    const std::function<Status(Result<Manifest> manifest)>& visit,
    const WantManifest& want = [](const ManifestEntry&) { return true; });

}  // namespace holdfast::repository
