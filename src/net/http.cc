#include "net/http.h"

#include <algorithm>
#include <ranges>

namespace holdfast::net {

namespace {

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that the escape at `position` of `text` ("%2F") stands for; -1 if it is none.
int EscapedByte(std::string_view text, size_t position) {
  if (position + 2 >= text.size()) return -1;
  const int high = HexValue(text[position + 1]);
  const int low = HexValue(text[position + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Decodes one name or value of a query: '+' is a space, a bad escape stays as it is.
std::string DecodeQueryText(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? EscapedByte(text, i) : -1;
    if (byte >= 0) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace

bool SameHeaderName(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, LowerCase, LowerCase);
}

void Headers::Set(std::string_view name, std::string_view value) {
  const auto first = std::ranges::find_if(
      fields_, [name](const auto& field) { return SameHeaderName(field.first, name); });
  if (first == fields_.end()) {
    Add(name, value);
    return;
  }
  first->second = value;
  fields_.erase(
      std::remove_if(first + 1, fields_.end(),
                     [name](const auto& field) { return SameHeaderName(field.first, name); }),
      fields_.end());
}

void Headers::Add(std::string_view name, std::string_view value) {
  fields_.emplace_back(name, value);
}

std::optional<std::string_view> Headers::Find(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (SameHeaderName(field, name)) return value;
  }
  return std::nullopt;
}

std::string_view Headers::Get(std::string_view name) const {
  return Find(name).value_or(std::string_view());
}

QueryParameters QueryParameters::Parse(std::string_view query) {
  QueryParameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    parameters.Add(DecodeQueryText(pair.substr(0, equals)),
                   DecodeQueryText(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return parameters;
}

std::optional<std::string> QueryParameters::Find(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &std::pair<std::string, std::string>::first);
  if (found == fields_.end()) return std::nullopt;
  return found->second;
}

std::string QueryParameters::Get(std::string_view name) const {
  return Find(name).value_or(std::string());
}

std::vector<std::string> QueryParameters::GetAll(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field, value] : fields_) {
    if (field == name) values.push_back(value);
  }
  return values;
}

std::string QueryParameters::ToString() const {
  std::string text;
  for (const auto& [name, value] : fields_) {
    if (!text.empty()) text += '&';
    text.append(PercentEncode(name)).append("=").append(PercentEncode(value));
  }
  return text;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[static_cast<unsigned char>(c) >> 4U];
      encoded += kDigits[static_cast<unsigned char>(c) & 15U];
    }
  }
  return encoded;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int byte = EscapedByte(text, i);
    if (byte < 0) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

}  // namespace holdfast::net
