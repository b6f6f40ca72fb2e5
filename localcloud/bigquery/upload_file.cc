#include "localcloud/bigquery/upload_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file_error.h"

namespace holdfast::bigquery {

namespace {

constexpr mode_t kPrivate = 0600;

}  // namespace

Result<UploadFile> UploadFile::Create(const std::string& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate);
  if (descriptor < 0) return FileError("creating", path, errno);
  return UploadFile(descriptor, path);
}

Result<UploadFile> UploadFile::OpenAtEnd(const std::string& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor < 0) return FileError("opening", path, errno);
  return UploadFile(descriptor, path);
}

UploadFile::UploadFile(UploadFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

UploadFile::~UploadFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status UploadFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return FileError("writing", path_, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Ok();
}

Status UploadFile::Close() {
  if (fsync(descriptor_) != 0) return FileError("syncing", path_, errno);
  const int descriptor = std::exchange(descriptor_, -1);
  if (close(descriptor) != 0) return FileError("closing", path_, errno);
  return Ok();
}

}  // namespace holdfast::bigquery
