#include "backup/replicate.h"

#include <algorithm>

#include "repository/layout.h"

namespace holdfast::backup {

namespace {

// Copies the data, and gives the manifest that names the copies.
Result<Manifest> CopyData(const TableBackup& common, const Manifest& manifest,
                          const repository::Location& place) {
  Manifest copied = manifest;
  if (!manifest.bucket.empty()) copied.bucket = place.bucket;
  const std::string prefix =
      repository::AttemptPrefix(place.prefix, manifest.object, manifest.backup, manifest.attempt);
  for (DataObject& object : copied.objects) {
    HF_RETURN_IF_ERROR(common.context.keep_alive());
    const cloud::ObjectRef source{manifest.bucket, object.name, object.generation};
    object.name = prefix + object.name.substr(object.name.rfind('/') + 1);
    HF_ASSIGN_OR_RETURN(const cloud::ObjectInfo info,
                        common.services.objects.CopyObject(source, {place.bucket, object.name, 0}));
    if (info.size_bytes != object.size_bytes || info.crc32c != object.crc32c) {
      return MakeError(ErrorId::kObjectCorrupt,
                       info.ref.Uri() + " is not what was copied from " + source.Uri());
    }
    object.generation = info.ref.generation;
  }
  return copied;
}

// From then on it is missed when it is not there.
Status NoteCopy(const Services& services, const Manifest& manifest,
                const repository::Location& place) {
  return services.catalog.RecordCopy({.object = manifest.object,
                                      .backup = manifest.backup,
                                      .bucket = place.bucket,
                                      .prefix = place.prefix,
                                      .state = catalog::CopyState::kWhole,
                                      .level = VerifyLevel::kL0,
                                      .at_ms = ToUnixMillis(services.clock.Now()),
                                      .detail = {}});
}

// Notes one that was made by a worker which did not live to do so. What was found of one since then
// stays.
Status NoteUnknownCopy(const Services& services, const Manifest& manifest,
                       const repository::Location& place) {
  HF_ASSIGN_OR_RETURN(const auto known,
                      services.catalog.FindCopies({.backup = manifest.backup}, ""));
  const bool is_known = std::ranges::any_of(known.items, [&](const catalog::CopyRecord& copy) {
    return repository::Location{copy.bucket, copy.prefix} == place &&
           copy.state != catalog::CopyState::kAbsent;
  });
  return is_known ? Ok() : NoteCopy(services, manifest, place);
}

Status ReplicateTo(const TableBackup& common, const Manifest& manifest,
                   const FurtherRepository& further) {
  const Services& services = common.services;
  const std::string& project = manifest.object.project;
  const repository::Location place = PlaceOfFurther(further, manifest.object, manifest.location);
  const BackupPolicy& policy = common.context.run.policy;
  HF_RETURN_IF_ERROR(
      EnsureBucketBy(services, policy,
                     {.name = place.bucket,
                      .project = further.project.empty() ? project : further.project,
                      .location = further.location.empty() ? manifest.location : further.location,
                      .retention_seconds = policy.BucketRetentionSeconds()}));
  HF_ASSIGN_OR_RETURN(repository::Repository repository,
                      repository::Repository::OpenOrCreate(services.objects, place, services.clock,
                                                           services.random));
  HF_ASSIGN_OR_RETURN(const bool is_there,
                      repository.HasManifest(manifest.object, manifest.backup));
  if (is_there) return NoteUnknownCopy(services, manifest, place);
  HF_ASSIGN_OR_RETURN(const Manifest copied, CopyData(common, manifest, place));
  const auto written = repository.WriteManifest(copied);
  // Another worker copied the same.
  if (!written.ok() && written.error().id != ErrorId::kManifestExists) return written.error();
  return NoteCopy(services, manifest, place);
}

}  // namespace

bool IsReplicated(Method method) {
  return method == Method::kExport || method == Method::kDefinition;
}

repository::Location PlaceOfFurther(const FurtherRepository& further, const TableRef& object,
                                    const std::string& location) {
  return {FillBucketPattern(further.bucket_pattern, object.project,
                            further.location.empty() ? location : further.location),
          further.prefix};
}

Status Replicate(const TableBackup& common, const Manifest& manifest) {
  if (!IsReplicated(manifest.method)) return Ok();
  for (const FurtherRepository& further : common.context.run.policy.repositories) {
    const Status copied = ReplicateTo(common, manifest, further);
    if (copied.ok()) continue;
    const auto place = PlaceOfFurther(further, manifest.object, manifest.location);
    return copied.error().WithContext("further repository " + place.Uri());
  }
  return Ok();
}

Result<ItemOutcome> MakeUpFor(const TableBackup& common, const Unit& unit) {
  repository::Repository repository = common.repository;
  HF_ASSIGN_OR_RETURN(const Manifest manifest,
                      repository.ReadManifest(unit.object, unit.scanned.made_before));
  HF_RETURN_IF_ERROR(Replicate(common, manifest));
  return ItemOutcome{.object = unit.object,
                     .kind = manifest.kind,
                     .outcome = Outcome::kUnchanged,
                     .reason = "as in its last backup, which is in every further repository now",
                     .backup = manifest.backup,
                     .suspect = manifest.IsSuspect()};
}

}  // namespace holdfast::backup
