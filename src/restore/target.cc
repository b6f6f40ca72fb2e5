#include "restore/target.h"

namespace holdfast::restore {

namespace {

std::string LabelOf(const TableInfo& table) {
  const Json* labels = FindField(table.resource, "labels");
  return labels == nullptr ? "" : StringOr(*labels, kRestoreLabel, "");
}

}  // namespace

Json TargetResource(const Json& saved_resource, const std::string& label) {
  Json resource = saved_resource;
  resource.erase("expirationTime");
  if (resource.contains("timePartitioning")) resource["timePartitioning"].erase("expirationMs");
  resource.erase("tableReference");
  resource["labels"][std::string(kRestoreLabel)] = label;
  return resource;
}

Json TargetDatasetResource(const Json& saved_resource) {
  Json resource = Json::object();
  for (const char* member : {"friendlyName", "description", "labels"}) {
    if (const Json* value = FindField(saved_resource, member)) resource[member] = *value;
  }
  return resource;
}

Result<OwnedTable> TakeTarget(const Services& services, const RestorePlan& plan,
                              const TableRestore& restore, const Manifest& manifest) {
  HF_RETURN_IF_ERROR(services.warehouse.EnsureDataset(
      {.ref = restore.target.dataset_ref(),
       .location = manifest.location,
       .resource = TargetDatasetResource(manifest.dataset_resource)}));
  const std::string label = plan.hash + "-" + RandomHex(services.random, 4);
  auto created = services.warehouse.CreateTable(restore.target,
                                                TargetResource(manifest.table_resource, label));
  if (created.ok()) {
    return OwnedTable{.table = *std::move(created), .restore_id = label, .resumed = false};
  }
  if (created.error().code != Code::kAlreadyExists) return created.error();
  HF_ASSIGN_OR_RETURN(TableInfo existing, services.warehouse.GetTable(restore.target));
  const std::string found = LabelOf(existing);
  if (!found.starts_with(plan.hash + "-")) {
    return MakeError(ErrorId::kTableExists,
                     "the target " + restore.target.ToString() + " exists already",
                     "Choose another target with --to-dataset or --to-table, or drop that table");
  }
  return OwnedTable{.table = std::move(existing), .restore_id = found, .resumed = true};
}

Result<TableInfo> ReleaseTarget(const Services& services, const OwnedTable& owned) {
  return services.warehouse.UpdateTable(owned.table.ref,
                                        {{"labels", {{std::string(kRestoreLabel), nullptr}}}});
}

}  // namespace holdfast::restore
