// The escapes of GoogleSQL's string, bytes and identifier literals, decoded.
//
// Pure functions. Source: lexical.md "Escape sequences for string and bytes literals".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "localcloud/googlesql/error.h"

namespace holdfast::googlesql {

enum class LiteralKind { kText, kBytes };

// The value of `body`, the text between the quotes. `position` is the literal's, for errors: an
// unknown escape, \u in bytes, a value that is not Unicode (kInvalidQuery).
Result<std::string> DecodeEscapes(std::string_view body, LiteralKind kind, Position position);

// The number of bytes of the UTF-8 character at the start of `text`; 0 if it is malformed or empty.
size_t Utf8Length(std::string_view text);

}  // namespace holdfast::googlesql
