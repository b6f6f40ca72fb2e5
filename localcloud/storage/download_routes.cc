// Downloads: the bytes of an object, whole or a range, streamed from its file.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "localcloud/storage/content_range.h"
#include "localcloud/storage/request_context.h"
#include "localcloud/storage/resource_json.h"

namespace holdfast::storage {
namespace {

// An open object and what is left to send of it; lives as long as the answer is being sent.
class DownloadBody {
 public:
  static Result<std::shared_ptr<DownloadBody>> Open(ObjectFile file, ByteRange bytes) {
    const int descriptor = ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      return MakeError(ErrorId::kFileError, "opening " + file.path + ": " + std::strerror(errno));
    }
    return std::shared_ptr<DownloadBody>(new DownloadBody(std::move(file), descriptor, bytes));
  }
  ~DownloadBody() { ::close(descriptor_); }
  DownloadBody(const DownloadBody&) = delete;
  DownloadBody& operator=(const DownloadBody&) = delete;

  Result<size_t> Read(std::span<char> buffer) {
    const auto wanted =
        static_cast<size_t>(std::min(static_cast<int64_t>(buffer.size()), bytes_.length));
    if (wanted == 0) return 0;
    const ssize_t count = ::pread(descriptor_, buffer.data(), wanted, bytes_.offset);
    if (count <= 0) {
      // A blob never shrinks: an early end is as much a failure of the disk as an error is.
      return MakeError(ErrorId::kFileError, "reading " + file_.path + ": " +
                                                (count < 0 ? std::strerror(errno) : "cut short"));
    }
    bytes_.offset += count;
    bytes_.length -= count;
    return static_cast<size_t>(count);
  }

 private:
  DownloadBody(ObjectFile file, int descriptor, ByteRange bytes)
      : file_(std::move(file)), descriptor_(descriptor), bytes_(bytes) {}

  const ObjectFile file_;  // its pin keeps the file in place
  const int descriptor_;
  ByteRange bytes_;
};

void SetObjectHeaders(const ObjectRecord& object, net::Headers& headers) {
  constexpr std::pair<const char*, const char*> kSettings[] = {
      {"Content-Encoding", "contentEncoding"},
      {"Content-Disposition", "contentDisposition"},
      {"Content-Language", "contentLanguage"},
      {"Cache-Control", "cacheControl"},
  };
  headers.Set("Content-Type", StringOr(object.settings, "contentType", "application/octet-stream"));
  for (const auto& [header, setting] : kSettings) {
    const std::string value = StringOr(object.settings, setting, "");
    if (!value.empty()) headers.Set(header, value);
  }
  std::string hash = "crc32c=" + Crc32cBase64(object.crc32c);
  if (!object.md5.empty()) hash += ",md5=" + Base64Encode(object.md5);
  headers.Set("X-Goog-Hash", hash);
  headers.Set("X-Goog-Generation", std::to_string(object.generation));
  headers.Set("X-Goog-Metageneration", std::to_string(object.metageneration));
  headers.Set("X-Goog-Storage-Class", StringOr(object.settings, "storageClass", "STANDARD"));
  headers.Set("X-Goog-Stored-Content-Length", std::to_string(object.size_bytes));
  headers.Set("X-Goog-Stored-Content-Encoding",
              StringOr(object.settings, "contentEncoding", "identity"));
  headers.Set("ETag", ObjectEtag(object));
  headers.Set("Accept-Ranges", "bytes");
}

rest::ApiError Unsatisfiable(int64_t size) {
  rest::ApiError error = rest::RangeNotSatisfiable("the range is not within the object's " +
                                                   std::to_string(size) + " bytes");
  error.headers.Set("Content-Range", "bytes */" + std::to_string(size));
  return error;
}

}  // namespace

Result<net::HttpResponse> Download(const Service& service, net::ServerRequest& request,
                                   const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const ObjectSelector selector, ReadSelector(request.query, path));
  HF_ASSIGN_OR_RETURN(const Preconditions conditions,
                      ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(ObjectFile file, service.store.OpenObject(selector, conditions));
  HF_RETURN_IF_ERROR(rest::CheckEtag(request, ObjectEtag(file.record)));
  const int64_t size = file.record.size_bytes;
  const RequestedRange range = ParseRange(request.headers.Get("Range"), size);
  if (range.outcome == RangeOutcome::kUnsatisfiable) return Unsatisfiable(size).ToResponse();

  net::HttpResponse response;
  SetObjectHeaders(file.record, response.headers);
  if (range.outcome == RangeOutcome::kPart) {
    response.status = 206;
    response.headers.Set("Content-Range",
                         "bytes " + std::to_string(range.bytes.offset) + "-" +
                             std::to_string(range.bytes.offset + range.bytes.length - 1) + "/" +
                             std::to_string(size));
  }
  response.body_size = static_cast<uint64_t>(range.bytes.length);
  HF_ASSIGN_OR_RETURN(const auto body, DownloadBody::Open(std::move(file), range.bytes));
  response.body_reader = [body](std::span<char> buffer) { return body->Read(buffer); };
  return response;
}

void AddDownloadRoutes(rest::Router& router, const ServicePointer& service) {
  AddRoute(router, service, "GET", "/download/storage/v1/b/{bucket}/o/{object}", Download);
}

}  // namespace holdfast::storage
