// Uploads of the JSON API: media, multipart and resumable.
#include <algorithm>
#include <array>
#include <utility>

#include "localcloud/storage/content_range.h"
#include "localcloud/storage/multipart.h"
#include "localcloud/storage/request_context.h"
#include "localcloud/storage/resource_json.h"
#include "localcloud/storage/storage_error.h"

namespace holdfast::storage {
namespace {

constexpr size_t kCopyBytes = size_t{256} << 10U;
constexpr int kResumeIncomplete = 308;     // what Cloud Storage answers while bytes are missing
constexpr int kClientClosedRequest = 499;  // its answer to a cancelled upload

Error Invalid(const std::string& message, std::string_view reason = "invalid") {
  return WithReason(reason, MakeError(ErrorId::kStorageInvalid, message));
}

// What parameters and a metadata document say about a new object.
Result<NewObject> DescribeObject(const net::ServerRequest& request,
                                 const rest::PathParameters& path, const Json& metadata) {
  NewObject object{.bucket = path.Get("bucket"), .name = request.query.Get("name")};
  if (object.name.empty()) object.name = StringOr(metadata, "name", "");
  if (object.name.empty()) return Invalid("the object has no name", "required");
  HF_ASSIGN_OR_RETURN(const Json settings, ObjectSettings(metadata));
  object.settings.merge_patch(settings);
  const std::string encoding = request.query.Get("contentEncoding");
  if (!encoding.empty()) {
    HF_ASSIGN_OR_RETURN(const Json checked, ObjectSettings({{"contentEncoding", encoding}}));
    object.settings.merge_patch(checked);
  }
  HF_ASSIGN_OR_RETURN(object.preconditions, ReadPreconditions(request.query, Side::kTarget));
  HF_ASSIGN_OR_RETURN(const Checksums in_body, BodyChecksums(metadata));
  HF_ASSIGN_OR_RETURN(
      const Checksums in_headers,
      HeaderChecksums(request.headers.Get("X-Goog-Hash"), request.headers.Get("Content-MD5")));
  object.expected = Merge(in_body, in_headers);
  return object;
}

// The content type that the bytes come with, unless the metadata names one.
Status SetContentType(std::string_view content_type, NewObject& object) {
  if (object.settings.contains("contentType")) return Ok();
  if (content_type.empty()) content_type = "application/octet-stream";
  HF_ASSIGN_OR_RETURN(const Json settings, ObjectSettings({{"contentType", content_type}}));
  object.settings.merge_patch(settings);
  return Ok();
}

// Writes all that `source` gives as a new object.
Result<ObjectRecord> Write(const Service& service, const NewObject& object,
                           const ByteSource& source) {
  HF_ASSIGN_OR_RETURN(const auto writer, service.store.StartObject(object));
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    HF_ASSIGN_OR_RETURN(const size_t count, source(std::span(buffer)));
    if (count == 0) break;
    HF_RETURN_IF_ERROR(writer->Append(std::string_view(buffer.data(), count)));
  }
  return writer->Finish();
}

Result<net::HttpResponse> UploadMedia(const Service& service, net::ServerRequest& request,
                                      const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(NewObject object, DescribeObject(request, path, Json::object()));
  HF_RETURN_IF_ERROR(SetContentType(request.headers.Get("Content-Type"), object));
  HF_ASSIGN_OR_RETURN(const ObjectRecord record, Write(service, object, request.body));
  return rest::ResponseOf(RenderObject(service, request, record));
}

// The metadata document, which is the first part of a multipart upload.
Result<Json> ReadMetadataPart(MultipartReader& reader, size_t size_max) {
  HF_ASSIGN_OR_RETURN(const auto headers, reader.NextPart());
  if (!headers) return Invalid("the multipart body has no metadata part");
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    HF_ASSIGN_OR_RETURN(const size_t count, reader.Read(buffer));
    if (count == 0) break;
    if (text.size() + count > size_max) return Invalid("the metadata part is too large");
    text.append(buffer.data(), count);
  }
  auto metadata = ParseJson(text);
  if (!metadata.ok()) return Invalid(metadata.error().message, "parseError");
  return metadata;
}

Result<net::HttpResponse> UploadMultipart(const Service& service, net::ServerRequest& request,
                                          const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const std::string boundary,
                      MultipartBoundary(request.headers.Get("Content-Type")));
  MultipartReader reader(request.body, boundary);
  HF_ASSIGN_OR_RETURN(const Json metadata,
                      ReadMetadataPart(reader, service.options.metadata_bytes_max));
  HF_ASSIGN_OR_RETURN(NewObject object, DescribeObject(request, path, metadata));
  HF_ASSIGN_OR_RETURN(const auto headers, reader.NextPart());
  if (!headers) return Invalid("the multipart body has no part with the bytes");
  HF_RETURN_IF_ERROR(SetContentType(headers->Get("Content-Type"), object));
  HF_ASSIGN_OR_RETURN(
      const ObjectRecord record,
      Write(service, object, [&](std::span<char> buffer) { return reader.Read(buffer); }));
  return rest::ResponseOf(RenderObject(service, request, record));
}

