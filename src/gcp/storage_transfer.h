// The bytes of Cloud Storage objects, both ways, in bounded memory.
//
// An upload that breaks is resumed from what the server has; a download from what has arrived. Both
// count checksums over every byte that passes. Source: google-semantics A7 #45; Cloud Storage JSON
// API "Resumable uploads".
#pragma once

#include <cstdint>
#include <functional>

#include "base/stream.h"
#include "cloud/object_store.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

// Uploads are sent in pieces of this size, a multiple of the 256 KiB that the protocol asks for.
inline constexpr size_t kUploadPieceBytes = size_t{8} << 20U;

struct UploadResult {
  // The server's answer; unset when it said 412: an object of that name exists.
  std::optional<cloud::ObjectInfo> object;
  uint32_t crc32c = 0;  // of the bytes that `open` gave
};

// Sends exactly `size_bytes` bytes of `open()` as a new object. Errors: kObjectCorrupt when what
// arrived has another crc32c; kInvalidArgument-coded when the source gives another length.
Result<UploadResult> Upload(const RestClient& client, const cloud::ObjectRef& object,
                            int64_t size_bytes, const std::function<ByteSource()>& open);

// Reads bytes [offset, end) of one generation of an object into `sink`, resuming broken transfers.
Status Download(const RestClient& client, const cloud::ObjectRef& object, int64_t offset,
                int64_t end, const ByteSink& sink);

}  // namespace holdfast::gcp
