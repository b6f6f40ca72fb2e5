#include "base/hash.h"

#include <nmmintrin.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>

namespace holdfast {

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

Hasher Hasher::Sha256() {
  auto state = std::make_unique<State>();
  CHECK(EVP_DigestInit_ex(state->context, EVP_sha256(), nullptr) == 1, "SHA-256 is unavailable");
  return Hasher(std::move(state));
}

Hasher Hasher::Md5() {
  auto state = std::make_unique<State>();
  CHECK(EVP_DigestInit_ex(state->context, EVP_md5(), nullptr) == 1, "MD5 is unavailable");
  return Hasher(std::move(state));
}

void Hasher::Update(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Hasher::Finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string Sha256Hex(std::string_view bytes) {
  Hasher hasher = Hasher::Sha256();
  hasher.Update(bytes);
  return HexEncode(hasher.Finish());
}

namespace {

__attribute__((target("sse4.2"))) uint32_t Crc32cHardware(uint32_t crc, std::string_view bytes) {
  uint64_t state = ~crc;
  const char* data = bytes.data();
  size_t size = bytes.size();
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, data, 8);
    state = _mm_crc32_u64(state, word);
  }
  auto state32 = static_cast<uint32_t>(state);
  for (; size > 0; ++data, --size) {
    state32 = _mm_crc32_u8(state32, static_cast<unsigned char>(*data));
  }
  return ~state32;
}

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = value;
  }
  return table;
}

uint32_t Crc32cTable(uint32_t crc, std::string_view bytes) {
  static constexpr auto kTable = MakeCrc32cTable();
  uint32_t state = ~crc;
  for (const char byte : bytes) {
    state = (state >> 8U) ^ kTable[(state ^ static_cast<unsigned char>(byte)) & 0xFFU];
  }
  return ~state;
}

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) {
  static const bool kHasHardware = __builtin_cpu_supports("sse4.2") != 0;
  return kHasHardware ? Crc32cHardware(crc, bytes) : Crc32cTable(crc, bytes);
}

std::string Crc32cBase64(uint32_t crc) {
  const std::array<char, 4> bytes = {static_cast<char>(crc >> 24U), static_cast<char>(crc >> 16U),
                                     static_cast<char>(crc >> 8U), static_cast<char>(crc)};
  return Base64Encode({bytes.data(), bytes.size()});
}

std::string HexEncode(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

std::string Base64Encode(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

namespace {

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

Result<std::string> Base64Decode(std::string_view text) {
  for (int padding = 0; padding < 2 && !text.empty() && text.back() == '='; ++padding) {
    text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return MakeError(ErrorId::kInvalidJson, "base64 text is cut short");
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return MakeError(ErrorId::kInvalidJson, "base64 text has a foreign character");
    bits = (bits << 6U) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    }
  }
  return bytes;
}

}  // namespace holdfast
