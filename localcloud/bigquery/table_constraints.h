// Foreign keys of `tableConstraints`: what they may refer to.
//
// Keys are kept as they are given and not enforced, as BigQuery does. Thread-safe. Source: BigQuery
// "Use primary and foreign keys".
#pragma once

#include "localcloud/bigquery/service_context.h"
#include "model/resource_names.h"

namespace holdfast::bigquery {

// Errors: reason "invalid" for a foreign key of `table` that refers to a table of another dataset,
// or to one that does not exist; "required" for one that refers to none.
Status CheckForeignKeys(const ServiceContext& context, const TableRef& table, const Json& resource);

}  // namespace holdfast::bigquery
