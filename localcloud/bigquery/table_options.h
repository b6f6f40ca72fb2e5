// OPTIONS(...) of DDL as members of table and dataset resources, and partitioning the same way.
//
// Pure. Errors: reason "invalidQuery" for an option that is not known or has a wrong value.
// Source: BigQuery "table_option_list", "view_option_list", "schema_option_list".
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "localcloud/googlesql/plan.h"

namespace holdfast::bigquery {

// A merge patch (RFC 7396) of a table's resource: an option set to NULL clears its member.
Result<Json> TableOptionsPatch(const std::vector<googlesql::Option>& options);

// The same for a dataset's resource.
Result<Json> DatasetOptionsPatch(const std::vector<googlesql::Option>& options);

// The resource of a new table: options, timePartitioning or rangePartitioning, clustering.
Result<Json> TableResource(const googlesql::CreateTablePlan& plan);

}  // namespace holdfast::bigquery
