// An object store that tells something else than what is so: what the real one does on a bad day,
// and the simulated one never does by itself.
//
// Passes every call on; the functions that a test sets change what comes out. Borrows the other
// store. As thread-safe as the functions are.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cloud/object_store.h"

namespace holdfast::testing_support {

class AlteredStore : public cloud::ObjectStore {
 public:
  explicit AlteredStore(cloud::ObjectStore& store) : store_(store) {}

  // Whether an object can be read; and what is told of one that is there, and of a copy.
  std::function<Status(const cloud::ObjectRef& object)> before_read = [](const auto&) {
    return Ok();
  };
  std::function<void(std::optional<cloud::ObjectInfo>& found)> change_stat = [](auto&) {};
  std::function<void(cloud::ObjectInfo& copy)> change_copy = [](auto&) {};

  Result<cloud::BucketInfo> GetBucket(const std::string& bucket) override {
    return store_.GetBucket(bucket);
  }
  Result<cloud::BucketInfo> EnsureBucket(const cloud::BucketInfo& bucket) override {
    return store_.EnsureBucket(bucket);
  }
  Result<cloud::ObjectInfo> CreateObject(const cloud::ObjectRef& object, int64_t size_bytes,
                                         const std::function<ByteSource()>& open) override {
    return store_.CreateObject(object, size_bytes, open);
  }
  Status ReadObject(const cloud::ObjectRef& object, int64_t offset, int64_t length,
                    const ByteSink& sink) override {
    HF_RETURN_IF_ERROR(before_read(object));
    return store_.ReadObject(object, offset, length, sink);
  }
  Result<std::optional<cloud::ObjectInfo>> StatObject(const cloud::ObjectRef& object) override {
    HF_ASSIGN_OR_RETURN(auto found, store_.StatObject(object));
    change_stat(found);
    return found;
  }
  Result<cloud::Page<cloud::ObjectInfo>> ListObjects(const std::string& bucket,
                                                     const std::string& prefix,
                                                     const std::string& page_token) override {
    return store_.ListObjects(bucket, prefix, page_token);
  }
  Result<cloud::ObjectInfo> CopyObject(const cloud::ObjectRef& source,
                                       const cloud::ObjectRef& destination) override {
    HF_ASSIGN_OR_RETURN(auto copy, store_.CopyObject(source, destination));
    change_copy(copy);
    return copy;
  }
  Status DeleteObject(const cloud::ObjectRef& object) override {
    return store_.DeleteObject(object);
  }

 private:
  cloud::ObjectStore& store_;
};

}  // namespace holdfast::testing_support
