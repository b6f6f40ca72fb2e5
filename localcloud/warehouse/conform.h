// What a column may hold, as SQL: the last check before rows become files of a table.
//
// NULL in a REQUIRED field, text longer than STRING(n), bytes longer than BYTES(n) and digits that
// NUMERIC(p, s) and BIGNUMERIC(p, s) do not have end the query, in records and lists too; digits
// behind the point beyond the scale are rounded half away from zero; NULL becomes an empty list in
// a REPEATED field. Pure. Source: BigQuery "Parameterized data types", "Specifying a schema".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/schema.h"

namespace holdfast::warehouse {

// The n of STRING(n), in characters, or BYTES(n); nullopt when there is none, or for other types.
std::optional<int64_t> MaxLength(const Field& field);

// SQL of the field's column, of its stored type, as the table may hold it.
std::string ConformExpression(const Field& field);

}  // namespace holdfast::warehouse
