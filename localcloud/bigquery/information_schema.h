// INFORMATION_SCHEMA views and __TABLES__: the catalog as rows that a query can read.
//
// The scope of a view is one dataset, or with `region-...` every dataset of the project in that
// location. Rows are made when a query binds the view. Thread-safe. Errors: reason "invalidQuery"
// for a view that is not kept here; "notFound" for a dataset. Source: BigQuery
// "INFORMATION_SCHEMA".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "localcloud/bigquery/service_context.h"
#include "localcloud/googlesql/plan.h"
#include "model/schema.h"

namespace holdfast::bigquery {

// The columns of the view that `ref` names.
Result<Schema> InformationSchemaColumns(const googlesql::RelationRef& ref);

// Its rows: an array of objects with those columns. `location`: the query's. `only_table`: rows of
// tables of another name need not be there.
Result<Json> InformationSchemaRows(const ServiceContext& context, const std::string& location,
                                   const googlesql::RelationRef& ref,
                                   const std::optional<std::string>& only_table = {});

}  // namespace holdfast::bigquery
