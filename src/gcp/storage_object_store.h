// cloud::ObjectStore over Cloud Storage's JSON API.
//
// Every write carries ifGenerationMatch=0, so a repetition either finds its own result or a 412
// that is settled by comparing size and crc32c (google-semantics A7 #43, #44). Small objects go in
// one multipart request with their crc32c; larger ones by a resumable session in bounded pieces.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "cloud/object_store.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

class StorageObjectStore final : public cloud::ObjectStore {
 public:
  // `endpoint`: "https://storage.googleapis.com" or an emulator's.
  StorageObjectStore(std::string endpoint, RestEnvironment environment);

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

 private:
  Result<cloud::ObjectInfo> SettleConflict(const cloud::ObjectRef& object, int64_t size_bytes,
                                           uint32_t crc32c);
  Status CheckOwner(const std::string& bucket, const std::string& project);

  RestClient client_;
  std::mutex mutex_;
  std::set<std::string> checked_;  // buckets whose owner was looked at; guarded by mutex_
};

}  // namespace holdfast::gcp
