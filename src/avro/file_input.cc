#include "avro/file_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "avro/varint.h"

namespace holdfast::avro {

Result<bool> FileInput::AtEnd() {
  if (begin_ < end_) return false;
  begin_ = 0;
  end_ = 0;
  HF_ASSIGN_OR_RETURN(end_, Pull(buffer_.data(), buffer_.size()));
  return end_ == 0;
}

Status FileInput::Read(char* out, size_t size, std::string_view what) {
  while (size > 0) {
    if (begin_ == end_ && size >= buffer_.size()) {
      HF_ASSIGN_OR_RETURN(const size_t count, Pull(out, size));
      if (count == 0) return Truncated(what);
      position_ += count;
      out += count;
      size -= count;
      continue;
    }
    HF_ASSIGN_OR_RETURN(const bool at_end, AtEnd());
    if (at_end) return Truncated(what);
    const size_t count = std::min(size, end_ - begin_);
    std::memcpy(out, buffer_.data() + begin_, count);
    begin_ += count;
    position_ += count;
    out += count;
    size -= count;
  }
  return Ok();
}

Result<int64_t> FileInput::ReadNumber(std::string_view what) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < kVarintBytesMax; ++i) {
    char byte = 0;
    HF_RETURN_IF_ERROR(Read(&byte, 1, what));
    const auto low = static_cast<uint8_t>(byte) & 0x7FU;
    if (i == kVarintBytesMax - 1 && static_cast<uint8_t>(byte) > 1) break;
    bits |= static_cast<uint64_t>(low) << (7 * i);
    if (static_cast<uint8_t>(byte) < 0x80) return UnZigZag(bits);
  }
  return MakeError(ErrorId::kAvroCorrupt,
                   fmt::format("byte {}: {} has more than 64 bits", position_, what));
}

Result<size_t> FileInput::Pull(char* out, size_t size) {
  if (at_end_) return size_t{0};
  Result<size_t> count = source_({out, size});
  at_end_ = !count.ok() || *count == 0;
  CHECK(!count.ok() || *count <= size, "a source gave more than was asked for");
  return count;
}

Error FileInput::Truncated(std::string_view what) const {
  return MakeError(ErrorId::kAvroTruncated,
                   fmt::format("the file ends at byte {}, inside {}", position_, what));
}

}  // namespace holdfast::avro
