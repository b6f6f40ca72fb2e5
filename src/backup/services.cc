#include "backup/services.h"

#include <fmt/format.h>

namespace holdfast::backup {

namespace {

// A staged object is used within the run that made it; what a killed process left behind goes then.
constexpr int64_t kStagedDaysMax = 7;

// A bucket may clean itself of old backups, but not before an object that never changes has a newer
// one.
Status CheckLifecycle(const BackupPolicy& policy, const cloud::BucketInfo& bucket) {
  if (!bucket.delete_after_days) return Ok();
  if (policy.forced_full_days > 0 && *bucket.delete_after_days > policy.forced_full_days) {
    return Ok();
  }
  return MakeError(
      ErrorId::kBucketDeletesBackups,
      fmt::format("bucket {} deletes what is {} days old, and what does not change is backed up {}",
                  bucket.name, *bucket.delete_after_days,
                  policy.forced_full_days == 0
                      ? std::string("once (forced_full_days: 0)")
                      : fmt::format("again after {} days only", policy.forced_full_days)));
}

}  // namespace

Result<repository::Repository> OpenRepositoryFor(const Services& services,
                                                 const BackupPolicy& policy,
                                                 const std::string& project,
                                                 const std::string& location) {
  const std::string bucket = FillBucketPattern(policy.bucket_pattern, project, location);
  HF_ASSIGN_OR_RETURN(
      const cloud::BucketInfo found,
      services.objects.EnsureBucket(
          {.name = bucket,
           .project = policy.bucket_project.empty() ? project : policy.bucket_project,
           .location = location}));
  HF_RETURN_IF_ERROR(CheckLifecycle(policy, found));
  return repository::Repository::OpenOrCreate(services.objects, {bucket, policy.prefix},
                                              services.clock, services.random);
}

Result<std::string> EnsureStagingBucket(const Services& services, const BackupPolicy& policy,
                                        const std::string& project, const std::string& location) {
  std::string bucket = FillBucketPattern(policy.staging_bucket_pattern, project, location);
  if (bucket == FillBucketPattern(policy.bucket_pattern, project, location)) {
    return MakeError(ErrorId::kInvalidName,
                     fmt::format("bucket {} is both the repository's and the staging bucket, from "
                                 "which what was staged is deleted",
                                 bucket));
  }
  HF_RETURN_IF_ERROR(services.objects.EnsureBucket({.name = bucket,
                                                    .project = project,
                                                    .location = location,
                                                    .retention_seconds = {},
                                                    .delete_after_days = kStagedDaysMax}));
  return bucket;
}

std::optional<Method> MethodSought(const BackupPolicy& policy) {
  return policy.further_methods.empty() ? std::nullopt : std::optional(policy.method);
}

namespace {

// The newest intact backup of the object that another run made.
Result<std::optional<catalog::BackupRecord>> LastOfOtherRun(catalog::BackupIndex& index,
                                                            const TableRef& object,
                                                            const std::string& run,
                                                            std::optional<Method> method) {
  HF_ASSIGN_OR_RETURN(auto page, index.FindBackups({.project = object.project,
                                                    .dataset = object.dataset,
                                                    .table = object.table,
                                                    .partition = object.partition,
                                                    .method = method,
                                                    .intact_only = true},
                                                   ""));
  for (catalog::BackupRecord& record : page.items) {
    if (record.run != run) return std::optional(std::move(record));
  }
  return std::optional<catalog::BackupRecord>();
}

}  // namespace

Result<std::map<std::string, catalog::BackupRecord>> LastBackupsOf(catalog::BackupIndex& index,
                                                                   const TableRef& table,
                                                                   const std::string& except_run,
                                                                   std::optional<Method> method) {
  HF_ASSIGN_OR_RETURN(auto records, catalog::LatestIntactOfTable(index, table, method));
  std::map<std::string, catalog::BackupRecord> by_partition;
  for (catalog::BackupRecord& record : records) {
    std::optional<catalog::BackupRecord> last = std::move(record);
    if (!except_run.empty() && last->run == except_run) {
      HF_ASSIGN_OR_RETURN(last, LastOfOtherRun(index, last->object, except_run, method));
    }
    if (!last) continue;
    std::string partition = last->object.partition;
    by_partition.emplace(std::move(partition), *std::move(last));
  }
  return by_partition;
}

Result<std::map<std::string, catalog::BackupRecord>> KnownBackupsOf(
    const Services& services, repository::Repository& repository, const TableRef& table,
    const std::string& except_run, std::optional<Method> method) {
  HF_ASSIGN_OR_RETURN(const auto known, LastBackupsOf(services.catalog, table));
  if (!known.empty()) return LastBackupsOf(services.catalog, table, except_run, method);
  const repository::Location& location = repository.location();
  HF_RETURN_IF_ERROR(repository::ForEachManifest(
      repository, table.WholeTable(), [&](const Result<Manifest>& manifest) -> Status {
        if (!manifest.ok()) return Ok();  // damaged: it protects nothing
        return services.catalog.RecordBackup(
            catalog::RecordOf(*manifest, location.bucket, location.prefix));
      }));
  return LastBackupsOf(services.catalog, table, except_run, method);
}

}  // namespace holdfast::backup
