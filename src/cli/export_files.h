// Where the files of an export go: a directory or a bucket, all of them or none.
//
// Files get their names when the export is whole; one that fails leaves nothing behind, but for
// what cannot be removed. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cloud/object_store.h"
#include "localcloud/warehouse/extractor.h"

namespace holdfast::cli {

class ExportFiles {
 public:
  virtual ~ExportFiles() = default;

  // A file of that name, not seen by others yet. Errors: kExportExists, kFileError, kDiskFull.
  virtual Result<std::unique_ptr<warehouse::ExtractSink>> Make(const std::string& name) = 0;

  // Makes all files appear; once, last. Errors: kFileError; those of the store.
  virtual Status Commit() = 0;

  // Where they are then, in order: paths, or gs:// URIs.
  virtual std::vector<std::string> Places() const = 0;
};

// Into a directory, which is made if it is absent.
Result<std::unique_ptr<ExportFiles>> ExportToDirectory(const std::string& directory);

// Into a bucket below a prefix ("" or "some/path/"), by way of files in `scratch_directory`, each
// as large as what it becomes. The store must outlive it.
std::unique_ptr<ExportFiles> ExportToBucket(cloud::ObjectStore& store, std::string bucket,
                                            std::string prefix, std::string scratch_directory);

}  // namespace holdfast::cli
