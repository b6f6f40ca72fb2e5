// POST /batch/storage/v1: several calls in one multipart/mixed request, answered in its order.
//
// Lines may end in LF alone, as Google's Python client writes them. Everything is in memory, within
// the limits below. Uploads and downloads of bytes cannot be part of a batch, nor can batches.
// Source: "Sending batch requests" of the Cloud Storage documentation.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "localcloud/storage/multipart.h"
#include "localcloud/storage/request_context.h"
#include "localcloud/storage/storage_error.h"
#include "net/request_target.h"

namespace holdfast::storage {
namespace {

constexpr size_t kBatchBytesMax = size_t{10} << 20U;  // Google: 10 MB
constexpr size_t kBatchCallsMax = 100;                // Google: 100 calls
constexpr std::string_view kBoundary = "batch_localcloud";

// Takes the next line off `text`, without its end.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The parts between the delimiter's lines.
Result<std::vector<std::string_view>> SplitParts(std::string_view body,
                                                 const std::string& boundary) {
  const std::string delimiter = "--" + boundary;
  std::vector<std::string_view> parts;
  const char* begin = nullptr;  // of the current part
  while (!body.empty()) {
    const char* const line_begin = body.data();
    std::string_view line = TakeLine(body);
    while (line.ends_with(' ')) line.remove_suffix(1);
    const bool last = line == delimiter + "--";
    if (!last && line != delimiter) continue;
    if (begin != nullptr) parts.emplace_back(begin, line_begin - begin);
    if (last) return parts;
    if (parts.size() == kBatchCallsMax) {
      return StorageInvalid(fmt::format("a batch has at most {} calls", kBatchCallsMax));
    }
    begin = body.data();
  }
  return StorageInvalid("the batch ends before its closing delimiter");
}

// Takes header lines and the empty line behind them off `text`.
Result<net::Headers> TakeHeaders(std::string_view& text) {
  net::Headers headers;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    if (line.empty()) return headers;
    const size_t colon = line.find(':');
    if (colon == 0 || colon == line.npos) return StorageInvalid("a part has a malformed header");
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    headers.Set(std::string(line.substr(0, colon)), std::string(value));
  }
  return headers;
}

// "METHOD target HTTP/1.1", headers, an empty line, a body. `outer`: the batch's own request.
Result<net::ServerRequest> ReadCall(std::string_view text, const net::ServerRequest& outer) {
  const std::string_view line = TakeLine(text);
  const size_t first = line.find(' ');
  const size_t second = line.find(' ', first + 1);
  if (first == line.npos || second == line.npos) return StorageInvalid("a part is no HTTP request");
  std::string_view target = line.substr(first + 1, second - first - 1);
  if (const size_t scheme = target.find("://"); scheme != target.npos && scheme < 6) {
    target.remove_prefix(std::min(target.find('/', scheme + 3), target.size()));
  }
  HF_ASSIGN_OR_RETURN(net::RequestTarget parsed, net::ParseRequestTarget(target));
  net::ServerRequest call;
  call.method = line.substr(0, first);
  call.path = std::move(parsed.path);
  call.segments = std::move(parsed.segments);
  call.query = std::move(parsed.query);
  HF_ASSIGN_OR_RETURN(call.headers, TakeHeaders(text));
  call.headers.Set("Host", std::string(outer.headers.Get("Host")));
  call.remote_address = outer.remote_address;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  call.content_length = text.size();
  call.body = [text](std::span<char> buffer) mutable -> Result<size_t> {
    const size_t count = std::min(buffer.size(), text.size());
    std::copy_n(text.data(), count, buffer.data());
    text.remove_prefix(count);
    return count;
  };
  return call;
}

net::HttpResponse Answer(const rest::Router& router, std::string_view text,
                         const net::ServerRequest& outer) {
  Result<net::ServerRequest> call = ReadCall(text, outer);
  if (!call.ok()) return rest::ResponseOf(call.error());
  net::HttpResponse response = router.Handle(*call);
  if (!response.body_reader) return response;
  return rest::ResponseOf(StorageInvalid("the bytes of an object cannot be read in a batch"));
}

std::string RenderPart(const net::HttpResponse& response, std::string_view content_id) {
  std::string part = fmt::format("--{}\r\nContent-Type: application/http\r\n", kBoundary);
  if (!content_id.empty()) {
    const size_t open = content_id.starts_with('<') ? 1 : 0;
    part += fmt::format("Content-ID: <response-{}\r\n", content_id.substr(open));
  }
  const std::string_view word = response.status < 300 ? "OK" : "Error";
  part += fmt::format("\r\nHTTP/1.1 {} {}\r\n", response.status, word);
  const std::string_view type = response.headers.Get("Content-Type");
  if (!type.empty()) part += fmt::format("Content-Type: {}\r\n", type);
  part += fmt::format("Content-Length: {}\r\n\r\n{}\r\n", response.body.size(), response.body);
  return part;
}

Result<net::HttpResponse> RunBatch(const rest::Router& router, net::ServerRequest& request) {
  HF_ASSIGN_OR_RETURN(const std::string boundary,
                      MultipartBoundary(request.headers.Get("Content-Type")));
  HF_ASSIGN_OR_RETURN(const std::string body, request.ReadBody(kBatchBytesMax));
  HF_ASSIGN_OR_RETURN(const auto parts, SplitParts(body, boundary));
  net::HttpResponse response;
  response.headers.Set("Content-Type", fmt::format("multipart/mixed; boundary={}", kBoundary));
  for (std::string_view part : parts) {
    HF_ASSIGN_OR_RETURN(const net::Headers headers, TakeHeaders(part));
    response.body += RenderPart(Answer(router, part, request), headers.Get("Content-ID"));
  }
  response.body += fmt::format("--{}--\r\n", kBoundary);
  return response;
}

}  // namespace

void AddBatchRoute(rest::Router& router, const ServicePointer& service) {
  const auto inner = std::make_shared<rest::Router>();
  AddBucketRoutes(*inner, service);
  AddObjectRoutes(*inner, service);
  AddRoute(router, service, "POST", "/batch/storage/v1",
           [inner](const Service&, net::ServerRequest& request, const rest::PathParameters&) {
             return RunBatch(*inner, request);
           });
}

}  // namespace holdfast::storage
