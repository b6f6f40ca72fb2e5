#include "backup/copy_unit.h"

#include <algorithm>
#include <cctype>

#include "base/hash.h"

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

}  // namespace

TableRef PlaceOfCopy(const BackupPolicy& policy, const TableRef& object,
                     const std::string& location, const std::string& backup) {
  std::string dataset = AsIdentifier(location);
  std::ranges::transform(dataset, dataset.begin(), [](unsigned char c) { return std::tolower(c); });
  // The id of the backup is unique already; the names before it are for people.
  std::string name = object.project + "_" + object.dataset + "_" + object.table;
  if (!object.partition.empty()) name += "_" + object.partition;
  const std::string tail = "_" + backup;
  if (name.size() + tail.size() > kTableIdBytesMax) name = Sha256Hex(name);
  std::ranges::replace(name, ':', '_');
  std::ranges::replace(name, '.', '_');
  return {.project = policy.copy_project.empty() ? object.project : policy.copy_project,
          .dataset = std::string(kCopyDatasetPrefix) + dataset,
          .table = name + tail};
}

Result<cloud::JobStatus> StartCopy(const TableBackup& common, const Unit& unit,
                                   const TableRef& place) {
  const DatasetInfo dataset{.ref = place.dataset_ref(),
                            .location = common.table.location,
                            .resource = {{"description", "Backups made by Holdfast, method copy"}}};
  HF_RETURN_IF_ERROR(common.services.warehouse.EnsureDataset(dataset));
  return common.services.warehouse.StartJob(
      JobOf(common, unit, "copy"), cloud::CopyJob{.sources = {unit.object}, .destination = place});
}

Result<ItemOutcome> FinishCopy(const TableBackup& common, const Unit& unit, const TableRef& place,
                               cloud::JobStatus job) {
  const Services& services = common.services;
  HF_RETURN_IF_ERROR(cloud::WaitForJob(services.warehouse, services.clock, std::move(job),
                                       common.context.keep_alive));
  HF_RETURN_IF_ERROR(services.warehouse.UpdateTable(place, {{"expirationTime", nullptr}}));
  HF_ASSIGN_OR_RETURN(const TableInfo copy, services.warehouse.GetTable(place));
  HF_RETURN_IF_ERROR(CheckRows(common, unit, copy.rows));

  Manifest manifest = StartManifest(common, unit);
  manifest.copy = place;
  manifest.rows = copy.rows;
  manifest.stored_bytes = copy.bytes;
  manifest.verified = VerifyLevel::kL0;
  return Commit(common, unit, std::move(manifest));
}

}  // namespace holdfast::backup
