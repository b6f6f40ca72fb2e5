#include "retain/delete_backup.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/retry.h"
#include "retain/object_review.h"
#include "retain/replicas.h"
#include "verify/verify_recorded.h"

namespace holdfast::retain {

namespace {

Result<std::optional<cloud::ObjectInfo>> StatManifest(repository::Repository& repository,
                                                      const TableRef& object,
                                                      const std::string& backup) {
  const repository::Location& location = repository.location();
  return repository.store().StatObject(
      {location.bucket, repository::ManifestName(location.prefix, object, backup), 0});
}

Error InDoubt(const TableRef& object, std::string_view backup, std::string_view why) {
  return MakeError(ErrorId::kRetainInDoubt,
                   fmt::format("{}: backup {}: {}", object.ToString(), backup, why));
}

// Whether all that the manifest names is there, as it was.
Result<bool> HasData(const Services& services, const Manifest& manifest) {
  for (const DataObject& object : manifest.objects) {
    HF_ASSIGN_OR_RETURN(const auto info, services.objects.StatObject(
                                             {manifest.bucket, object.name, object.generation}));
    if (!info || info->size_bytes != object.size_bytes) return false;
  }
  if (!manifest.copy) return true;
  const auto copy = services.warehouse.GetTable(*manifest.copy);
  if (!copy.ok() && copy.error().code != Code::kNotFound) return copy.error();
  return copy.ok();
}

// Puts down that a backup is lost or damaged where the catalog has it. Of a store that does not let
// itself be read nothing follows.
void PutDown(const DeletionContext& context, const catalog::BackupRecord& record,
             const Error& damage) {
  const bool tells_of_it =
      damage.id == ErrorId::kRetainInDoubt || verify::IsDamageOfRepository(damage);
  const bool is_known = std::ranges::any_of(
      context.lost, [&](const LostBackup& lost) { return lost.record.backup == record.backup; });
  if (tells_of_it && !is_known) context.lost.push_back({record, damage});
}

// The catalog may know of a newer good backup that is not there any more: on the strength of it the
// last one would go.
Status CheckNewestGood(const DeletionContext& context, const RetentionPlan& plan,
                       const std::vector<catalog::BackupRecord>& records) {
  const Services& services = context.services;
  const auto newest = std::ranges::find_if(plan.verdicts, [](const Verdict& verdict) {
    return verdict.keep && verdict.backup.state == BackupState::kGood;
  });
  if (newest == plan.verdicts.end()) return Ok();
  const auto record = std::ranges::find(records, newest->backup.id, &catalog::BackupRecord::backup);
  HF_ASSIGN_OR_RETURN(auto repository, repository::Repository::Open(
                                           services.objects, {record->bucket, record->prefix}));
  const auto manifest = repository.ReadManifest(record->object, record->backup);
  if (!manifest.ok() && IsRetryable(manifest.error())) return manifest.error();
  if (!manifest.ok()) {
    PutDown(context, *record, manifest.error());
    return InDoubt(record->object, record->backup,
                   "the catalog calls it the newest good one, and it has no manifest that can be "
                   "read");
  }
  HF_ASSIGN_OR_RETURN(const bool whole, HasData(services, *manifest));
  if (whole) return Ok();
  const Error gone = InDoubt(record->object, record->backup,
                             "it is the newest good one by the catalog, and its data is not there");
  PutDown(context, *record, gone);
  return gone;
}

// A copy's table is only deleted under the name that this backup gave it, and unchanged: it may be
// another's by now.
Status CheckCopy(cloud::Warehouse& warehouse, const Tombstone& tombstone) {
  const TableRef& copy = *tombstone.copy;
  const auto doubt = [&](std::string_view why) {
    return MakeError(ErrorId::kCopyInDoubt,
                     fmt::format("{}, the copy of backup {} of {}: {}", copy.ToString(),
                                 tombstone.backup, tombstone.object.ToString(), why));
  };
  if (!copy.table.ends_with(fmt::format("_{}_{}", tombstone.backup, tombstone.attempt))) {
    return doubt("its name is not that of a copy of this backup");
  }
  const auto table = warehouse.GetTable(copy);
  if (table.ok()) {
    if (table->last_modified_ms == tombstone.copy_modified_ms) return Ok();
    return doubt("it was written to since it was made");
  }
  return table.error().code == Code::kNotFound ? Ok() : Status(table.error());
}

Status CheckDataAt(const repository::Location& location, const Tombstone& tombstone,
                   const std::vector<cloud::ObjectRef>& data) {
  const std::string manifest =
      repository::ManifestName(location.prefix, tombstone.object, tombstone.backup);
  for (const cloud::ObjectRef& object : data) {
    const auto path = repository::ParseDataName(location.prefix, object.name);
    if (object.bucket == location.bucket && path &&
        repository::ManifestNameOf(location.prefix, *path) == manifest) {
      continue;
    }
    return MakeError(ErrorId::kTombstoneDamaged,
                     fmt::format("{} is not data of backup {} of {}", object.Uri(),
                                 tombstone.backup, tombstone.object.ToString()));
  }
  return Ok();
}

// A tombstone is outside input: it may name only what is the data of its backup.
Status CheckData(const repository::Repository& repository, const Tombstone& tombstone) {
  HF_RETURN_IF_ERROR(CheckDataAt(repository.location(), tombstone, tombstone.data));
  for (const Replica& replica : tombstone.replicas) {
    HF_RETURN_IF_ERROR(CheckDataAt(replica.repository, tombstone, replica.data));
  }
  return Ok();
}

// The second look: why the backup stays, or nothing.
Result<std::vector<std::string>> ReasonsToKeep(const DeletionContext& context,
                                               const Tombstone& tombstone) {
  HF_ASSIGN_OR_RETURN(auto records, RecordsOf(context.services.catalog, tombstone.object));
  const auto record = std::ranges::find(records, tombstone.backup, &catalog::BackupRecord::backup);
  if (record == records.end()) {
    return InDoubt(tombstone.object, tombstone.backup,
                   "its manifest is there, and the catalog does not know it");
  }
  HF_ASSIGN_OR_RETURN(auto replicas,
                      ReasonsToKeepReplicas(context.services, context.repository.location(),
                                            tombstone, record->location));
  if (!replicas.empty()) return replicas;
  const Method method = record->method;
  std::erase_if(records, [&](const auto& of) { return of.method != method; });
  HF_ASSIGN_OR_RETURN(const PinCounts counts,
                      CountKeepers(context.repository, tombstone.backup, context.now));
  // Other backups' pins keep those, and say nothing of this one.
  const auto pins = [&](const catalog::BackupRecord& of) -> Result<PinCounts> {
    return of.backup == tombstone.backup ? counts : PinCounts{};
  };
  HF_ASSIGN_OR_RETURN(const RetentionPlan plan,
                      ReviewObject(context.services, records, pins, context.now));
  const auto verdict = std::ranges::find_if(
      plan.verdicts, [&](const Verdict& of) { return of.backup.id == tombstone.backup; });
  if (verdict->keep) return verdict->reasons;
  HF_RETURN_IF_ERROR(CheckNewestGood(context, plan, records));
  if (tombstone.copy) HF_RETURN_IF_ERROR(CheckCopy(context.services.warehouse, tombstone));
  return std::vector<std::string>();
}

// Nothing was deleted: the backup can be pinned again. The error that ended it stands, whatever
// becomes of that.
Error TakeBack(const DeletionContext& context, const Tombstone& tombstone, Error error) {
  Status withdrawn = WithdrawIntent(context.repository, tombstone.backup);
  if (withdrawn.ok()) withdrawn = WithdrawReplicaIntents(context.services, tombstone);
  if (!withdrawn.ok()) error.message += "; and its intent stays: " + withdrawn.error().message;
  return error;
}

Status DeleteData(const DeletionContext& context, const Tombstone& tombstone) {
  for (const cloud::ObjectRef& object : tombstone.data) {
    HF_RETURN_IF_ERROR(context.services.objects.DeleteObject(object).WithContext(object.Uri()));
  }
  if (!tombstone.copy) return Ok();
  HF_RETURN_IF_ERROR(CheckCopy(context.services.warehouse, tombstone));
  return context.services.warehouse.DeleteTable(*tombstone.copy);
}

// Whether the catalog has the backup in another repository by now: only what lay here was deleted.
Result<bool> LiesElsewhere(const DeletionContext& context, const std::string& backup) {
  const auto record = catalog::GetBackup(context.services.catalog, backup);
  if (!record.ok()) {
    return record.error().code == Code::kNotFound ? Result<bool>(false) : record.error();
  }
  return repository::Location{record->bucket, record->prefix} != context.repository.location();
}

Status Forget(const DeletionContext& context, const PruneItem& item, const Tombstone& tombstone) {
  HF_ASSIGN_OR_RETURN(const bool lies_elsewhere, LiesElsewhere(context, tombstone.backup));
  if (lies_elsewhere) return ClearTombstone(context.repository, *item.tombstone);
  HF_RETURN_IF_ERROR(LeaveWord(context.repository, tombstone));
  // Before the record goes: a prune that dies in between writes it a second time, never not at all.
  HF_RETURN_IF_ERROR(
      context.services.catalog.AppendAudit({.at_ms = ToUnixMillis(context.now),
                                            .actor = "prune",
                                            .action = "backup.delete",
                                            .subject = tombstone.backup,
                                            .detail = {{"object", tombstone.object.ToString()},
                                                       {"pass", context.pass},
                                                       {"bytes", tombstone.bytes},
                                                       {"reasons", tombstone.reasons}}}));
  HF_RETURN_IF_ERROR(context.services.catalog.RemoveBackup(tombstone.backup));
  HF_RETURN_IF_ERROR(WithdrawReplicaIntents(context.services, tombstone));
  return ClearTombstone(context.repository, *item.tombstone);
}

PruneResult Done(const PruneItem& item, const Tombstone& tombstone) {
  PruneResult result{.item = item, .reason = {}, .error = {}};
  result.item.object = tombstone.object;
  result.item.bytes = tombstone.bytes;
  return result;
}

// It stays after all.
Result<PruneResult> Keep(const DeletionContext& context, const PruneItem& item,
                         const Tombstone& tombstone, std::string reason) {
  HF_RETURN_IF_ERROR(UnmarkBackup(context, item));
  PruneResult result = Done(item, tombstone);
  result.outcome = PruneOutcome::kKept;
  result.reason = std::move(reason);
  return result;
}

}  // namespace

Result<PruneResult> DeleteBackup(const DeletionContext& context, const PruneItem& item) {
  HF_ASSIGN_OR_RETURN(const Tombstone tombstone,
                      ReadTombstone(context.repository, *item.tombstone));
  HF_RETURN_IF_ERROR(CheckData(context.repository, tombstone));
  HF_ASSIGN_OR_RETURN(auto manifest,
                      StatManifest(context.repository, tombstone.object, tombstone.backup));
  if (manifest && manifest->ref.generation != tombstone.manifest_generation) {
    return Keep(context, item, tombstone, "its manifest is another than the one that was marked");
  }
  if (manifest) {
    // From here on nobody gets a pin; those that were given are seen by the look that follows.
    HF_RETURN_IF_ERROR(WriteIntent(context.repository, tombstone.backup));
    auto reasons = ReasonsToKeep(context, tombstone);
    if (!reasons.ok()) return TakeBack(context, tombstone, std::move(reasons).error());
    if (!reasons->empty()) {
      return Keep(context, item, tombstone, fmt::format("{}", fmt::join(*reasons, "; ")));
    }
    // One that its bucket retains keeps the backup in the first repository: of that nothing was
    // deleted yet. Its manifest goes last, for it is what a pass looks for.
    const Status replicas = DeleteReplicaManifests(context.services, tombstone);
    if (!replicas.ok()) return TakeBack(context, tombstone, replicas.error());
    auto deleted = context.services.objects.DeleteObject(manifest->ref);
    if (!deleted.ok() && deleted.error().id == ErrorId::kObjectRetained) {
      return TakeBack(context, tombstone, std::move(deleted).error());
    }
    HF_RETURN_IF_ERROR(deleted);  // or it may be gone
  }
  HF_RETURN_IF_ERROR(DeleteReplicaData(context.services, tombstone));
  HF_RETURN_IF_ERROR(DeleteData(context, tombstone));
  HF_RETURN_IF_ERROR(Forget(context, item, tombstone));
  return Done(item, tombstone);
}

Status NoteLost(const Services& services, const std::vector<LostBackup>& lost) {
  const verify::Services verifying{services.warehouse,     services.objects, services.catalog,
                                   services.clock,         services.random,  "",
                                   services.further_places};
  for (const LostBackup& one : lost) {
    HF_RETURN_IF_ERROR(verify::NoteLoss(verifying, one.record, one.damage));
  }
  return Ok();
}

Status UnmarkBackup(const DeletionContext& context, const PruneItem& item) {
  const auto tombstone = ReadTombstone(context.repository, *item.tombstone);
  if (!tombstone.ok() && IsRetryable(tombstone.error())) return tombstone.error();
  // One that is damaged names nothing that could be trusted.
  if (tombstone.ok() && CheckData(context.repository, *tombstone).ok()) {
    HF_RETURN_IF_ERROR(DeleteReplicaData(context.services, *tombstone));
    HF_RETURN_IF_ERROR(WithdrawReplicaIntents(context.services, *tombstone));
  }
  return ClearTombstone(context.repository, *item.tombstone);
}

Status MarkBackup(const DeletionContext& context, const PruneItem& item) {
  HF_ASSIGN_OR_RETURN(const auto info, StatManifest(context.repository, item.object, item.backup));
  if (!info) {
    const Error gone =
        InDoubt(item.object, item.backup, "the catalog knows it, and it has no manifest");
    // By a prune that this catalog did not hear of.
    HF_ASSIGN_OR_RETURN(const bool pruned,
                        context.repository.HasEvidence(repository::kPrunedEvidence, item.backup));
    if (pruned) return gone;
    HF_ASSIGN_OR_RETURN(const auto record,
                        catalog::GetBackup(context.services.catalog, item.backup));
    PutDown(context, record, gone);
    return gone;
  }
  repository::ManifestEntry entry{.path = {}, .info = *info};
  HF_ASSIGN_OR_RETURN(const Manifest manifest, context.repository.ReadManifest(entry));
  Tombstone tombstone = MakeTombstone(manifest, info->ref.generation, context.now, item.reasons);
  HF_ASSIGN_OR_RETURN(tombstone.replicas,
                      FindReplicas(context.services, context.repository.location(), item.object,
                                   item.backup, manifest.location));
  HF_RETURN_IF_ERROR(CheckData(context.repository, tombstone));
  return WriteTombstone(context.repository, tombstone);
}

}  // namespace holdfast::retain
