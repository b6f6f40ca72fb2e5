#include "cli/replace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/file_error.h"

namespace holdfast::cli {

namespace {

Status WriteAndSync(int descriptor, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("writing", path, errno);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(descriptor) != 0) return FileError("syncing", path, errno);
  return Ok();
}

}  // namespace

Status ReplaceFile(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  const int descriptor = open(fresh.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return FileError("writing", fresh, errno);
  const Status written = WriteAndSync(descriptor, fresh, text);
  close(descriptor);
  HF_RETURN_IF_ERROR(written);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return FileError("writing", path, errno);
  return Ok();
}

}  // namespace holdfast::cli
