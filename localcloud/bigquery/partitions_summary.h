// `table$__PARTITIONS_SUMMARY__`: the partitions of a table as a table of their own.
//
// Google's clients list partitions by reading it with tables.get and tabledata.list. Thread-safe.
// Errors: reason "notFound"; "invalid" for a table without partitions.
// Source: BigQuery "Getting partition metadata using meta-tables".
#pragma once

#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

// Whether `table` names the meta-table, whatever table it is of.
bool IsPartitionsSummary(const TableRef& table);

// The meta-table's resource: its name and schema.
Result<Json> PartitionsSummaryTable(const ServiceContext& context, const TableRef& table);

// All of its rows, or the columns of them that selectedFields names, as a tabledata.list answer. A
// table has at most 10,000 partitions, so there is one page.
Result<Json> PartitionsSummaryRows(const ServiceContext& context, const TableRef& table,
                                   const std::vector<std::string>& selected);

}  // namespace holdfast::bigquery
