// The lexical grammar of GoogleSQL: text to tokens that know their bytes and their place.
//
// Whitespace and comments are tokens too, so the tokens of a text, one after the other, are the
// text: names in a view's SQL can be rewritten without touching anything else. After a dot a name
// may start with a digit or be a keyword, as in BigQuery. Tokens point into the text, which must
// outlive them. Source: cloud.google.com/bigquery/docs/reference/standard-sql/lexical.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "localcloud/googlesql/error.h"

namespace holdfast::googlesql {

inline constexpr size_t kQuerySizeBytesMax = size_t{1} << 20U;  // BigQuery: 1 MB of query text

enum class TokenKind {
  kWhitespace,
  kComment,           // # line, -- line, /* block */
  kIdentifier,        // not quoted; may be a keyword
  kQuotedIdentifier,  // `...`
  kString,            // any quotes, raw or not
  kBytes,             // b'...'
  kInteger,           // decimal or 0x
  kFloat,
  kNamedParameter,       // @name
  kPositionalParameter,  // ?
  kSystemVariable,       // @@name
  kSymbol,
  kEnd,  // empty, behind the last byte
};

// One piece of the text; views point into it.
struct Token {
  TokenKind kind = TokenKind::kEnd;
  Position position;
  std::string_view text;  // the bytes as written
  std::string value;      // identifiers, strings and bytes without quotes and escapes; @name's name
};

// All tokens of `sql`, kEnd last. Errors: kInvalidQuery (bad UTF-8, an unclosed literal, a bad
// escape, a character of no token), kUnsupportedQuery for text over kQuerySizeBytesMax.
Result<std::vector<Token>> Tokenize(std::string_view sql);

// Whether an unquoted word is reserved, and so not a name; any case.
bool IsReservedWord(std::string_view word);

}  // namespace holdfast::googlesql
