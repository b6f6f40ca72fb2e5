#include "localcloud/bigquery/information_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/information_schema_rows.h"
#include "localcloud/bigquery/resources.h"

namespace holdfast::bigquery {

namespace {

using googlesql::RelationKind;
using googlesql::RelationRef;
using warehouse::DatasetRecord;
using warehouse::TableRecord;

struct ColumnSpec {
  std::string_view name;
  FieldType type = FieldType::kString;
};

enum class Scope { kDatasets, kTables };

// One view: its columns, and what gives the rows of one dataset or table.
struct ViewSpec {
  std::string_view name;
  Scope scope = Scope::kTables;
  std::span<const ColumnSpec> columns;
  Status (*append)(const ServiceContext& context, const DatasetRecord& dataset,
                   const TableRecord* table, Json& rows) = nullptr;
};

constexpr FieldType kInt = FieldType::kInt64;
constexpr FieldType kTime = FieldType::kTimestamp;

constexpr ColumnSpec kSchemataColumns[] = {{"catalog_name"},
                                           {"schema_name"},
                                           {"schema_owner"},
                                           {"creation_time", kTime},
                                           {"last_modified_time", kTime},
                                           {"location"},
                                           {"default_collation_name"}};
constexpr ColumnSpec kTablesColumns[] = {{"table_catalog"},
                                         {"table_schema"},
                                         {"table_name"},
                                         {"table_type"},
                                         {"is_insertable_into"},
                                         {"is_typed"},
                                         {"is_change_history_enabled"},
                                         {"creation_time", kTime},
                                         {"base_table_catalog"},
                                         {"base_table_schema"},
                                         {"base_table_name"},
                                         {"snapshot_time_ms", kTime},
                                         {"default_collation_name"}};
constexpr ColumnSpec kColumnsColumns[] = {{"table_catalog"},
                                          {"table_schema"},
                                          {"table_name"},
                                          {"column_name"},
                                          {"ordinal_position", kInt},
                                          {"is_nullable"},
                                          {"data_type"},
                                          {"is_generated"},
                                          {"generation_expression"},
                                          {"is_stored"},
                                          {"is_hidden"},
                                          {"is_updatable"},
                                          {"is_system_defined"},
                                          {"is_partitioning_column"},
                                          {"clustering_ordinal_position", kInt},
                                          {"collation_name"},
                                          {"column_default"},
                                          {"rounding_mode"}};
constexpr ColumnSpec kColumnFieldPathsColumns[] = {
    {"table_catalog"}, {"table_schema"}, {"table_name"},     {"column_name"},  {"field_path"},
    {"data_type"},     {"description"},  {"collation_name"}, {"rounding_mode"}};
constexpr ColumnSpec kPartitionsColumns[] = {{"table_catalog"},
                                             {"table_schema"},
                                             {"table_name"},
                                             {"partition_id"},
                                             {"total_rows", kInt},
                                             {"total_logical_bytes", kInt},
                                             {"total_billable_bytes", kInt},
                                             {"last_modified_time", kTime},
                                             {"storage_tier"}};
constexpr ColumnSpec kViewsColumns[] = {{"table_catalog"}, {"table_schema"},
                                        {"table_name"},    {"view_definition"},
                                        {"check_option"},  {"use_standard_sql"}};
constexpr ColumnSpec kTableOptionsColumns[] = {{"table_catalog"}, {"table_schema"},
                                               {"table_name"},    {"option_name"},
                                               {"option_type"},   {"option_value"}};
constexpr ColumnSpec kTableStorageColumns[] = {{"project_id"},
                                               {"table_catalog"},
                                               {"table_schema"},
                                               {"table_name"},
                                               {"creation_time", kTime},
                                               {"total_rows", kInt},
                                               {"total_partitions", kInt},
                                               {"total_logical_bytes", kInt},
                                               {"active_logical_bytes", kInt},
                                               {"long_term_logical_bytes", kInt},
                                               {"storage_last_modified_time", kTime},
                                               {"deleted", FieldType::kBool},
                                               {"table_type"}};
constexpr ColumnSpec kTablesMetadataColumns[] = {{"project_id"},
                                                 {"dataset_id"},
                                                 {"table_id"},
                                                 {"creation_time", kInt},
                                                 {"last_modified_time", kInt},
                                                 {"row_count", kInt},
                                                 {"size_bytes", kInt},
                                                 {"type", kInt}};

constexpr ViewSpec kViews[] = {
    {"SCHEMATA", Scope::kDatasets, kSchemataColumns, AppendSchemata},
    {"TABLES", Scope::kTables, kTablesColumns, AppendTables},
    {"COLUMNS", Scope::kTables, kColumnsColumns, AppendColumns},
    {"COLUMN_FIELD_PATHS", Scope::kTables, kColumnFieldPathsColumns, AppendColumnFieldPaths},
    {"PARTITIONS", Scope::kTables, kPartitionsColumns, AppendPartitions},
    {"VIEWS", Scope::kTables, kViewsColumns, AppendViews},
    {"TABLE_OPTIONS", Scope::kTables, kTableOptionsColumns, AppendTableOptions},
    {"TABLE_STORAGE", Scope::kTables, kTableStorageColumns, AppendTableStorage},
    {"__TABLES__", Scope::kTables, kTablesMetadataColumns, AppendTablesMetadata},
};

Result<const ViewSpec*> FindView(const RelationRef& ref) {
  const std::string name =
      ref.kind == RelationKind::kTablesMetadata ? "__TABLES__" : ref.table.table;
  const auto found =
      std::ranges::find_if(kViews, [&](const ViewSpec& view) { return view.name == name; });
  if (found != std::end(kViews)) return &*found;
  return InvalidQuery(fmt::format("Unsupported construct: INFORMATION_SCHEMA.{}", name));
}

// Every dataset that the view's scope covers.
Result<std::vector<DatasetRecord>> DatasetsInScope(const ServiceContext& context,
                                                   const std::string& location,
                                                   const RelationRef& ref) {
  if (!ref.table.dataset.empty()) {
    HF_ASSIGN_OR_RETURN(DatasetRecord dataset,
                        context.tables().GetDataset(ref.table.dataset_ref()));
    return std::vector<DatasetRecord>{std::move(dataset)};
  }
  const std::string& place = ref.region.empty() ? location : ref.region;
  std::vector<DatasetRecord> datasets;
  warehouse::PageRequest page;
  while (true) {
    HF_ASSIGN_OR_RETURN(auto found, context.tables().ListDatasets(ref.table.project, page));
    for (DatasetRecord& dataset : found.items) {
      const bool hidden = dataset.ref.dataset.starts_with('_');
      if (!hidden && SameLocation(LocationOf(dataset), place)) {
        datasets.push_back(std::move(dataset));
      }
    }
    if (!found.next_token) return datasets;
    page.token = *found.next_token;
  }
}

Status AppendTablesOf(const ServiceContext& context, const DatasetRecord& dataset,
                      const ViewSpec& view, Json& rows) {
  warehouse::PageRequest page;
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto found, context.tables().ListTables(dataset.ref, page));
    for (const TableRecord& table : found.items) {
      HF_RETURN_IF_ERROR(view.append(context, dataset, &table, rows));
    }
    if (!found.next_token) return Ok();
    page.token = *found.next_token;
  }
}

}  // namespace

