#include "cli/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace holdfast::cli {

Result<std::string> ReadTextFile(const std::string& path, size_t size_bytes_max) {
  errno = 0;  // the stream tells nothing of why
  std::ifstream file(path, std::ios::binary);
  std::string text;
  // Else it would be there twice whenever it outgrows its place.
  std::error_code no_size;
  const auto size = std::filesystem::file_size(path, no_size);
  if (!no_size) text.reserve(std::min<size_t>(size, size_bytes_max));
  std::string chunk(size_t{1} << 16U, '\0');
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
    text.append(chunk, 0, static_cast<size_t>(file.gcount()));
    // A file without end (a device) does not fill the memory.
    if (text.size() > size_bytes_max) {
      return MakeError(ErrorId::kLimitExceeded,
                       fmt::format("{}: more than {} bytes", path, size_bytes_max));
    }
  }
  if (!file.eof()) {
    const std::string why = errno == 0 ? "" : ": " + std::generic_category().message(errno);
    return MakeError(ErrorId::kUsage, path + ": cannot be read" + why);
  }
  return text;
}

}  // namespace holdfast::cli
