// The rows that one dataset or table has in each metadata view. Internal to information_schema.cc.
//
// Each function appends objects with the view's columns to `rows`, an array; a column that is left
// out is NULL. `table` is null only for AppendSchemata. Times of TIMESTAMP columns are RFC 3339.
// Errors: those of TableStore::ListPartitions, from the two that read it (partitions, storage); the
// others always succeed. Source: BigQuery "INFORMATION_SCHEMA".
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "localcloud/bigquery/service_context.h"
#include "localcloud/warehouse/metadata.h"

namespace holdfast::bigquery {

// SCHEMATA: one row for the dataset.
Status AppendSchemata(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                      const warehouse::TableRecord* table, Json& rows);

// TABLES: one row for the table, view, snapshot, clone or external table.
Status AppendTables(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                    const warehouse::TableRecord* table, Json& rows);

// COLUMNS: a row for each top-level column, in the order of the schema.
Status AppendColumns(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                     const warehouse::TableRecord* table, Json& rows);

// COLUMN_FIELD_PATHS: a row for each field at any depth, parents before their members.
Status AppendColumnFieldPaths(const ServiceContext& context,
                              const warehouse::DatasetRecord& dataset,
                              const warehouse::TableRecord* table, Json& rows);

// PARTITIONS: a row for each partition with data and one for the streaming buffer; one row for a
// table without partitions, none for a view.
Status AppendPartitions(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                        const warehouse::TableRecord* table, Json& rows);

// VIEWS: one row for a view; none for anything else.
Status AppendViews(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                   const warehouse::TableRecord* table, Json& rows);

// TABLE_OPTIONS: a row for each option that is set, its value as GoogleSQL text.
Status AppendTableOptions(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                          const warehouse::TableRecord* table, Json& rows);

// TABLE_STORAGE: one row of counts, in logical bytes; none for what holds no data.
Status AppendTableStorage(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                          const warehouse::TableRecord* table, Json& rows);

// __TABLES__: one row; its times are milliseconds since 1970.
Status AppendTablesMetadata(const ServiceContext& context, const warehouse::DatasetRecord& dataset,
                            const warehouse::TableRecord* table, Json& rows);

}  // namespace holdfast::bigquery
