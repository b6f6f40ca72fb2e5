#include "localcloud/bigquery/tables.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "localcloud/bigquery/column_defaults.h"
#include "localcloud/bigquery/fault.h"
#include "localcloud/bigquery/partitions_summary.h"
#include "localcloud/bigquery/resources.h"
#include "localcloud/bigquery/table_constraints.h"

namespace holdfast::bigquery {

namespace {

using warehouse::TableKind;
using warehouse::TableRecord;

constexpr rest::PageSizes kTablePages = {.usual = 1000, .maximum = 10'000};
constexpr int64_t kClusteringFieldsMax = 4;

// Members that say how a table is laid out: fixed once it exists.
constexpr std::array<std::string_view, 2> kLayoutFields = {"timePartitioning", "rangePartitioning"};

Status CheckClustering(const Json& resource, const Schema& schema) {
  const Json* fields = FindPath(resource, {"clustering", "fields"});
  if (fields == nullptr) return Ok();
  if (!fields->is_array() || fields->empty() || fields->size() > kClusteringFieldsMax) {
    return Invalid("Invalid clustering: it takes one to four fields");
  }
  for (const Json& name : *fields) {
    if (!name.is_string() || schema.Find(name.get_ref<const std::string&>()) == nullptr) {
      return Invalid(
          fmt::format("The field specified for clustering cannot be found in the schema. "
                      "Invalid field: {}.",
                      DumpJson(name)));
    }
  }
  return Ok();
}

Status CheckExpiration(const Json& resource, int64_t now_ms) {
  HF_ASSIGN_OR_RETURN(const auto expiration, OptionalInt64(resource, "expirationTime"));
  if (!expiration || *expiration >= now_ms) return Ok();
  return Invalid(fmt::format("Invalid value for expirationTime: {} is in the past", *expiration));
}

// Partitioning without the one member of it that may change.
Json LayoutOf(const Json& resource, std::string_view key) {
  const Json* layout = FindField(resource, key);
  if (layout == nullptr) return {};
  Json fixed = *layout;
  fixed.erase("expirationMs");
  fixed.erase("requirePartitionFilter");
  return fixed;
}

Status CheckSameLayout(const TableRef& table, const Json& before, const Json& after) {
  for (const std::string_view key : kLayoutFields) {
    if (LayoutOf(before, key) == LayoutOf(after, key)) continue;
    return Invalid(fmt::format(
        "Cannot change partitioning/clustering spec for a partitioned/clustered table, or convert "
        "a table to or from one: {} of {}",
        key, DisplayName(table)));
  }
  return Ok();
}

// Makes the record speak of one partition only: its name, its counts.
Status NarrowToPartition(const ServiceContext& context, const TableRef& ref, TableRecord& record) {
  HF_RETURN_IF_ERROR(warehouse::ValidatePartitionId(record.partitioning, ref.partition));
  HF_ASSIGN_OR_RETURN(const auto partitions, context.tables().ListPartitions(ref.WholeTable()));
  record.ref = ref;
  record.num_rows = 0;
  record.num_bytes = 0;
  for (const warehouse::PartitionRecord& partition : partitions) {
    if (partition.id != ref.partition) continue;
    record.num_rows = partition.num_rows;
    record.num_bytes = partition.num_bytes;
    record.last_modified_ms = partition.last_modified_ms;
  }
  return Ok();
}

}  // namespace

Result<Schema> Tables::SchemaOfResource(const std::string& project, const Json& resource) {
  const Json* schema = FindField(resource, "schema");
  if (schema != nullptr) return Schema::FromJson(*schema);
  if (const Json* view = FindField(resource, "view")) {
    HF_ASSIGN_OR_RETURN(const std::string sql, RequiredString(*view, "query"));
    if (!BoolOr(*view, "useLegacySql", true)) return view_schema_(project, sql);
  }
  if (const Json* schema_of_files = FindPath(resource, {"externalDataConfiguration", "schema"})) {
    return Schema::FromJson(*schema_of_files);
  }
  return Schema{};
}

Result<Json> Tables::Insert(const Request& request) {
  const Json* reference = FindField(request.body, "tableReference");
  if (reference == nullptr) return Required("tableReference");
  warehouse::TableDefinition definition;
  HF_ASSIGN_OR_RETURN(definition.ref, ParseTableReference(*reference, request.project()));
  if (!ValidateTableId(definition.ref.table).ok() || !definition.ref.partition.empty()) {
    return Invalid(fmt::format("Invalid table ID \"{}\".", definition.ref.table.substr(0, 100)));
  }
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord dataset,
                      context_.tables().GetDataset(definition.ref.dataset_ref()));
  definition.resource.merge_patch(WithoutServerFields(request.body));  // leaves nulls out
  HF_RETURN_IF_ERROR(CheckExpiration(definition.resource, context_.NowMs()));
  HF_RETURN_IF_ERROR(CheckLabels(definition.resource));
  definition.kind = KindOfResource(definition.resource);
  HF_ASSIGN_OR_RETURN(definition.schema, SchemaOfResource(request.project(), definition.resource));
  definition.resource.erase("schema");
  definition.resource.erase("location");
  HF_RETURN_IF_ERROR(CheckClustering(definition.resource, definition.schema));
  HF_RETURN_IF_ERROR(CheckDefaults(context_, definition.schema));
  HF_RETURN_IF_ERROR(CheckForeignKeys(context_, definition.ref, definition.resource));
  HF_ASSIGN_OR_RETURN(const TableRecord record, context_.tables().CreateTable(definition));
  return TableToJson(record, LocationOf(dataset), TableView::kStorageStats);
}

Result<Json> Tables::Get(const Request& request) {
  HF_ASSIGN_OR_RETURN(const TableView view, ParseTableView(request.query.Get("view")));
  HF_ASSIGN_OR_RETURN(const DecoratedTable asked, request.DecoratedTableAt(context_.NowMs()));
  const TableRef& ref = asked.table;
  if (IsPartitionsSummary(ref)) return PartitionsSummaryTable(context_, ref);
  if (asked.as_of_ms) return GetAsOf(request, asked, view);
  HF_ASSIGN_OR_RETURN(TableRecord record, context_.tables().GetTable(ref.WholeTable()));
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord dataset,
                      context_.tables().GetDataset(request.dataset()));
  if (!ref.partition.empty()) HF_RETURN_IF_ERROR(NarrowToPartition(context_, ref, record));
  return TableToJson(record, LocationOf(dataset), view);
}

