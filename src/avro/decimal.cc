#include "avro/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace holdfast::avro {

namespace {

using Int128 = __int128;
using Uint128 = unsigned __int128;

constexpr size_t kDecimalTextBytesMax = 1024;  // longer text is refused, not trimmed
constexpr int kExponentMax = 2048;
constexpr uint64_t kTenTo19 = 10'000'000'000'000'000'000U;
constexpr int kChunkDigits = 19;

constexpr std::array<Int128, 39> MakePowersOfTen() {
  std::array<Int128, 39> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}

constexpr std::array<Int128, 39> kTenTo = MakePowersOfTen();
constexpr Int128 kNumericLimit = kTenTo[38];  // |value| is below it

// A decimal number as text: its significant digits, and where the point is.
struct DecimalDigits {
  bool negative = false;
  std::string digits;  // no leading and no trailing zeros; empty: zero
  int point = 0;       // the point stands after this many digits; may be negative or beyond
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<DecimalDigits> ParseDigits(std::string_view text) {
  if (text.size() > kDecimalTextBytesMax) return std::nullopt;
  DecimalDigits number;
  size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) number.negative = text[at++] == '-';
  const size_t whole_begin = at;
  while (at < text.size() && IsDigit(text[at])) number.digits += text[at++];
  const size_t whole_digits = at - whole_begin;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && IsDigit(text[at])) number.digits += text[at++];
  }
  if (number.digits.empty()) return std::nullopt;
  number.point = static_cast<int>(whole_digits);
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && text[at] == '+') ++at;
    int exponent = 0;
    const auto [end, error] =
        std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (error != std::errc() || exponent > kExponentMax || exponent < -kExponentMax) {
      return std::nullopt;
    }
    number.point += exponent;
    at = static_cast<size_t>(end - text.data());
  }
  if (at != text.size()) return std::nullopt;
  const size_t zeros = std::min(number.digits.find_first_not_of('0'), number.digits.size());
  number.digits.erase(0, zeros);
  number.point -= static_cast<int>(zeros);
  while (!number.digits.empty() && number.digits.back() == '0') number.digits.pop_back();
  if (number.digits.empty()) return DecimalDigits{};
  return number;
}

// Digits after the point; zero or less for whole numbers.
int FractionDigits(const DecimalDigits& number) {
  return static_cast<int>(number.digits.size()) - number.point;
}

// Canonical text of `digits` (no leading zeros) with `scale` of them after the point; `out` has
// room for all of them, a sign, a point and a zero.
size_t WriteCanonical(bool negative, std::string_view digits, int scale, char* out) {
  while (scale > 0 && !digits.empty() && digits.back() == '0') {
    digits.remove_suffix(1);
    --scale;
  }
  if (digits.empty()) {
    *out = '0';
    return 1;
  }
  char* at = out;
  if (negative) *at++ = '-';
  const auto count = static_cast<int>(digits.size());
  if (count > scale) {
    at = std::copy(digits.begin(), digits.end() - scale, at);
  } else {
    *at++ = '0';
  }
  if (scale > 0) {
    *at++ = '.';
    for (int i = count; i < scale; ++i) *at++ = '0';
    at = std::copy(digits.end() - std::min(scale, count), digits.end(), at);
  }
  return static_cast<size_t>(at - out);
}

// An unsigned integer of 256 bits; words from the least.
class Uint256 {
 public:
  // value * factor + addend; false when it does not fit.
  [[nodiscard]] bool MultiplyAdd(uint64_t factor, uint64_t addend) {
    Uint128 carry = addend;
    for (uint64_t& word : words_) {
      carry += static_cast<Uint128>(word) * factor;
      word = static_cast<uint64_t>(carry);
      carry >>= 64U;
    }
    return carry == 0;
  }

  [[nodiscard]] bool MultiplyByPowerOfTen(int exponent) {
    for (; exponent >= kChunkDigits; exponent -= kChunkDigits) {
      if (!MultiplyAdd(kTenTo19, 0)) return false;
    }
    return MultiplyAdd(static_cast<uint64_t>(kTenTo[static_cast<size_t>(exponent)]), 0);
  }

  // Divides by `divisor` and returns the remainder.
  uint64_t Divide(uint64_t divisor) {
    Uint128 rest = 0;
    for (size_t i = words_.size(); i-- > 0;) {
      rest = (rest << 64U) | words_[i];
      words_[i] = static_cast<uint64_t>(rest / divisor);
      rest %= divisor;
    }
    return static_cast<uint64_t>(rest);
  }

