#include "avro/utf8.h"

#include <array>

namespace holdfast::avro {

namespace {

// What may follow a first byte: how many bytes, and the range of the second one.
struct Sequence {
  uint8_t length = 0;  // 0: not a first byte
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
};

constexpr std::array<Sequence, 256> MakeSequences() {
  std::array<Sequence, 256> table{};
  for (size_t byte = 0; byte < 0x80; ++byte) table[byte] = {.length = 1};
  for (size_t byte = 0xC2; byte < 0xE0; ++byte) table[byte] = {.length = 2};
  for (size_t byte = 0xE0; byte < 0xF0; ++byte) table[byte] = {.length = 3};
  for (size_t byte = 0xF0; byte < 0xF5; ++byte) table[byte] = {.length = 4};
  table[0xE0].second_min = 0xA0;  // shorter forms exist
  table[0xED].second_max = 0x9F;  // surrogates
  table[0xF0].second_min = 0x90;  // shorter forms exist
  table[0xF4].second_max = 0x8F;  // over U+10FFFF
  return table;
}

constexpr std::array<Sequence, 256> kSequences = MakeSequences();

}  // namespace

bool IsValidUtf8Slow(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Sequence sequence = kSequences[static_cast<uint8_t>(text[at])];
    if (sequence.length == 0 || text.size() - at < sequence.length) return false;
    for (size_t i = 1; i < sequence.length; ++i) {
      const auto byte = static_cast<uint8_t>(text[at + i]);
      const uint8_t least = i == 1 ? sequence.second_min : 0x80;
      const uint8_t most = i == 1 ? sequence.second_max : 0xBF;
      if (byte < least || byte > most) return false;
    }
    at += sequence.length;
  }
  return true;
}

}  // namespace holdfast::avro
