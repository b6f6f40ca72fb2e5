// The grammar of GoogleSQL: text to a syntax tree, or a syntax error with its place.
//
// A recursive-descent parser over the tokens. Hostile text is bounded: its size by the tokenizer,
// its depth by kSyntaxDepthMax. Text that is GoogleSQL but outside what is translated is named as
// such
// ("Unsupported construct: PIVOT at [1:15]"). Pure functions.
// Source: cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax, -/dml-syntax,
// -/data-definition-language.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "localcloud/googlesql/statement.h"
#include "localcloud/googlesql/syntax.h"

namespace holdfast::googlesql {

struct ParsedStatement {
  Statement statement;
  std::vector<PathName> table_paths;  // every table name in FROM or as a target, in text order
};

// One statement, with or without a `;` behind it. Errors: kInvalidQuery, kUnsupportedQuery.
Result<ParsedStatement> ParseStatement(std::string_view sql);

// One expression alone: a column's default.
Result<ExpressionPtr> ParseExpressionText(std::string_view sql);

}  // namespace holdfast::googlesql
