// HMAC-SHA256: proof, to whoever shares the key, that a message is ours and whole.
//
// Pure; the key reaches no log and no error. Source: RFC 2104, RFC 4231.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// The raw 32 bytes. A key of any length is taken.
std::string HmacSha256(std::string_view key, std::string_view message);

}  // namespace holdfast
