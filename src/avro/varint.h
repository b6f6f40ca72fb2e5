// Avro's integers: zigzag, then seven bits a byte, least first. Branches only where they pay.
//
// Reading takes up to kVarintBytesMax bytes that must be readable whatever the value (ByteBuffer's
// slack); the caller compares the new position with the end afterwards. Source: Avro 1.11
// specification, "Binary encoding".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace holdfast::avro {

inline constexpr size_t kVarintBytesMax = 10;

// Small numbers of either sign as small unsigned ones: 0, -1, 1, -2 as 0, 1, 2, 3; and back.
constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1U) ^ static_cast<uint64_t>(value >> 63);
}

constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1U) ^ (0 - (value & 1U)));
}

// Writes `value` and returns the position after it; `out` has room for kVarintBytesMax bytes.
inline char* WriteVarint(int64_t value, char* out) {
  uint64_t bits = ZigZag(value);
  while (bits >= 0x80) {
    *out++ = static_cast<char>(bits | 0x80U);
    bits >>= 7U;
  }
  *out++ = static_cast<char>(bits);
  return out;
}

// The rest of ReadVarint: a number of nine or ten bytes, or longer than any int64 (nullptr).
inline const char* ReadLongVarint(const char* in, int64_t& value) {
  uint64_t bits = 0;
  for (unsigned i = 0; i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<uint8_t>(in[i]);
    if (i == kVarintBytesMax - 1 && byte > 1) return nullptr;
    bits |= static_cast<uint64_t>(byte & 0x7FU) << (7 * i);
    if (byte < 0x80) {
      value = UnZigZag(bits);
      return in + i + 1;
    }
  }
  return nullptr;
}

// Reads one number and returns the position after it, or nullptr when it has more than 64 bits.
inline const char* ReadVarint(const char* in, int64_t& value) {
  const auto first = static_cast<uint8_t>(*in);
  if (first < 0x80) {
    value = UnZigZag(first);
    return in + 1;
  }
  uint64_t bytes = 0;
  std::memcpy(&bytes, in, 8);
  const uint64_t ends = ~bytes & 0x8080808080808080U;
  if (ends == 0) [[unlikely]]
    return ReadLongVarint(in, value);
  const auto last_bit = static_cast<unsigned>(__builtin_ctzll(ends));  // 8 * length - 1
  bytes &= ~uint64_t{0} >> (63 - last_bit);
  // Close the gap of one bit in each byte: pairs of bytes, then of pairs, then of quadruples.
  bytes &= 0x7F7F7F7F7F7F7F7FU;
  bytes = (bytes & 0x007F007F007F007FU) | ((bytes & 0x7F007F007F007F00U) >> 1U);
  bytes = (bytes & 0x00003FFF00003FFFU) | ((bytes & 0x3FFF00003FFF0000U) >> 2U);
  bytes = (bytes & 0x000000000FFFFFFFU) | ((bytes & 0x0FFFFFFF00000000U) >> 4U);
  value = UnZigZag(bytes);
  return in + (last_bit + 1) / 8;
}

}  // namespace holdfast::avro
