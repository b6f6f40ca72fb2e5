// What the system says when a call on a file fails, as an Error.
//
// The one place that tells a full disk (ENOSPC, EDQUOT) from every other failure: the first is
// kDiskFull, for which retry and advice differ, the others kFileError. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

// `doing`: a verb such as "writing"; `code`: errno, or the value of a std::error_code. The message
// is "doing path: the system's words".
Error FileError(std::string_view doing, const std::string& path, int code);

}  // namespace holdfast
