#include "verify/object_bytes.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::verify {

ObjectBytes::ObjectBytes(cloud::ObjectStore& store, cloud::ObjectInfo info, size_t chunk_bytes)
    : store_(store), info_(std::move(info)), chunk_bytes_(std::max<size_t>(chunk_bytes, 1)) {}

Status ObjectBytes::Fill() {
  const int64_t length = std::min(static_cast<int64_t>(chunk_bytes_), info_.size_bytes - offset_);
  chunk_.clear();
  chunk_used_ = 0;
  if (length == 0) return Ok();
  HF_RETURN_IF_ERROR(
      store_.ReadObject(info_.ref, offset_, length, [&](std::string_view bytes) -> Status {
        chunk_.append(bytes);
        return Ok();
      }));
  if (static_cast<int64_t>(chunk_.size()) != length) {
    return MakeError(ErrorId::kObjectCorrupt,
                     fmt::format("{}: {} bytes came of {} at offset {}", info_.ref.Uri(),
                                 chunk_.size(), length, offset_));
  }
  offset_ += length;
  crc32c_ = ExtendCrc32c(crc32c_, chunk_);
  sha256_.Update(chunk_);
  return Ok();
}

Result<size_t> ObjectBytes::Read(std::span<char> buffer) {
  if (chunk_used_ == chunk_.size()) HF_RETURN_IF_ERROR(Fill());
  const size_t count = std::min(buffer.size(), chunk_.size() - chunk_used_);
  std::copy_n(chunk_.data() + chunk_used_, count, buffer.data());
  chunk_used_ += count;
  return count;
}

Result<std::string> ObjectBytes::Finish() {
  while (offset_ < info_.size_bytes) HF_RETURN_IF_ERROR(Fill());
  if (crc32c_ != info_.crc32c) {
    return MakeError(
        ErrorId::kObjectCorrupt,
        fmt::format("{}: the bytes do not match the object's crc32c", info_.ref.Uri()));
  }
  return HexEncode(sha256_.Finish());
}

}  // namespace holdfast::verify
