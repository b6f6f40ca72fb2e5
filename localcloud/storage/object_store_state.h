// What the source files of ObjectStore share: the open store and the steps they have in common.
//
// Private to this folder. `mutex` guards the database and everything in it; members whose comment
// says "locked" are called with it held. Blobs synchronize themselves. Lock order: an upload's
// mutex, then `mutex`, then the blob directory's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/directory_lock.h"
#include "localcloud/sqlite/database.h"
#include "localcloud/storage/blob_directory.h"
#include "localcloud/storage/object_store.h"
#include "localcloud/storage/records.h"
#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {

// An upload that this process has touched: where its file stands.
struct ActiveUpload {
  std::mutex mutex;
  int64_t received_bytes = 0;  // in the file
  int64_t durable_bytes = 0;   // synced and recorded
  uint64_t owner = 0;          // number of the append call that may write
};

// The bytes of an object about to be published.
struct PublishedBytes {
  std::string blob;
  BlobDigest digest;  // md5 empty: composite or a copy of one
  int component_count = 0;
};

struct ObjectStore::State {
  // `the_clock` and `the_random` must outlive the store.
  State(std::unique_ptr<DirectoryLock> directory_lock, std::unique_ptr<sqlite::Database> opened,
        std::unique_ptr<BlobDirectory> blob_directory, Clock& the_clock, Random& the_random);

  const std::unique_ptr<DirectoryLock> lock;
  const std::unique_ptr<sqlite::Database> database;
  const std::unique_ptr<BlobDirectory> blobs;
  Clock& clock;
  Random& random;
  std::mutex mutex;
  BucketRecords buckets;
  ObjectRecords objects;
  UploadRecords uploads;
  std::map<std::string, std::shared_ptr<ActiveUpload>> active_uploads;  // shared with running calls
  uint64_t next_owner = 0;

  // Locked. kStorageNotFound when absent.
  Result<BucketRecord> FindBucket(const std::string& name);
  Result<ObjectRecord> FindObject(const ObjectSelector& object);

  // Locked. What a write to `object` must pass; gives the bucket and the live object it replaces.
  // Errors: kStorageInvalid (the name), kStorageNotFound (the bucket), kStoragePrecondition,
  // kStorageRetained.
  struct Target {
    BucketRecord bucket;
    std::optional<ObjectRecord> live;
  };
  Result<Target> CheckTarget(const NewObject& object);

  // Locked. Makes a new generation in one transaction, in which `also` takes part, and retires the
  // live one.
  Result<ObjectRecord> Publish(const NewObject& object, const PublishedBytes& bytes,
                               const std::function<Status(const ObjectRecord&)>& also = nullptr);

  // Locked, within a transaction. Makes a live object noncurrent or removes it, as the bucket says.
  Status Retire(const BucketRecord& bucket, const ObjectRecord& live);

  // Locked. Removes the blob unless a record names it.
  void ReleaseBlob(const std::string& blob);

  // Compares the digest with what the request announced. Errors: kStorageChecksumMismatch.
  static Status CheckDigest(const NewObject& object, const Checksums& expected,
                            const BlobDigest& digest);

  // Locked. kStorageNotFound when absent.
  Result<UploadRow> FindUpload(const std::string& id);

  // Locked. The upload's state in this process, made from its row when it is first touched.
  std::shared_ptr<ActiveUpload> Activate(const UploadRow& row);

  // Locked. The row as a session, with the object if it is finished.
  Result<UploadSession> ToSession(const UploadRow& row);

  // Locked. Removes the session and, unless it is finished, its bytes.
  Status DropUpload(const UploadRow& row);

  // Locked. Removes sessions past their time.
  Status ExpireUploads();

  // Locked. Applies the bucket's lifecycle rules to all generations of one name.
  Status ExpireVersions(const std::string& bucket_name, const std::string& name, Timestamp now,
                        LifecycleReport& report);

  // Locked. The first object name of the bucket after `after`; nullopt at the end.
  Result<std::optional<std::string>> NextName(const std::string& bucket, const std::string& after);
};

}  // namespace holdfast::storage