  void Negate() {
    Uint128 carry = 1;
    for (uint64_t& word : words_) {
      carry += static_cast<uint64_t>(~word);
      word = static_cast<uint64_t>(carry);
      carry >>= 64U;
    }
  }

  bool IsZero() const {
    return std::ranges::all_of(words_, [](uint64_t word) { return word == 0; });
  }

  // Whether it is the magnitude of a signed integer of 256 bits.
  bool FitsSigned(bool negative) const {
    if ((words_[3] >> 63U) == 0) return true;
    return negative && words_[3] == uint64_t{1} << 63U && (words_[0] | words_[1] | words_[2]) == 0;
  }

  void SetByte(size_t index, uint8_t byte) {
    words_[index / 8] |= static_cast<uint64_t>(byte) << (8 * (index % 8));
  }
  uint8_t Byte(size_t index) const {
    return static_cast<uint8_t>(words_[index / 8] >> (8 * (index % 8)));
  }

 private:
  std::array<uint64_t, 4> words_{};
};

// Removes the bytes in front that only repeat the sign.
std::string_view StripSignExtension(std::string_view bytes) {
  const char filler = (bytes[0] & 0x80) != 0 ? '\xFF' : '\0';
  while (bytes.size() > 1 && bytes[0] == filler && ((bytes[1] ^ filler) & 0x80) == 0) {
    bytes.remove_prefix(1);
  }
  return bytes;
}

// Writes `bytes` without its sign extension and returns the length.
size_t WriteMinimal(std::string_view bytes, char* out) {
  bytes = StripSignExtension(bytes);
  std::memmove(out, bytes.data(), bytes.size());
  return bytes.size();
}

// At most 16 bytes of big-endian two's complement.
Int128 LoadBigEndian(std::string_view bytes) {
  Uint128 value = (bytes[0] & 0x80) != 0 ? ~Uint128{0} : 0;
  for (const char byte : bytes) value = (value << 8U) | static_cast<uint8_t>(byte);
  return static_cast<Int128>(value);
}

// |text| times 10^scale; nullopt when it is not whole or too large.
std::optional<Uint256> Unscale(const DecimalDigits& number, int scale) {
  if (FractionDigits(number) > scale) return std::nullopt;
  Uint256 value;
  for (const char digit : number.digits) {
    if (!value.MultiplyAdd(10, static_cast<uint64_t>(digit - '0'))) return std::nullopt;
  }
  if (number.digits.empty()) return value;
  const int zeros = scale - FractionDigits(number);
  if (zeros > kBigNumericPrecision || !value.MultiplyByPowerOfTen(zeros)) return std::nullopt;
  return value;
}

bool FitsBigNumeric(const DecimalDigits& number) {
  const auto value = Unscale(number, kBigNumericScale);
  return value && value->FitsSigned(number.negative);
}

// Digits of `value` (destroyed) without leading zeros, written to `out`; returns how many.
size_t WriteDigits(Uint256& value, char* out) {
  std::array<char, 5 * kChunkDigits> reversed{};
  size_t count = 0;
  while (!value.IsZero()) {
    uint64_t chunk = value.Divide(kTenTo19);
    for (int i = 0; i < kChunkDigits; ++i, chunk /= 10) {
      reversed[count++] = static_cast<char>('0' + chunk % 10);
    }
  }
  while (count > 0 && reversed[count - 1] == '0') --count;
  std::reverse_copy(reversed.begin(), reversed.begin() + static_cast<std::ptrdiff_t>(count), out);
  return count;
}

}  // namespace

std::string FormatNumeric(__int128 value) {
  const bool negative = value < 0;
  auto magnitude = negative ? 0 - static_cast<Uint128>(value) : static_cast<Uint128>(value);
  std::array<char, 40> reversed{};
  size_t count = 0;
  for (; magnitude != 0; magnitude /= 10) {
    reversed[count++] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
  }
  std::reverse(reversed.begin(), reversed.begin() + static_cast<std::ptrdiff_t>(count));
  std::array<char, 64> text{};
  const size_t length =
      WriteCanonical(negative, {reversed.data(), count}, kNumericScale, text.data());
  return {text.data(), length};
}

