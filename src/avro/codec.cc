#include "avro/codec.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <snappy-c.h>
#include <zstd.h>

#include <array>
#include <cstdint>

namespace holdfast::avro {

namespace {

constexpr size_t kCrcBytes = 4;

// Writers that cut zlib's header off its data may leave its checksum on (fastavro: three bytes of
// it).
constexpr size_t kDeflateTrailerBytes = 4;

Error Corrupt(std::string_view codec, std::string_view why) {
  return MakeError(ErrorId::kAvroCorrupt, fmt::format("{} data: {}", codec, why));
}

Error OverLimit(std::string_view codec, size_t size_bytes_max) {
  return MakeError(ErrorId::kAvroLimit, fmt::format("{} data decompresses to more than {} bytes",
                                                    codec, size_bytes_max));
}

class NullCompressor final : public Compressor {
 public:
  Status Compress(std::string_view plain, ByteBuffer& compressed) override {
    compressed.Resize(plain.size());
    std::memcpy(compressed.data(), plain.data(), plain.size());
    return Ok();
  }
};

class NullDecompressor final : public Decompressor {
 public:
  Status Decompress(std::string_view compressed, size_t size_bytes_max,
                    ByteBuffer& plain) override {
    if (compressed.size() > size_bytes_max) return OverLimit("null", size_bytes_max);
    plain.Resize(compressed.size());
    std::memcpy(plain.data(), compressed.data(), compressed.size());
    return Ok();
  }
};

struct FreeDeflate {
  void operator()(libdeflate_compressor* state) const { libdeflate_free_compressor(state); }
  void operator()(libdeflate_decompressor* state) const { libdeflate_free_decompressor(state); }
};

class DeflateCompressor final : public Compressor {
 public:
  explicit DeflateCompressor(int level) : state_(libdeflate_alloc_compressor(level)) {
    CHECK(state_ != nullptr, "out of memory for deflate");
  }

  Status Compress(std::string_view plain, ByteBuffer& compressed) override {
    const size_t bound = libdeflate_deflate_compress_bound(state_.get(), plain.size());
    compressed.Reserve(bound);
    const size_t size = libdeflate_deflate_compress(state_.get(), plain.data(), plain.size(),
                                                    compressed.data(), bound);
    if (size == 0) return MakeError(ErrorId::kInternal, "deflate refused a block");
    compressed.Resize(size);
    return Ok();
  }

 private:
  std::unique_ptr<libdeflate_compressor, FreeDeflate> state_;
};

// Raw deflate does not say how long its data is, so the buffer grows until it fits or is too large.
class DeflateDecompressor final : public Decompressor {
 public:
  DeflateDecompressor() : state_(libdeflate_alloc_decompressor()) {
    CHECK(state_ != nullptr, "out of memory for deflate");
  }

  Status Decompress(std::string_view compressed, size_t size_bytes_max,
                    ByteBuffer& plain) override {
    size_t room = std::max({compressed.size() * 4, plain.capacity(), size_t{4096}});
    while (true) {
      room = std::min(room, size_bytes_max);
      plain.Clear();
      plain.Reserve(room);
      size_t consumed = 0;
      size_t produced = 0;
      const libdeflate_result result =
          libdeflate_deflate_decompress_ex(state_.get(), compressed.data(), compressed.size(),
                                           plain.data(), room, &consumed, &produced);
      if (result == LIBDEFLATE_SUCCESS) {
        if (compressed.size() - consumed > kDeflateTrailerBytes) {
          return Corrupt("deflate", "bytes after its end");
        }
        plain.Resize(produced);
        return Ok();
      }
      if (result != LIBDEFLATE_INSUFFICIENT_SPACE) return Corrupt("deflate", "malformed");
      if (room == size_bytes_max) return OverLimit("deflate", size_bytes_max);
      room *= 2;
    }
  }