Result<Json> Tables::GetAsOf(const Request& request, const DecoratedTable& asked, TableView view) {
  HF_ASSIGN_OR_RETURN(const warehouse::TableSnapshot snapshot,
                      context_.tables().Snapshot(asked.table, asked.as_of_ms));
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord dataset,
                      context_.tables().GetDataset(request.dataset()));
  TableRecord record = snapshot.table;
  record.ref = asked.table;
  record.num_rows = 0;
  record.num_bytes = 0;
  for (const warehouse::DataFile& file : snapshot.files) {
    record.num_rows += file.rows;
    record.num_bytes += file.bytes;
  }
  return TableToJson(record, LocationOf(dataset), view);
}

Result<Json> Tables::List(const Request& request) {
  const std::string listing = "tables " + request.dataset().ToString();
  HF_ASSIGN_OR_RETURN(const warehouse::PageRequest page, request.Page(listing, kTablePages));
  HF_ASSIGN_OR_RETURN(const auto found, context_.tables().ListTables(request.dataset(), page));
  Json answer = {{"kind", "bigquery#tableList"}};
  Json items = Json::array();
  for (const TableRecord& record : found.items) items.push_back(TableToListItem(record));
  // The total is only known, without reading every page, when this one is the whole listing.
  if (page.token.empty() && !found.next_token) answer["totalItems"] = items.size();
  if (!items.empty()) answer["tables"] = std::move(items);
  SetNextPage(listing, found.next_token, answer);
  return answer;
}

