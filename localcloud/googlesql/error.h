// Failures of GoogleSQL text, worded and placed as BigQuery does: "Syntax error: ... at [1:8]".
//
// Every error of this module carries the reason "invalidQuery", which the BigQuery service answers
// with HTTP 400. Lines and columns count from 1; a column is one Unicode code point. Pure
// functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::googlesql {

// A place in the text of one statement.
struct Position {
  size_t offset = 0;  // in bytes
  int line = 1;
  int column = 1;

  bool operator==(const Position&) const = default;
};

// "Syntax error: `message` at [line:column]" (kInvalidQuery).
Error SyntaxError(std::string_view message, Position position);

// "`message` at [line:column]" (kInvalidQuery): well-formed text that means nothing.
Error QueryError(std::string_view message, Position position);

// "Unsupported construct: `construct` at [line:column]" (kUnsupportedQuery): valid GoogleSQL that
// is not translated.
Error UnsupportedError(std::string_view construct, Position position);

// "Query is too `what`" with the limit named (kUnsupportedQuery).
Error QueryLimitError(std::string_view what, Position position);

}  // namespace holdfast::googlesql
