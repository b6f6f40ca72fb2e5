// An object's bytes pulled in chunks, hashed as they pass: one read serves checksum and decoder.
//
// The store pushes bytes and the Avro reader pulls them, so the object is read by ranges of its
// generation. Used by one thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/hash.h"
#include "base/result.h"
#include "cloud/object_store.h"

namespace holdfast::verify {

class ObjectBytes {
 public:
  // Borrows the store. `info.ref` names a generation.
  ObjectBytes(cloud::ObjectStore& store, cloud::ObjectInfo info, size_t chunk_bytes);

  // The next bytes; 0 at the end. Errors: the store's; kObjectCorrupt when the object is shorter
  // than its size.
  Result<size_t> Read(std::span<char> buffer);

  // Reads what is left, then compares the crc32c of all bytes with the object's and returns the
  // SHA-256 in hexadecimal. To be called once. Errors: as Read; kObjectCorrupt.
  Result<std::string> Finish();

 private:
  Status Fill();

  cloud::ObjectStore& store_;
  const cloud::ObjectInfo info_;
  const size_t chunk_bytes_;
  std::string chunk_;
  size_t chunk_used_ = 0;
  int64_t offset_ = 0;  // in the object, of the end of the chunk
  uint32_t crc32c_ = 0;
  Hasher sha256_ = Hasher::Sha256();
};

}  // namespace holdfast::verify
