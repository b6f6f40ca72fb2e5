#include "localcloud/storage/object_store.h"

#include <algorithm>
#include <utility>

#include "localcloud/storage/lifecycle.h"
#include "localcloud/storage/object_rules.h"
#include "localcloud/storage/object_store_state.h"

namespace holdfast::storage {
namespace {

constexpr int kBucketPageMax = 1000;

// A record's location never changes: the bytes of a bucket would have to move.
Status CheckLocationKept(const BucketRecord& before, const BucketRecord& after) {
  if (StringOr(before.settings, "location", "") == StringOr(after.settings, "location", "")) {
    return Ok();
  }
  return StorageInvalid("the location of bucket " + before.name + " cannot be changed");
}

}  // namespace

ObjectStore::State::State(std::unique_ptr<DirectoryLock> directory_lock,
                          std::unique_ptr<sqlite::Database> opened,
                          std::unique_ptr<BlobDirectory> blob_directory, Clock& the_clock,
                          Random& the_random)
    : lock(std::move(directory_lock)),
      database(std::move(opened)),
      blobs(std::move(blob_directory)),
      clock(the_clock),
      random(the_random),
      buckets(*database),
      objects(*database),
      uploads(*database) {}

ObjectStore::ObjectStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
ObjectStore::~ObjectStore() = default;

Result<std::unique_ptr<ObjectStore>> ObjectStore::Open(const std::string& directory, Clock& clock,
                                                       Random& random) {
  HF_ASSIGN_OR_RETURN(auto lock, DirectoryLock::Take(directory));
  HF_ASSIGN_OR_RETURN(auto database, sqlite::Database::Open(directory + "/storage.sqlite"));
  HF_RETURN_IF_ERROR(CreateTables(*database));
  HF_ASSIGN_OR_RETURN(auto blobs, BlobDirectory::Open(directory + "/blobs", random));
  auto state = std::make_unique<State>(std::move(lock), std::move(database), std::move(blobs),
                                       clock, random);
  HF_RETURN_IF_ERROR(state->ExpireUploads());
  HF_RETURN_IF_ERROR(state->blobs->CollectOrphans([&](const std::string& id) -> Result<bool> {
    HF_ASSIGN_OR_RETURN(const bool of_object, state->objects.NamesBlob(id));
    if (of_object) return true;
    return state->uploads.NamesBlob(id);
  }));
  return std::unique_ptr<ObjectStore>(new ObjectStore(std::move(state)));
}

Result<BucketRecord> ObjectStore::State::FindBucket(const std::string& name) {
  HF_ASSIGN_OR_RETURN(auto bucket, buckets.Find(name));
  if (!bucket) return StorageNotFound("bucket " + name);
  return *std::move(bucket);
}

Result<ObjectRecord> ObjectStore::State::FindObject(const ObjectSelector& object) {
  HF_RETURN_IF_ERROR(FindBucket(object.bucket));
  HF_ASSIGN_OR_RETURN(auto record,
                      object.generation == 0
                          ? objects.FindLive(object.bucket, object.name)
                          : objects.Find(object.bucket, object.name, object.generation));
  if (record) return *std::move(record);
  const std::string which =
      object.generation == 0 ? "" : " generation " + std::to_string(object.generation);
  return StorageNotFound("object " + object.bucket + "/" + object.name + which);
}

Result<BucketRecord> ObjectStore::CreateBucket(const BucketRecord& bucket) {
  HF_RETURN_IF_ERROR(CheckBucketName(bucket.name));
  HF_RETURN_IF_ERROR(ParseLifecycle(bucket.settings));
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const auto existing, state_->buckets.Find(bucket.name));
  if (existing) {
    return WithReason(
        "conflict", MakeError(ErrorId::kStorageBucketExists,
                              "bucket " + bucket.name + " exists in project " + existing->project));
  }
  BucketRecord created = bucket;
  created.metageneration = 1;
  created.created = state_->clock.Now();
  created.updated = created.created;
  if (created.retention) {
    created.retention->effective = created.created;
    created.retention->locked = false;
  }
  HF_RETURN_IF_ERROR(CheckRetentionChange(created, created));
  HF_RETURN_IF_ERROR(state_->buckets.Insert(created));
  return created;
}

