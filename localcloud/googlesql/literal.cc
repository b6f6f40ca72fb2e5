#include "localcloud/googlesql/literal.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace holdfast::googlesql {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `count` digits of `base` at `at`, or nullopt.
std::optional<uint32_t> ReadDigits(std::string_view body, size_t at, size_t count, int base) {
  if (at + count > body.size()) return std::nullopt;
  uint32_t value = 0;
  for (size_t i = at; i < at + count; ++i) {
    const int digit = HexDigit(body[i]);
    if (digit < 0 || digit >= base) return std::nullopt;
    value = value * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit);
  }
  return value;
}

bool AppendUtf8(uint32_t code, std::string& out) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
  return true;
}

std::optional<char> SimpleEscape(char c) {
  constexpr std::string_view kFrom = "abfnrtv\\?\"'`";
  constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\?\"'`";
  const size_t at = kFrom.find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return kTo[at];
}

// Decodes the escape whose letter is at `at`; returns the number of bytes it has after the
// backslash, or 0 if it is malformed.
size_t DecodeNumeric(std::string_view body, size_t at, LiteralKind kind, std::string& out) {
  struct Form {
    size_t skip;
    size_t digits;
    int base;
    bool unicode;
  };
  const char letter = body[at];
  Form form{0, 3, 8, false};
  if (letter == 'x' || letter == 'X') form = {1, 2, 16, false};
  if (letter == 'u') form = {1, 4, 16, true};
  if (letter == 'U') form = {1, 8, 16, true};
  if (form.base == 8 && (letter < '0' || letter > '3')) return 0;
  const auto value = ReadDigits(body, at + form.skip, form.digits, form.base);
  if (!value) return 0;
  if (kind == LiteralKind::kBytes) {
    if (form.unicode) return 0;
    out += static_cast<char>(*value);
  } else if (!AppendUtf8(*value, out)) {
    return 0;
  }
  return form.skip + form.digits;
}

}  // namespace

Result<std::string> DecodeEscapes(std::string_view body, LiteralKind kind, Position position) {
  std::string out;
  out.reserve(body.size());
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '\r') {  // any line end of a triple-quoted literal is \n
      out += '\n';
      if (i + 1 < body.size() && body[i + 1] == '\n') ++i;
      continue;
    }
    if (body[i] != '\\') {
      out += body[i];
      continue;
    }
    if (i + 1 >= body.size()) return SyntaxError("Illegal escape sequence: \\", position);
    if (const auto simple = SimpleEscape(body[i + 1])) {
      out += *simple;
      ++i;
      continue;
    }
    const size_t used = DecodeNumeric(body, i + 1, kind, out);
    if (used == 0) {
      const std::string_view letter = body.substr(i + 1, Utf8Length(body.substr(i + 1)));
      return SyntaxError(fmt::format("Illegal escape sequence: \\{}", letter), position);
    }
    i += used;
  }
  return out;
}

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  size_t length = 0;
  if (first < 0x80) length = 1;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  if (first >= 0xE0 && first <= 0xEF) length = 3;
  if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace holdfast::googlesql
