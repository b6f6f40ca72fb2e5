// What the store's tests share: an open store on virtual time, and short ways to write and read.
//
// For tests only. Used by one thread, except for `store()`, which is as thread-safe as any.
#pragma once

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/virtual_clock.h"
#include "localcloud/storage/object_store.h"
#include "tests/support/temporary_directory.h"

namespace holdfast::storage {

// What a client sends of a resumable upload in one request, at the least.
inline constexpr int64_t kChunk = int64_t{256} << 10U;

class StoreFixture {
 public:
  StoreFixture() { Reopen(); }

  ObjectStore& store() { return *store_; }
  VirtualClock& clock() { return clock_; }
  const std::string& directory() const { return directory_.path(); }

  // Closes the store and opens it again, as a restart does.
  void Reopen() {
    store_.reset();
    auto opened = ObjectStore::Open(directory_.path(), clock_, *random_);
    CHECK(opened.ok(), opened.ok() ? "" : opened.error().message);
    store_ = std::move(opened).value();
  }

  BucketRecord MakeBucket(const std::string& name, Json settings = Json::object(),
                          std::optional<int64_t> retention_seconds = std::nullopt) {
    BucketRecord bucket{.name = name, .project = "acme", .settings = std::move(settings)};
    if (retention_seconds) bucket.retention = RetentionPolicy{.seconds = *retention_seconds};
    auto created = store_->CreateBucket(bucket);
    CHECK(created.ok(), created.ok() ? "" : created.error().message);
    return *std::move(created);
  }

  Result<ObjectRecord> Write(const NewObject& object, std::string_view bytes) {
    HF_ASSIGN_OR_RETURN(const auto writer, store_->StartObject(object));
    HF_RETURN_IF_ERROR(writer->Append(bytes));
    return writer->Finish();
  }

  Result<ObjectRecord> Write(const std::string& bucket, const std::string& name,
                             std::string_view bytes) {
    return Write({.bucket = bucket, .name = name}, bytes);
  }

  // The bytes of an object, or an Error.
  Result<std::string> Read(const ObjectSelector& object) {
    HF_ASSIGN_OR_RETURN(const ObjectFile file, store_->OpenObject(object));
    return ReadFile(file.path);
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return std::move(bytes).str();
  }

  // The number of blob files on disk.
  size_t CountBlobs() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() + "/blobs")) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

 private:
  testing_support::TemporaryDirectory directory_;
  VirtualClock clock_{FromUnixMillis(1'790'000'000'000)};
  std::unique_ptr<Random> random_ = MakeSeededRandom(7);
  std::unique_ptr<ObjectStore> store_;
};

// A source that gives `bytes` in pieces of `piece` bytes.
inline ByteSource SourceOf(std::string bytes, size_t piece = 100'000) {
  return [bytes = std::move(bytes), piece, at = size_t{0}](std::span<char> buffer) mutable {
    const size_t count = std::min({piece, buffer.size(), bytes.size() - at});
    std::copy_n(bytes.data() + at, count, buffer.data());
    at += count;
    return Result<size_t>(count);
  };
}

// The names in a page of objects.
inline std::vector<std::string> NamesOf(const std::vector<ObjectRecord>& objects) {
  std::vector<std::string> names;
  for (const ObjectRecord& object : objects) names.push_back(object.name);
  return names;
}

}  // namespace holdfast::storage
