#include "cli/asked_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/file_error.h"
#include "verify/object_bytes.h"

namespace holdfast::cli {

namespace {

constexpr size_t kAskedChunkBytes = size_t{4} << 20U;  // of one read from the store
constexpr int64_t kHeldBytesMax = int64_t{8} << 20U;   // larger ones go to a file

// An open file without a name.
class UnnamedFile {
 public:
  explicit UnnamedFile(int descriptor) : descriptor_(descriptor) {}
  ~UnnamedFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  UnnamedFile(UnnamedFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  UnnamedFile& operator=(UnnamedFile&&) = delete;

  static Result<UnnamedFile> Make(const std::string& directory) {
    std::string path = directory + "/asked.XXXXXX";
    const int descriptor = mkostemp(path.data(), O_CLOEXEC);
    if (descriptor < 0) return FileError("writing", path, errno);
    unlink(path.c_str());
    return UnnamedFile(descriptor);
  }

  Status Write(std::span<const char> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError("writing", "a fetched file", errno);
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return Ok();
  }

  Result<size_t> ReadAt(int64_t offset, std::span<char> buffer) const {
    while (true) {
      const ssize_t count = pread(descriptor_, buffer.data(), buffer.size(), offset);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return FileError("reading", "a fetched file", errno);
    }
  }

 private:
  int descriptor_;
};

// Takes the bytes as they come, with the checksums of all of them compared at the end.
Status Fetch(cloud::ObjectStore& store, const Manifest& manifest, const DataObject& object,
             const std::function<Status(std::span<const char>)>& take) {
  const cloud::ObjectInfo info{.ref = {manifest.bucket, object.name, object.generation},
                               .size_bytes = object.size_bytes,
                               .crc32c = object.crc32c};
  verify::ObjectBytes bytes(store, info, kAskedChunkBytes);
  std::string buffer(std::min<size_t>(kAskedChunkBytes, static_cast<size_t>(object.size_bytes) + 1),
                     '\0');
  while (true) {
    HF_ASSIGN_OR_RETURN(const size_t count, bytes.Read(std::span(buffer)));
    if (count == 0) break;
    HF_RETURN_IF_ERROR(take(std::span(buffer).first(count)));
  }
  HF_ASSIGN_OR_RETURN(const std::string sha256, bytes.Finish());
  if (sha256 == object.sha256) return Ok();
  return MakeError(ErrorId::kObjectCorrupt, "the bytes do not match the manifest's SHA-256");
}

Result<avro::ByteSource> FetchToMemory(cloud::ObjectStore& store, const Manifest& manifest,
                                       const DataObject& object) {
  auto held = std::make_shared<std::string>();
  held->reserve(static_cast<size_t>(object.size_bytes));
  HF_RETURN_IF_ERROR(Fetch(store, manifest, object, [&](std::span<const char> bytes) -> Status {
    held->append(bytes.data(), bytes.size());
    return Ok();
  }));
  return avro::ByteSource(
      [held, used = size_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
        const size_t count = std::min(buffer.size(), held->size() - used);
        std::copy_n(held->data() + used, count, buffer.data());
        used += count;
        return count;
      });
}

Result<avro::ByteSource> FetchToFile(cloud::ObjectStore& store, const Manifest& manifest,
                                     const DataObject& object, const std::string& directory) {
  HF_ASSIGN_OR_RETURN(UnnamedFile made, UnnamedFile::Make(directory));
  auto file = std::make_shared<UnnamedFile>(std::move(made));
  HF_RETURN_IF_ERROR(Fetch(store, manifest, object,
                           [&](std::span<const char> bytes) { return file->Write(bytes); }));
  return avro::ByteSource(
      [file, offset = int64_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
        HF_ASSIGN_OR_RETURN(const size_t count, file->ReadAt(offset, buffer));
        offset += static_cast<int64_t>(count);
        return count;
      });
}

}  // namespace

std::string NameOfFile(const Manifest& manifest, const DataObject& object) {
  return fmt::format("gs://{}/{} of backup {} of {}", manifest.bucket, object.name, manifest.backup,
                     manifest.object.ToString());
}

Result<avro::ByteSource> FetchChecked(cloud::ObjectStore& store, const Manifest& manifest,
                                      const DataObject& object, const std::string& directory) {
  auto bytes = object.size_bytes <= kHeldBytesMax ? FetchToMemory(store, manifest, object)
                                                  : FetchToFile(store, manifest, object, directory);
  if (bytes.ok()) return bytes;
  Error error = std::move(bytes).error().WithContext(NameOfFile(manifest, object));
  if (error.code == Code::kDataLoss || error.code == Code::kNotFound) {
    error.hint = fmt::format(
        "No row of it was used. `holdfast backup verify {}` looks for a whole copy of it; an older "
        "backup can be asked as TABLE@TIME",
        manifest.backup);
  }
  return error;
}

}  // namespace holdfast::cli