 private:
  std::unique_ptr<libdeflate_decompressor, FreeDeflate> state_;
};

class SnappyCompressor final : public Compressor {
 public:
  Status Compress(std::string_view plain, ByteBuffer& compressed) override {
    size_t size = snappy_max_compressed_length(plain.size());
    compressed.Reserve(size + kCrcBytes);
    if (snappy_compress(plain.data(), plain.size(), compressed.data(), &size) != SNAPPY_OK) {
      return MakeError(ErrorId::kInternal, "snappy refused a block");
    }
    compressed.Resize(size + kCrcBytes);
    const uint32_t crc = __builtin_bswap32(libdeflate_crc32(0, plain.data(), plain.size()));
    std::memcpy(compressed.data() + size, &crc, kCrcBytes);
    return Ok();
  }
};

class SnappyDecompressor final : public Decompressor {
 public:
  Status Decompress(std::string_view compressed, size_t size_bytes_max,
                    ByteBuffer& plain) override {
    if (compressed.size() < kCrcBytes) return Corrupt("snappy", "shorter than its checksum");
    const size_t size = compressed.size() - kCrcBytes;
    size_t produced = 0;
    if (snappy_uncompressed_length(compressed.data(), size, &produced) != SNAPPY_OK) {
      return Corrupt("snappy", "malformed length");
    }
    if (produced > size_bytes_max) return OverLimit("snappy", size_bytes_max);
    plain.Clear();
    plain.Resize(produced);
    if (snappy_uncompress(compressed.data(), size, plain.data(), &produced) != SNAPPY_OK) {
      return Corrupt("snappy", "malformed");
    }
    uint32_t stored = 0;
    std::memcpy(&stored, compressed.data() + size, kCrcBytes);
    if (__builtin_bswap32(stored) != libdeflate_crc32(0, plain.data(), plain.size())) {
      return Corrupt("snappy", "its CRC-32 does not match");
    }
    return Ok();
  }
};

struct FreeZstd {
  void operator()(ZSTD_CCtx* state) const { ZSTD_freeCCtx(state); }
  void operator()(ZSTD_DCtx* state) const { ZSTD_freeDCtx(state); }
};

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(int level) : level_(level), state_(ZSTD_createCCtx()) {
    CHECK(state_ != nullptr, "out of memory for zstd");
  }

  Status Compress(std::string_view plain, ByteBuffer& compressed) override {
    compressed.Reserve(ZSTD_compressBound(plain.size()));
    const size_t size = ZSTD_compressCCtx(state_.get(), compressed.data(), compressed.capacity(),
                                          plain.data(), plain.size(), level_);
    if (ZSTD_isError(size) != 0) {
      return MakeError(ErrorId::kInternal, fmt::format("zstd: {}", ZSTD_getErrorName(size)));
    }
    compressed.Resize(size);
    return Ok();
  }

 private:
  int level_;
  std::unique_ptr<ZSTD_CCtx, FreeZstd> state_;
};

// A single frame that says its size is decompressed at once. Streaming writers leave the size out,
// and a block may hold several frames: those go into a buffer that grows up to the limit.
class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : state_(ZSTD_createDCtx()) {
    CHECK(state_ != nullptr, "out of memory for zstd");
  }

  Status Decompress(std::string_view compressed, size_t size_bytes_max,
                    ByteBuffer& plain) override {
    const unsigned long long said =  // NOLINT(google-runtime-int): zstd's own type
        ZSTD_getFrameContentSize(compressed.data(), compressed.size());
    if (said == ZSTD_CONTENTSIZE_ERROR) return Corrupt("zstandard", "not a frame");
    const bool is_one_frame =
        ZSTD_findFrameCompressedSize(compressed.data(), compressed.size()) == compressed.size();
    if (said != ZSTD_CONTENTSIZE_UNKNOWN && is_one_frame) {
      if (said > size_bytes_max) return OverLimit("zstandard", size_bytes_max);
      plain.Clear();
      plain.Resize(static_cast<size_t>(said));
      const size_t size = ZSTD_decompressDCtx(state_.get(), plain.data(), plain.size(),
                                              compressed.data(), compressed.size());
      if (ZSTD_isError(size) != 0) return Corrupt("zstandard", ZSTD_getErrorName(size));
      if (size != said) return Corrupt("zstandard", "shorter than it says");
      return Ok();
    }
    return DecompressStream(compressed, size_bytes_max, plain);
  }

