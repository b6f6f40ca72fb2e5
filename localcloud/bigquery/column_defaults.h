// DEFAULT expressions of columns (`defaultValueExpression`): checked when a table takes them, and
// translated when rows arrive without the column.
//
// Thread-safe. Source: BigQuery "Specify default column values".
#pragma once

#include "localcloud/bigquery/service_context.h"
#include "localcloud/warehouse/column_default.h"
#include "model/schema.h"

namespace holdfast::bigquery {

// The translation of defaults as of now: CURRENT_TIMESTAMP() is one moment for a whole job.
warehouse::DefaultSql DefaultsAsOfNow(const ServiceContext& context);

// Errors: reason "invalid", naming the column, for a default that cannot be evaluated, that is not
// of the column's type, or that stands at a member of a RECORD.
Status CheckDefaults(const ServiceContext& context, const Schema& schema);

}  // namespace holdfast::bigquery
