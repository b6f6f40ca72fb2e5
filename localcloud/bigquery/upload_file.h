// A file of uploaded bytes that grows at its end. Move-only; one thread.
//
// Errors: kDiskFull, kFileError, both naming the path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::bigquery {

class UploadFile {
 public:
  static Result<UploadFile> Create(const std::string& path);     // which must not exist
  static Result<UploadFile> OpenAtEnd(const std::string& path);  // which must exist

  // What was moved from may only be destroyed.
  UploadFile(UploadFile&& other) noexcept;
  UploadFile& operator=(UploadFile&&) = delete;
  ~UploadFile();

  // Writes all of `bytes`, or fails after some of them: the file is then as long as it got.
  Status Append(std::string_view bytes);

  // Makes the bytes durable and closes the file; call it once. Without it they may be lost by a
  // crash.
  Status Close();

 private:
  UploadFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_ = -1;
  std::string path_;
};

}  // namespace holdfast::bigquery
