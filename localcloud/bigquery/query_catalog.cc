#include "localcloud/bigquery/query_catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/information_schema.h"
#include "localcloud/bigquery/job_settings.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"

namespace holdfast::bigquery {

namespace {

using googlesql::Relation;
using googlesql::RelationKind;
using googlesql::RelationRef;
using googlesql::ResolvedTable;
using warehouse::Binding;
using warehouse::TableKind;
using warehouse::TableRecord;

constexpr size_t kWildcardTablesMax = 1000;  // as BigQuery's limit of tables per query
constexpr std::string_view kTableSuffix = "_TABLE_SUFFIX";

Field PseudoColumn(std::string_view name, FieldType type) {
  Field field;
  field.name = name;
  field.type = type;
  return field;
}

bool IsWildcard(const RelationRef& ref) {
  return ref.kind == RelationKind::kTable && ref.table.table.ends_with('*');
}

// The GoogleSQL behind a view; nullopt for what is no view.
Result<std::optional<std::string>> ViewSql(const TableRecord& table) {
  const bool materialized = table.kind == TableKind::kMaterializedView;
  if (table.kind != TableKind::kView && !materialized) return std::optional<std::string>();
  const Json* view = FindField(table.resource, materialized ? "materializedView" : "view");
  if (view == nullptr) return InvalidQuery("The view has no query: " + DisplayName(table.ref));
  if (!materialized && BoolOr(*view, "useLegacySql", true)) {
    return InvalidQuery(fmt::format(
        "Cannot reference a legacy SQL view in a standard SQL query: {}", DisplayName(table.ref)));
  }
  return std::optional(StringOr(*view, "query", ""));
}

// SELECT of the columns of `schema` from a table that may lack some, with its suffix.
std::string MemberSelect(const std::string& name, const Schema& own, const Schema& schema,
                         std::string_view suffix) {
  std::string columns;
  for (const Field& field : schema.fields) {
    const Field* there = own.Find(field.name);
    const std::string expression =
        there == nullptr
            ? warehouse::AbsentExpression(field)
            : warehouse::AdaptExpression(warehouse::QuoteIdentifier(there->name), *there, field);
    columns += fmt::format("{} AS {}, ", expression, warehouse::QuoteIdentifier(field.name));
  }
  return fmt::format("SELECT {}{} AS {} FROM {}", columns, warehouse::QuoteLiteral(suffix),
                     warehouse::QuoteIdentifier(kTableSuffix), warehouse::QuoteIdentifier(name));
}

bool RequiresFilter(const TableRecord& table) {
  if (!table.partitioning.IsPartitioned()) return false;
  const Json* time = FindField(table.resource, "timePartitioning");
  return BoolOr(table.resource, "requirePartitionFilter", false) ||
         (time != nullptr && BoolOr(*time, "requirePartitionFilter", false));
}

// The columns by which partitions can be left out.
std::vector<std::string> PartitionColumns(const warehouse::Partitioning& partitioning) {
  if (partitioning.kind != warehouse::PartitionKind::kIngestionTime) return {partitioning.column};
  return {std::string(warehouse::kPartitionTimeColumn),
          std::string(warehouse::kPartitionDateColumn)};
}

// The one table that the SQL keeps rows of, if it says so.
std::optional<std::string> OnlyTable(const Relation& relation, const QueryParameters& parameters) {
  if (relation.only_table_parameter) return parameters.values.at(*relation.only_table_parameter);
  return relation.only_table;
}

const TableRecord& Newest(const std::vector<TableRecord>& tables) {
  return *std::ranges::max_element(tables, {}, &TableRecord::created_ms);
}

}  // namespace

Result<TableRecord> QueryCatalog::Find(const RelationRef& ref) {
  HF_RETURN_IF_ERROR(CheckDatasetIsIn(context_, ref.table.dataset_ref(), location_));
  if (ref.as_of_ms) {
    HF_ASSIGN_OR_RETURN(warehouse::TableSnapshot snapshot,
                        context_.tables().Snapshot(ref.table, ref.as_of_ms));
    return std::move(snapshot.table);
  }
  Result<TableRecord> table = context_.tables().GetTable(ref.table);
  if (!table.ok() && IsNotFound(table.error())) {
    return NotFound(
        fmt::format("Table {} was not found in location {}", DisplayName(ref.table), location_));
  }
  return table;
}

Result<ResolvedTable> QueryCatalog::Resolve(const RelationRef& ref) {
  ResolvedTable resolved;
  if (ref.kind != RelationKind::kTable) {
    if (!ref.table.dataset.empty()) {
      HF_RETURN_IF_ERROR(CheckDatasetIsIn(context_, ref.table.dataset_ref(), location_));
    }
    HF_ASSIGN_OR_RETURN(resolved.schema, InformationSchemaColumns(ref));
    return resolved;
  }
  if (IsWildcard(ref)) return ResolveWildcard(ref.table);
  HF_ASSIGN_OR_RETURN(const TableRecord table, Find(ref));
  referenced_.insert(table.ref);
  if (table.kind == TableKind::kExternal) {
    return InvalidQuery(
        fmt::format("External table {} cannot be queried: only its definition is kept",
                    DisplayName(table.ref)));
  }
  HF_ASSIGN_OR_RETURN(resolved.view_sql, ViewSql(table));
  resolved.schema = table.schema;
  if (RequiresFilter(table)) resolved.filter_columns = PartitionColumns(table.partitioning);
  if (table.partitioning.kind == warehouse::PartitionKind::kIngestionTime) {
    resolved.pseudo_columns.push_back(
        PseudoColumn(warehouse::kPartitionTimeColumn, FieldType::kTimestamp));
    resolved.pseudo_columns.push_back(
        PseudoColumn(warehouse::kPartitionDateColumn, FieldType::kDate));
  }
  return resolved;
}

Result<std::vector<TableRecord>> QueryCatalog::FindWildcard(const TableRef& pattern) {
  HF_RETURN_IF_ERROR(CheckDatasetIsIn(context_, pattern.dataset_ref(), location_));
  const std::string_view prefix(pattern.table.data(), pattern.table.size() - 1);
  std::vector<TableRecord> tables;
  warehouse::PageRequest page;
  while (true) {
    HF_ASSIGN_OR_RETURN(auto found, context_.tables().ListTables(pattern.dataset_ref(), page));
    for (TableRecord& table : found.items) {
      if (table.kind == TableKind::kTable && table.ref.table.starts_with(prefix)) {
        tables.push_back(std::move(table));
      }
    }
    if (tables.size() > kWildcardTablesMax) {
      return InvalidQuery(
          fmt::format("{} matches more than {} tables", DisplayName(pattern), kWildcardTablesMax));
    }
    if (!found.next_token) break;
    page.token = *found.next_token;
  }
  if (!tables.empty()) return tables;
  return InvalidQuery(fmt::format("{} does not match any table.", DisplayName(pattern)));
}

Result<ResolvedTable> QueryCatalog::ResolveWildcard(const TableRef& pattern) {
  HF_ASSIGN_OR_RETURN(const std::vector<TableRecord> tables, FindWildcard(pattern));
  ResolvedTable resolved;
  resolved.schema = Newest(tables).schema;
  resolved.pseudo_columns.push_back(PseudoColumn(kTableSuffix, FieldType::kString));
  return resolved;
}

Result<std::vector<Binding>> QueryCatalog::Bind(const std::vector<Relation>& relations,
                                                const QueryParameters& parameters) {
  std::vector<Binding> bindings;
  for (const Relation& relation : relations) {
    if (relation.ref.kind != RelationKind::kTable) {
      warehouse::RowsBinding rows;
      HF_ASSIGN_OR_RETURN(rows.schema, InformationSchemaColumns(relation.ref));
      HF_ASSIGN_OR_RETURN(rows.rows, InformationSchemaRows(context_, location_, relation.ref,
                                                           OnlyTable(relation, parameters)));
      bindings.push_back({.name = relation.name, .relation = std::move(rows)});
    } else if (IsWildcard(relation.ref)) {
      HF_RETURN_IF_ERROR(BindWildcard(relation, bindings));
    } else {
      HF_RETURN_IF_ERROR(BindTable(relation, bindings));
    }
  }
  if (bytes_max_ && bytes_ > *bytes_max_) {
    return WithReason(
        "bytesBilledLimitExceeded",
        MakeError(ErrorId::kQueryFailed,
                  fmt::format("Query exceeded limit for bytes billed: {}. {} or higher "
                              "required.",
                              *bytes_max_, bytes_)));
  }
  return bindings;
}

Status QueryCatalog::BindTable(const Relation& relation, std::vector<Binding>& bindings) {
  HF_ASSIGN_OR_RETURN(const TableRecord table, Find(relation.ref));
  bytes_ += table.num_bytes;
  bindings.push_back({.name = relation.name,
                      .relation = warehouse::TableBinding{
                          .table = relation.ref.table,
                          .as_of_ms = relation.ref.as_of_ms,
                          .with_partition_columns = relation.with_pseudo_columns}});
  return Ok();
}

Status QueryCatalog::BindWildcard(const Relation& relation, std::vector<Binding>& bindings) {
  const TableRef& pattern = relation.ref.table;
  HF_ASSIGN_OR_RETURN(const std::vector<TableRecord> tables, FindWildcard(pattern));
  const Schema& schema = Newest(tables).schema;
  std::string sql;
  for (size_t i = 0; i < tables.size(); ++i) {
    const std::string name = fmt::format("{}_{}", relation.name, i);
    const std::string suffix = tables[i].ref.table.substr(pattern.table.size() - 1);
    bindings.push_back({.name = name,
                        .relation = warehouse::TableBinding{.table = tables[i].ref,
                                                            .as_of_ms = relation.ref.as_of_ms,
                                                            .with_partition_columns = false}});
    sql += (i == 0 ? "" : " UNION ALL ") + MemberSelect(name, tables[i].schema, schema, suffix);
    bytes_ += tables[i].num_bytes;
    referenced_.insert(tables[i].ref);
  }
  bindings.push_back({.name = relation.name, .relation = warehouse::ViewBinding{std::move(sql)}});
  return Ok();
}

}  // namespace holdfast::bigquery
