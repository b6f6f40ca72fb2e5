#include "backup/definition_stage.h"

#include <fmt/format.h>

#include <utility>

#include "backup/replicate.h"
#include "backup/scan_plan.h"
#include "backup/unit.h"
#include "base/retry.h"
#include "model/ids.h"

namespace holdfast::backup {

namespace {

// A definition as the warehouse gives it at this moment.
struct Definition {
  ObjectKind kind = ObjectKind::kDataset;
  TableInfo object;  // of a routine or dataset: name, location and resource only
  DatasetInfo dataset;

  const Json& Document() const {
    return kind == ObjectKind::kDataset ? dataset.resource : object.resource;
  }
};

Result<Definition> ReadTable(const TableRef& ref, const Services& services) {
  Definition definition;
  HF_ASSIGN_OR_RETURN(definition.object, services.warehouse.GetTable(ref));
  const auto kind = ObjectKindOf(definition.object.kind);
  if (!kind || !IsDefinitionOnly(*kind)) {
    return MakeError(ErrorId::kSourceChanged,
                     fmt::format("{} had no rows of its own when it was scanned, and is of kind {} "
                                 "now",
                                 ref.ToString(), TableKindName(definition.object.kind)));
  }
  definition.kind = *kind;
  return definition;
}

Result<Definition> ReadDefinition(const TableRef& ref, const Services& services) {
  Definition definition;
  const auto reserved = ParseReservedName(ref.table);
  if (!reserved) {
    HF_ASSIGN_OR_RETURN(definition, ReadTable(ref, services));
  } else if (!reserved->routine.empty()) {
    HF_ASSIGN_OR_RETURN(cloud::RoutineInfo routine,
                        services.definitions.GetRoutine(ref.dataset_ref(), reserved->routine));
    definition.kind = ObjectKind::kRoutine;
    definition.object.resource = std::move(routine.resource);
  }
  HF_ASSIGN_OR_RETURN(definition.dataset, services.warehouse.GetDataset(ref.dataset_ref()));
  definition.object.ref = ref;
  if (definition.object.location.empty()) definition.object.location = definition.dataset.location;
  return definition;
}

class DefinitionBackup {
 public:
  DefinitionBackup(const RunBackup& message, const StageContext& context, const Services& services)
      : context_(context), services_(services) {
    unit_.object = message.table_to_backup;
    unit_.scanned = message.units.front();
    unit_.backup = BackupId(message.run, unit_.object, Method::kDefinition);
    unit_.started = services.clock.Now();
  }

  const TableRef& object() const { return unit_.object; }

  Result<ItemOutcome> Run() {
    HF_RETURN_IF_ERROR(context_.keep_alive());
    HF_ASSIGN_OR_RETURN(Definition definition, ReadDefinition(unit_.object, services_));
    HF_ASSIGN_OR_RETURN(repository::Repository repository,
                        OpenRepositoryFor(services_, context_.run.policy, unit_.object.project,
                                          definition.object.location));
    HF_ASSIGN_OR_RETURN(LastBackups last,
                        KnownBackupsOf(services_, repository, unit_.object, context_.run.id));
    if (const auto found = last.find(""); found != last.end()) {
      unit_.last = found->second;
      // One in another place says nothing of what is to be in this one.
      const repository::Location place{found->second.bucket, found->second.prefix};
      if (place != repository.location()) last.erase(found);
    }
    unit_.scanned.fingerprint = FingerprintOfDefinition(definition.Document());
    const ObjectKind kind = definition.kind;
    AccessState access;
    if (!ParseReservedName(unit_.object.table)) {
      HF_ASSIGN_OR_RETURN(access, ReadAccess(services_, context_.run.policy, unit_.object, kind));
    } else if (kind == ObjectKind::kDataset && !definition.dataset.resource.contains("access")) {
      access.note = "its access list was not shown, and is not saved";
    }
    const TableBackup common{.context = context_,
                             .services = services_,
                             .table = std::move(definition.object),
                             .dataset = std::move(definition.dataset),
                             .repository = std::move(repository),
                             .access = std::move(access)};
    if (!unit_.scanned.made_before.empty()) return MakeUpFor(common, unit_);
    return Save(common, kind, last);
  }

 private:
  // Whether the backup is there, and has who may use the object as it is now, if that is what the
  // scan sent the object here for: the warehouse tells of no edit of an IAM policy.
  Result<bool> IsCurrent(const TableBackup& common, const std::string& backup) {
    repository::Repository repository = common.repository;
    if (unit_.scanned.change != Change::kMetadataOnly || !common.access.document) {
      return repository.HasManifest(unit_.object, backup);
    }
    const auto manifest = repository.ReadManifest(unit_.object, backup);
    if (manifest.ok()) return manifest->access == common.access.document;
    if (IsInterrupted(manifest.error()) || IsRetryable(manifest.error())) return manifest.error();
    return false;
  }

  Result<ItemOutcome> Save(const TableBackup& common, ObjectKind kind, const LastBackups& last) {
    repository::Repository repository = common.repository;
    HF_ASSIGN_OR_RETURN(const bool committed, repository.HasManifest(unit_.object, unit_.backup));
    if (committed) {
      HF_ASSIGN_OR_RETURN(const Manifest manifest,
                          repository.ReadManifest(unit_.object, unit_.backup));
      return Adopt(common, unit_, manifest);
    }
    // The scan did not know the last backup when the catalog was lost. It may not be there either.
    TablePlan plan = PlanDefinition(unit_.object, kind, unit_.scanned.fingerprint, last,
                                    common.context.run.policy);
    if (!plan.outcomes.empty()) {
      HF_ASSIGN_OR_RETURN(const bool is_current, IsCurrent(common, plan.outcomes.front().backup));
      if (is_current) return std::move(plan.outcomes.front());
    }
    Manifest manifest = StartManifest(common, unit_);
    manifest.kind = kind;
    manifest.method = Method::kDefinition;
    // All that there is of it is in the manifest, under its sum.
    manifest.verified = VerifyLevel::kL2;
    return Commit(common, unit_, std::move(manifest));
  }

  const StageContext& context_;
  const Services& services_;
  Unit unit_;
};

}  // namespace

Result<StageResult> BackUpDefinition(const RunBackup& message, const StageContext& context,
                                     const Services& services) {
  DefinitionBackup backup(message, context, services);
  auto outcome = backup.Run();
  if (!outcome.ok()) {
    const Error& error = outcome.error();
    if (IsInterrupted(error) || (IsRetryable(error) && !context.is_last_attempt)) return error;
    const bool is_gone = error.id == ErrorId::kTableNotFound ||
                         error.id == ErrorId::kRoutineNotFound ||
                         error.id == ErrorId::kDatasetNotFound;
    outcome = is_gone ? VanishedOutcome(backup.object()) : FailedOutcome(backup.object(), error);
  }
  StageResult result;
  result.outcomes.push_back(*std::move(outcome));
  return result;
}

}  // namespace holdfast::backup
