// What a stage of the backup workflow is given, besides its message.
//
// References outlive every stage. All of it is thread-safe, so any number of stages may share one.
// Source: DESIGN §1.3.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "cloud/definitions.h"
#include "cloud/object_store.h"
#include "cloud/projects.h"
#include "cloud/run_job.h"
#include "cloud/warehouse.h"
#include "model/policy.h"
#include "model/quota_limits.h"
#include "repository/repository.h"

namespace holdfast::backup {

struct Services {
  cloud::Warehouse& warehouse;
  cloud::Definitions& definitions;
  cloud::ObjectStore& objects;
  cloud::Projects& projects;
  catalog::Catalog& catalog;
  Clock& clock;
  Random& random;
  std::string organization;  // "organizations/123"; empty: every project that this identity may see
  std::string tool_version;  // goes into manifests
  QuotaLimits quotas = {};   // by which a day's work is planned (admission.h)
};

// One message in the hands of a stage.
struct StageContext {
  Run run;                                                // as the ledger has it, with its policy
  int attempt = 1;                                        // of the message's task
  bool is_last_attempt = false;                           // what fails now has failed for good
  cloud::KeepAlive keep_alive = [] { return Status(); };  // extends the message's lease
};

// The repository for what lies in `location` of `project`, by the policy's patterns: its bucket is
// created if absent, repository.json written once. Idempotent. Errors: kLocationMismatch,
// kAccessDenied, kBucketDeletesBackups (a lifecycle that leaves an unchanged object without any),
// those of Repository::OpenOrCreate.
Result<repository::Repository> OpenRepositoryFor(const Services& services,
                                                 const BackupPolicy& policy,
                                                 const std::string& project,
                                                 const std::string& location);

// Makes sure that a bucket is there: one that is not is created, with the policy's retention where
// `wanted` asks for one, unless the policy forbids it. Idempotent. Errors: kBucketNotFound with the
// command that creates it; those of ObjectStore::EnsureBucket.
Result<cloud::BucketInfo> EnsureBucketBy(const Services& services, const BackupPolicy& policy,
                                         cloud::BucketInfo wanted);

// What a person should know of the bucket for what lies in `location` of `project`, also when
// nothing is written to it: that it deletes backups too early (kBucketDeletesBackups), or has not
// the retention that the policy names. Empty: nothing, or it is not there yet. Errors: of a store
// that may answer later.
Result<std::string> BucketWarning(const Services& services, const BackupPolicy& policy,
                                  const std::string& project, const std::string& location);

// The staging bucket for the same, created if absent; its name. kInvalidName when the patterns give
// it the repository's.
Result<std::string> EnsureStagingBucket(const Services& services, const BackupPolicy& policy,
                                        const std::string& project, const std::string& location);

// The method whose backups alone speak for the objects of a table: the policy's, when it has others
// beside it, each with backups of its own; else nullopt: any.
std::optional<Method> MethodSought(const BackupPolicy& policy);

// The newest backup of each object of a table that is not damaged, by partition ("" is the whole
// table), those of the run `except_run` left out, and with `method` those of others. It may be
// suspect: what it says of the source counts all the same.
Result<std::map<std::string, catalog::BackupRecord>> LastBackupsOf(
    catalog::BackupIndex& index, const TableRef& table, const std::string& except_run = {},
    std::optional<Method> method = std::nullopt);

// The same, where the catalog may have been lost: one that knows nothing of the table is told what
// the repository holds. Without that, a table that was emptied meanwhile would pass for a first
// good backup.
Result<std::map<std::string, catalog::BackupRecord>> KnownBackupsOf(
    const Services& services, repository::Repository& repository, const TableRef& table,
    const std::string& except_run, std::optional<Method> method = std::nullopt);

}  // namespace holdfast::backup
