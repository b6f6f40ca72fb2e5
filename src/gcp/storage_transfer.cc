#include "gcp/storage_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/hash.h"
#include "gcp/storage_json.h"

namespace holdfast::gcp {

namespace {

constexpr int kPreconditionFailed = 412;
constexpr int kResumeIncomplete = 308;

// Fills `piece` from the source, up to its size; fewer bytes only at the end.
Result<size_t> FillPiece(const ByteSource& source, std::span<char> piece) {
  size_t filled = 0;
  while (filled < piece.size()) {
    HF_ASSIGN_OR_RETURN(const size_t count, source(piece.subspan(filled)));
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

Error WrongLength(const cloud::ObjectRef& object, int64_t expected, int64_t found) {
  return MakeError(ErrorId::kInternal, Code::kInvalidArgument,
                   fmt::format("{}: the source gave {} bytes where {} were announced", object.Uri(),
                               found, expected));
}

RestCall UploadCall(const cloud::ObjectRef& object, std::string_view type) {
  RestCall call{.method = "POST",
                .path = fmt::format("/upload/storage/v1/b/{}/o", net::PercentEncode(object.bucket)),
                .what = object.Uri(),
                .names = {.not_found = ErrorId::kBucketNotFound, .exists = ErrorId::kObjectExists}};
  call.query.Add("uploadType", std::string(type));
  call.query.Add("ifGenerationMatch", "0");
  return call;
}

Result<UploadResult> ReadUploadAnswer(const net::HttpResponse& response,
                                      const cloud::ObjectRef& object, uint32_t crc32c) {
  if (response.status == kPreconditionFailed) return UploadResult{.object = {}, .crc32c = crc32c};
  HF_ASSIGN_OR_RETURN(const Json json, ParseJson(response.body));
  HF_ASSIGN_OR_RETURN(cloud::ObjectInfo stored, ObjectFromJson(json));
  if (stored.crc32c != crc32c) {
    return MakeError(ErrorId::kObjectCorrupt,
                     fmt::format("{}: crc32c {:08x} was sent, {:08x} arrived", object.Uri(), crc32c,
                                 stored.crc32c));
  }
  return UploadResult{.object = std::move(stored), .crc32c = crc32c};
}

Result<UploadResult> UploadInOneRequest(const RestClient& client, const cloud::ObjectRef& object,
                                        std::string_view content) {
  const uint32_t crc32c = ExtendCrc32c(0, content);
  const std::string boundary = "holdfast-" + Sha256Hex(content).substr(0, 32);
  const Json metadata = {{"name", object.name}, {"crc32c", Crc32cBase64(crc32c)}};
  const RestCall call = UploadCall(object, "multipart");
  net::ClientRequest request;
  request.method = call.method;
  request.url = client.Url(call);
  request.headers.Set("Content-Type", "multipart/related; boundary=" + boundary);
  request.body = fmt::format(
      "--{0}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{1}\r\n"
      "--{0}\r\nContent-Type: application/octet-stream\r\n\r\n{2}\r\n--{0}--\r\n",
      boundary, DumpJson(metadata), content);
  const auto& environment = client.environment();
  HF_ASSIGN_OR_RETURN(
      const net::HttpResponse response,
      WithRetry<net::HttpResponse>(environment.retry, environment.clock, environment.random, [&] {
        return client.Send(request, call, {kPreconditionFailed});
      }));
  return ReadUploadAnswer(response, object, crc32c);
}

// One resumable session: its URI, what the server has, and the piece that is on its way.
class ResumableUpload {
 public:
  ResumableUpload(const RestClient& client, const cloud::ObjectRef& object, int64_t size_bytes)
      : client_(client), object_(object), size_bytes_(size_bytes), piece_(kUploadPieceBytes) {}

  Result<UploadResult> Run(const ByteSource& source) {
    HF_RETURN_IF_ERROR(Begin());
    while (true) {
      const auto wanted = static_cast<size_t>(
          std::min<int64_t>(static_cast<int64_t>(piece_.size()), size_bytes_ - offset_));
      HF_ASSIGN_OR_RETURN(const size_t filled, FillPiece(source, std::span(piece_).first(wanted)));
      if (filled != wanted) {
        return WrongLength(object_, size_bytes_, offset_ + static_cast<int64_t>(filled));
      }
      crc32c_ = ExtendCrc32c(crc32c_, {piece_.data(), filled});
      HF_ASSIGN_OR_RETURN(const auto answer, SendPiece(filled));
      if (answer) return ReadUploadAnswer(*answer, object_, crc32c_);
    }
  }

 private:
  Status Begin() {
    RestCall call = UploadCall(object_, "resumable");
    call.query.Add("name", object_.name);
    net::ClientRequest request;
    request.method = call.method;
    request.url = client_.Url(call);
    request.headers.Set("X-Upload-Content-Length", std::to_string(size_bytes_));
    const auto& environment = client_.environment();
    HF_ASSIGN_OR_RETURN(
        const net::HttpResponse response,
        WithRetry<net::HttpResponse>(environment.retry, environment.clock, environment.random,
                                     [&] { return client_.Send(request, call); }));
    session_ = response.headers.Get("Location");
    if (session_.empty()) {
      return MakeError(ErrorId::kServiceRejected,
                       object_.Uri() + ": the service gave no upload session");
    }
    return Ok();
  }

  // Sends the `filled` bytes at offset_, again where a try broke, until the server has them all.
  // The final answer once the object is complete, nullopt when the next piece is wanted.
  Result<std::optional<net::HttpResponse>> SendPiece(size_t filled) {
    const int64_t begin = offset_;
    const int64_t end = begin + static_cast<int64_t>(filled);
    const auto& environment = client_.environment();
    using Answer = std::optional<net::HttpResponse>;
    return WithRetry<Answer>(
        environment.retry, environment.clock, environment.random, [&]() -> Result<Answer> {
          if (broken_) HF_RETURN_IF_ERROR(AskOffset());
          if (complete_) return std::move(complete_);
          if (offset_ < begin || offset_ > end) {
            return MakeError(ErrorId::kServiceRejected,
                             object_.Uri() + ": the upload session lost bytes it had confirmed");
          }
          broken_ = true;
          const std::string_view bytes(piece_.data() + (offset_ - begin),
                                       static_cast<size_t>(end - offset_));
          HF_ASSIGN_OR_RETURN(net::HttpResponse response, SendRange(bytes));
          broken_ = false;
          if (response.status != kResumeIncomplete) return Answer(std::move(response));
          offset_ = PersistedBytes(response);
          if (offset_ == end) return Answer();
          return MakeError(ErrorId::kServiceUnavailable,
                           object_.Uri() + ": the server kept a part of the piece only");
        });
  }

  Result<net::HttpResponse> SendRange(std::string_view bytes) {
    net::ClientRequest request;
    request.method = "PUT";
    request.url = session_;
    request.body = bytes;
    request.headers.Set(
        "Content-Range",
        bytes.empty() ? fmt::format("bytes */{}", size_bytes_)
                      : fmt::format("bytes {}-{}/{}", offset_,
                                    offset_ + static_cast<int64_t>(bytes.size()) - 1, size_bytes_));
    return client_.Send(std::move(request),
                        {.path = session_, .what = object_.Uri(), .names = kObjectErrors},
                        {kResumeIncomplete, kPreconditionFailed});
  }

  // Asks what the server has after a try that broke.
  Status AskOffset() {
    net::ClientRequest request;
    request.method = "PUT";
    request.url = session_;
    request.headers.Set("Content-Range", fmt::format("bytes */{}", size_bytes_));
    HF_ASSIGN_OR_RETURN(
        net::HttpResponse response,
        client_.Send(std::move(request),
                     {.path = session_, .what = object_.Uri(), .names = kObjectErrors},
                     {kResumeIncomplete, kPreconditionFailed}));
    broken_ = false;
    if (response.status == kResumeIncomplete) {
      offset_ = PersistedBytes(response);
    } else {
      complete_ = std::move(response);
    }
    return Ok();
  }

  // "Range: bytes=0-1234" → 1235; no such header: nothing yet.
  static int64_t PersistedBytes(const net::HttpResponse& response) {
    const std::string_view range = response.headers.Get("Range");
    const size_t dash = range.rfind('-');
    if (dash == std::string_view::npos) return 0;
    int64_t last = -1;
    std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
    return last + 1;
  }

  const RestClient& client_;
  const cloud::ObjectRef& object_;
  int64_t size_bytes_;
  std::vector<char> piece_;
  std::string session_;
  int64_t offset_ = 0;  // bytes that the server has
  uint32_t crc32c_ = 0;
  bool broken_ = false;  // the last try ended without an answer
  std::optional<net::HttpResponse> complete_;
};

}  // namespace

Result<UploadResult> Upload(const RestClient& client, const cloud::ObjectRef& object,
                            int64_t size_bytes, const std::function<ByteSource()>& open) {
  const ByteSource source = open();
  if (size_bytes > static_cast<int64_t>(kUploadPieceBytes)) {
    return ResumableUpload(client, object, size_bytes).Run(source);
  }
  std::string content(static_cast<size_t>(size_bytes), '\0');
  HF_ASSIGN_OR_RETURN(const size_t filled, FillPiece(source, content));
  if (filled != content.size()) {
    return WrongLength(object, size_bytes, static_cast<int64_t>(filled));
  }
  return UploadInOneRequest(client, object, content);
}

Status Download(const RestClient& client, const cloud::ObjectRef& object, int64_t offset,
                int64_t end, const ByteSink& sink) {
  if (offset >= end) return Ok();
  const auto& environment = client.environment();
  int64_t position = offset;
  Status sink_status;
  // A retry goes on from `position`; an error of the sink itself is final.
  const auto attempt = [&]() -> Result<bool> {
    RestCall call = ObjectCall(object);
    call.query.Add("alt", "media");
    net::ClientRequest request;
    request.url = client.Url(call);
    request.headers.Set("Range", fmt::format("bytes={}-{}", position, end - 1));
    request.response_writer = [&](std::string_view bytes) -> Status {
      if (static_cast<int64_t>(bytes.size()) > end - position) {
        return MakeError(ErrorId::kServiceUnavailable, "more bytes came than were asked for");
      }
      sink_status = sink(bytes);
      if (!sink_status.ok()) return sink_status.error();
      position += static_cast<int64_t>(bytes.size());
      return Ok();
    };
    const auto response = client.Send(std::move(request), call);
    if (!sink_status.ok()) return sink_status.error();
    if (!response.ok()) return response.error();
    if (position != end) {
      return MakeError(
          ErrorId::kServiceUnavailable,
          fmt::format("{}: the answer ended at byte {} of {}", object.Uri(), position, end));
    }
    return true;
  };
  const auto done =
      WithRetry<bool>(environment.retry, environment.clock, environment.random, attempt);
  if (!done.ok()) return done.error();
  return Ok();
}

}  // namespace holdfast::gcp
