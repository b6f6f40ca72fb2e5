// Names and text inside DuckDB SQL: the only door through which text of the user enters it.
//
// Pure functions. The warehouse's own quoting is for its statements; this module does not include
// it.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::googlesql {

// "name" with inner double quotes doubled.
std::string QuoteName(std::string_view name);

// 'text' with inner quotes doubled; a NUL byte becomes `|| chr(0) ||`, since SQL text cannot hold
// it.
std::string QuoteText(std::string_view text);

// '\x41\x00'::BLOB.
std::string QuoteBytes(std::string_view bytes);

}  // namespace holdfast::googlesql
