// Whether text is valid UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
//
// BigQuery refuses anything else in STRING, so neither direction of the codec lets it pass.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace holdfast::avro {

// The whole check, byte by byte; IsValidUtf8 calls it when it meets a byte that is not ASCII.
bool IsValidUtf8Slow(std::string_view text);

// Whether all of `text` is; fast where it is ASCII.
inline bool IsValidUtf8(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080U;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t chunk = 0;
    std::memcpy(&chunk, text.data() + at, 8);
    if ((chunk & kHighBits) != 0) return IsValidUtf8Slow(text.substr(at));
  }
  uint8_t seen = 0;
  for (size_t i = at; i < text.size(); ++i) seen |= static_cast<uint8_t>(text[i]);
  return seen < 0x80 || IsValidUtf8Slow(text.substr(at));
}

}  // namespace holdfast::avro
