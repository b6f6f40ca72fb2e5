#include "localcloud/bigquery/uploads.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/upload_file.h"
#include "localcloud/rest/api_error.h"
#include "localcloud/storage/content_range.h"
#include "localcloud/storage/multipart.h"

namespace holdfast::bigquery {

namespace {

namespace fs = std::filesystem;

constexpr size_t kIdBytes = 16;
constexpr size_t kDescriptionBytesMax = size_t{1} << 20U;
constexpr int kResumeIncomplete = 308;
constexpr std::string_view kBytesSuffix = ".bytes";
constexpr std::string_view kDescriptionSuffix = ".json";

// Where the bytes of a request begin and how many there are in all.
struct Extent {
  std::optional<int64_t> first;  // nullopt: no bytes come along
  std::optional<int64_t> total;
};

Result<Extent> ParseExtent(const net::ServerRequest& http) {
  Extent extent;
  const std::string_view header = http.headers.Get("Content-Range");
  if (header.empty()) {  // all of the bytes in one request
    extent.first = 0;
    if (http.content_length) extent.total = static_cast<int64_t>(*http.content_length);
    return extent;
  }
  HF_ASSIGN_OR_RETURN(const storage::ContentRange range, storage::ParseContentRange(header));
  if (range.span) extent.first = range.span->first;
  extent.total = range.total;
  return extent;
}

// The JSON part of a multipart upload; its other part goes to the file `path`.
Result<Json> ReadMultipart(net::ServerRequest& http, const std::string& path) {
  HF_ASSIGN_OR_RETURN(const std::string boundary,
                      storage::MultipartBoundary(http.headers.Get("Content-Type")));
  storage::MultipartReader reader(http.body, boundary);
  std::array<char, size_t{64} << 10U> buffer;
  HF_ASSIGN_OR_RETURN(const auto description, reader.NextPart());
  std::string text;
  while (description) {
    HF_ASSIGN_OR_RETURN(const size_t read, reader.Read(buffer));
    if (read == 0) break;
    text.append(buffer.data(), read);
    if (text.size() > kDescriptionBytesMax) return Invalid("The job's description is too long");
  }
  HF_ASSIGN_OR_RETURN(Json json, ParseJson(text));
  HF_ASSIGN_OR_RETURN(const auto media, reader.NextPart());
  if (!media) return Invalid("The upload lacks its second part, the bytes");
  HF_ASSIGN_OR_RETURN(UploadFile file, UploadFile::Create(path));
  while (true) {
    HF_ASSIGN_OR_RETURN(const size_t read, reader.Read(buffer));
    if (read == 0) break;
    HF_RETURN_IF_ERROR(file.Append({buffer.data(), read}));
  }
  HF_RETURN_IF_ERROR(file.Close());
  return json;
}

// Session ids are ours: anything else could name another file.
bool IsSessionId(const std::string& id) {
  return id.size() == 2 * kIdBytes && std::ranges::all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<int64_t> SizeOf(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return NotFound("Upload session");
  return static_cast<int64_t>(size);
}

Result<Json> ReadDescription(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return ParseJson(text);
}

// Appends what the request brings from `offset` of the upload on, bytes that are there already
// skipped.
Status AppendBody(const net::BodyReader& body, int64_t offset, int64_t received,
                  const std::string& path) {
  HF_ASSIGN_OR_RETURN(UploadFile file, UploadFile::OpenAtEnd(path));
  std::array<char, size_t{64} << 10U> buffer;
  while (true) {
    HF_ASSIGN_OR_RETURN(const size_t read, body(buffer));
    if (read == 0) return file.Close();
    const auto known =
        static_cast<size_t>(std::clamp<int64_t>(received - offset, 0, static_cast<int64_t>(read)));
    HF_RETURN_IF_ERROR(file.Append({buffer.data() + known, read - known}));
    offset += static_cast<int64_t>(read);
    received = std::max(received, offset);
  }
}

net::HttpResponse Incomplete(int64_t received) {
  net::HttpResponse response;
  response.status = kResumeIncomplete;
  if (received > 0) response.headers.Set("Range", fmt::format("bytes=0-{}", received - 1));
  return response;
}

}  // namespace

Status Uploads::Open(const std::set<std::string>& keep) {
  std::error_code error;
  fs::create_directories(context_.upload_directory, error);
  if (error) {
    return MakeError(ErrorId::kFileError,
                     fmt::format("{}: {}", context_.upload_directory, error.message()));
  }
  constexpr auto kAgeMax = std::chrono::hours{24 * 7};
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(context_.upload_directory, error)) {
    std::error_code ignored;
    if (keep.contains(entry.path().string())) continue;
    if (now - entry.last_write_time(ignored) > kAgeMax) fs::remove(entry.path(), ignored);
  }
  return Ok();
}

std::string Uploads::PathOf(const std::string& id, std::string_view suffix) const {
  return fmt::format("{}/{}{}", context_.upload_directory, id, suffix);
}

net::HttpResponse Uploads::Begin(net::ServerRequest& http, const rest::PathParameters& path) {
  const std::string type = http.query.Get("uploadType");
  if (type == "multipart") return rest::ResponseOf(InsertMultipart(http, path));
  if (type != "resumable") {
    return rest::ResponseOf(
        Invalid("uploadType should be multipart or resumable: a load job needs its description"));
  }
  const Result<std::string> id = BeginSession(http);
  if (!id.ok()) return rest::ResponseOf(id.error());
  net::HttpResponse response = rest::EmptyResponse(200);
  response.headers.Set("X-GUploader-UploadID", *id);
  response.headers.Set("Location", fmt::format("http://{}{}?uploadType=resumable&upload_id={}",
                                               http.headers.Get("Host"), http.path, *id));
  return response;
}

Result<Json> Uploads::InsertMultipart(net::ServerRequest& http, const rest::PathParameters& path) {
  const std::string file = PathOf(RandomHex(context_.random, kIdBytes), kBytesSuffix);
  Request request;
  request.path = path;
  Result<Json> body = ReadMultipart(http, file);
  if (!body.ok()) {
    std::error_code ignored;  // it may not have been created
    fs::remove(file, ignored);
    return body.error();
  }
  request.body = std::move(body).value();
  return jobs_.InsertUpload(request, file);
}

Result<std::string> Uploads::BeginSession(net::ServerRequest& http) {
  HF_ASSIGN_OR_RETURN(const Json description, rest::ReadJsonBody(http, kDescriptionBytesMax));
  if (FindPath(description, {"configuration", "load"}) == nullptr) {
    return Required("configuration.load");
  }
  std::string id = RandomHex(context_.random, kIdBytes);
  HF_ASSIGN_OR_RETURN(UploadFile file, UploadFile::Create(PathOf(id, kDescriptionSuffix)));
  HF_RETURN_IF_ERROR(file.Append(DumpJson(description)));
  HF_RETURN_IF_ERROR(file.Close());
  HF_ASSIGN_OR_RETURN(UploadFile bytes, UploadFile::Create(PathOf(id, kBytesSuffix)));
  HF_RETURN_IF_ERROR(bytes.Close());
  return id;
}

net::HttpResponse Uploads::Continue(net::ServerRequest& http, const rest::PathParameters& path) {
  const std::string id = http.query.Get("upload_id");
  if (!IsSessionId(id)) return rest::ResponseOf(NotFound("Upload session"));
  {
    const std::lock_guard lock(mutex_);
    if (!busy_.insert(id).second) {
      return rest::ResponseOf(Invalid("Another request is writing this upload session"));
    }
  }
  const auto advance = [&]() -> Result<std::optional<int64_t>> {
    HF_ASSIGN_OR_RETURN(const Extent range, ParseExtent(http));
    const std::string file = PathOf(id, kBytesSuffix);
    HF_ASSIGN_OR_RETURN(int64_t received, SizeOf(file));
    HF_RETURN_IF_ERROR(SizeOf(PathOf(id, kDescriptionSuffix)));
    if (range.first) {
      if (*range.first > received) return Invalid("The bytes leave a gap in the upload");
      HF_RETURN_IF_ERROR(AppendBody(http.body, *range.first, received, file));
      HF_ASSIGN_OR_RETURN(received, SizeOf(file));
    }
    const bool complete = range.total && *range.total == received;
    return complete ? std::optional<int64_t>() : std::optional(received);
  };
  const Result<std::optional<int64_t>> received = advance();
  net::HttpResponse response = !received.ok() ? rest::ResponseOf(received.error())
                               : *received    ? Incomplete(**received)
                                              : rest::ResponseOf(FinishSession(id, path));
  const std::lock_guard lock(mutex_);
  busy_.erase(id);
  return response;
}

Result<Json> Uploads::FinishSession(const std::string& id, const rest::PathParameters& path) {
  Request request;
  request.path = path;
  const std::string description = PathOf(id, kDescriptionSuffix);
  HF_ASSIGN_OR_RETURN(request.body, ReadDescription(description));
  std::error_code ignored;  // a session that is over is not found again
  fs::remove(description, ignored);
  return jobs_.InsertUpload(request, PathOf(id, kBytesSuffix));
}

}  // namespace holdfast::bigquery
