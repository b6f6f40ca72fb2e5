#include "localcloud/rest/page_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/hash.h"

namespace holdfast::rest {

namespace {

constexpr size_t kCheckBytes = 6;

Error BadRequest(ErrorId id, std::string message) {
  return WithReason("invalid", MakeError(id, std::move(message)));
}

// Binds a position to its listing: a few bytes of a digest over both.
std::string CheckOf(std::string_view listing, std::string_view position) {
  Hasher hasher = Hasher::Sha256();
  hasher.Update(fmt::format("{}:", listing.size()));
  hasher.Update(listing);
  hasher.Update(position);
  return hasher.Finish().substr(0, kCheckBytes);
}

void ReplaceAll(std::string& text, char from, char to) { std::ranges::replace(text, from, to); }

std::optional<int64_t> ParseInt64(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string EncodePageToken(std::string_view listing, std::string_view position) {
  std::string token = Base64Encode(CheckOf(listing, position).append(position));
  token.erase(token.find_last_not_of('=') + 1);
  ReplaceAll(token, '+', '-');
  ReplaceAll(token, '/', '_');
  return token;
}

std::string EncodePageToken(std::string_view listing, int64_t offset) {
  return EncodePageToken(listing, std::string_view(std::to_string(offset)));
}

Result<std::string> DecodePageToken(std::string_view listing, std::string_view token) {
  if (token.empty()) return std::string();
  std::string text(token);
  // One spelling per token: the standard alphabet would be a second one.
  const bool foreign = text.find_first_of("+/=") != std::string::npos;
  ReplaceAll(text, '-', '+');
  ReplaceAll(text, '_', '/');
  const auto bytes = Base64Decode(text);
  if (!foreign && bytes.ok() && bytes->size() >= kCheckBytes) {
    std::string position = bytes->substr(kCheckBytes);
    if (EncodePageToken(listing, std::string_view(position)) == token) return position;
  }
  return BadRequest(ErrorId::kRestPageToken, "Invalid page token");
}

Result<int64_t> DecodePageOffset(std::string_view listing, std::string_view token) {
  HF_ASSIGN_OR_RETURN(const std::string position, DecodePageToken(listing, token));
  if (token.empty()) return int64_t{0};
  const auto offset = ParseInt64(position);
  if (offset && *offset >= 0) return *offset;
  return BadRequest(ErrorId::kRestPageToken, "Invalid page token");
}

Result<int64_t> ReadPageSize(const net::QueryParameters& query, std::string_view name,
                             PageSizes sizes) {
  const auto text = query.Find(name);
  if (!text || text->empty()) return sizes.usual;
  const auto number = ParseInt64(*text);
  if (!number || *number < 0) {
    return BadRequest(ErrorId::kRestInvalidRequest,
                      fmt::format("Invalid value \"{}\" of {}: a number from 0 is wanted",
                                  text->substr(0, 40), name));
  }
  return *number == 0 ? sizes.usual : std::min(*number, sizes.maximum);
}

}  // namespace holdfast::rest
