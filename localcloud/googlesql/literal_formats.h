// Little languages inside string literals: time formats, JSONPath, regular expressions.
//
// They are read here when the query is translated, so BigQuery's meaning is kept or the query
// refused; that is why they must be literals. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "localcloud/googlesql/error.h"

namespace holdfast::googlesql {

// A format of FORMAT_DATE, PARSE_TIMESTAMP ... as DuckDB's strftime reads it.
// Errors: kUnsupportedQuery naming the element.
Result<std::string> ConvertTimeFormat(std::string_view format, Position position);

// A JSONPath of BigQuery, `$.a['b c'][0]`, as DuckDB reads it: `$."a"."b c"[0]`.
// Errors: kInvalidQuery for what is no path, kUnsupportedQuery for wildcards and the like.
Result<std::string> ConvertJsonPath(std::string_view path, Position position);

// The number of capturing groups of an RE2 pattern.
int CountRegexGroups(std::string_view pattern);

}  // namespace holdfast::googlesql
