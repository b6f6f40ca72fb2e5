// Files that a command is given by name.
#pragma once

#include <string>

#include "base/result.h"

namespace holdfast::cli {

// The text of a file of `size_bytes_max` at most. Errors: kUsage (it cannot be read),
// kLimitExceeded.
Result<std::string> ReadTextFile(const std::string& path, size_t size_bytes_max);

}  // namespace holdfast::cli
