// Small files of the data directory that are replaced whole: a reader sees the old text or the new.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::cli {

// Writes a file beside `path`, syncs it, and puts it in its place. Errors: kDiskFull, kFileError.
Status ReplaceFile(const std::string& path, std::string_view text);

}  // namespace holdfast::cli
