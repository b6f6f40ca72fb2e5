// The bytes of the embedded Cloud Storage: immutable files named by random ids.
//
// A blob is written once, synced, and from then on only read or removed. Its path is made of its id
// alone, so no name that came from outside ever reaches the file system. Removing a blob that is
// pinned waits for the last pin. The directory knows nothing of objects: the store tells it which
// blobs are still named. Thread-safe, except that one BlobWriter is used by one thread.
//
// Errors: kDiskFull, kFileError (the message names the path).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/random.h"
#include "base/result.h"

namespace holdfast::storage {

class BlobDirectory;

// Keeps one blob's file in place while it lives. Must not outlive the directory.
class BlobPin {
 public:
  // What was moved from pins nothing.
  BlobPin(BlobPin&& other) noexcept;
  BlobPin& operator=(BlobPin&& other) noexcept;
  ~BlobPin();

 private:
  friend class BlobDirectory;
  BlobPin(BlobDirectory& directory, std::string id);
  BlobDirectory* directory_;  // nullptr: moved from
  std::string id_;
};

// Length and checksums of a blob, computed while its bytes passed.
struct BlobDigest {
  int64_t size_bytes = 0;
  uint32_t crc32c = 0;
  std::string md5;  // 16 raw bytes
};

// Writes a new blob. Without Finish the file is removed with the writer.
class BlobWriter {
 public:
  ~BlobWriter();
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;

  // Writes and digests the bytes; not durable before Finish.
  Status Append(std::string_view bytes);

  // Syncs the file and its directory: the blob is durable. Called once.
  Result<BlobDigest> Finish();

  // Leaves the file in place: a record names it now. Only after Finish.
  void Keep() { kept_ = true; }

  // The name under which BlobDirectory knows the blob.
  const std::string& id() const { return id_; }

 private:
  friend class BlobDirectory;
  BlobWriter(BlobDirectory& directory, std::string id, int file);
  BlobDirectory& directory_;
  std::string id_;
  int file_;
  bool kept_ = false;
  BlobDigest digest_;
  Hasher md5_;
};

class BlobDirectory {
 public:
  // Opens or creates the directory. `random` must outlive it.
  static Result<std::unique_ptr<BlobDirectory>> Open(const std::string& path, Random& random);

  // Starts a new blob under a fresh id. The directory must outlive the writer.
  Result<std::unique_ptr<BlobWriter>> Create();

  // Creates an empty, durable file for an upload that grows it in place, and gives its id.
  Result<std::string> CreateEmpty();

  // Reads a blob from its beginning and gives its digest.
  Result<BlobDigest> Digest(const std::string& id);

  // The path of a blob. Pure.
  std::string PathOf(const std::string& id) const;

  // Never fails; the caller has made sure, under its own lock, that a record names the blob.
  BlobPin Pin(const std::string& id);

  // Removes the file, at once or after the last pin. A file that is not there is no error; one that
  // cannot be removed is logged and collected at the next start.
  void Remove(const std::string& id);

  // Removes every file whose id `is_named` denies. Only before anything else uses the directory.
  Status CollectOrphans(const std::function<Result<bool>(const std::string& id)>& is_named);

 private:
  friend class BlobPin;
  friend class BlobWriter;
  BlobDirectory(std::string path, Random& random) : path_(std::move(path)), random_(random) {}
  Result<int> CreateFile(const std::string& id);
  void Unpin(const std::string& id);

  const std::string path_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, int> pins_;
  std::set<std::string> doomed_;  // removed while pinned
};

}  // namespace holdfast::storage
