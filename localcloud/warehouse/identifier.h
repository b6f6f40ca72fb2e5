// Names and text inside SQL that DuckDB reads: the only place where either is quoted.
//
// Table and column names of BigQuery may hold quotes, spaces and any letter of Unicode, so a name
// never enters a statement but through these functions; values go as bound parameters wherever
// DuckDB takes one. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::warehouse {

// "name" with inner double quotes doubled: safe as a column, table or alias.
std::string QuoteIdentifier(std::string_view name);

// 'text' with inner quotes doubled: for the places where DuckDB takes no parameter (COPY targets,
// options of table functions). A NUL byte, which DuckDB would refuse, is dropped.
std::string QuoteLiteral(std::string_view text);

}  // namespace holdfast::warehouse
