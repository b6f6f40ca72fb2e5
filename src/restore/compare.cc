#include "restore/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <utility>

#include "avro/reader.h"
#include "restore/compare_partitions.h"
#include "restore/load.h"
#include "verify/object_bytes.h"
#include "verify/read_table.h"

namespace holdfast::restore {

namespace {

constexpr size_t kChunkBytes = size_t{8} << 20U;
constexpr size_t kRowsPerBatch = 8192;

// Adds the rows of a backup's object as rows of `schema`, which may have more columns than it. The
// SHA-256 is compared: what is read now are the bytes that the manifest's digest is of.
Status AddRowsAs(const Services& services, const Manifest& manifest, const DataObject& object,
                 const Schema& schema, verify::ContentDigest& digest) {
  verify::ObjectBytes bytes(services.objects,
                            {.ref = {manifest.bucket, object.name, object.generation},
                             .size_bytes = object.size_bytes,
                             .crc32c = object.crc32c},
                            kChunkBytes);
  const auto source = [&](std::span<char> buffer) { return bytes.Read(buffer); };
  HF_ASSIGN_OR_RETURN(const auto reader, avro::Reader::Open(source, {.schema = schema}));
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto batch, reader->Next(kRowsPerBatch));
    if (!batch) break;
    digest.Add(schema, batch->view);
  }
  HF_ASSIGN_OR_RETURN(const std::string sha256, bytes.Finish());
  if (sha256 == object.sha256) return Ok();
  return MakeError(ErrorId::kObjectChanged, object.name + ": its SHA-256 is another");
}

// All rows of a table, by way of the staging bucket of the target. `lacks_columns`: the table is
// from before some of the columns.
Result<verify::SetInspection> ReadTable(const Services& services, const OwnedTable& owned,
                                        const TableRef& table, const Schema& schema,
                                        std::string_view purpose, bool lacks_columns = false) {
  HF_ASSIGN_OR_RETURN(std::string bucket,
                      EnsureStagingBucket(services, table.project, owned.table.location));
  const verify::TableReader reader{services.warehouse,
                                   services.objects,
                                   services.clock,
                                   services.random,
                                   std::move(bucket),
                                   [] { return Status(); },
                                   {.lacks_columns = lacks_columns}};
  return reader.Read(table, owned.table.location, schema, purpose);
}

// The digest of all backups together, as rows of the newest one's schema. A copy that was not read
// when it was made, or has fewer columns, is read now: it was found unchanged since, by its time
// and its count, before it was loaded.
Result<verify::ContentDigest> ExpectedDigest(const Services& services, const OwnedTable& owned,
                                             const std::vector<Manifest>& manifests) {
  verify::ContentDigest expected;
  const Schema& schema = NewestOf(manifests).schema;
  const std::string schema_hash = SchemaHash(schema);
  for (const Manifest& manifest : manifests) {
    const bool is_narrower = SchemaHash(manifest.schema) != schema_hash;
    if (!manifest.copy && is_narrower) {
      for (const DataObject& object : manifest.objects) {
        HF_RETURN_IF_ERROR(AddRowsAs(services, manifest, object, schema, expected)
                               .WithContext("backup " + manifest.backup));
      }
      continue;
    }
    if (manifest.copy && (is_narrower || manifest.content_digest.empty())) {
      HF_ASSIGN_OR_RETURN(
          const verify::SetInspection copy,
          ReadTable(services, owned, *manifest.copy, schema, "readcopy", is_narrower));
      expected.Merge(copy.digest);
      continue;
    }
    const auto digest = verify::ContentDigest::Parse(manifest.content_digest);
    if (!digest) {
      return MakeError(ErrorId::kNothingToVerify,
                       "backup " + manifest.backup + " has no content digest to compare with");
    }
    expected.Merge(*digest);
  }
  return expected;
}

// Counted by partition, if the content does not tell them. All pages of the list are read.
Result<std::vector<std::string>> CompareIngestionTimes(const Services& services,
                                                       const TableInfo& restored,
                                                       const std::vector<Manifest>& manifests) {
  if (!IsByIngestionTime(restored.partitioning)) return std::vector<std::string>();
  std::map<std::string, int64_t> rows;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
      [&](const std::string& token) {
        return services.warehouse.ListPartitions(restored.ref, token);
      },
      [&](PartitionInfo&& partition) -> Status {
        rows[partition.ref.partition] += partition.rows;
        return Ok();
      }));
  return ComparePartitions(rows, manifests);
}

// A member that nobody set: the service may leave it out as well as show it empty.
bool IsUnset(const Json& value) {
  return value.is_null() || value == Json(false) || value == Json("") ||
         (value.is_structured() && value.empty());
}

void CompareValue(std::string_view what, const Json& restored, const Json& saved,
                  std::vector<std::string>& differences) {
  if (restored == saved || (IsUnset(restored) && IsUnset(saved))) return;
  differences.push_back(fmt::format("{} is {}, was {}", what, DumpJson(restored), DumpJson(saved)));
}

Json ValueAt(const Json& resource, std::initializer_list<std::string_view> path) {
  const Json* value = FindPath(resource, path);
  return value == nullptr ? Json() : *value;
}

// The older form of the member is in `timePartitioning`.
bool RequiresPartitionFilter(const Json& resource) {
  return BoolOr(resource, "requirePartitionFilter", false) ||
         BoolOr(ValueAt(resource, {"timePartitioning"}), "requirePartitionFilter", false);
}

