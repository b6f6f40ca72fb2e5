#include "localcloud/googlesql/quote.h"

namespace holdfast::googlesql {

std::string QuoteName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  bool concatenated = false;
  for (const char c : text) {
    if (c == '\0') {
      quoted += "' || chr(0) || '";
      concatenated = true;
      continue;
    }
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  quoted += '\'';
  return concatenated ? '(' + quoted + ')' : quoted;
}

std::string QuoteBytes(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string quoted = "'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += "\\x";
    quoted += kDigits[byte >> 4U];
    quoted += kDigits[byte & 15U];
  }
  return quoted + "'::BLOB";
}

}  // namespace holdfast::googlesql
