// Bytes that grow without being zeroed and can be read a little past their end.
//
// The codec reads and writes numbers eight bytes at a time; `kSlackBytes` readable zero bytes after
// the contents make that safe without a check for each. Move-only; one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace holdfast::avro {

class ByteBuffer {
 public:
  static constexpr size_t kSlackBytes = 32;

  // Room for `capacity` bytes; the contents up to size() are kept. The slack is set by Resize.
  void Reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    const size_t grown = std::max(capacity, capacity_ + capacity_ / 2);
    auto bytes = std::make_unique_for_overwrite<char[]>(grown + kSlackBytes);
    if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = grown;
  }

  // Sets the size; bytes that were never written are undefined. The slack after it becomes zero.
  void Resize(size_t size) {
    Reserve(std::max<size_t>(size, 1));
    size_ = size;
    std::memset(bytes_.get() + size, 0, kSlackBytes);
  }

  // Empties it; the memory is kept for what comes.
  void Clear() { size_ = 0; }

  // The contents: `size()` bytes. Valid until the next Reserve or Resize that grows it.
  char* data() { return bytes_.get(); }
  const char* data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace holdfast::avro
