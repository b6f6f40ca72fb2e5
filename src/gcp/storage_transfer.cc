#include "gcp/storage_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "base/hash.h"
#include "base/log.h"
#include "gcp/retry_after.h"
#include "gcp/storage_json.h"

namespace holdfast::gcp {

namespace {

constexpr int kPartialContent = 206;
constexpr int kResumeIncomplete = 308;
constexpr int kNotFound = 404;
constexpr int kGone = 410;
constexpr int kPreconditionFailed = 412;
constexpr int kSessionsMax = 3;  // of one upload; a session lives for a week

// One try, which sets how long the service asks to be left alone after it.
template <typename T>
using Attempt = std::function<Result<T>(Duration& wait)>;

// Runs `attempt` as WithRetry does, but waits as long as the service asks for, and begins to count
// anew when `position` has moved on.
template <typename T>
Result<T> ResumeUntilStuck(const RestEnvironment& environment, const int64_t& position,
                           const Attempt<T>& attempt) {
  int64_t reached = position;
  Timestamp started = environment.clock.Now();
  for (int failures = 1;; ++failures) {
    Duration wait{0};
    Result<T> result = attempt(wait);
    if (result.ok()) return result;
    if (position > reached) {
      reached = position;
      started = environment.clock.Now();
      failures = 1;
    }
    const auto delay = NextRetryAfter(environment.retry, result.error(), failures, started,
                                      environment.clock.Now(), environment.random, wait);
    if (!delay) return result;
    environment.clock.SleepFor(*delay);
  }
}

// The same for what is done at once or not at all.
template <typename T>
Result<T> RepeatUntilStuck(const RestEnvironment& environment, const Attempt<T>& attempt) {
  return ResumeUntilStuck<T>(environment, 0, attempt);
}

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

// Whether the source ends where it should: what is left would be missing in the object.
Result<bool> IsAtEnd(const ByteSource& source) {
  char byte = 0;
  HF_ASSIGN_OR_RETURN(const size_t count, source(std::span(&byte, 1)));
  return count == 0;
}

Error WrongLength(const cloud::ObjectRef& object, int64_t expected, std::string_view found) {
  return MakeError(ErrorId::kInternal, Code::kInvalidArgument,
                   fmt::format("{}: the source gave {} bytes where {} were announced", object.Uri(),
                               found, expected));
}

// Takes exactly the next piece of a source of `size_bytes` bytes, which begins at `offset`.
Status TakePiece(const ByteSource& source, std::span<char> piece, const cloud::ObjectRef& object,
                 int64_t offset, int64_t size_bytes) {
  HF_ASSIGN_OR_RETURN(const size_t filled, FillPiece(source, piece));
  const int64_t end = offset + static_cast<int64_t>(filled);
  if (filled != piece.size()) return WrongLength(object, size_bytes, std::to_string(end));
  if (end < size_bytes) return Ok();
  HF_ASSIGN_OR_RETURN(const bool at_end, IsAtEnd(source));
  if (!at_end) return WrongLength(object, size_bytes, "more");
  return Ok();
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

// Deletes an upload's object that is not what was sent: it would be in the way of the next try. It
// stays where deleting is not allowed; the upload has failed in either case.
void DeleteDamaged(const RestClient& client, const cloud::ObjectRef& damaged) {
  RestCall call = ObjectCall(damaged);
  call.method = "DELETE";
  if (const auto deleted = client.Call(call); !deleted.ok()) {
    LogWarning("a damaged object stays",
               {{"object", damaged.Uri()}, {"error", deleted.error().message}});
  }
}

Result<UploadResult> ReadUploadAnswer(const RestClient& client, const net::HttpResponse& response,
                                      const cloud::ObjectRef& object, uint32_t crc32c) {
  if (response.status == kPreconditionFailed) return UploadResult{.object = {}, .crc32c = crc32c};
  const auto json = ParseJson(response.body);
  if (!json.ok()) {
    // A cut-off answer counts as a lost one: asking again tells what became of the object.
    return MakeError(ErrorId::kServiceUnavailable,
                     fmt::format("{}: unreadable answer: {}", object.Uri(), json.error().message));
  }
  HF_ASSIGN_OR_RETURN(cloud::ObjectInfo stored, ObjectFromJson(*json));
  if (stored.crc32c != crc32c) {
    DeleteDamaged(client, {object.bucket, object.name, stored.ref.generation});
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
  return RepeatUntilStuck<UploadResult>(
      client.environment(), [&](Duration& wait) -> Result<UploadResult> {
        HF_ASSIGN_OR_RETURN(const net::HttpResponse response,
                            client.Send(request, call, wait, {kPreconditionFailed}));
        return ReadUploadAnswer(client, response, object, crc32c);
      });
}

// "Range: bytes=0-1234" → 1235; no such header, or none that can be read: nothing yet.
int64_t PersistedBytes(const net::HttpResponse& response) {
  const std::string_view range = response.headers.Get("Range");
  const size_t dash = range.rfind('-');
  if (dash == std::string_view::npos) return 0;
  int64_t last = -1;
  std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
  return last < 0 || last == std::numeric_limits<int64_t>::max() ? 0 : last + 1;
}

// One resumable session: its URI, what the server has, and the piece that is on its way.
class ResumableUpload {
 public:
  ResumableUpload(const RestClient& client, const cloud::ObjectRef& object, int64_t size_bytes,
                  size_t piece_bytes)
      : client_(client), object_(object), size_bytes_(size_bytes), piece_(piece_bytes) {}

  // The upload's result; nullopt when the session is gone and the upload may begin anew.
  Result<std::optional<UploadResult>> Run(const ByteSource& source) {
    HF_ASSIGN_OR_RETURN(Outcome outcome, Begin());
    while (outcome == Outcome::kMore) {
      const auto wanted = static_cast<size_t>(
          std::min<int64_t>(static_cast<int64_t>(piece_.size()), size_bytes_ - offset_));
      HF_RETURN_IF_ERROR(
          TakePiece(source, std::span(piece_).first(wanted), object_, offset_, size_bytes_));
      crc32c_ = ExtendCrc32c(crc32c_, {piece_.data(), wanted});
      HF_ASSIGN_OR_RETURN(outcome, SendPiece(static_cast<int64_t>(wanted)));
    }
    if (outcome == Outcome::kSessionGone) return std::optional<UploadResult>();
    return std::optional(std::move(result_));
  }

 private:
  enum class Outcome {
    kMore,         // the next piece is wanted
    kComplete,     // result_ is set
    kSessionGone,  // the server does not know the session any more
  };

  Result<Outcome> Begin() {
    RestCall call = UploadCall(object_, "resumable");
    call.query.Add("name", object_.name);
    net::ClientRequest request;
    request.method = call.method;
    request.url = client_.Url(call);
    request.headers.Set("X-Upload-Content-Length", std::to_string(size_bytes_));
    HF_ASSIGN_OR_RETURN(
        const net::HttpResponse response,
        RepeatUntilStuck<net::HttpResponse>(client_.environment(), [&](Duration& wait) {
          return client_.Send(request, call, wait, {kPreconditionFailed});
        }));
    if (response.status == kPreconditionFailed) return Outcome::kComplete;
    session_ = response.headers.Get("Location");
    if (session_.empty()) {
      return MakeError(ErrorId::kServiceRejected,
                       object_.Uri() + ": the service gave no upload session");
    }
    return Outcome::kMore;
  }

  // Sends the `size` bytes at offset_, again where a try broke, until the server has them all.
  Result<Outcome> SendPiece(int64_t size) {
    const int64_t begin = offset_;
    return ResumeUntilStuck<Outcome>(client_.environment(), offset_, [&](Duration& wait) {
      return TrySend(begin, begin + size, wait);
    });
  }

  Result<Outcome> TrySend(int64_t begin, int64_t end, Duration& wait) {
    if (broken_) {
      HF_ASSIGN_OR_RETURN(const Outcome outcome, Ask(wait));
      if (outcome != Outcome::kMore) return outcome;
      if (offset_ == end && end < size_bytes_) return Outcome::kMore;
    }
    if (offset_ < begin || offset_ > end) {
      return MakeError(ErrorId::kServiceRejected,
                       fmt::format("{}: the upload session is at byte {}, not between {} and {}",
                                   object_.Uri(), offset_, begin, end));
    }
    broken_ = true;
    HF_ASSIGN_OR_RETURN(
        const net::HttpResponse response,
        SendRange({piece_.data() + (offset_ - begin), static_cast<size_t>(end - offset_)}, wait));
    HF_ASSIGN_OR_RETURN(const Outcome outcome, TakeAnswer(response));
    if (outcome != Outcome::kMore || (offset_ == end && end < size_bytes_)) return outcome;
    return MakeError(ErrorId::kServiceUnavailable,
                     fmt::format("{}: the server kept {} of {} bytes and has made no object",
                                 object_.Uri(), offset_, size_bytes_));
  }

  // Asks what the server has after a try that broke.
  Result<Outcome> Ask(Duration& wait) {
    HF_ASSIGN_OR_RETURN(const net::HttpResponse response, SendRange({}, wait));
    return TakeAnswer(response);
  }

  // Without bytes it is a question: how far is the session?
  Result<net::HttpResponse> SendRange(std::string_view bytes, Duration& wait) {
    net::ClientRequest request;
    request.method = "PUT";
    request.url = session_;
    request.body = bytes;
    request.headers.Set(
        "Content-Range",
        bytes.empty() ? fmt::format("bytes */{}", size_bytes_)
                      : fmt::format("bytes {}-{}/{}", offset_,
                                    offset_ + static_cast<int64_t>(bytes.size()) - 1, size_bytes_));
    // The session's URI lets anyone write to it: logs see the path without it.
    return client_.Send(std::move(request), UploadCall(object_, "resumable"), wait,
                        {kResumeIncomplete, kNotFound, kGone, kPreconditionFailed});
  }

  Result<Outcome> TakeAnswer(const net::HttpResponse& response) {
    if (response.status == kNotFound || response.status == kGone) return Outcome::kSessionGone;
    if (response.status == kResumeIncomplete) {
      broken_ = false;
      offset_ = PersistedBytes(response);
      return Outcome::kMore;
    }
    HF_ASSIGN_OR_RETURN(result_, ReadUploadAnswer(client_, response, object_, crc32c_));
    return Outcome::kComplete;
  }

  const RestClient& client_;
  const cloud::ObjectRef& object_;
  int64_t size_bytes_;
  std::vector<char> piece_;
  std::string session_;
  int64_t offset_ = 0;  // bytes that the server has
  uint32_t crc32c_ = 0;
  bool broken_ = false;  // the last try ended without an answer
  UploadResult result_;
};

Error WrongRange(const cloud::ObjectRef& object, int64_t position) {
  return MakeError(ErrorId::kObjectCorrupt,
                   fmt::format("{}: bytes from {} on were asked for, and the service gave others",
                               object.Uri(), position));
}

// Whether the bytes of an answer begin at `position`: a server may ignore the Range that was asked
// for and give the whole object (RFC 9110 §14.2).
Status CheckRange(const net::HttpResponse& response, const cloud::ObjectRef& object,
                  int64_t position) {
  const std::string_view range = response.headers.Get("Content-Range");
  bool as_asked = response.status == kPartialContent || position == 0;
  if (response.status == kPartialContent && !range.empty()) {
    as_asked = range.starts_with(fmt::format("bytes {}-", position));
  }
  if (!as_asked) return WrongRange(object, position);
  return Ok();
}

}  // namespace

Result<UploadResult> Upload(const RestClient& client, const cloud::ObjectRef& object,
                            int64_t size_bytes, const std::function<ByteSource()>& open,
                            size_t piece_bytes) {
  if (size_bytes <= static_cast<int64_t>(piece_bytes)) {
    std::string content(static_cast<size_t>(size_bytes), '\0');
    HF_RETURN_IF_ERROR(TakePiece(open(), content, object, 0, size_bytes));
    return UploadInOneRequest(client, object, content);
  }
  for (int sessions = 0; sessions < kSessionsMax; ++sessions) {
    HF_ASSIGN_OR_RETURN(auto result,
                        ResumableUpload(client, object, size_bytes, piece_bytes).Run(open()));
    if (result) return *std::move(result);
  }
  return MakeError(ErrorId::kServiceUnavailable,
                   object.Uri() + ": the service forgot one upload session after another");
}

Status Download(const RestClient& client, const cloud::ObjectRef& object, int64_t offset,
                int64_t end, const ByteSink& sink) {
  if (offset >= end) return Ok();
  int64_t position = offset;
  Status refusal;  // of the sink, or of bytes that nobody asked for: final
  const auto attempt = [&](Duration& wait) -> Result<bool> {
    const int64_t began = position;
    RestCall call = ObjectCall(object);
    call.query.Add("alt", "media");
    net::ClientRequest request;
    request.url = client.Url(call);
    request.headers.Set("Range", fmt::format("bytes={}-{}", position, end - 1));
    request.response_writer = [&](std::string_view bytes) -> Status {
      refusal = static_cast<int64_t>(bytes.size()) > end - position ? WrongRange(object, began)
                                                                    : sink(bytes);
      if (!refusal.ok()) return refusal.error();
      position += static_cast<int64_t>(bytes.size());
      return Ok();
    };
    const auto response = client.Send(std::move(request), call, wait);
    if (!refusal.ok()) return false;
    if (response.ok()) HF_RETURN_IF_ERROR(CheckRange(*response, object, began));
    if (position == end) return true;  // also when only the end of the answer was lost
    if (!response.ok()) return response.error();
    return MakeError(
        ErrorId::kServiceUnavailable,
        fmt::format("{}: the answer ended at byte {} of {}", object.Uri(), position, end));
  };
  const auto done = ResumeUntilStuck<bool>(client.environment(), position, attempt);
  if (!done.ok()) return done.error();
  return refusal;
}

}  // namespace holdfast::gcp
