// Query strings, percent escapes and request targets are outside bytes: they may never crash, and
// what was understood must survive being printed and read again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "net/http.h"
#include "net/request_target.h"

using holdfast::net::ParseRequestTarget;
using holdfast::net::PercentDecode;
using holdfast::net::PercentEncode;
using holdfast::net::QueryParameters;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CHECK(PercentDecode(PercentEncode(text)) == text, "encoding loses bytes");
  if (const auto decoded = PercentDecode(text)) {
    CHECK(PercentDecode(PercentEncode(*decoded)) == decoded, "decoding is not stable");
  }
  const std::string printed = QueryParameters::Parse(text).ToString();
  CHECK(QueryParameters::Parse(printed).ToString() == printed, "a printed query reads differently");
  if (const auto target = ParseRequestTarget(text); target.ok()) {
    CHECK(target->path.starts_with('/'), "a path begins with '/'");
    CHECK(target->segments.size() <= target->path.size(), "more segments than text");
  }
  return 0;
}
