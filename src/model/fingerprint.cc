#include "model/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "model/partition_id.h"

namespace holdfast {

namespace {

constexpr std::array<std::string_view, 3> kChangeNames = {"unchanged", "metadata_only",
                                                          "data_changed"};

// Members of a table's resource that move without anyone having changed its description.
constexpr std::array<std::string_view, 8> kVolatileMembers = {"etag",
                                                              "id",
                                                              "kind",
                                                              "selfLink",
                                                              "creationTime",
                                                              "lastModifiedTime",
                                                              "streamingBuffer",
                                                              "materializedViewStatus"};

// numRows, numBytes, numActiveLogicalBytes, numTimeTravelPhysicalBytes, ... : all statistics.
bool IsVolatile(std::string_view key) {
  return key.starts_with("num") ||
         std::ranges::find(kVolatileMembers, key) != kVolatileMembers.end();
}

Json PartitioningToJson(const Partitioning& partitioning) {
  Json json = {{"kind", PartitioningKindName(partitioning.kind)}};
  if (!partitioning.field.empty()) json["field"] = partitioning.field;
  if (partitioning.kind == Partitioning::Kind::kIntegerRange) {
    json["range_start"] = partitioning.range_start;
    json["range_end"] = partitioning.range_end;
    json["range_interval"] = partitioning.range_interval;
  }
  return json;
}

Result<Partitioning> PartitioningFromJson(const Json& json) {
  Partitioning partitioning;
  HF_ASSIGN_OR_RETURN(const std::string name, RequiredString(json, "kind"));
  const auto kind = FindPartitioningKind(name);
  if (!kind) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("\"{}\" is not a partitioning", name));
  }
  partitioning.kind = *kind;
  HF_ASSIGN_OR_RETURN(const auto field, OptionalString(json, "field"));
  partitioning.field = field.value_or("");
  if (*kind != Partitioning::Kind::kIntegerRange) return partitioning;
  HF_ASSIGN_OR_RETURN(partitioning.range_start, RequiredInt64(json, "range_start"));
  HF_ASSIGN_OR_RETURN(partitioning.range_end, RequiredInt64(json, "range_end"));
  HF_ASSIGN_OR_RETURN(partitioning.range_interval, RequiredInt64(json, "range_interval"));
  if (partitioning.range_interval <= 0 || partitioning.range_end <= partitioning.range_start) {
    return MakeError(ErrorId::kInvalidJson, "an integer range is empty or has no interval");
  }
  return partitioning;
}

}  // namespace

std::string_view ChangeName(Change change) { return kChangeNames[static_cast<size_t>(change)]; }

std::optional<Change> FindChange(std::string_view name) {
  const auto found = std::ranges::find(kChangeNames, name);
  if (found == kChangeNames.end()) return std::nullopt;
  return static_cast<Change>(found - kChangeNames.begin());
}

Json Fingerprint::ToJson() const {
  return {{"creation_ms", creation_ms},
          {"last_modified_ms", last_modified_ms},
          {"rows", rows},
          {"bytes", bytes},
          {"schema_hash", schema_hash},
          {"metadata_hash", metadata_hash},
          {"partitioning", PartitioningToJson(partitioning)},
          {"streaming", streaming}};
}

Result<Fingerprint> Fingerprint::FromJson(const Json& json) {
  Fingerprint fingerprint;
  HF_ASSIGN_OR_RETURN(fingerprint.creation_ms, RequiredInt64(json, "creation_ms"));
  HF_ASSIGN_OR_RETURN(fingerprint.last_modified_ms, RequiredInt64(json, "last_modified_ms"));
  HF_ASSIGN_OR_RETURN(fingerprint.rows, RequiredInt64(json, "rows"));
  HF_ASSIGN_OR_RETURN(fingerprint.bytes, RequiredInt64(json, "bytes"));
  HF_ASSIGN_OR_RETURN(fingerprint.schema_hash, RequiredString(json, "schema_hash"));
  HF_ASSIGN_OR_RETURN(fingerprint.metadata_hash, RequiredString(json, "metadata_hash"));
  HF_ASSIGN_OR_RETURN(const auto streaming, OptionalBool(json, "streaming"));
  fingerprint.streaming = streaming.value_or(false);
  const Json* partitioning = FindField(json, "partitioning");
  if (partitioning == nullptr) {
    return MakeError(ErrorId::kInvalidJson, "\"partitioning\" is missing");
  }
  HF_ASSIGN_OR_RETURN(fingerprint.partitioning, PartitioningFromJson(*partitioning));
  return fingerprint;
}

Change CompareFingerprints(const Fingerprint& last, const Fingerprint& now) {
  const bool data_differs = last.creation_ms != now.creation_ms || last.rows != now.rows ||
                            last.bytes != now.bytes || last.schema_hash != now.schema_hash ||
                            last.partitioning != now.partitioning;
  if (data_differs || last.streaming) return Change::kDataChanged;
  if (last.metadata_hash != now.metadata_hash) return Change::kMetadataOnly;
  return last.last_modified_ms == now.last_modified_ms ? Change::kUnchanged : Change::kDataChanged;
}

Change CompareDefinitionFingerprints(const Fingerprint& last, const Fingerprint& now) {
  return last.metadata_hash == now.metadata_hash ? Change::kUnchanged : Change::kDataChanged;
}

Change SettleMetadataOnly(std::string_view last_digest, std::string_view digest_now) {
  const bool proven = !last_digest.empty() && last_digest == digest_now;
  return proven ? Change::kMetadataOnly : Change::kDataChanged;
}

Json StableMembers(const Json& resource) {
  Json stable = Json::object();
  for (const auto& [key, value] : resource.items()) {
    if (!IsVolatile(key)) stable[key] = value;
  }
  if (const auto view = stable.find("materializedView"); view != stable.end()) {
    if (view->is_object()) view->erase("lastRefreshTime");
  }
  return stable;
}

std::string MetadataHash(const Json& resource) {
  return Sha256Hex(DumpJson(StableMembers(resource)));
}

Fingerprint FingerprintOf(const TableInfo& table) {
  return {.creation_ms = table.creation_ms,
          .last_modified_ms = table.last_modified_ms,
          .rows = table.rows,
          .bytes = table.bytes,
          .schema_hash = SchemaHash(table.schema),
          .metadata_hash = MetadataHash(table.resource),
          .partitioning = table.partitioning,
          .streaming = table.streaming_buffer.has_value()};
}

Fingerprint FingerprintOfDefinition(const Json& resource) {
  Fingerprint fingerprint;
  fingerprint.creation_ms = Int64Or(resource, "creationTime", 0);
  fingerprint.last_modified_ms = Int64Or(resource, "lastModifiedTime", 0);
  fingerprint.metadata_hash = MetadataHash(resource);
  return fingerprint;
}

Fingerprint FingerprintOf(const TableInfo& table, const PartitionInfo& partition) {
  Fingerprint fingerprint = FingerprintOf(table);
  fingerprint.last_modified_ms = partition.last_modified_ms;
  fingerprint.rows = partition.rows;
  fingerprint.bytes = partition.bytes;
  fingerprint.streaming =
      fingerprint.streaming && partition.ref.partition == kUnpartitionedPartition;
  return fingerprint;
}

}  // namespace holdfast
