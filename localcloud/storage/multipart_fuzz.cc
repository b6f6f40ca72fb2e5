// Fuzzes what reads the headers and the framing of uploads: never a crash, never more out than in.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "localcloud/storage/content_range.h"
#include "localcloud/storage/multipart.h"

namespace {

using holdfast::Result;
using holdfast::storage::MultipartBoundary;
using holdfast::storage::MultipartReader;
using holdfast::storage::ParseContentRange;
using holdfast::storage::ParseRange;

void ReadMultipart(const std::string& boundary, size_t piece, std::string_view body) {
  size_t at = 0;
  MultipartReader reader(
      [&](std::span<char> buffer) -> Result<size_t> {
        const size_t count = std::min({piece, buffer.size(), body.size() - at});
        std::copy_n(body.data() + at, count, buffer.data());
        at += count;
        return count;
      },
      boundary);
  size_t given = 0;
  std::array<char, 100> buffer{};
  for (;;) {
    const auto headers = reader.NextPart();
    if (!headers.ok() || !headers->has_value()) break;
    for (;;) {
      const auto count = reader.Read(buffer);
      if (!count.ok() || *count == 0) break;
      given += *count;
    }
  }
  CHECK(given <= body.size(), "a part cannot have more bytes than the body");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view line = text.substr(0, text.find('\n'));
  if (const auto range = ParseContentRange(line); range.ok() && range->span) {
    CHECK(range->span->first <= range->span->last, "a span is never empty");
  }
  const auto requested = ParseRange(line, static_cast<int64_t>(size));
  CHECK(requested.bytes.offset + requested.bytes.length <= static_cast<int64_t>(size),
        "a range stays within the object");
  const auto boundary = MultipartBoundary(line);
  const std::string_view body = line.size() < size ? text.substr(line.size() + 1) : "";
  ReadMultipart(boundary.ok() ? *boundary : "b", 1 + size % 17, body);
  return 0;
}
