#include "localcloud/bigquery/partitions_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/resources.h"

namespace holdfast::bigquery {

namespace {

struct Column {
  std::string_view name;
  std::string_view type;
};

constexpr std::array<Column, 6> kColumns = {{{"project_id", "STRING"},
                                             {"dataset_id", "STRING"},
                                             {"table_id", "STRING"},
                                             {"partition_id", "STRING"},
                                             {"creation_time", "INTEGER"},
                                             {"last_modified_time", "INTEGER"}}};

Result<warehouse::TableRecord> FindPartitioned(const ServiceContext& context,
                                               const TableRef& table) {
  HF_ASSIGN_OR_RETURN(warehouse::TableRecord record, context.tables().GetTable(table.WholeTable()));
  if (record.partitioning.IsPartitioned()) return record;
  return Invalid(
      fmt::format("Cannot read partition information from a table that is not "
                  "partitioned: {}",
                  DisplayName(table)));
}

}  // namespace

bool IsPartitionsSummary(const TableRef& table) {
  return table.partition == "__PARTITIONS_SUMMARY__";
}

Result<Json> PartitionsSummaryTable(const ServiceContext& context, const TableRef& table) {
  HF_ASSIGN_OR_RETURN(const warehouse::TableRecord record, FindPartitioned(context, table));
  Json fields = Json::array();
  for (const Column& column : kColumns) {
    fields.push_back({{"name", column.name}, {"type", column.type}, {"mode", "NULLABLE"}});
  }
  return Json{{"kind", "bigquery#table"},
              {"etag", record.etag},
              {"id", DisplayName(table)},
              {"tableReference", TableReferenceToJson(table)},
              {"schema", {{"fields", std::move(fields)}}},
              {"type", "TABLE"}};
}

Result<Json> PartitionsSummaryRows(const ServiceContext& context, const TableRef& table,
                                   const std::vector<std::string>& selected) {
  HF_ASSIGN_OR_RETURN(const warehouse::TableRecord record, FindPartitioned(context, table));
  HF_ASSIGN_OR_RETURN(const auto partitions, context.tables().ListPartitions(record.ref));
  Json rows = Json::array();
  for (const warehouse::PartitionRecord& partition : partitions) {
    const std::array<std::string, kColumns.size()> values = {
        table.project,
        table.dataset,
        table.table,
        partition.id,
        std::to_string(record.created_ms),
        std::to_string(partition.last_modified_ms)};
    Json cells = Json::array();
    for (size_t i = 0; i < kColumns.size(); ++i) {
      const bool wanted =
          selected.empty() || std::ranges::find(selected, kColumns[i].name) != selected.end();
      if (wanted) cells.push_back({{"v", values[i]}});
    }
    rows.push_back({{"f", std::move(cells)}});
  }
  return Json{{"kind", "bigquery#tableDataList"},
              {"etag", record.etag},
              {"totalRows", std::to_string(rows.size())},
              {"rows", std::move(rows)}};
}

}  // namespace holdfast::bigquery
