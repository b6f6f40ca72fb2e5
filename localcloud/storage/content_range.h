// The two range headers of HTTP: what an upload sends, and what a download asks for.
//
// Pure functions over outside text. Source: RFC 9110 section 14; Cloud Storage "Resumable uploads".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace holdfast::storage {

// A Content-Range of an upload: "bytes 0-99/200", "bytes 0-99/*", "bytes */200" or "bytes */*".
struct ContentRange {
  struct Span {
    int64_t first = 0;
    int64_t last = 0;  // inclusive, never below `first`
  };
  std::optional<Span> span;      // absent: "*", a question how far the upload is
  std::optional<int64_t> total;  // absent: "*", not known yet

  // Whether the span reaches the end of the object.
  bool complete() const { return span && total && span->last + 1 == *total; }
};

// Errors: kStorageInvalid for any other text, and for a span that reaches beyond the total.
Result<ContentRange> ParseContentRange(std::string_view text);

// The bytes of a download.
struct ByteRange {
  int64_t offset = 0;
  int64_t length = 0;
};

enum class RangeOutcome { kWhole, kPart, kUnsatisfiable };

// What a Range header asks of `size` bytes. A header that is absent, malformed or names several
// ranges asks for the whole; "bytes=5-", "bytes=5-9" and "bytes=-3" for a part, cut off at the end.
// kUnsatisfiable: the part begins after the end, or is empty; `bytes` means nothing then.
struct RequestedRange {
  RangeOutcome outcome = RangeOutcome::kWhole;
  ByteRange bytes;
};
RequestedRange ParseRange(std::string_view header, int64_t size);

}  // namespace holdfast::storage
