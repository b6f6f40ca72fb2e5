// Inspecting a data object: reading every byte once and telling all that a manifest says of it.
//
// One pass, memory bounded by a chunk of bytes and an Avro block. The bytes are checked against the
// object's own crc32c as they are read. Thread-safe as far as the store is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/object_store.h"
#include "model/manifest.h"
#include "model/schema.h"
#include "verify/content_digest.h"

namespace holdfast::verify {

struct InspectOptions {
  size_t chunk_bytes = size_t{8} << 20U;  // of one read from the store
  size_t batch_rows = 8192;
  bool lacks_columns = false;  // the file is from before the table got some: null in those
};

// What one data object turned out to hold.
struct ObjectInspection {
  DataObject object;     // all members set
  ContentDigest digest;  // of its rows
};

// Reads an Avro object as the rows of a table of schema `schema`. `info.ref` names a generation; it
// is that one which is read. Errors: kObjectCorrupt (bytes do not match the crc32c),
// kObjectNotFound, kDataMismatch (the file's columns are not the table's), those of avro::Reader,
// the store's.
Result<ObjectInspection> InspectObject(cloud::ObjectStore& store, const cloud::ObjectInfo& info,
                                       const Schema& schema, const InspectOptions& options = {});

// Reads an object's bytes only: `rows` stays 0. Errors: kObjectCorrupt, kObjectNotFound, the
// store's.
Result<DataObject> HashObject(cloud::ObjectStore& store, const cloud::ObjectInfo& info,
                              const InspectOptions& options = {});

// Several objects that hold one table or partition, as a backup stage lists them after an extract.
struct SetInspection {
  std::vector<DataObject> objects;  // in the order given
  int64_t rows = 0;
  int64_t bytes = 0;
  ContentDigest digest;
};

// Inspects each. Errors: kNothingToVerify for an empty list, those of InspectObject with the
// object's name.
Result<SetInspection> InspectObjects(cloud::ObjectStore& store,
                                     const std::vector<cloud::ObjectInfo>& objects,
                                     const Schema& schema, const InspectOptions& options = {});

}  // namespace holdfast::verify
