// Names in GoogleSQL: the one place where a name becomes part of a statement.
//
// Pure. Source: GoogleSQL "Lexical structure", quoted identifiers.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace holdfast {

// The parts, joined by '.', between backticks, with what would end them escaped:
// {"p", "d", "t"} is `p.d.t`, {"a`b"} is `a\`b`.
std::string QuotePath(std::initializer_list<std::string_view> parts);

}  // namespace holdfast
