// Compression of one block of an Avro file: null, deflate, snappy, zstandard.
//
// A codec object keeps its library's working memory between blocks; one thread uses it at a time.
// Decompression is bounded: a block that would grow over the limit is refused before or while it
// grows, never after. Source: Avro 1.11 specification, "Required Codecs" and "Optional Codecs".
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "avro/byte_buffer.h"
#include "base/result.h"

namespace holdfast::avro {

enum class Codec {
  kNull,
  kDeflate,  // raw deflate (RFC 1951); BigQuery loads it
  kSnappy,   // raw snappy, then the plain bytes' CRC-32, big-endian; BigQuery loads it
  kZstd,     // "zstandard": smallest, but BigQuery does not load it from Avro
};

// The name in a file's "avro.codec" metadata.
std::string_view CodecName(Codec codec);

// The inverse; nullopt for a codec that is not supported.
std::optional<Codec> FindCodec(std::string_view name);

// Compresses block after block; owns the library's state. One thread at a time.
class Compressor {
 public:
  virtual ~Compressor() = default;

  // Replaces `compressed` by the compressed form of `plain`. Errors: kInternal, from the library.
  virtual Status Compress(std::string_view plain, ByteBuffer& compressed) = 0;
};

// `level`: deflate 1..12, zstd 1..19; 0 means 4 and 1, levels at which encoding keeps up with a
// network. Null and snappy have none. Errors: kLimitExceeded for another level.
Result<std::unique_ptr<Compressor>> MakeCompressor(Codec codec, int level);

// The inverse, likewise.
class Decompressor {
 public:
  virtual ~Decompressor() = default;

  // Replaces `plain` by the decompressed form of `compressed`. Errors: kAvroCorrupt when it is not
  // of this codec or its checksum is wrong, kAvroLimit when it is over `size_bytes_max`.
  virtual Status Decompress(std::string_view compressed, size_t size_bytes_max,
                            ByteBuffer& plain) = 0;
};

// Never null; for kNull it copies, so the reader does not call it there.
std::unique_ptr<Decompressor> MakeDecompressor(Codec codec);

}  // namespace holdfast::avro
