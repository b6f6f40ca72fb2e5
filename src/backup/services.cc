#include "backup/services.h"

#include <fmt/format.h>

#include "base/retry.h"

namespace holdfast::backup {

namespace {

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

// That the bucket has not the retention which the policy names; empty: it has, or none is named.
std::string RetentionWarning(const BackupPolicy& policy, const cloud::BucketInfo& bucket) {
  const auto wanted = policy.BucketRetentionSeconds();
  if (!wanted || bucket.retention_seconds.value_or(0) >= *wanted) return {};
  return fmt::format(
      "bucket {0} has {1}, and the policy says {2}; it is left as it is: gcloud storage buckets "
      "update gs://{0} --retention-period={3}s",
      bucket.name,
      bucket.retention_seconds
          ? fmt::format("a retention policy of {} seconds only", *bucket.retention_seconds)
          : std::string("no retention policy"),
      policy.bucket_retention, *wanted);
}

std::string CreateCommand(const cloud::BucketInfo& bucket) {
  std::string command = fmt::format(
      "gcloud storage buckets create gs://{} --project={} --location={} "
      "--uniform-bucket-level-access --public-access-prevention",
      bucket.name, bucket.project, bucket.location);
  if (bucket.retention_seconds) {
    command += fmt::format(" --retention-period={}s", *bucket.retention_seconds);
  }
  return command;
}

}  // namespace

Result<cloud::BucketInfo> EnsureBucketBy(const Services& services, const BackupPolicy& policy,
                                         cloud::BucketInfo wanted) {
  if (!policy.create_buckets) {
    const auto found = services.objects.GetBucket(wanted.name);
    if (!found.ok() && found.error().id == ErrorId::kBucketNotFound) {
      return MakeError(ErrorId::kBucketNotFound,
                       fmt::format("bucket {} is not there, and the policy says create_buckets: "
                                   "false. To create it: {}",
                                   wanted.name, CreateCommand(wanted)));
    }
  }
  return services.objects.EnsureBucket(wanted);
}

Result<std::string> BucketWarning(const Services& services, const BackupPolicy& policy,
                                  const std::string& project, const std::string& location) {
  const auto bucket =
      services.objects.GetBucket(FillBucketPattern(policy.bucket_pattern, project, location));
  if (!bucket.ok()) {
    if (IsRetryable(bucket.error()) || bucket.error().id == ErrorId::kCancelled) {
      return bucket.error();
    }
    return std::string();  // what is to be written there, or read, will tell
  }
  std::string warning;
  if (const Status lifecycle = CheckLifecycle(policy, *bucket); !lifecycle.ok()) {
    warning = fmt::format("WARNING [{}]: {}", FindError(lifecycle.error().id).id,
                          lifecycle.error().message);
  }
  const std::string retention = RetentionWarning(policy, *bucket);
  if (!retention.empty()) warning += (warning.empty() ? "WARNING: " : "; ") + retention;
  return warning;
}

Result<repository::Repository> OpenRepositoryFor(const Services& services,
                                                 const BackupPolicy& policy,
                                                 const std::string& project,
                                                 const std::string& location) {
  const std::string bucket = FillBucketPattern(policy.bucket_pattern, project, location);
  HF_ASSIGN_OR_RETURN(
      const cloud::BucketInfo found,
      EnsureBucketBy(services, policy,
                     {.name = bucket,
                      .project = policy.bucket_project.empty() ? project : policy.bucket_project,
                      .location = location,
                      .retention_seconds = policy.BucketRetentionSeconds()}));
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
  HF_RETURN_IF_ERROR(EnsureBucketBy(services, policy,
                                    {.name = bucket,
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
