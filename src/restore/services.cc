#include "restore/services.h"

#include "base/log.h"
#include "model/policy.h"

namespace holdfast::restore {

Result<std::string> EnsureStagingBucket(const Services& services, const std::string& project,
                                        const std::string& location) {
  std::string bucket = FillBucketPattern(services.staging_bucket_pattern, project, location);
  HF_RETURN_IF_ERROR(services.objects.EnsureBucket({.name = bucket,
                                                    .project = project,
                                                    .location = location,
                                                    .delete_after_days = kStagedDaysMax}));
  return bucket;
}

void DeleteStaged(const Services& services, const std::string& bucket, const std::string& prefix) {
  const Status deleted = cloud::ForEachPage<cloud::ObjectInfo>(
      [&](const std::string& token) { return services.objects.ListObjects(bucket, prefix, token); },
      [&](cloud::ObjectInfo&& object) { return services.objects.DeleteObject(object.ref); });
  if (!deleted.ok()) {
    LogWarning("staged objects were not deleted",
               {{"bucket", bucket}, {"prefix", prefix}, {"error", deleted.error().message}});
  }
}

}  // namespace holdfast::restore
