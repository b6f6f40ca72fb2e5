#include "localcloud/bigquery/information_schema_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/bigquery/resources.h"
#include "localcloud/googlesql/type.h"

namespace holdfast::bigquery {

namespace {

using warehouse::DatasetRecord;
using warehouse::TableKind;
using warehouse::TableRecord;

constexpr std::string_view kNullText = "NULL";  // what BigQuery shows for an absent default

std::string TimeText(int64_t millis) { return FormatTimestamp(FromUnixMillis(millis)); }

Json TableRow(const TableRecord& table) {
  return {{"table_catalog", table.ref.project},
          {"table_schema", table.ref.dataset},
          {"table_name", table.ref.table}};
}

bool HoldsData(const TableRecord& table) {
  return table.kind == TableKind::kTable || table.kind == TableKind::kSnapshot;
}

std::string_view SqlTableType(const TableRecord& table) {
  switch (table.kind) {
    case TableKind::kView:
      return "VIEW";
    case TableKind::kMaterializedView:
      return "MATERIALIZED VIEW";
    case TableKind::kExternal:
      return "EXTERNAL";
    case TableKind::kSnapshot:
      return "SNAPSHOT";
    case TableKind::kTable:
      break;
  }
  return table.resource.contains("cloneDefinition") ? "CLONE" : "BASE TABLE";
}

// The `type` number of __TABLES__.
int TypeNumber(TableKind kind) {
  switch (kind) {
    case TableKind::kView:
      return 2;
    case TableKind::kExternal:
      return 3;
    case TableKind::kMaterializedView:
      return 4;
    case TableKind::kSnapshot:
      return 5;
    case TableKind::kTable:
      break;
  }
  return 1;
}

std::string DataType(const Field& field) {
  return googlesql::TypeName(googlesql::TypeOfField(field));
}

std::optional<int64_t> ClusteringPosition(const TableRecord& table, const std::string& column) {
  const Json* fields = FindPath(table.resource, {"clustering", "fields"});
  if (fields == nullptr || !fields->is_array()) return std::nullopt;
  const auto found = std::ranges::find(*fields, Json(column));
  if (found == fields->end()) return std::nullopt;
  return found - fields->begin() + 1;
}

void AppendPath(const TableRecord& table, const std::string& column, const std::string& path,
                const Field& field, Json& rows) {
  Json row = TableRow(table);
  row["column_name"] = column;
  row["field_path"] = path;
  row["data_type"] = DataType(field);
  if (!field.description.empty()) row["description"] = field.description;
  row["collation_name"] = kNullText;
  rows.push_back(std::move(row));
  for (const Field& child : field.fields) {
    AppendPath(table, column, path + "." + child.name, child, rows);
  }
}

// A GoogleSQL string literal: OPTIONS values are shown as they would be written.
std::string Literal(const Json& text) { return DumpJson(text); }

std::string LabelsLiteral(const Json& labels) {
  std::string text;
  for (const auto& [key, value] : labels.items()) {
    text += fmt::format("{}STRUCT({}, {})", text.empty() ? "" : ", ", Literal(key), Literal(value));
  }
  return "[" + text + "]";
}

void AppendOption(const TableRecord& table, std::string_view name, std::string_view type,
                  std::string value, Json& rows) {
  Json row = TableRow(table);
  row["option_name"] = name;
  row["option_type"] = type;
  row["option_value"] = std::move(value);
  rows.push_back(std::move(row));
}

}  // namespace

Status AppendSchemata(const ServiceContext& /*context*/, const DatasetRecord& dataset,
                      const TableRecord* /*table*/, Json& rows) {
  rows.push_back({{"catalog_name", dataset.ref.project},
                  {"schema_name", dataset.ref.dataset},
                  {"creation_time", TimeText(dataset.created_ms)},
                  {"last_modified_time", TimeText(dataset.modified_ms)},
                  {"location", LocationOf(dataset)},
                  {"default_collation_name", kNullText}});
  return Ok();
}

Status AppendTables(const ServiceContext& /*context*/, const DatasetRecord& /*dataset*/,
                    const TableRecord* table, Json& rows) {
  Json row = TableRow(*table);
  row["table_type"] = SqlTableType(*table);
  row["is_insertable_into"] = table->kind == TableKind::kTable ? "YES" : "NO";
  row["is_typed"] = "NO";
  row["is_change_history_enabled"] = "NO";
  row["creation_time"] = TimeText(table->created_ms);
  row["default_collation_name"] = kNullText;
  for (const std::string_view key : {"snapshotDefinition", "cloneDefinition"}) {
    const Json* definition = FindField(table->resource, key);
    if (definition == nullptr) continue;
    if (const Json* base = FindField(*definition, "baseTableReference")) {
      row["base_table_catalog"] = StringOr(*base, "projectId", "");
      row["base_table_schema"] = StringOr(*base, "datasetId", "");
      row["base_table_name"] = StringOr(*base, "tableId", "");
    }
    const std::string time =
        StringOr(*definition, key == "snapshotDefinition" ? "snapshotTime" : "cloneTime", "");
    if (!time.empty()) row["snapshot_time_ms"] = time;
  }
  rows.push_back(std::move(row));
  return Ok();
}

Status AppendColumns(const ServiceContext& /*context*/, const DatasetRecord& /*dataset*/,
                     const TableRecord* table, Json& rows) {
  int64_t position = 0;
  for (const Field& field : table->schema.fields) {
    Json row = TableRow(*table);
    row["column_name"] = field.name;
    row["ordinal_position"] = ++position;
    row["is_nullable"] = field.mode == FieldMode::kRequired ? "NO" : "YES";
    row["data_type"] = DataType(field);
    row["is_generated"] = "NEVER";
    row["is_hidden"] = "NO";
    row["is_system_defined"] = "NO";
    row["is_partitioning_column"] = table->partitioning.column == field.name ? "YES" : "NO";
    if (const auto clustering = ClusteringPosition(*table, field.name)) {
      row["clustering_ordinal_position"] = *clustering;
    }
    row["collation_name"] = kNullText;
    row["column_default"] = StringOr(field.extras, "defaultValueExpression", kNullText);
    rows.push_back(std::move(row));
  }
  return Ok();
}

Status AppendColumnFieldPaths(const ServiceContext& /*context*/, const DatasetRecord& /*dataset*/,
                              const TableRecord* table, Json& rows) {
  for (const Field& field : table->schema.fields) {
    AppendPath(*table, field.name, field.name, field, rows);
  }
  return Ok();
}

Status AppendPartitions(const ServiceContext& context, const DatasetRecord& /*dataset*/,
                        const TableRecord* table, Json& rows) {
  if (!HoldsData(*table)) return Ok();
  const auto append = [&](const std::string& id, int64_t count, int64_t bytes, int64_t modified) {
    Json row = TableRow(*table);
    if (table->partitioning.IsPartitioned()) row["partition_id"] = id;
    row["total_rows"] = count;
    row["total_logical_bytes"] = bytes;
    row["total_billable_bytes"] = bytes;
    row["last_modified_time"] = TimeText(modified);
    row["storage_tier"] = "ACTIVE";
    rows.push_back(std::move(row));
  };
  HF_ASSIGN_OR_RETURN(const auto partitions, context.tables().ListPartitions(table->ref));
  for (const warehouse::PartitionRecord& partition : partitions) {
    append(partition.id, partition.num_rows, partition.num_bytes, partition.last_modified_ms);
  }
  if (!table->partitioning.IsPartitioned()) {
    // A table without partitions is one row, also while it is empty.
    if (partitions.empty()) append({}, 0, 0, table->last_modified_ms);
    return Ok();
  }
  if (const auto& buffer = table->streaming_buffer) {
    append(std::string(warehouse::kUnpartitioned), buffer->estimated_rows, buffer->estimated_bytes,
           table->last_modified_ms);
  }
  return Ok();
}

Status AppendViews(const ServiceContext& /*context*/, const DatasetRecord& /*dataset*/,
                   const TableRecord* table, Json& rows) {
  const Json* view = FindField(table->resource, "view");
  if (view == nullptr) return Ok();
  Json row = TableRow(*table);
  row["view_definition"] = StringOr(*view, "query", "");
  row["use_standard_sql"] = BoolOr(*view, "useLegacySql", true) ? "NO" : "YES";
  rows.push_back(std::move(row));
  return Ok();
}

Status AppendTableOptions(const ServiceContext& /*context*/, const DatasetRecord& /*dataset*/,
                          const TableRecord* table, Json& rows) {
  const Json& resource = table->resource;
  if (const Json* description = FindField(resource, "description")) {
    AppendOption(*table, "description", "STRING", Literal(*description), rows);
  }
  if (const Json* name = FindField(resource, "friendlyName")) {
    AppendOption(*table, "friendly_name", "STRING", Literal(*name), rows);
  }
  if (const Json* labels = FindField(resource, "labels"); labels && !labels->empty()) {
    AppendOption(*table, "labels", "ARRAY<STRUCT<STRING, STRING>>", LabelsLiteral(*labels), rows);
  }
  if (table->expiration_ms) {
    AppendOption(*table, "expiration_timestamp", "TIMESTAMP",
                 fmt::format("TIMESTAMP \"{}\"", TimeText(*table->expiration_ms)), rows);
  }
  if (table->partitioning.expiration_ms != 0) {
    constexpr double kDayMs = 86'400'000.0;
    AppendOption(*table, "partition_expiration_days", "FLOAT64",
                 fmt::format("{}", static_cast<double>(table->partitioning.expiration_ms) / kDayMs),
                 rows);
  }
  if (BoolOr(resource, "requirePartitionFilter", false)) {
    AppendOption(*table, "require_partition_filter", "BOOL", "true", rows);
  }
  return Ok();
}

Status AppendTableStorage(const ServiceContext& context, const DatasetRecord& /*dataset*/,
                          const TableRecord* table, Json& rows) {
  if (!HoldsData(*table)) return Ok();
  HF_ASSIGN_OR_RETURN(const auto partitions, context.tables().ListPartitions(table->ref));
  Json row = TableRow(*table);
  row["project_id"] = table->ref.project;
  row["creation_time"] = TimeText(table->created_ms);
  row["total_rows"] = table->num_rows;
  row["total_partitions"] = table->partitioning.IsPartitioned() ? partitions.size() : 0;
  row["total_logical_bytes"] = table->num_bytes;
  row["active_logical_bytes"] = table->num_bytes;
  row["long_term_logical_bytes"] = 0;
  row["storage_last_modified_time"] = TimeText(table->data_modified_ms);
  row["deleted"] = false;
  row["table_type"] = SqlTableType(*table);
  rows.push_back(std::move(row));
  return Ok();
}

Status AppendTablesMetadata(const ServiceContext& /*context*/, const DatasetRecord& /*dataset*/,
                            const TableRecord* table, Json& rows) {
  rows.push_back({{"project_id", table->ref.project},
                  {"dataset_id", table->ref.dataset},
                  {"table_id", table->ref.table},
                  {"creation_time", table->created_ms},
                  {"last_modified_time", table->last_modified_ms},
                  {"row_count", table->num_rows},
                  {"size_bytes", table->num_bytes},
                  {"type", TypeNumber(table->kind)}});
  return Ok();
}

}  // namespace holdfast::bigquery
