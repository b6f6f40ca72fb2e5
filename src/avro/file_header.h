// The header of an Avro object container file: magic, metadata, sync marker.
//
// Limited in bytes and entries before anything in it is believed. Source: Avro 1.11 specification,
// "Object Container Files".
#pragma once

#include <array>

#include "avro/file_input.h"
#include "avro/reader.h"
#include "base/result.h"

namespace holdfast::avro {

inline constexpr size_t kSyncBytes = 16;
inline constexpr std::string_view kFileMagic{"Obj\x01", 4};

// A file's header, and the marker that ends each of its blocks.
struct ParsedHeader {
  FileHeader header;
  std::array<char, kSyncBytes> sync{};
};

// Reads the header from the file's first byte on. Errors: kAvroNotAvro, kAvroTruncated,
// kAvroCorrupt, kAvroLimit, kAvroUnsupported (codec), kAvroSchema (none, or not JSON).
Result<ParsedHeader> ReadFileHeader(FileInput& input, size_t bytes_max);

}  // namespace holdfast::avro
