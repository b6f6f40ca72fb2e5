// What a column holds in rows that do not name it: its DEFAULT, or NULL.
//
// The default is GoogleSQL (`defaultValueExpression`), which the caller translates: the warehouse
// knows DuckDB's SQL alone. It is evaluated for each row that takes it, as of the job's beginning.
// Source: BigQuery "Specify default column values".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

// DuckDB's SQL of the default of `field`, which has one; of the field's type. Errors: as the
// translation's. Empty: no column has a default.
using DefaultSql = std::function<Result<std::string>(const Field& field)>;

// Whether the document of the field has a default.
bool HasDefault(const Field& field);

// SQL of what `field` holds in a row that has no such column.
Result<std::string> AbsentValue(const Field& field, const DefaultSql& default_sql);

// `schema`, with the defaults of `table` where it does not say any: a load's own schema need not
// repeat them.
Schema WithDefaultsOf(const Schema& table, Schema schema);

// Gives each row, a JSON object as in insertAll, the defaults of the columns that it does not name.
// Errors: those of the translation; kQueryFailed for a default that cannot be evaluated.
Status FillDefaults(Warehouse& warehouse, const Schema& schema, const DefaultSql& default_sql,
                    std::vector<Json>& rows);

}  // namespace holdfast::warehouse