// What a column has beside what SchemaHash covers, by the column's path.
void CompareColumns(const Json& restored, const Json& saved, const std::string& path,
                    std::vector<std::string>& differences) {
  if (!restored.is_array() || !saved.is_array()) return;
  for (size_t i = 0; i < std::min(restored.size(), saved.size()); ++i) {
    const std::string column = path + StringOr(saved[i], "name", "");
    for (const char* member : {"description", "defaultValueExpression", "maxLength", "policyTags",
                               "collation", "roundingMode", "timestampPrecision"}) {
      CompareValue(fmt::format("{} of column {}", member, column), ValueAt(restored[i], {member}),
                   ValueAt(saved[i], {member}), differences);
    }
    CompareColumns(ValueAt(restored[i], {"fields"}), ValueAt(saved[i], {"fields"}), column + ".",
                   differences);
  }
}

// Without the restore's own, nor what had to make room for it. A label may be empty, which is not
// the same as absent.
void CompareLabels(const Json& restored, const Json& saved, std::vector<std::string>& differences) {
  const Json now = ValueAt(restored, {"labels"});
  Json before = ValueAt(saved, {"labels"});
  if (now.contains(kRestoreLabel)) {
    const Json left_out = LabelsLeftOut(saved);
    for (const auto& [key, value] : left_out.items()) before.erase(key);
  }
  std::map<std::string, std::pair<Json, Json>> labels;
  for (const auto& [key, value] : now.items()) labels[key].first = value;
  for (const auto& [key, value] : before.items()) labels[key].second = value;
  labels.erase(std::string(kRestoreLabel));
  for (const auto& [key, values] : labels) {
    if (values.first == values.second) continue;
    differences.push_back(fmt::format("label {} is {}, was {}", key, DumpJson(values.first),
                                      DumpJson(values.second)));
  }
}

}  // namespace

const Manifest& NewestOf(const std::vector<Manifest>& manifests) {
  return *std::ranges::max_element(manifests, {}, &Manifest::created_ms);
}

std::vector<std::string> CompareDefinitions(const TableInfo& restored, const Manifest& manifest) {
  std::vector<std::string> differences;
  if (SchemaHash(restored.schema) != SchemaHash(manifest.schema)) {
    differences.emplace_back("the schema differs");
  } else {
    CompareColumns(ValueAt(restored.resource, {"schema", "fields"}),
                   ValueAt(manifest.table_resource, {"schema", "fields"}), "", differences);
  }
  if (restored.partitioning != manifest.source.partitioning) {
    differences.emplace_back("the partitioning differs");
  }
  const Json& now = restored.resource;
  const Json& saved = manifest.table_resource;
  for (const char* member : {"clustering", "description", "friendlyName", "defaultCollation",
                             "defaultRoundingMode", "maxStaleness", "encryptionConfiguration"}) {
    CompareValue(member, ValueAt(now, {member}), ValueAt(saved, {member}), differences);
  }
  CompareValue("requirePartitionFilter", RequiresPartitionFilter(now),
               RequiresPartitionFilter(saved), differences);
  CompareValue("the primary key", ValueAt(now, {"tableConstraints", "primaryKey"}),
               ValueAt(saved, {"tableConstraints", "primaryKey"}), differences);
  CompareLabels(now, saved, differences);
  // The source's expirations are left out on purpose: old rows would not live to be looked at.
  std::ranges::move(ExpirationsOf(restored.resource), std::back_inserter(differences));
  return differences;
}

Result<TableComparison> CompareTarget(const Services& services, const OwnedTable& owned,
                                      const std::vector<Manifest>& manifests) {
  HF_ASSIGN_OR_RETURN(const TableInfo restored, services.warehouse.GetTable(owned.table.ref));
  HF_ASSIGN_OR_RETURN(const verify::ContentDigest expected,
                      ExpectedDigest(services, owned, manifests));
  HF_ASSIGN_OR_RETURN(
      const verify::SetInspection actual,
      ReadTable(services, owned, owned.table.ref, NewestOf(manifests).schema, "compare"));

  TableComparison comparison{.expected_digest = expected.ToString(),
                             .actual_digest = actual.digest.ToString(),
                             .expected_rows = static_cast<int64_t>(expected.rows()),
                             .actual_rows = static_cast<int64_t>(actual.digest.rows()),
                             .bytes_read = actual.bytes,
                             .differences = CompareDefinitions(restored, NewestOf(manifests))};
  comparison.content_differs = actual.digest != expected;
  if (comparison.expected_rows != comparison.actual_rows) {
    comparison.differences.push_back(fmt::format("{} rows are there, the backup holds {}",
                                                 comparison.actual_rows, comparison.expected_rows));
  } else if (comparison.content_differs) {
    comparison.differences.emplace_back("as many rows, but not the same content");
  }
  HF_ASSIGN_OR_RETURN(auto misplaced, CompareIngestionTimes(services, restored, manifests));
  std::ranges::move(misplaced, std::back_inserter(comparison.differences));
  return comparison;
}

Json TableComparison::ToJson() const {
  return {{"expected_digest", expected_digest},
          {"actual_digest", actual_digest},
          {"expected_rows", std::to_string(expected_rows)},
          {"actual_rows", std::to_string(actual_rows)},
          {"bytes_read", std::to_string(bytes_read)},
          {"content_differs", content_differs},
          {"differences", differences},
          {"equal", Equal()}};
}

}  // namespace holdfast::restore
