// What the columns of a DuckDB result are in BigQuery, and the casts that make them so.
//
// HUGEINT and the small integers become INT64, FLOAT FLOAT64, decimals NUMERIC, and so on. Types
// that BigQuery does not have (MAP, INTERVAL, lists of lists, ...) are a clear error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "localcloud/warehouse/duck.h"
#include "model/schema.h"

namespace holdfast::warehouse {

// The fields of `statement`'s result; `hints` as in Query::column_hints. Errors: kQueryFailed for a
// type that BigQuery lacks, and for two columns of one name.
Result<Schema> ResultSchema(const DuckStatement& statement,
                            const std::vector<std::optional<Field>>& hints);

// A SELECT of `sql`'s columns by position, each cast to its stored type and named as in `schema`.
std::string CastedSelect(const std::string& sql, const Schema& schema);

// SQL that makes a value of a query's column fit a table's field: INT64 to FLOAT64, NUMERIC or
// BIGNUMERIC, NUMERIC to FLOAT64 or BIGNUMERIC, text to the civil types and TIMESTAMP. nullopt when
// BigQuery has no such assignment.
std::optional<std::string> AssignExpression(const std::string& value, const Field& from,
                                            const Field& to);

}  // namespace holdfast::warehouse
