#include <fmt/format.h>

#include <algorithm>

#include "net/http_server.h"

namespace holdfast::net {

Result<std::string> ServerRequest::ReadBody(size_t size_max) const {
  const auto too_large = [&] {
    return MakeError(ErrorId::kHttpBodyTooLarge,
                     fmt::format("the body is over the limit of {} bytes", size_max));
  };
  if (content_length.value_or(0) > size_max) return too_large();
  // Grows with what arrives, never with what a header claims.
  constexpr uint64_t kPieceBytes = uint64_t{64} << 10U;
  const uint64_t piece = std::min(content_length.value_or(kPieceBytes) + 1, kPieceBytes);
  std::string text;
  size_t filled = 0;
  while (true) {
    if (filled == text.size()) text.resize(std::max(text.size() * 2, text.size() + piece));
    HF_ASSIGN_OR_RETURN(const size_t count, body(std::span(text).subspan(filled)));
    filled += count;
    if (filled > size_max) return too_large();
    if (count == 0) break;
  }
  text.resize(filled);
  return text;
}

}  // namespace holdfast::net
