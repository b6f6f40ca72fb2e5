// The bytes of an Avro file in order, with the position that error messages name.
//
// Small reads come from a buffer; a block goes straight from the source to its place. Never asks
// the source again after its end or an error. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "avro/reader.h"
#include "base/result.h"

namespace holdfast::avro {

class FileInput {
 public:
  // `source` is asked for nothing before the first read.
  explicit FileInput(ByteSource source) : source_(std::move(source)) {}

  // Whether no byte is left. Errors: the source's.
  Result<bool> AtEnd();

  // Fills `out` with the next `size` bytes. Errors: kAvroTruncated naming `what`, the source's.
  Status Read(char* out, size_t size, std::string_view what);

  // The next integer of Avro's form. Errors: kAvroTruncated, kAvroCorrupt for over 64 bits.
  Result<int64_t> ReadNumber(std::string_view what);

  uint64_t position() const { return position_; }  // bytes given out so far

 private:
  Result<size_t> Pull(char* out, size_t size);
  Error Truncated(std::string_view what) const;

  ByteSource source_;
  std::array<char, size_t{64} << 10U> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t position_ = 0;
  bool at_end_ = false;
};

}  // namespace holdfast::avro
