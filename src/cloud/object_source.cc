#include "cloud/object_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/hash.h"

namespace holdfast::cloud {

namespace {

class ObjectSource {
 public:
  ObjectSource(ObjectStore& store, ObjectInfo object, size_t chunk_bytes)
      : store_(store), object_(std::move(object)), chunk_bytes_(chunk_bytes) {}

  Result<size_t> Pull(std::span<char> buffer) {
    if (position_ == chunk_.size()) HF_RETURN_IF_ERROR(ReadChunk());
    const size_t count = std::min(buffer.size(), chunk_.size() - position_);
    std::copy_n(chunk_.data() + position_, count, buffer.data());
    position_ += count;
    return count;
  }

 private:
  // Reads the next chunk; leaves it empty at the end.
  Status ReadChunk() {
    chunk_.clear();
    position_ = 0;
    const int64_t left = object_.size_bytes - offset_;
    if (left > 0) {
      const int64_t length = std::min<int64_t>(left, static_cast<int64_t>(chunk_bytes_));
      HF_RETURN_IF_ERROR(
          store_.ReadObject(object_.ref, offset_, length, [this](std::string_view bytes) -> Status {
            chunk_.append(bytes);
            return Ok();
          }));
      crc32c_ = ExtendCrc32c(crc32c_, chunk_);
      offset_ += static_cast<int64_t>(chunk_.size());
    }
    if (chunk_.empty() && (offset_ != object_.size_bytes || crc32c_ != object_.crc32c)) {
      return MakeError(
          ErrorId::kObjectCorrupt,
          fmt::format("{}: {} bytes with crc32c {:08x} were read, {} with {:08x} are on "
                      "record",
                      object_.ref.Uri(), offset_, crc32c_, object_.size_bytes, object_.crc32c));
    }
    return Ok();
  }

  ObjectStore& store_;
  ObjectInfo object_;
  size_t chunk_bytes_;
  std::string chunk_;
  size_t position_ = 0;
  int64_t offset_ = 0;
  uint32_t crc32c_ = 0;
};

}  // namespace

ByteSource MakeObjectSource(ObjectStore& store, const ObjectInfo& object, size_t chunk_bytes) {
  auto source = std::make_shared<ObjectSource>(store, object, chunk_bytes);
  return [source](std::span<char> buffer) { return source->Pull(buffer); };
}

}  // namespace holdfast::cloud
