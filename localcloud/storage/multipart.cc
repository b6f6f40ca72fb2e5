#include "localcloud/storage/multipart.h"

#include <algorithm>
#include <array>
#include <utility>

#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {
namespace {

constexpr size_t kBoundaryBytesMax = 70;
constexpr size_t kPieceBytes = size_t{64} << 10U;
constexpr size_t kLineBytesMax = 8192;
constexpr int kPartHeadersMax = 64;

Error MalformedBody(const std::string& what) { return StorageInvalid("multipart body: " + what); }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

// The value of a parameter, which may be a quoted string.
std::string Unquote(std::string_view value) {
  value = Trim(value);
  if (value.size() < 2 || (value.front() != '"' && value.front() != '\'')) {
    return std::string(value);
  }
  const size_t end = value.find(value.front(), 1);
  return std::string(value.substr(1, end == std::string_view::npos ? end : end - 1));
}

}  // namespace

Result<std::string> MultipartBoundary(std::string_view content_type) {
  if (!Lower(content_type).starts_with("multipart/")) {
    return MalformedBody("the Content-Type is not multipart/related");
  }
  std::string_view rest = content_type;
  for (size_t at = rest.find(';'); at != std::string_view::npos; at = rest.find(';')) {
    rest.remove_prefix(at + 1);
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) break;
    if (Lower(Trim(rest.substr(0, equals))) != "boundary") continue;
    const std::string_view value = Trim(rest.substr(equals + 1));
    const bool quoted = value.starts_with('"') || value.starts_with('\'');
    std::string boundary = Unquote(quoted ? value : value.substr(0, value.find(';')));
    if (boundary.empty() || boundary.size() > kBoundaryBytesMax) break;
    return boundary;
  }
  return MalformedBody("the Content-Type has no boundary of 1 to 70 characters");
}

MultipartReader::MultipartReader(net::BodyReader body, const std::string& boundary)
    : body_(std::move(body)), delimiter_("\r\n--" + boundary), window_("\r\n") {}

Result<bool> MultipartReader::Fill() {
  window_.erase(0, consumed_);
  consumed_ = 0;
  const size_t size = window_.size();
  window_.resize(size + kPieceBytes);
  const auto count = body_(std::span(window_.data() + size, kPieceBytes));
  window_.resize(size + (count.ok() ? *count : 0));
  if (!count.ok()) return count.error();
  return *count > 0;
}

Status MultipartReader::Require(size_t size) {
  while (window_.size() - consumed_ < size) {
    HF_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return MalformedBody("it ends before the closing boundary");
  }
  return Ok();
}

Result<std::string> MultipartReader::ReadLine() {
  for (;;) {
    const size_t end = window_.find("\r\n", consumed_);
    if (end != std::string::npos && end - consumed_ <= kLineBytesMax) {
      std::string line = window_.substr(consumed_, end - consumed_);
      consumed_ = end + 2;
      return line;
    }
    if (window_.size() - consumed_ > kLineBytesMax)
      return MalformedBody("a header line is too long");
    HF_RETURN_IF_ERROR(Require(window_.size() - consumed_ + 1));
  }
}

Result<std::optional<net::Headers>> MultipartReader::NextPart() {
  std::array<char, 4096> skipped{};
  while (in_part_) {
    HF_ASSIGN_OR_RETURN(const size_t count, Read(skipped));
    if (count == 0) break;
  }
  if (ended_) return std::optional<net::Headers>();
  net::Headers headers;
  for (int count = 0;; ++count) {
    HF_ASSIGN_OR_RETURN(const std::string line, ReadLine());
    if (line.empty()) break;
    if (count == kPartHeadersMax) return MalformedBody("a part has too many headers");
    const size_t colon = line.find(':');
    if (colon == std::string::npos) return MalformedBody("a part header has no colon");
    headers.Add(Trim(std::string_view(line).substr(0, colon)),
                Trim(std::string_view(line).substr(colon + 1)));
  }
  in_part_ = true;
  return std::optional(std::move(headers));
}

Result<size_t> MultipartReader::Read(std::span<char> buffer) {
  if (!in_part_ || buffer.empty()) return 0;
  size_t available = 0;
  for (;;) {
    const size_t at = window_.find(delimiter_, consumed_);
    if (at == consumed_) return EndPart();
    if (at != std::string::npos) {
      available = at - consumed_;
      break;
    }
    // The last bytes may be the beginning of a delimiter.
    const size_t held = delimiter_.size() - 1;
    if (window_.size() - consumed_ > held) {
      available = window_.size() - consumed_ - held;
      break;
    }
    HF_RETURN_IF_ERROR(Require(window_.size() - consumed_ + 1));
  }
  const size_t count = std::min(available, buffer.size());
  std::copy_n(window_.data() + consumed_, count, buffer.data());
  consumed_ += count;
  return count;
}

Result<size_t> MultipartReader::EndPart() {
  consumed_ += delimiter_.size();
  HF_RETURN_IF_ERROR(Require(2));
  in_part_ = false;
  if (window_.compare(consumed_, 2, "--") == 0) {
    ended_ = true;
    return 0;
  }
  HF_ASSIGN_OR_RETURN(const std::string padding, ReadLine());
  if (!Trim(padding).empty()) return MalformedBody("a boundary is followed by other text");
  return 0;
}

}  // namespace holdfast::storage
