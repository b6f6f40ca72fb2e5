// Catalog records as the JSON that is kept in the store. What is read back was written by us, but
// by any version of us, and the file may be damaged: reads are strict.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/backup_index.h"

namespace holdfast::catalog {

// All members but for what verification changes (verified, verified_ms, damaged).
std::string BackupRecordToText(const BackupRecord& record);

// Reads them back, one after the other: a listing reads a million. Not thread-safe.
class BackupRecordReader {
 public:
  BackupRecordReader();
  ~BackupRecordReader();
  BackupRecordReader(const BackupRecordReader&) = delete;
  BackupRecordReader& operator=(const BackupRecordReader&) = delete;

  // The members that verification changes are at their defaults. Errors: kCatalogDamaged.
  Result<BackupRecord> Read(std::string_view text);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// `error` as one of the catalog's own: what was read from it cannot be parsed.
Error AsDamaged(const Error& error);

// A page token: the key of the last item shown, as a JSON list, and back. Errors: kInvalidJson when
// it is not one of `size` members.
std::string TokenOf(const Json& key);
Result<Json> KeyOf(const std::string& token, size_t size);

}  // namespace holdfast::catalog
