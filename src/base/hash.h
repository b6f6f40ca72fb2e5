// Digests over bytes that arrive in pieces, and their text forms.
//
// SHA-256 is the integrity of a data object in a manifest; crc32c and MD5 are Cloud Storage's own
// checksums (base64 of the big-endian bytes in its JSON). A hasher is used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

// Incremental SHA-256 or MD5. `Finish` is called once, after the last `Update`.
class Hasher {
 public:
  // Of no bytes yet. What was moved from may only be assigned to or destroyed.
  static Hasher Sha256();
  static Hasher Md5();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  // Takes the next bytes, in any pieces.
  void Update(std::string_view bytes);
  std::string Finish();  // the raw digest: 32 or 16 bytes

 private:
  struct State;
  explicit Hasher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Lower-case hexadecimal SHA-256 of `bytes`.
std::string Sha256Hex(std::string_view bytes);

// crc32c (Castagnoli) of `bytes` appended to data whose crc32c is `crc`; begin with 0.
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);

// Cloud Storage's text form of a crc32c: base64 of its four big-endian bytes.
std::string Crc32cBase64(uint32_t crc);

std::string HexEncode(std::string_view bytes);
std::string Base64Encode(std::string_view bytes);
Result<std::string> Base64Decode(std::string_view text);  // padded or not; standard alphabet

}  // namespace holdfast