 private:
  Status DecompressStream(std::string_view compressed, size_t size_bytes_max, ByteBuffer& plain) {
    ZSTD_DCtx_reset(state_.get(), ZSTD_reset_session_only);
    ZSTD_inBuffer input = {compressed.data(), compressed.size(), 0};
    size_t produced = 0;
    size_t left = 1;
    plain.Clear();
    while (left != 0 || input.pos < input.size) {
      if (produced > size_bytes_max) return OverLimit("zstandard", size_bytes_max);
      plain.Resize(produced);
      plain.Reserve(
          std::max({plain.capacity(), compressed.size() * 4, produced + ZSTD_BLOCKSIZE_MAX}));
      ZSTD_outBuffer output = {plain.data() + produced, plain.capacity() - produced, 0};
      const size_t input_before = input.pos;
      left = ZSTD_decompressStream(state_.get(), &output, &input);
      if (ZSTD_isError(left) != 0) return Corrupt("zstandard", ZSTD_getErrorName(left));
      produced += output.pos;
      if (output.pos == 0 && input.pos == input_before && left != 0) {
        return Corrupt("zstandard", "cut short");
      }
    }
    if (produced > size_bytes_max) return OverLimit("zstandard", size_bytes_max);
    plain.Resize(produced);
    return Ok();
  }

  std::unique_ptr<ZSTD_DCtx, FreeZstd> state_;
};

struct CodecNameEntry {
  Codec codec;
  std::string_view name;
  int level_max;
};

constexpr std::array<CodecNameEntry, 4> kCodecs = {{
    {Codec::kNull, "null", 0},
    {Codec::kDeflate, "deflate", 12},
    {Codec::kSnappy, "snappy", 0},
    {Codec::kZstd, "zstandard", 19},
}};

constexpr int kDeflateLevel = 4;
constexpr int kZstdLevel = 1;

}  // namespace

std::string_view CodecName(Codec codec) { return kCodecs[static_cast<size_t>(codec)].name; }

std::optional<Codec> FindCodec(std::string_view name) {
  for (const CodecNameEntry& entry : kCodecs) {
    if (entry.name == name) return entry.codec;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Compressor>> MakeCompressor(Codec codec, int level) {
  const CodecNameEntry& entry = kCodecs[static_cast<size_t>(codec)];
  if (level < 0 || level > entry.level_max) {
    return MakeError(ErrorId::kLimitExceeded, fmt::format("codec {} has levels 0..{}, not {}",
                                                          entry.name, entry.level_max, level));
  }
  std::unique_ptr<Compressor> compressor;
  switch (codec) {
    case Codec::kNull:
      compressor = std::make_unique<NullCompressor>();
      break;
    case Codec::kSnappy:
      compressor = std::make_unique<SnappyCompressor>();
      break;
    case Codec::kDeflate:
      compressor = std::make_unique<DeflateCompressor>(level == 0 ? kDeflateLevel : level);
      break;
    case Codec::kZstd:
      compressor = std::make_unique<ZstdCompressor>(level == 0 ? kZstdLevel : level);
      break;
  }
  return compressor;
}

std::unique_ptr<Decompressor> MakeDecompressor(Codec codec) {
  switch (codec) {
    case Codec::kNull:
      break;
    case Codec::kSnappy:
      return std::make_unique<SnappyDecompressor>();
    case Codec::kDeflate:
      return std::make_unique<DeflateDecompressor>();
    case Codec::kZstd:
      return std::make_unique<ZstdDecompressor>();
  }
  return std::make_unique<NullDecompressor>();
}

}  // namespace holdfast::avro
