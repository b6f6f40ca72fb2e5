// The tables that a query names, with the bytes of each name: for rewriting view SQL.
//
// Names of WITH queries and of arrays of other FROM items are not tables and are not listed; names
// in comments and strings never are. Pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "localcloud/googlesql/error.h"

namespace holdfast::googlesql {

// A table as the text names it; whether it exists is not asked.
struct TablePath {
  std::vector<std::string> parts;  // "project", "dataset", "table", unquoted and split at dots
  Position position;
  size_t size_bytes = 0;  // of the name as written, quotes included
};

// The table names of one statement, in order of their place. Errors as the parser's.
Result<std::vector<TablePath>> ListTablePaths(std::string_view sql);

}  // namespace holdfast::googlesql
