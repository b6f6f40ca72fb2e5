#include "restore/target.h"

#include <fmt/format.h>

#include <iterator>

#include "base/clock.h"
#include "restore/definitions.h"
#include "restore/foreign_keys.h"

namespace holdfast::restore {

namespace {

constexpr size_t kNonceBytes = 4;
constexpr int64_t kMillisPerSecond = 1000;

int64_t PartitionExpirationOf(const Json& table_resource) {
  const Json* partitioning = FindField(table_resource, "timePartitioning");
  return partitioning == nullptr ? 0 : Int64Or(*partitioning, "expirationMs", 0);
}

// Nulls clear what the dataset's defaults put on the table.
Json WithoutExpirations(const Json& table_resource) {
  Json patch = {{"expirationTime", nullptr}};
  if (const Json* partitioning = FindField(table_resource, "timePartitioning")) {
    patch["timePartitioning"] = *partitioning;
    patch["timePartitioning"]["expirationMs"] = nullptr;
  }
  return patch;
}

Result<TableInfo> ClearExpirations(const Services& services, const TableInfo& table) {
  HF_ASSIGN_OR_RETURN(TableInfo cleared, services.warehouse.UpdateTable(
                                             table.ref, WithoutExpirations(table.resource)));
  const auto expirations = ExpirationsOf(cleared.resource);
  if (expirations.empty()) return cleared;
  return MakeError(
      ErrorId::kRestoreMismatch,
      fmt::format("{} cannot be kept from expiring: {}", table.ref.ToString(), expirations.front()),
      "Restore into another dataset with --to-dataset, one without default expirations");
}

}  // namespace

std::string RestoreLabelOf(const TableInfo& table) {
  const Json* labels = FindField(table.resource, "labels");
  return labels == nullptr ? "" : StringOr(*labels, kRestoreLabel, "");
}

std::string RequestKeyOfLabel(const std::string& label) {
  const size_t dash = label.find('-');
  if (dash == std::string::npos || label.find_first_not_of("0123456789abcdef") != dash) {
    return {};
  }
  return label.substr(0, dash);
}

Json LabelsLeftOut(const Json& saved_resource) {
  const Json* labels = FindField(saved_resource, "labels");
  if (labels == nullptr || !labels->is_object()) return Json::object();
  Json others = *labels;
  others.erase(std::string(kRestoreLabel));
  if (others.size() < kTableLabelsMax) return Json::object();
  const auto last = std::prev(others.end());
  return {{last.key(), last.value()}};
}

Json TargetResource(const Json& saved_resource, const std::string& label) {
  Json resource = WithoutForeignKeys(saved_resource);
  resource.erase("expirationTime");
  if (resource.contains("timePartitioning")) resource["timePartitioning"].erase("expirationMs");
  resource.erase("tableReference");
  const Json left_out = LabelsLeftOut(saved_resource);
  for (const auto& [key, value] : left_out.items()) resource["labels"].erase(key);
  resource["labels"][std::string(kRestoreLabel)] = label;
  return resource;
}

std::vector<std::string> ExpirationsOf(const Json& table_resource) {
  std::vector<std::string> expirations;
  if (const int64_t at_ms = Int64Or(table_resource, "expirationTime", 0); at_ms != 0) {
    expirations.push_back("the table expires at " + FormatTimestamp(FromUnixMillis(at_ms)));
  }
  if (const int64_t ms = PartitionExpirationOf(table_resource); ms != 0) {
    expirations.push_back(
        fmt::format("its partitions expire after {} seconds", ms / kMillisPerSecond));
  }
  return expirations;
}

std::vector<std::string> ExpirationsLeftOut(const Manifest& manifest, const TableRef& target) {
  std::vector<std::string> left_out;
  const std::string table = fmt::format("'{}:{}.{}'", target.project, target.dataset, target.table);
  const std::string dataset = fmt::format("'{}:{}'", target.project, target.dataset);
  if (const int64_t at_ms = Int64Or(manifest.table_resource, "expirationTime", 0); at_ms != 0) {
    left_out.push_back(
        fmt::format("the table expired at {}; to set one again: bq update --expiration SECONDS {}",
                    FormatTimestamp(FromUnixMillis(at_ms)), table));
  }
  if (const int64_t ms = PartitionExpirationOf(manifest.table_resource); ms != 0) {
    left_out.push_back(
        fmt::format("partitions expired after {0} seconds; to set it again: bq update "
                    "--time_partitioning_expiration {0} {1}",
                    ms / kMillisPerSecond, table));
  }
  const auto add_default = [&](const char* member, const char* what, const char* flag) {
    const int64_t ms = Int64Or(manifest.dataset_resource, member, 0);
    if (ms == 0) return;
    left_out.push_back(fmt::format(
        "the dataset's default for new {0} was {1} seconds; to set it again: bq update {2} {1} {3}",
        what, ms / kMillisPerSecond, flag, dataset));
  };
  add_default("defaultTableExpirationMs", "tables", "--default_table_expiration");
  add_default("defaultPartitionExpirationMs", "partitions", "--default_partition_expiration");
  return left_out;
}

Result<OwnedTable> TakeTarget(const Services& services, const RestorePlan& plan,
                              const TableRestore& restore, const Manifest& manifest) {
  HF_RETURN_IF_ERROR(services.warehouse.EnsureDataset(
      {.ref = restore.target.dataset_ref(),
       .location = manifest.location,
       .resource = TargetDatasetResource(manifest.dataset_resource, restore.source.project,
                                         restore.target.project)}));
  const std::string label = plan.key + "-" + RandomHex(services.random, kNonceBytes);
  OwnedTable owned{.restore_id = label, .labels_left_out = LabelsLeftOut(manifest.table_resource)};
  auto created = services.warehouse.CreateTable(restore.target,
                                                TargetResource(manifest.table_resource, label));
  if (created.ok()) {
    owned.table = *std::move(created);
  } else {
    if (created.error().code != Code::kAlreadyExists) return created.error();
    HF_ASSIGN_OR_RETURN(owned.table, services.warehouse.GetTable(restore.target));
    owned.restore_id = RestoreLabelOf(owned.table);
    owned.resumed = true;
    // A label alone does not tell from which backups the table is filled: the plan does.
    if (!plan.resumes_ms || RequestKeyOfLabel(owned.restore_id) != plan.key) {
      return MakeError(ErrorId::kTableExists,
                       "the target " + restore.target.ToString() + " exists already",
                       "Choose another target with --to-dataset or --to-table, or drop that table");
    }
  }
  HF_ASSIGN_OR_RETURN(owned.table, ClearExpirations(services, owned.table));
  return owned;
}

Result<TableInfo> ReleaseTarget(const Services& services, const OwnedTable& owned) {
  Json labels = owned.labels_left_out;
  labels[std::string(kRestoreLabel)] = nullptr;
  return services.warehouse.UpdateTable(owned.table.ref, {{"labels", std::move(labels)}});
}

Result<bool> DropIfEmpty(const Services& services, const OwnedTable& owned) {
  const auto table = services.warehouse.GetTable(owned.table.ref);
  if (!table.ok()) {
    if (table.error().code == Code::kNotFound) return true;
    return table.error();
  }
  if (RestoreLabelOf(*table) != owned.restore_id || table->rows != 0 || table->streaming_buffer) {
    return false;
  }
  HF_RETURN_IF_ERROR(services.warehouse.DeleteTable(owned.table.ref));
  return true;
}

}  // namespace holdfast::restore