std::optional<__int128> ParseNumeric(std::string_view text) {
  const auto number = ParseDigits(text);
  if (!number || FractionDigits(*number) > kNumericScale ||
      number->point > kNumericPrecision - kNumericScale) {
    return std::nullopt;
  }
  Int128 value = 0;
  for (const char digit : number->digits) value = value * 10 + (digit - '0');
  if (!number->digits.empty()) {
    value *= kTenTo[static_cast<size_t>(kNumericScale - FractionDigits(*number))];
  }
  return number->negative ? -value : value;
}

std::optional<std::string> ParseBigNumeric(std::string_view text) {
  const auto number = ParseDigits(text);
  if (!number || !FitsBigNumeric(*number)) return std::nullopt;
  std::string digits = number->digits;
  const int scale = std::max(0, FractionDigits(*number));
  if (FractionDigits(*number) < 0)
    digits.append(static_cast<size_t>(-FractionDigits(*number)), '0');
  std::array<char, 2 * kBigNumericTextBytesMax> out{};
  return std::string(out.data(), WriteCanonical(number->negative, digits, scale, out.data()));
}

std::optional<size_t> EncodeNumeric(__int128 value, int precision, int scale, char* out) {
  Int128 unscaled = value;
  if (scale != kNumericScale) {  // the usual scale needs no division of 128 bits
    const Int128 divisor = kTenTo[static_cast<size_t>(kNumericScale - scale)];
    if (value % divisor != 0) return std::nullopt;
    unscaled = value / divisor;
  }
  const Int128 limit = kTenTo[static_cast<size_t>(std::min(precision, kNumericPrecision))];
  if (unscaled >= limit || unscaled <= -limit) return std::nullopt;
  std::array<char, 16> bytes{};
  auto rest = static_cast<Uint128>(unscaled);
  for (size_t i = bytes.size(); i-- > 0; rest >>= 8U) bytes[i] = static_cast<char>(rest & 0xFFU);
  return WriteMinimal({bytes.data(), bytes.size()}, out);
}

std::optional<size_t> EncodeBigNumeric(std::string_view text, int precision, int scale, char* out) {
  const auto number = ParseDigits(text);
  if (!number || number->point > precision - scale || !FitsBigNumeric(*number)) return std::nullopt;
  auto value = Unscale(*number, scale);
  if (!value) return std::nullopt;
  if (number->negative) value->Negate();
  std::array<char, kDecimalBytesMax> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(value->Byte(bytes.size() - 1 - i));
  }
  return WriteMinimal({bytes.data(), bytes.size()}, out);
}

std::optional<__int128> DecodeNumeric(std::string_view bytes, int scale) {
  if (bytes.empty()) return std::nullopt;
  if (bytes.size() > 16) bytes = StripSignExtension(bytes);
  if (bytes.size() > 16) return std::nullopt;
  Int128 value = LoadBigEndian(bytes);
  if (scale <= kNumericScale) {
    if (__builtin_mul_overflow(value, kTenTo[static_cast<size_t>(kNumericScale - scale)], &value)) {
      return std::nullopt;
    }
  } else {
    if (scale - kNumericScale > kNumericPrecision) return std::nullopt;
    const Int128 divisor = kTenTo[static_cast<size_t>(scale - kNumericScale)];
    if (value % divisor != 0) return std::nullopt;
    value /= divisor;
  }
  if (value >= kNumericLimit || value <= -kNumericLimit) return std::nullopt;
  return value;
}

std::optional<size_t> DecodeBigNumeric(std::string_view bytes, int scale, char* out) {
  if (bytes.empty()) return std::nullopt;
  bytes = StripSignExtension(bytes);
  if (bytes.size() > kDecimalBytesMax) return std::nullopt;
  const bool negative = (bytes[0] & 0x80) != 0;
  Uint256 value;
  for (size_t i = 0; i < kDecimalBytesMax; ++i) {
    const uint8_t filler = negative ? 0xFF : 0;
    value.SetByte(i, i < bytes.size() ? static_cast<uint8_t>(bytes[bytes.size() - 1 - i]) : filler);
  }
  if (negative) value.Negate();
  Uint256 at_full_scale = value;
  if (!at_full_scale.MultiplyByPowerOfTen(kBigNumericScale - scale) ||
      !at_full_scale.FitsSigned(negative)) {
    return std::nullopt;
  }
  std::array<char, 5 * kChunkDigits> digits{};
  const size_t count = WriteDigits(value, digits.data());
  return WriteCanonical(negative, {digits.data(), count}, scale, out);
}

}  // namespace holdfast::avro
