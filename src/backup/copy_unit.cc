#include "backup/copy_unit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/hash.h"
#include "verify/read_table.h"

namespace holdfast::backup {

namespace {

constexpr size_t kTableIdBytesMax = 1024;

// Every character that a dataset id may not have becomes '_'.
std::string AsIdentifier(std::string_view text) {
  std::string id(text);
  std::ranges::replace_if(
      id, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; }, '_');
  return id;
}

// Reads the copy once, so that the manifest holds a digest that it can be held against later.
Status ReadCopy(const TableBackup& common, const TableRef& place, Manifest& manifest) {
  const Services& services = common.services;
  HF_ASSIGN_OR_RETURN(
      const std::string bucket,
      EnsureStagingBucket(services, common.context.run.policy, place.project, manifest.location));
  const verify::TableReader reader{services.warehouse, services.objects, services.clock,
                                   services.random,    bucket,           common.context.keep_alive};
  HF_ASSIGN_OR_RETURN(const verify::SetInspection read,
                      reader.Read(place, manifest.location, manifest.schema, "readcopy"));
  if (read.rows != manifest.rows) {
    return MakeError(
        ErrorId::kRowsMissing,
        fmt::format("{}: {} rows can be read of its copy {}, which counts {}",
                    manifest.object.ToString(), read.rows, place.ToString(), manifest.rows));
  }
  manifest.content_digest = read.digest.ToString();
  manifest.verified = VerifyLevel::kL2;
  return Ok();
}

}  // namespace

TableRef PlaceOfCopy(const BackupPolicy& policy, const TableRef& object,
                     const std::string& location, const std::string& backup, int attempt) {
  std::string dataset = AsIdentifier(location);
  std::ranges::transform(dataset, dataset.begin(), [](unsigned char c) { return std::tolower(c); });
  // The id of the backup is unique already; the names before it are for people.
  std::string name = object.project + "_" + object.dataset + "_" + object.table;
  if (!object.partition.empty()) name += "_" + object.partition;
  // Another attempt is another table: what is left of a failed one is not in its way.
  const std::string tail = fmt::format("_{}_{}", backup, attempt);
  if (name.size() + tail.size() > kTableIdBytesMax) name = Sha256Hex(name);
  std::ranges::replace(name, ':', '_');
  std::ranges::replace(name, '.', '_');
  return {.project = policy.copy_project.empty() ? object.project : policy.copy_project,
          .dataset = std::string(kCopyDatasetPrefix) + dataset,
          .table = name + tail};
}

namespace {

// A dataset that somebody else made: without our label the next scan would back the copies up, and
// a default of it would let them expire before they are read.
Status CheckCopyDataset(const DatasetInfo& dataset) {
  const Json* labels = FindField(dataset.resource, "labels");
  if (labels == nullptr || StringOr(*labels, kCopyDatasetLabel, "") != kCopyDatasetLabelValue) {
    return MakeError(
        ErrorId::kCopyDataset,
        fmt::format("dataset {} was not made for copies: it lacks the label {}:{}",
                    dataset.ref.ToString(), kCopyDatasetLabel, kCopyDatasetLabelValue));
  }
  for (const char* member : {"defaultTableExpirationMs", "defaultPartitionExpirationMs"}) {
    if (Int64Or(dataset.resource, member, 0) == 0) continue;
    return MakeError(ErrorId::kCopyDataset,
                     fmt::format("dataset {} lets new tables expire: it has a {}",
                                 dataset.ref.ToString(), member));
  }
  return Ok();
}

// What clears the expirations that a copy took over; null: there are none. Only then, since an edit
// moves the time by which a copy shows that it was not touched.
Json WithoutExpirations(const Json& resource) {
  Json patch;
  if (FindField(resource, "expirationTime") != nullptr) patch["expirationTime"] = nullptr;
  const Json* partitioning = FindField(resource, "timePartitioning");
  if (partitioning != nullptr && FindField(*partitioning, "expirationMs") != nullptr) {
    patch["timePartitioning"] = *partitioning;
    patch["timePartitioning"]["expirationMs"] = nullptr;
  }
  return patch;
}

}  // namespace

Status EnsureCopyDataset(const TableBackup& common, const TableRef& place) {
  const DatasetInfo dataset{
      .ref = place.dataset_ref(),
      .location = common.table.location,
      .resource = {{"description", "Backups made by Holdfast, methods copy and snapshot"},
                   {"labels", {{kCopyDatasetLabel, kCopyDatasetLabelValue}}}}};
  HF_ASSIGN_OR_RETURN(const DatasetInfo found, common.services.warehouse.EnsureDataset(dataset));
  return CheckCopyDataset(found);
}

Result<cloud::JobStatus> StartCopy(const TableBackup& common, const Unit& unit,
                                   const TableRef& place) {
  HF_RETURN_IF_ERROR(EnsureCopyDataset(common, place));
  const Method method = common.context.run.policy.method;
  cloud::CopyJob job{.sources = {SourceOf(common, unit)}, .destination = place};
  if (!common.frozen) job.as_of_ms = common.as_of_ms;
  if (method == Method::kSnapshot) job.operation = cloud::CopyOperation::kSnapshot;
  return common.services.warehouse.StartJob(JobOf(common, unit, MethodName(method)), job);
}

Result<ItemOutcome> FinishCopy(const TableBackup& common, const Unit& unit, const TableRef& place,
                               cloud::JobStatus job) {
  const Services& services = common.services;
  HF_RETURN_IF_ERROR(cloud::WaitForJob(services.warehouse, services.clock, std::move(job),
                                       common.context.keep_alive));
  HF_ASSIGN_OR_RETURN(TableInfo copy, services.warehouse.GetTable(place));
  if (const Json patch = WithoutExpirations(copy.resource); !patch.is_null()) {
    HF_ASSIGN_OR_RETURN(copy, services.warehouse.UpdateTable(place, patch));
  }
  if (common.frozen) {
    HF_RETURN_IF_ERROR(CheckFrozenRows(common, unit, copy.rows));
  } else {
    HF_RETURN_IF_ERROR(CheckRows(common, unit, copy.rows));
  }

  Manifest manifest = StartManifest(common, unit);
  if (common.as_of_ms) SetSchemaOf(copy, manifest);
  manifest.copy = place;
  manifest.copy_modified_ms = copy.last_modified_ms;
  manifest.rows = copy.rows;
  manifest.stored_bytes = copy.bytes;
  manifest.verified = VerifyLevel::kL0;
  if (common.context.run.policy.verify >= VerifyLevel::kL2 && manifest.method == Method::kCopy) {
    HF_RETURN_IF_ERROR(ReadCopy(common, place, manifest));
  }
  return Commit(common, unit, std::move(manifest));
}

}  // namespace holdfast::backup
