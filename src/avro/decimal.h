// NUMERIC and BIGNUMERIC: between decimal text, integers and Avro's bytes.
//
// NUMERIC is an __int128 unscaled at scale 9, |value| < 10^38. BIGNUMERIC is canonical decimal text
// (avro/batch.h) of a 256-bit two's-complement integer at scale 38. On the wire both are big-endian
// two's complement of the least length, at the column's own scale. Thread-safe.
// Source: google-semantics A4; Avro 1.11 "Decimal".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::avro {

inline constexpr int kNumericScale = 9;
inline constexpr int kNumericPrecision = 38;
inline constexpr int kBigNumericScale = 38;
inline constexpr int kBigNumericPrecision = 77;  // the 77th digit is partial
inline constexpr size_t kDecimalBytesMax = 32;   // 256 bits
inline constexpr size_t kBigNumericTextBytesMax = 80;

// Text of a NUMERIC, canonical: no exponent, no '+', no trailing zeros after the point, never "-0".
std::string FormatNumeric(__int128 value);

// Takes [+-]digits[.digits][e[+-]digits]; nullopt when malformed or not exact in the type's range.
std::optional<__int128> ParseNumeric(std::string_view text);
std::optional<std::string> ParseBigNumeric(std::string_view text);  // the canonical text

// Encodes `value` at `scale` (0..9) into `out` (16 bytes) and returns the length, 1..16; nullopt
// when the value has more digits than `precision` and `scale` allow.
std::optional<size_t> EncodeNumeric(__int128 value, int precision, int scale, char* out);

// The same for canonical BIGNUMERIC text; `out` has kDecimalBytesMax bytes. nullopt also when the
// text is not a decimal number.
std::optional<size_t> EncodeBigNumeric(std::string_view text, int precision, int scale, char* out);

// Decodes big-endian two's complement at `scale`, of any length (sign extension is allowed);
// nullopt when empty, out of range, or not exact at scale 9.
std::optional<__int128> DecodeNumeric(std::string_view bytes, int scale);

// The same as canonical text, written to `out` (kBigNumericTextBytesMax bytes); returns its length.
std::optional<size_t> DecodeBigNumeric(std::string_view bytes, int scale, char* out);

}  // namespace holdfast::avro
