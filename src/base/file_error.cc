#include "base/file_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace holdfast {

Error FileError(std::string_view doing, const std::string& path, int code) {
  const ErrorId id = code == ENOSPC || code == EDQUOT ? ErrorId::kDiskFull : ErrorId::kFileError;
  return MakeError(id, fmt::format("{} {}: {}", doing, path, std::strerror(code)));
}

}  // namespace holdfast
