// Functions whose DuckDB SQL depends on more than text put in places: the "@" entries of
// functions.def.
//
// Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "localcloud/googlesql/coerce.h"
#include "localcloud/googlesql/error.h"

namespace holdfast::googlesql {

// The SQL of the entry "@name" over its arguments; a date part is the `text` of its argument.
// Errors: kInvalidQuery (a part that the type lacks), kUnsupportedQuery (a FORMAT specifier).
Result<std::string> SpecialFunctionSql(std::string_view name, std::span<const TypedSql> arguments,
                                       Position position);

// The text that BigQuery's TO_JSON_STRING gives for a value; nullopt: a type that it lacks here.
std::optional<std::string> JsonTextSql(const TypedSql& value);

}  // namespace holdfast::googlesql