Result<net::HttpResponse> StartResumable(const Service& service, net::ServerRequest& request,
                                         const rest::PathParameters& path) {
  HF_ASSIGN_OR_RETURN(const Json metadata,
                      rest::ReadJsonBody(request, service.options.metadata_bytes_max));
  HF_ASSIGN_OR_RETURN(NewObject object, DescribeObject(request, path, metadata));
  HF_RETURN_IF_ERROR(SetContentType(request.headers.Get("X-Upload-Content-Type"), object));
  net::QueryParameters announced;
  if (const auto length = request.headers.Find("X-Upload-Content-Length")) {
    announced.Add("X-Upload-Content-Length", std::string(*length));
  }
  HF_ASSIGN_OR_RETURN(const auto total, NumberParameter(announced, "X-Upload-Content-Length"));
  if (total.value_or(0) < 0) return Invalid("X-Upload-Content-Length is negative");
  HF_ASSIGN_OR_RETURN(const UploadSession session, service.store.StartUpload(object, total));
  net::HttpResponse response;
  response.headers.Set(
      "Location", BaseUrl(request) + "/upload/storage/v1/b/" + net::PercentEncode(object.bucket) +
                      "/o?uploadType=resumable&name=" + net::PercentEncode(object.name) +
                      "&upload_id=" + session.id);
  response.headers.Set("X-GUploader-UploadID", session.id);
  return response;
}

Result<net::HttpResponse> Upload(const Service& service, net::ServerRequest& request,
                                 const rest::PathParameters& path) {
  const std::string type = request.query.Get("uploadType");
  if (type == "media") return UploadMedia(service, request, path);
  if (type == "multipart") return UploadMultipart(service, request, path);
  if (type == "resumable") return StartResumable(service, request, path);
  return Invalid("uploadType must be media, multipart or resumable");
}

// The answer that tells how far a session is: the object, or the range that has arrived.
Result<net::HttpResponse> DescribeSession(const Service& service, net::ServerRequest& request,
                                          const UploadSession& session) {
  if (session.finished) return rest::ResponseOf(RenderObject(service, request, *session.finished));
  net::HttpResponse response{.status = kResumeIncomplete};
  if (session.received_bytes > 0) {
    response.headers.Set("Range", "bytes=0-" + std::to_string(session.received_bytes - 1));
  }
  response.headers.Set("X-GUploader-UploadID", session.id);
  return response;
}

// The body as a source that fails unless it ends after exactly `size` bytes.
ByteSource ExactBody(const net::BodyReader& body, int64_t size) {
  return [body, size, received = int64_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
    HF_ASSIGN_OR_RETURN(const size_t count, body(buffer));
    received += static_cast<int64_t>(count);
    if (received > size || (count == 0 && received < size)) {
      return Invalid("the body does not have the " + std::to_string(size) +
                     " bytes that Content-Range says");
    }
    return count;
  };
}

Result<net::HttpResponse> FinishSession(const Service& service, net::ServerRequest& request,
                                        const std::string& id, int64_t total) {
  HF_ASSIGN_OR_RETURN(const Checksums expected,
                      HeaderChecksums(request.headers.Get("X-Goog-Hash"), ""));
  HF_ASSIGN_OR_RETURN(const UploadSession session, service.store.FinishUpload(id, total, expected));
  return DescribeSession(service, request, session);
}

// A PUT without Content-Range has the whole object.
Result<net::HttpResponse> ReceiveWhole(const Service& service, net::ServerRequest& request,
                                       const std::string& id) {
  HF_ASSIGN_OR_RETURN(const UploadSession session,
                      service.store.AppendUpload(id, 0, true, request.body));
  if (session.finished) return DescribeSession(service, request, session);
  return FinishSession(service, request, id, session.received_bytes);
}

Result<net::HttpResponse> ContinueResumable(const Service& service, net::ServerRequest& request,
                                            const rest::PathParameters&) {
  const std::string id = request.query.Get("upload_id");
  const auto header = request.headers.Find("Content-Range");
  if (!header) return ReceiveWhole(service, request, id);
  HF_ASSIGN_OR_RETURN(const ContentRange range, ParseContentRange(*header));
  if (!range.span) {
    HF_ASSIGN_OR_RETURN(const UploadSession session, service.store.GetUpload(id));
    if (!session.finished && range.total == session.received_bytes) {
      return FinishSession(service, request, id, *range.total);
    }
    return DescribeSession(service, request, session);
  }
  const int64_t size = range.span->last - range.span->first + 1;
  HF_ASSIGN_OR_RETURN(const UploadSession session,
                      service.store.AppendUpload(id, range.span->first, range.complete(),
                                                 ExactBody(request.body, size)));
  if (session.finished || !range.complete()) return DescribeSession(service, request, session);
  return FinishSession(service, request, id, *range.total);
}

Result<net::HttpResponse> CancelResumable(const Service& service, net::ServerRequest& request,
                                          const rest::PathParameters&) {
  HF_RETURN_IF_ERROR(service.store.CancelUpload(request.query.Get("upload_id")));
  return net::HttpResponse{.status = kClientClosedRequest};
}

}  // namespace

void AddUploadRoutes(rest::Router& router, const ServicePointer& service) {
  constexpr std::string_view kPattern = "/upload/storage/v1/b/{bucket}/o";
  AddRoute(router, service, "POST", kPattern, Upload);
  AddRoute(router, service, "PUT", kPattern, ContinueResumable);
  AddRoute(router, service, "DELETE", kPattern, CancelResumable);
}

}  // namespace holdfast::storage
