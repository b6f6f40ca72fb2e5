#include "localcloud/warehouse/copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "localcloud/warehouse/catalog_rows.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/destination.h"
#include "localcloud/warehouse/effect_scope.h"
#include "localcloud/warehouse/file_area.h"

namespace holdfast::warehouse {

namespace {

Error InvalidCopy(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidRequest, std::move(message)));
}

Result<std::vector<TableSnapshot>> ReadSources(Warehouse& warehouse, const CopyRequest& request) {
  const bool one_only = request.operation != CopyOperation::kCopy;
  if (request.sources.empty() || (one_only && request.sources.size() > 1)) {
    return InvalidCopy("A copy has sources; a snapshot, clone or restore exactly one");
  }
  std::vector<TableSnapshot> snapshots;
  for (const CopySource& source : request.sources) {
    HF_ASSIGN_OR_RETURN(TableSnapshot snapshot,
                        warehouse.store().Snapshot(source.table, source.as_of_ms));
    const TableKind kind = snapshot.table.kind;
    if (kind != TableKind::kTable && kind != TableKind::kSnapshot) {
      return InvalidCopy(fmt::format("{} is a {} and cannot be copied", source.table.ToString(),
                                     TableKindName(kind)));
    }
    if (request.operation == CopyOperation::kRestore && kind != TableKind::kSnapshot) {
      return InvalidCopy(fmt::format("{} is not a snapshot", source.table.ToString()));
    }
    snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

Json ReferenceOf(const TableRef& ref) {
  return {{"projectId", ref.project}, {"datasetId", ref.dataset}, {"tableId", ref.table}};
}

// The document of a destination that a copy creates.
Json NewResource(const CopyRequest& request, const TableSnapshot& source, Timestamp now) {
  static constexpr std::array<const char*, 8> kCopied = {
      "timePartitioning", "rangePartitioning", "clustering", "requirePartitionFilter",
      "description",      "friendlyName",      "labels",     "tableConstraints"};
  Json resource = Json::object();
  for (const char* key : kCopied) {
    if (const Json* value = FindField(source.table.resource, key)) resource[key] = *value;
  }
  if (resource.contains("timePartitioning") && request.operation == CopyOperation::kSnapshot) {
    resource["timePartitioning"].erase("expirationMs");
  }
  if (request.destination_expiration_ms) {
    resource["expirationTime"] = std::to_string(*request.destination_expiration_ms);
  }
  const auto& as_of_ms = request.sources.front().as_of_ms;
  const std::string time = FormatTimestamp(as_of_ms ? FromUnixMillis(*as_of_ms) : now);
  const Json base = ReferenceOf(source.table.ref);
  if (request.operation == CopyOperation::kSnapshot) {
    resource["snapshotDefinition"] = {{"baseTableReference", base}, {"snapshotTime", time}};
  } else if (request.operation == CopyOperation::kClone) {
    resource["cloneDefinition"] = {{"baseTableReference", base}, {"cloneTime", time}};
  }
  resource.merge_patch(request.options);
  return resource;
}

bool SamePartitioning(Partitioning a, Partitioning b) {
  a.expiration_ms = b.expiration_ms = 0;
  return a == b;
}

// The partition of the destination that a file of `source` goes to.
Result<std::string> TargetPartition(const TableSnapshot& source, const DataFile& file,
                                    const Partitioning& target, const std::string& decorator,
                                    Timestamp now) {
  if (!decorator.empty()) {
    HF_RETURN_IF_ERROR(ValidatePartitionId(target, decorator));
    const bool fits = target.kind == PartitionKind::kIngestionTime || file.partition == decorator;
    if (!fits) {
      return InvalidCopy(fmt::format("Partition {} of {} cannot become partition {}",
                                     file.partition, source.table.ref.ToString(), decorator));
    }
    return decorator;
  }
  if (SamePartitioning(source.table.partitioning, target)) return file.partition;
  if (target.kind == PartitionKind::kNone) return std::string();
  if (target.kind == PartitionKind::kIngestionTime && !source.table.partitioning.IsPartitioned()) {
    return PartitionIdOfTime(target, now);
  }
  return InvalidCopy(
      fmt::format("{} is not partitioned as the destination is", source.table.ref.ToString()));
}

// The sources' files as files of the destination. A path may be live only once in a table (or a
// change could not say which of two it replaces): a second occurrence gets a name of its own.
class FileCollector {
 public:
  FileCollector(Warehouse& warehouse, std::set<std::string> taken)
      : warehouse_(warehouse), taken_(std::move(taken)) {}

  Status Add(DataFile file) {
    if (!taken_.insert(file.path).second) {
      HF_ASSIGN_OR_RETURN(PublishedFiles link, warehouse_.files().Link({file.path}));
      file.path = link.paths().front();
      links_.push_back(std::move(link));
    }
    files_.push_back(std::move(file));
    return Ok();
  }

  const std::vector<DataFile>& files() const { return files_; }
  void Keep() {
    for (PublishedFiles& link : links_) link.Keep();
  }

 private:
  Warehouse& warehouse_;
  std::set<std::string> taken_;
  std::vector<DataFile> files_;
  std::vector<PublishedFiles> links_;
};

Result<std::set<std::string>> LivePaths(Warehouse& warehouse, const Destination& destination) {
  std::set<std::string> paths;
  const bool replaces_all =
      destination.disposition == WriteDisposition::kTruncate && destination.ref.partition.empty();
  if (!destination.existing || replaces_all) return paths;
  HF_ASSIGN_OR_RETURN(const TableSnapshot live,
                      warehouse.store().Snapshot(destination.ref.WholeTable()));
  for (const DataFile& file : live.files) paths.insert(file.path);
  return paths;
}

Result<TableRecord> CommitCopy(Warehouse& warehouse, const CopyRequest& request,
                               const Destination& destination, const Schema& schema,
                               const std::vector<DataFile>& files) {
  if (request.operation != CopyOperation::kSnapshot) {
    return CommitFiles(warehouse, destination, schema, files);
  }
  TableDefinition definition;
  definition.ref = request.destination;
  definition.kind = TableKind::kSnapshot;
  definition.resource = destination.resource;
  definition.schema = schema;
  definition.replace = destination.replace;
  VersionChange change;
  change.table = request.destination;
  change.added = files;
  return warehouse.store().CreateWithData(definition, change);
}

// The schema that the destination has afterwards; every source must fit it.
Result<Schema> TargetSchema(const Destination& destination,
                            const std::vector<TableSnapshot>& sources) {
  const Schema& target =
      destination.KeepsSchema() ? destination.existing->schema : sources.front().table.schema;
  for (const TableSnapshot& source : sources) {
    HF_RETURN_IF_ERROR(CheckSchemaExtends(source.table.schema, target));
  }
  return target;
}

}  // namespace

Result<CopyResult> Copy(Warehouse& warehouse, const CopyRequest& request) {
  HF_ASSIGN_OR_RETURN(const std::vector<TableSnapshot> sources, ReadSources(warehouse, request));
  const Timestamp now = warehouse.clock().Now();
  DestinationRequest wanted;
  wanted.ref = request.destination;
  wanted.create = request.create_disposition;
  wanted.disposition = request.write_disposition;
  wanted.resource = NewResource(request, sources.front(), now);
  wanted.replace = request.replace;
  HF_ASSIGN_OR_RETURN(const Destination destination, FindDestination(warehouse, wanted));
  const bool must_be_new =
      request.operation == CopyOperation::kSnapshot || request.operation == CopyOperation::kClone;
  if (must_be_new && destination.existing) {
    return DuplicateError(fmt::format("Already Exists: Table {}:{}.{}", request.destination.project,
                                      request.destination.dataset, request.destination.table));
  }
  HF_ASSIGN_OR_RETURN(const Schema schema, TargetSchema(destination, sources));
  HF_ASSIGN_OR_RETURN(const Partitioning partitioning, PartitioningOf(destination, schema));
  HF_ASSIGN_OR_RETURN(std::set<std::string> taken, LivePaths(warehouse, destination));
  FileCollector collector(warehouse, std::move(taken));
  CopyResult result;
  for (const TableSnapshot& source : sources) {
    for (DataFile file : source.files) {
      HF_ASSIGN_OR_RETURN(file.partition, TargetPartition(source, file, partitioning,
                                                          request.destination.partition, now));
      result.copied_rows += file.rows;
      result.copied_bytes += file.bytes;
      HF_RETURN_IF_ERROR(collector.Add(std::move(file)));
    }
  }
  EffectScope::Count({.rows = result.copied_rows, .bytes = result.copied_bytes});
  HF_ASSIGN_OR_RETURN(result.table,
                      CommitCopy(warehouse, request, destination, schema, collector.files()));
  collector.Keep();
  return result;
}

}  // namespace holdfast::warehouse
