// Reads a multipart body part by part, as bytes arrive.
//
// Memory is bounded by the limits whatever the size of a part: only part headers and a window as
// long as the delimiter are held back. Outside input: every length and count has a limit. Used by
// one thread. Errors: kStorageInvalid (malformed, over a limit, cut short), or the body's own.
// Source: RFC 2046 section 5.1, RFC 2387.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace holdfast::storage {

// The boundary parameter of a "multipart/…" Content-Type.
// Errors: kStorageInvalid when it is not multipart, or the boundary is absent or not 1-70
// characters.
Result<std::string> MultipartBoundary(std::string_view content_type);

class MultipartReader {
 public:
  // `boundary` as MultipartBoundary gives it.
  MultipartReader(net::BodyReader body, const std::string& boundary);

  // Skips what is left of the current part and moves to the next: its headers, or nullopt after the
  // last part.
  Result<std::optional<net::Headers>> NextPart();

  // Pulls the next bytes of the current part into `buffer`; 0 at its end.
  Result<size_t> Read(std::span<char> buffer);

 private:
  // Pulls more of the body into the window: false at the end of the body.
  Result<bool> Fill();

  // Pulls until the window holds `size` bytes. Errors: the body ends before.
  Status Require(size_t size);

  // Consumes the delimiter that the window begins with, and its line; gives 0, the end of the part.
  Result<size_t> EndPart();

  // The next line without its CRLF, at most kLineBytesMax long.
  Result<std::string> ReadLine();

  net::BodyReader body_;
  const std::string delimiter_;  // CRLF "--" boundary
  std::string window_;           // read from the body and not consumed yet
  size_t consumed_ = 0;          // of the window
  bool in_part_ = true;          // what precedes the first delimiter counts as a part to skip
  bool ended_ = false;           // the closing delimiter was seen
};

}  // namespace holdfast::storage