Result<BucketRecord> ObjectStore::GetBucket(const std::string& name,
                                            const Preconditions& conditions) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(BucketRecord bucket, state_->FindBucket(name));
  HF_RETURN_IF_ERROR(CheckBucketReadConditions(conditions, bucket));
  return bucket;
}

Result<BucketPage> ObjectStore::ListBuckets(const BucketQuery& query) {
  const int limit = std::clamp(query.limit, 1, kBucketPageMax);
  const std::lock_guard lock(state_->mutex);
  BucketPage page;
  std::string after = query.after;
  // A bucket named exactly as the prefix sorts first and must not be skipped, hence no jump to it.
  for (;;) {
    HF_ASSIGN_OR_RETURN(auto buckets, state_->buckets.List(query.project, after, kBucketPageMax));
    for (BucketRecord& bucket : buckets) {
      after = bucket.name;
      if (!bucket.name.starts_with(query.prefix)) continue;
      if (page.buckets.size() == static_cast<size_t>(limit)) {
        page.next = page.buckets.back().name;
        return page;
      }
      page.buckets.push_back(std::move(bucket));
    }
    if (buckets.size() < kBucketPageMax) return page;
  }
}

Result<BucketRecord> ObjectStore::ChangeBucket(const std::string& name,
                                               const Preconditions& conditions,
                                               const std::function<Status(BucketRecord&)>& change) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const BucketRecord before, state_->FindBucket(name));
  HF_RETURN_IF_ERROR(CheckBucketWriteConditions(conditions, before));
  BucketRecord proposed = before;
  HF_RETURN_IF_ERROR(change(proposed));
  BucketRecord after = before;
  after.settings = std::move(proposed.settings);
  after.iam_policy = std::move(proposed.iam_policy);
  after.retention = proposed.retention;
  after.updated = state_->clock.Now();
  after.metageneration += 1;
  if (after.retention) {
    const bool same = before.retention && before.retention->seconds == after.retention->seconds;
    after.retention->effective = same ? before.retention->effective : after.updated;
    after.retention->locked = before.retention && before.retention->locked;
  }
  HF_RETURN_IF_ERROR(CheckRetentionChange(before, after));
  HF_RETURN_IF_ERROR(CheckLocationKept(before, after));
  HF_RETURN_IF_ERROR(ParseLifecycle(after.settings));
  HF_RETURN_IF_ERROR(state_->buckets.Update(after));
  return after;
}

Result<BucketRecord> ObjectStore::LockRetentionPolicy(const std::string& name,
                                                      int64_t metageneration) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(BucketRecord bucket, state_->FindBucket(name));
  HF_RETURN_IF_ERROR(CheckBucketWriteConditions({.metageneration_match = metageneration}, bucket));
  if (!bucket.retention) return StorageInvalid("bucket " + name + " has no retention policy");
  bucket.retention->locked = true;
  bucket.metageneration += 1;
  bucket.updated = state_->clock.Now();
  HF_RETURN_IF_ERROR(state_->buckets.Update(bucket));
  return bucket;
}

Status ObjectStore::DeleteBucket(const std::string& name, const Preconditions& conditions) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(const BucketRecord bucket, state_->FindBucket(name));
  HF_RETURN_IF_ERROR(CheckBucketWriteConditions(conditions, bucket));
  HF_ASSIGN_OR_RETURN(const bool any, state_->objects.AnyIn(name));
  if (any) {
    return WithReason("conflict",
                      MakeError(ErrorId::kStorageBucketNotEmpty,
                                "bucket " + name + " is not empty (noncurrent versions count)"));
  }
  return state_->buckets.Erase(name);
}

}  // namespace holdfast::storage
