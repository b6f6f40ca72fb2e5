#include "backup/services.h"

namespace holdfast::backup {

namespace {

// A staged object is used within the run that made it; what a killed process left behind goes then.
constexpr int64_t kStagedDaysMax = 7;

}  // namespace

Result<repository::Repository> OpenRepositoryFor(const Services& services,
                                                 const BackupPolicy& policy,
                                                 const std::string& project,
                                                 const std::string& location) {
  const std::string bucket = FillBucketPattern(policy.bucket_pattern, project, location);
  HF_RETURN_IF_ERROR(
      services.objects.EnsureBucket({.name = bucket, .project = project, .location = location}));
  return repository::Repository::OpenOrCreate(services.objects, {bucket, policy.prefix},
                                              services.clock, services.random);
}

Result<std::string> EnsureStagingBucket(const Services& services, const BackupPolicy& policy,
                                        const std::string& project, const std::string& location) {
  std::string bucket = FillBucketPattern(policy.staging_bucket_pattern, project, location);
  HF_RETURN_IF_ERROR(services.objects.EnsureBucket({.name = bucket,
                                                    .project = project,
                                                    .location = location,
                                                    .retention_seconds = {},
                                                    .delete_after_days = kStagedDaysMax}));
  return bucket;
}

Result<std::map<std::string, catalog::BackupRecord>> LastBackupsOf(catalog::BackupIndex& index,
                                                                   const TableRef& table) {
  HF_ASSIGN_OR_RETURN(auto records, catalog::LatestIntactOfTable(index, table));
  std::map<std::string, catalog::BackupRecord> by_partition;
  for (catalog::BackupRecord& record : records) {
    std::string partition = record.object.partition;
    by_partition.emplace(std::move(partition), std::move(record));
  }
  return by_partition;
}

Result<std::map<std::string, catalog::BackupRecord>> KnownBackupsOf(
    const Services& services, repository::Repository& repository, const TableRef& table) {
  HF_ASSIGN_OR_RETURN(auto known, LastBackupsOf(services.catalog, table));
  if (!known.empty()) return known;
  const repository::Location& location = repository.location();
  HF_RETURN_IF_ERROR(repository::ForEachManifest(
      repository, table.WholeTable(), [&](const Result<Manifest>& manifest) -> Status {
        if (!manifest.ok()) return Ok();  // damaged: it protects nothing
        return services.catalog.RecordBackup(
            catalog::RecordOf(*manifest, location.bucket, location.prefix));
      }));
  return LastBackupsOf(services.catalog, table);
}

}  // namespace holdfast::backup
