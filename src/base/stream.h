// Bytes that flow: the two function shapes by which modules hand over data too large for a string.
//
// Used by one thread at a time. After the end or an error neither is called again.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace holdfast {

// Pulls the next bytes into `buffer`; 0 means the end.
using ByteSource = std::function<Result<size_t>(std::span<char> buffer)>;

// Takes the next bytes; an error stops the transfer.
using ByteSink = std::function<Status(std::string_view bytes)>;

}  // namespace holdfast
