#include "restore/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "model/ids.h"
#include "verify/inspect.h"

namespace holdfast::restore {

namespace {

// What one extract of a table holds.
Result<verify::SetInspection> ReadTable(const Services& services, const OwnedTable& owned,
                                        const TableRef& table, const Schema& schema,
                                        std::string_view operation) {
  HF_ASSIGN_OR_RETURN(const std::string bucket,
                      EnsureStagingBucket(services, table.project, owned.table.location));
  // A scratch place of its own for each look: an earlier one may have left a part behind.
  const std::string attempt = RandomHex(services.random, 8);
  const std::string prefix = fmt::format("compare/{}/{}/", owned.restore_id, attempt);
  const cloud::JobRef job{.project = table.project,
                          .location = owned.table.location,
                          .id = JobId(operation, owned.restore_id + "-" + attempt, table, 1)};
  HF_ASSIGN_OR_RETURN(const cloud::JobStatus done,
                      cloud::RunJob(services.warehouse, services.clock, job,
                                    cloud::ExtractJob{.source = table,
                                                      .destination_uri = "gs://" + bucket + "/" +
                                                                         prefix + "*.avro"},
                                    [] { return Status(); }));
  HF_ASSIGN_OR_RETURN(const auto objects,
                      cloud::ListExtracted(services.objects, bucket, prefix, done.output_files));
  auto inspected = verify::InspectObjects(services.objects, objects, schema);
  DeleteStaged(services, bucket, prefix);
  return inspected;
}

// The digest of all backups together. A copy was not read when it was made, so it is read now.
Result<verify::ContentDigest> ExpectedDigest(const Services& services, const OwnedTable& owned,
                                             const std::vector<Manifest>& manifests) {
  verify::ContentDigest expected;
  for (const Manifest& manifest : manifests) {
    if (manifest.copy) {
      HF_ASSIGN_OR_RETURN(const verify::SetInspection copy,
                          ReadTable(services, owned, *manifest.copy, manifest.schema, "readcopy"));
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

void CompareMember(const Json& restored, const Json& saved, const char* member,
                   std::vector<std::string>& differences) {
  const Json* a = FindField(restored, member);
  const Json* b = FindField(saved, member);
  const Json left = a == nullptr ? Json() : *a;
  const Json right = b == nullptr ? Json() : *b;
  if (left == right) return;
  differences.push_back(fmt::format("{} is {}, was {}", member, DumpJson(left), DumpJson(right)));
}

}  // namespace

const Manifest& NewestOf(const std::vector<Manifest>& manifests) {
  return *std::ranges::max_element(manifests, {}, &Manifest::created_ms);
}

std::vector<std::string> CompareDefinitions(const TableInfo& restored, const Manifest& manifest) {
  std::vector<std::string> differences;
  if (SchemaHash(restored.schema) != SchemaHash(manifest.schema)) {
    differences.emplace_back("the schema differs");
  }
  if (restored.partitioning != manifest.source.partitioning) {
    differences.emplace_back("the partitioning differs");
  }
  for (const char* member : {"clustering", "description", "friendlyName"}) {
    CompareMember(restored.resource, manifest.table_resource, member, differences);
  }
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
  if (comparison.expected_rows != comparison.actual_rows) {
    comparison.differences.push_back(fmt::format("{} rows are there, the backup holds {}",
                                                 comparison.actual_rows, comparison.expected_rows));
  } else if (actual.digest != expected) {
    comparison.differences.emplace_back("as many rows, but not the same content");
  }
  return comparison;
}

Json TableComparison::ToJson() const {
  return {{"expected_digest", expected_digest},
          {"actual_digest", actual_digest},
          {"expected_rows", std::to_string(expected_rows)},
          {"actual_rows", std::to_string(actual_rows)},
          {"bytes_read", std::to_string(bytes_read)},
          {"differences", differences},
          {"equal", Equal()}};
}

}  // namespace holdfast::restore
