#include "restore/look.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/retry.h"
#include "repository/repository.h"
#include "restore/apply.h"
#include "restore/definitions.h"

namespace holdfast::restore {

namespace {

bool IsRoutine(const TableRef& target) {
  const auto reserved = ParseReservedName(target.table);
  return reserved && !reserved->routine.empty();
}

Status LookAtTables(const DatasetRef& dataset, const std::set<TableRef>& wanted,
                    const Services& services, Surroundings& there) {
  return cloud::ForEachPage<TableSummary>(
      [&](const std::string& token) { return services.warehouse.ListTables(dataset, token); },
      [&](TableSummary&& table) -> Status {
        if (!wanted.contains(table.ref)) return Ok();
        there.targets[table.ref] = {.exists = true,
                                    .creation_ms = table.creation_ms,
                                    .last_modified_ms = table.last_modified_ms,
                                    .rows = table.rows};
        return Ok();
      });
}

Status LookAtRoutines(const DatasetRef& dataset, const std::set<TableRef>& wanted,
                      const Services& services, Surroundings& there) {
  if (std::ranges::none_of(wanted, IsRoutine)) return Ok();
  return cloud::ForEachPage<cloud::RoutineInfo>(
      [&](const std::string& token) { return services.definitions.ListRoutines(dataset, token); },
      [&](cloud::RoutineInfo&& routine) -> Status {
        const TableRef name = RoutineObject(dataset, routine.routine);
        if (!wanted.contains(name)) return Ok();
        there.targets[name] = {.exists = true,
                               .creation_ms = routine.creation_ms,
                               .last_modified_ms = routine.last_modified_ms};
        return Ok();
      });
}

// What is in the way of one target; nullopt: nothing. Errors that may pass are errors.
Result<std::optional<Error>> ConflictAt(const RestorePlan& plan, const TableRestore& restore,
                                        const Services& services) {
  if (IsDefinition(restore)) {
    const Status refused = CheckDefinitionTarget(plan, restore, services);
    if (refused.ok()) return std::optional<Error>();
    if (IsRetryable(refused.error()) || refused.error().code == Code::kCancelled)
      return refused.error();
    return std::optional(refused.error());
  }
  const auto table = services.warehouse.GetTable(restore.target);
  if (table.ok()) return std::optional(ConflictOf(services, *table));
  if (table.error().code == Code::kNotFound) return std::optional<Error>();
  return table.error();
}

// By source and target dataset the newest backup, whose manifest tells how the source's was.
std::map<std::pair<DatasetRef, DatasetRef>, const catalog::BackupRecord*> NewestOfDatasets(
    const RestorePlan& plan) {
  std::map<std::pair<DatasetRef, DatasetRef>, const catalog::BackupRecord*> newest;
  for (const TableRestore& table : plan.tables) {
    const catalog::BackupRecord*& known =
        newest[{table.target.dataset_ref(), table.source.dataset_ref()}];
    for (const catalog::BackupRecord& backup : table.backups) {
      if (known == nullptr || known->created_ms < backup.created_ms) known = &backup;
    }
  }
  return newest;
}

Result<Manifest> ReadManifestOf(const catalog::BackupRecord& backup, const Services& services) {
  HF_ASSIGN_OR_RETURN(
      repository::Repository repository,
      repository::Repository::Open(services.objects, {backup.bucket, backup.prefix}));
  return repository.ReadManifest(backup.object, backup.backup);
}

}  // namespace

Result<Surroundings> LookAtTargets(const RestorePlan& plan, const Services& services) {
  std::map<DatasetRef, std::set<TableRef>> wanted;
  for (const TableRestore& table : plan.tables) {
    wanted[table.target.dataset_ref()].insert(table.target);
  }
  Surroundings there;
  for (const auto& [dataset, targets] : wanted) {
    auto info = services.warehouse.GetDataset(dataset);
    if (!info.ok() && info.error().code == Code::kNotFound) continue;
    if (!info.ok()) return std::move(info).error();
    there.datasets[dataset] = *std::move(info);
    HF_RETURN_IF_ERROR(LookAtTables(dataset, targets, services, there));
    HF_RETURN_IF_ERROR(LookAtRoutines(dataset, targets, services, there));
  }
  return there;
}

Result<Surroundings> LookAround(const RestoreRequest& request, const RestorePlan& plan,
                                const Services& services) {
  HF_ASSIGN_OR_RETURN(Surroundings there, LookAtTargets(plan, services));
  const bool may_conflict = request.if_exists == IfExists::kFail && !plan.resumes_ms;
  for (const TableRestore& table : plan.tables) {
    if (!may_conflict || !there.targets.contains(table.target)) continue;
    HF_ASSIGN_OR_RETURN(auto conflict, ConflictAt(plan, table, services));
    if (conflict) there.conflicts.push_back({table.target, *std::move(conflict)});
  }
  for (const auto& [datasets, backup] : NewestOfDatasets(plan)) {
    SavedDataset saved{.source = datasets.second, .target = datasets.first};
    auto manifest = ReadManifestOf(*backup, services);
    if (manifest.ok()) {
      saved.resource = std::move(manifest->dataset_resource);
    } else if (manifest.error().code == Code::kCancelled) {
      return std::move(manifest).error();
    } else {
      saved.unknown = manifest.error().message;
    }
    there.saved.push_back(std::move(saved));
  }
  return there;
}

Result<std::map<std::string, catalog::BackupRecord>> LookAtBackups(const RestorePlan& plan,
                                                                   const Services& services) {
  std::map<std::string, catalog::BackupRecord> found;
  for (const TableRestore& table : plan.tables) {
    for (const catalog::BackupRecord& backup : table.backups) {
      auto record = catalog::GetBackup(services.catalog, backup.backup);
      if (!record.ok() && record.error().code == Code::kNotFound) continue;
      if (!record.ok()) return std::move(record).error();
      found[backup.backup] = *std::move(record);
    }
  }
  return found;
}

}  // namespace holdfast::restore
