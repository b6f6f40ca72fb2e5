// The bytes of Cloud Storage objects, both ways, in bounded memory.
//
// An upload that breaks is resumed from what the server has, or begun again when its session is
// gone; a download is resumed from what has arrived. The retry policy counts anew with every byte
// of progress: a transfer of hours may break many times, one that stands still ends. Uploads count
// checksums over every byte that passes. Source: google-semantics A7 #45; Cloud Storage JSON API
// "Resumable uploads".
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
  uint32_t crc32c = 0;  // of the bytes that were sent
};

// Sends exactly `size_bytes` bytes of `open()` as a new object; `open` is called again when the
// upload has to begin anew. At most `piece_bytes` bytes are held in memory; an object of no more is
// sent in one request. Errors: kObjectCorrupt when what arrived has another crc32c, and the object
// is deleted again where that is allowed; kInvalidArgument-coded when the source gives another
// length, of which nothing is stored.
Result<UploadResult> Upload(const RestClient& client, const cloud::ObjectRef& object,
                            int64_t size_bytes, const std::function<ByteSource()>& open,
                            size_t piece_bytes = kUploadPieceBytes);

// Reads bytes [offset, end) of one generation of an object into `sink`, resuming broken transfers.
// Errors: kObjectCorrupt when the service gave other bytes than were asked for.
Status Download(const RestClient& client, const cloud::ObjectRef& object, int64_t offset,
                int64_t end, const ByteSink& sink);

}  // namespace holdfast::gcp