Result<Schema> InformationSchemaColumns(const RelationRef& ref) {
  HF_ASSIGN_OR_RETURN(const ViewSpec* view, FindView(ref));
  Schema schema;
  for (const ColumnSpec& column : view->columns) {
    Field field;
    field.name = column.name;
    field.type = column.type;
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

Result<Json> InformationSchemaRows(const ServiceContext& context, const std::string& location,
                                   const RelationRef& ref,
                                   const std::optional<std::string>& only_table) {
  HF_ASSIGN_OR_RETURN(const ViewSpec* view, FindView(ref));
  HF_ASSIGN_OR_RETURN(const auto datasets, DatasetsInScope(context, location, ref));
  Json rows = Json::array();
  for (const DatasetRecord& dataset : datasets) {
    if (view->scope == Scope::kDatasets) {
      HF_RETURN_IF_ERROR(view->append(context, dataset, nullptr, rows));
    } else if (only_table) {
      const auto table =
          context.tables().GetTable({dataset.ref.project, dataset.ref.dataset, *only_table, {}});
      if (!table.ok() && IsNotFound(table.error())) continue;
      HF_RETURN_IF_ERROR(table);
      HF_RETURN_IF_ERROR(view->append(context, dataset, &*table, rows));
    } else {
      HF_RETURN_IF_ERROR(AppendTablesOf(context, dataset, *view, rows));
    }
  }
  return rows;
}

}  // namespace holdfast::bigquery