Result<Json> Tables::Patch(const Request& request) {
  return RetryOnChange(request, [&] { return Edit(request, /*keep_others=*/true); });
}

Result<Json> Tables::Update(const Request& request) {
  return RetryOnChange(request, [&] { return Edit(request, /*keep_others=*/false); });
}

Result<Json> Tables::Edit(const Request& request, bool keep_others) {
  const TableRef ref = request.table();
  HF_ASSIGN_OR_RETURN(const TableRecord current, context_.tables().GetTable(ref));
  HF_ASSIGN_OR_RETURN(const warehouse::DatasetRecord dataset,
                      context_.tables().GetDataset(request.dataset()));
  Json resource = keep_others ? current.resource : Json::object();
  resource.merge_patch(WithoutServerFields(request.body));
  if (!keep_others) {
    for (const std::string_view key : kLayoutFields) {
      if (!resource.contains(key) && current.resource.contains(key)) {
        resource[key] = current.resource[key];
      }
    }
  }
  HF_RETURN_IF_ERROR(CheckSameLayout(ref, current.resource, resource));
  HF_RETURN_IF_ERROR(CheckLabels(resource));
  if (KindOfResource(resource) != KindOfResource(current.resource)) {
    return Invalid(fmt::format("Cannot change the type of table {}", DisplayName(ref)));
  }
  if (FindField(request.body, "tableConstraints") != nullptr) {
    HF_RETURN_IF_ERROR(CheckForeignKeys(context_, ref, resource));
  }
  if (FindField(request.body, "expirationTime") != nullptr) {
    HF_RETURN_IF_ERROR(CheckExpiration(resource, context_.NowMs()));
  }
  std::optional<Schema> schema;
  const bool new_query = FindField(request.body, "view") != nullptr;
  if (FindField(resource, "schema") != nullptr || new_query) {
    if (new_query) resource.erase("schema");
    HF_ASSIGN_OR_RETURN(schema, SchemaOfResource(request.project(), resource));
    if (schema->fields.empty()) schema.reset();
    if (schema) HF_RETURN_IF_ERROR(CheckDefaults(context_, *schema));
  }
  resource.erase("schema");
  resource.erase("location");
  HF_RETURN_IF_ERROR(CheckClustering(resource, schema ? *schema : current.schema));
  const std::string& etag = request.if_match.empty() ? current.etag : request.if_match;
  HF_ASSIGN_OR_RETURN(const TableRecord record,
                      context_.tables().UpdateTable(ref, std::move(resource), schema, etag));
  return TableToJson(record, LocationOf(dataset), TableView::kStorageStats);
}

Result<Json> Tables::Delete(const Request& request) {
  const TableRef ref = request.table();
  if (ref.partition.empty()) {
    HF_RETURN_IF_ERROR(context_.tables().DeleteTable(ref, request.if_match));
    return Json();
  }
  HF_ASSIGN_OR_RETURN(const TableRecord record, context_.tables().GetTable(ref.WholeTable()));
  HF_RETURN_IF_ERROR(warehouse::ValidatePartitionId(record.partitioning, ref.partition));
  if (!request.if_match.empty() && request.if_match != record.etag) {
    return WithReason("conditionNotMet",
                      MakeError(ErrorId::kWarehouseEtag,
                                "Precondition check failed: " + DisplayName(ref.WholeTable())));
  }
  warehouse::VersionChange change;
  change.table = ref.WholeTable();
  change.table_key = record.table_key;
  change.disposition = warehouse::WriteDisposition::kTruncate;
  change.partition = ref.partition;
  HF_RETURN_IF_ERROR(context_.tables().Commit(change));
  return Json();
}

}  // namespace holdfast::bigquery
