// A data object of a backup as bytes that have been checked: fetched whole, hashed, then read.
//
// Damage is found before the first row, where a stream would tell of it behind the last. A small
// object is held in memory, a large one in a file without a name, which the system removes.
#pragma once

#include <string>

#include "avro/reader.h"
#include "base/result.h"
#include "cloud/object_store.h"
#include "model/manifest.h"

namespace holdfast::cli {

// The object's bytes. Errors: kObjectCorrupt when they are not those of the manifest, kDiskFull and
// kFileError for the directory, those of the store; each names the object and the backup.
Result<avro::ByteSource> FetchChecked(cloud::ObjectStore& store, const Manifest& manifest,
                                      const DataObject& object, const std::string& directory);

// "gs://bucket/name of backup 2026... of project.dataset.table".
std::string NameOfFile(const Manifest& manifest, const DataObject& object);

}  // namespace holdfast::cli
