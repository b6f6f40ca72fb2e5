// The registry of functions: what each takes and gives, and how it is said in DuckDB.
//
// `arguments` is a list of words: a type's name; T any type, G one with equality, O one with an
// order, N a number (the same letter, the same type; ARRAY<T>, RANGE<T> too); ANY whatever; `...`
// behind the last word: one or more. Words with a syntax of their own: PART a date part; REGEX,
// FORMAT and PATH string literals that are read here; INTERVAL, DATE_INTERVAL and TIME_INTERVAL
// what INTERVAL n PART gives, limited to parts of days or more, or of days or less; `*` a star.
//
// `sql` holds marks: $1 $2 ... the arguments, $* all by commas, $| all by ||, $g the group of
// REGEX, $now the query's time, $space what TRIM removes; for aggregates $D DISTINCT, $O ORDER BY,
// $F the filter of IGNORE NULLS, $L LIMIT, $W OVER, $N IGNORE NULLS of navigation. "@name" is a
// function of this module (special_functions.h). Static data.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast::googlesql {

enum class FunctionKind { kScalar, kAggregate, kAnalytic };

// One way to call a function.
struct FunctionSignature {
  std::string_view name;  // upper case
  FunctionKind kind;
  std::string_view arguments;
  std::string_view result;
  std::string_view sql;
};

// All signatures; those of one name stand together.
std::span<const FunctionSignature> AllFunctions();

// The signatures of `name` (upper case); empty: no such function.
std::span<const FunctionSignature> FindFunction(std::string_view name);

// A Markdown table of the functions with their arguments and results, for the reference.
std::string RenderFunctionReference();

}  // namespace holdfast::googlesql
