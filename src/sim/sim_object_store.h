// Cloud Storage in memory: buckets of immutable objects with generations and retention.
//
// `PutObject` and the functions below it are not calls of the engine: they act as another service
// or a person would, outside of the fault plan. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cloud/object_store.h"
#include "sim/fault_plan.h"

namespace holdfast::sim {

class SimObjectStore final : public cloud::ObjectStore {
 public:
  // Borrows clock and plan.
  SimObjectStore(Clock& clock, FaultPlan& faults, size_t page_size)
      : clock_(clock), faults_(faults), page_size_(page_size) {}

  Result<cloud::BucketInfo> GetBucket(const std::string& bucket) override;
  Result<cloud::BucketInfo> EnsureBucket(const cloud::BucketInfo& bucket) override;
  Result<cloud::ObjectInfo> CreateObject(const cloud::ObjectRef& object, int64_t size_bytes,
                                         const std::function<ByteSource()>& open) override;
  Status ReadObject(const cloud::ObjectRef& object, int64_t offset, int64_t length,
                    const ByteSink& sink) override;
  Result<std::optional<cloud::ObjectInfo>> StatObject(const cloud::ObjectRef& object) override;
  Result<cloud::Page<cloud::ObjectInfo>> ListObjects(const std::string& bucket,
                                                     const std::string& prefix,
                                                     const std::string& page_token) override;
  Result<cloud::Page<cloud::ObjectInfo>> ListObjectsFrom(const std::string& bucket,
                                                         const std::string& prefix,
                                                         const std::string& start,
                                                         const std::string& page_token) override;
  Result<cloud::ObjectInfo> CopyObject(const cloud::ObjectRef& source,
                                       const cloud::ObjectRef& destination) override;
  Status DeleteObject(const cloud::ObjectRef& object) override;

  // Writes as an extract does: over what is there, unless it is retained.
  Status PutObject(const cloud::ObjectRef& object, std::string content);

  // The bytes of an object; kBucketNotFound, kObjectNotFound.
  Result<std::shared_ptr<const std::string>> GetContent(const cloud::ObjectRef& object) const;

  // Changes the bytes only: size and checksums stay what they were. False: no such object or byte.
  bool FlipBit(const cloud::ObjectRef& object, size_t byte);

  // Removes it, retained or not; nothing when it is absent.
  void RemoveObject(const cloud::ObjectRef& object);

  // In order of name; none of a bucket that is absent.
  std::vector<cloud::ObjectInfo> AllObjects(const std::string& bucket) const;

 private:
  struct Stored {
    cloud::ObjectInfo info;
    std::shared_ptr<const std::string> content;  // shared with readers that began before a delete
  };
  struct Bucket {
    cloud::BucketInfo info;
    std::map<std::string, Stored> objects;
  };

  // The lock is held.
  Result<Bucket*> FindBucket(const std::string& name);
  Result<Stored*> FindObject(const cloud::ObjectRef& object);
  bool IsRetained(const Bucket& bucket, const Stored& stored) const;
  Stored MakeStored(const cloud::ObjectRef& object, std::string content);
  Result<cloud::ObjectInfo> Insert(const cloud::ObjectRef& object, std::string content);

  Clock& clock_;
  FaultPlan& faults_;
  const size_t page_size_;
  mutable std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
  int64_t last_generation_ = 1'000'000;
};

}  // namespace holdfast::sim
