// An object as a source of bytes that is pulled, in ranged reads of bounded size.
#pragma once

#include <cstddef>

#include "base/stream.h"
#include "cloud/object_store.h"

namespace holdfast::cloud {

// The bytes of exactly that generation, `chunk_bytes` at a time in memory. The object's crc32c is
// compared at the end: kObjectCorrupt instead of the last 0. Borrows the store.
ByteSource MakeObjectSource(ObjectStore& store, const ObjectInfo& object, size_t chunk_bytes);

}  // namespace holdfast::cloud
