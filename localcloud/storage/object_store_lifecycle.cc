// One lifecycle pass: every bucket's rules against every generation of every object.
#include <limits>
#include <utility>

#include "localcloud/storage/lifecycle.h"
#include "localcloud/storage/object_rules.h"
#include "localcloud/storage/object_store_state.h"

namespace holdfast::storage {
namespace {

constexpr int kVersionsPerNameMax = 100'000;

bool AnyTakes(const std::vector<LifecycleRule>& rules, const ObjectRecord& object,
              int64_t newer_versions, Timestamp now) {
  for (const LifecycleRule& rule : rules) {
    if (TakesObject(rule, object, newer_versions, now)) return true;
  }
  return false;
}

}  // namespace

Status ObjectStore::State::ExpireVersions(const std::string& bucket_name, const std::string& name,
                                          Timestamp now, LifecycleReport& report) {
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket, FindBucket(bucket_name));
  HF_ASSIGN_OR_RETURN(const auto rules, ParseLifecycle(bucket.settings));
  HF_ASSIGN_OR_RETURN(const auto versions,
                      objects.Versions(bucket_name, name, kVersionsPerNameMax));
  int64_t newer_versions = 0;
  for (const ObjectRecord& object : versions) {
    ++report.examined;
    if (!AnyTakes(rules, object, newer_versions++, now)) continue;
    if (!CheckNotRetained(bucket, object, now).ok()) {
      ++report.retained;
      continue;
    }
    if (!object.deleted && bucket.versioned()) {
      HF_RETURN_IF_ERROR(Retire(bucket, object));
      ++report.made_noncurrent;
      continue;
    }
    HF_RETURN_IF_ERROR(objects.Erase(object));
    ReleaseBlob(object.blob);
    ++report.deleted;
  }
  return Ok();
}

Result<std::optional<std::string>> ObjectStore::State::NextName(const std::string& bucket,
                                                                const std::string& after) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement rows,
                      objects.Scan(bucket, after, std::numeric_limits<int64_t>::max()));
  HF_ASSIGN_OR_RETURN(const bool row, rows.Step());
  if (!row) return std::optional<std::string>();
  HF_ASSIGN_OR_RETURN(ObjectRecord object, ObjectRecords::ReadRow(rows));
  return std::optional(std::move(object.name));
}

Result<LifecycleReport> ObjectStore::ApplyLifecycle(Timestamp now) {
  LifecycleReport report;
  std::unique_lock lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const auto buckets,
                      state_->buckets.List("", "", std::numeric_limits<int>::max()));
  for (const BucketRecord& bucket : buckets) {
    HF_ASSIGN_OR_RETURN(const auto rules, ParseLifecycle(bucket.settings));
    if (rules.empty()) continue;
    std::string after;
    for (;;) {
      HF_ASSIGN_OR_RETURN(const auto name, state_->NextName(bucket.name, after));
      if (!name) break;
      HF_RETURN_IF_ERROR(state_->ExpireVersions(bucket.name, *name, now, report));
      after = *name;
      // Requests get their turn between two names.
      lock.unlock();
      lock.lock();
      HF_ASSIGN_OR_RETURN(const auto still_there, state_->buckets.Find(bucket.name));
      if (!still_there) break;
    }
  }
  return report;
}

}  // namespace holdfast::storage
