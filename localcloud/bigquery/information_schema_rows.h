// The rows that one dataset or table has in each metadata view. Internal to information_schema.cc.
//
// Each function appends objects with the view's columns to `rows`, an array; a column that is left
// out is NULL. `table` is null only for views of datasets. Times of TIMESTAMP columns are RFC 3339.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "localcloud/bigquery/service_context.h"
#include "localcloud/warehouse/metadata.h"

namespace holdfast::bigquery {

Status AppendSchemata(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                      const warehouse::TableRecord* table, Json& rows);
Status AppendTables(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                    const warehouse::TableRecord* table, Json& rows);
Status AppendColumns(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                     const warehouse::TableRecord* table, Json& rows);
Status AppendColumnFieldPaths(const ServiceContext& context,
                              const warehouse::DatasetRecord& dataset,
                              const warehouse::TableRecord* table, Json& rows);
Status AppendPartitions(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                        const warehouse::TableRecord* table, Json& rows);
Status AppendViews(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                   const warehouse::TableRecord* table, Json& rows);
Status AppendTableOptions(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                          const warehouse::TableRecord* table, Json& rows);
Status AppendTableStorage(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                          const warehouse::TableRecord* table, Json& rows);
Status AppendTablesMetadata(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                            const warehouse::TableRecord* table, Json& rows);

}  // namespace holdfast::bigquery
