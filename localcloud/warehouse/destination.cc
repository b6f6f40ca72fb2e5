#include "localcloud/warehouse/destination.h"

#include <fmt/format.h>

#include "localcloud/warehouse/catalog_rows.h"

namespace holdfast::warehouse {

namespace {

Status CheckWritable(const TableRecord& table) {
  if (table.kind == TableKind::kTable) return Ok();
  return WithReason("invalid", MakeError(ErrorId::kWarehouseReadOnly,
                                         fmt::format("{}:{}.{} is a {} and cannot be written",
                                                     table.ref.project, table.ref.dataset,
                                                     table.ref.table, TableKindName(table.kind))));
}

}  // namespace

bool Destination::KeepsSchema() const {
  if (!existing || replace || existing->schema.fields.empty()) return false;
  return disposition != WriteDisposition::kTruncate || !ref.partition.empty();
}

Result<Destination> FindDestination(Warehouse& warehouse, const DestinationRequest& request) {
  Destination destination{.ref = request.ref,
                          .disposition = request.disposition,
                          .existing = {},
                          .resource = request.resource,
                          .replace = request.replace};
  HF_RETURN_IF_ERROR(warehouse.store().GetDataset(request.ref.dataset_ref()));
  if (request.replace) return destination;
  Result<TableRecord> table = warehouse.store().GetTable(request.ref);
  if (!table.ok()) {
    const bool creates = table.error().id == ErrorId::kWarehouseNotFound &&
                         request.create == CreateDisposition::kIfNeeded;
    if (!creates) return std::move(table).error();
    return destination;
  }
  HF_RETURN_IF_ERROR(CheckWritable(*table));
  const bool has_data = table->num_rows > 0 || table->streaming_buffer;
  if (request.disposition == WriteDisposition::kEmpty && has_data &&
      request.ref.partition.empty()) {
    return DuplicateError(fmt::format("Already Exists: Table {}:{}.{}", request.ref.project,
                                      request.ref.dataset, request.ref.table));
  }
  destination.existing = std::move(table).value();
  return destination;
}

Result<Partitioning> PartitioningOf(const Destination& destination, const Schema& schema) {
  return Partitioning::FromResource(
      destination.existing ? destination.existing->resource : destination.resource, schema);
}

Result<TableRecord> CommitFiles(Warehouse& warehouse, const Destination& destination,
                                const Schema& schema, const std::vector<DataFile>& files) {
  VersionChange change;
  change.table = destination.ref;
  change.disposition = destination.disposition;
  change.partition = destination.ref.partition;
  change.added = files;
  change.added_schema = schema;
  if (!destination.existing) {
    TableDefinition definition;
    definition.ref = destination.ref.WholeTable();
    definition.resource = destination.resource;
    definition.schema = schema;
    definition.replace = destination.replace;
    Result<TableRecord> created = warehouse.store().CreateWithData(definition, change);
    const bool lost_race = !created.ok() && created.error().id == ErrorId::kWarehouseExists &&
                           destination.disposition == WriteDisposition::kAppend;
    if (!lost_race) return created;
  }
  const bool same_schema = destination.existing && destination.existing->schema == schema;
  if (!same_schema) change.schema = schema;
  if (destination.existing) change.table_key = destination.existing->table_key;
  return warehouse.store().Commit(change);
}

}  // namespace holdfast::warehouse
