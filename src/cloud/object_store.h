// Buckets of immutable objects as the engine needs them.
//
// Every write is create-only (a precondition on absence), every delete names a generation: nothing
// is overwritten in place, so a retried call either finds its own result or fails plainly.
// Implemented by gcp/ (Cloud Storage's JSON API) and sim/; contract in
// tests/contract/object_store_contract.h. Thread-safe, blocking.
//
// Errors: kBucketNotFound, kObjectNotFound, kObjectExists (an object of that name, with other
// content, is there), kAccessDenied, kObjectRetained (a retention policy or hold forbids it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "base/stream.h"
#include "cloud/page.h"

namespace holdfast::cloud {

struct ObjectRef {
  std::string bucket;
  std::string name;        // never begins with or contains "//" (google-semantics A3 #33)
  int64_t generation = 0;  // 0: the live one

  std::string Uri() const { return "gs://" + bucket + "/" + name; }
};

struct ObjectInfo {
  ObjectRef ref;  // with its generation
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;
  int64_t created_ms = 0;  // server time
};

struct BucketInfo {
  std::string name;
  std::string project;
  std::string location;
  std::optional<int64_t> retention_seconds;  // objects younger cannot be deleted
  bool retention_locked = false;
  std::optional<int64_t> delete_after_days;  // the service deletes objects of this age by itself
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // kBucketNotFound when absent.
  virtual Result<BucketInfo> GetBucket(const std::string& bucket) = 0;

  // Creates the bucket if it is absent. An existing one is returned as it is, unless its location
  // or project differs: kLocationMismatch / kAccessDenied (someone else's). Idempotent, retried.
  virtual Result<BucketInfo> EnsureBucket(const BucketInfo& bucket) = 0;

  // Writes a new object from `source` (rewindable by calling `open` again for a retry).
  // `size_bytes` is the exact length. Create-only; if the object exists with the same size and
  // crc32c the call succeeds with it (a retry found its own success, google-semantics A7 #44), else
  // kObjectExists. The stored crc32c has been compared with the one computed while sending.
  virtual Result<ObjectInfo> CreateObject(const ObjectRef& object, int64_t size_bytes,
                                          const std::function<ByteSource()>& open) = 0;

  // Reads `length` bytes from `offset` (-1: to the end) into `sink`. A transfer that breaks is
  // resumed where it broke; the bytes of a whole read are compared with the object's crc32c at the
  // end: kObjectCorrupt.
  virtual Status ReadObject(const ObjectRef& object, int64_t offset, int64_t length,
                            const ByteSink& sink) = 0;

  // Size, checksum, generation; nullopt when absent.
  virtual Result<std::optional<ObjectInfo>> StatObject(const ObjectRef& object) = 0;

  // Objects whose names begin with `prefix`, in ascending name order, live generations only.
  virtual Result<Page<ObjectInfo>> ListObjects(const std::string& bucket, const std::string& prefix,
                                               const std::string& page_token) = 0;

  // The same, of those names that are `start` or come after it. An implementation that cannot ask
  // its service for that leaves the others out of what ListObjects gives, as this one does.
  virtual Result<Page<ObjectInfo>> ListObjectsFrom(const std::string& bucket,
                                                   const std::string& prefix,
                                                   const std::string& start,
                                                   const std::string& page_token);

  // Copies inside the service, without the bytes passing here, to a new object (create-only, same
  // rule as CreateObject for one that exists). Idempotent, retried.
  virtual Result<ObjectInfo> CopyObject(const ObjectRef& source, const ObjectRef& destination) = 0;

  // Deletes exactly the generation named (which must not be 0). Absent: success. Idempotent,
  // retried.
  virtual Status DeleteObject(const ObjectRef& object) = 0;
};

// CreateObject of a string.
Result<ObjectInfo> CreateObjectFromString(ObjectStore& store, const ObjectRef& object,
                                          const std::string& content);

// The whole object as a string; kLimitExceeded when it is over `size_bytes_max`.
Result<std::string> ReadObjectToString(ObjectStore& store, const ObjectRef& object,
                                       int64_t size_bytes_max);

}  // namespace holdfast::cloud
