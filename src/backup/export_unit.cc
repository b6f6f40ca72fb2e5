#include "backup/export_unit.h"

#include <algorithm>

#include "base/log.h"
#include "repository/layout.h"
#include "verify/inspect.h"
#include "verify/verify.h"

namespace holdfast::backup {

namespace {

std::string FileNameOf(const cloud::ObjectInfo& object) {
  return object.ref.name.substr(object.ref.name.rfind('/') + 1);
}

// Copies staged objects to the attempt's place in the repository.
Result<std::vector<cloud::ObjectInfo>> MoveIntoRepository(
    const TableBackup& common, const Unit& unit, const std::vector<cloud::ObjectInfo>& staged) {
  const repository::Location& location = common.repository.location();
  const std::string prefix =
      repository::AttemptPrefix(location.prefix, unit.object, unit.backup, common.context.attempt);
  std::vector<cloud::ObjectInfo> objects;
  for (const cloud::ObjectInfo& object : staged) {
    HF_RETURN_IF_ERROR(common.context.keep_alive());
    HF_ASSIGN_OR_RETURN(cloud::ObjectInfo copy,
                        common.services.objects.CopyObject(
                            object.ref, {location.bucket, prefix + FileNameOf(object), 0}));
    objects.push_back(std::move(copy));
  }
  return objects;
}

// Fills in the data's members of the manifest. Every byte is read whatever the policy's level: the
// SHA-256 and the digest that a manifest holds cannot be had otherwise.
Status InspectInto(const TableBackup& common, const std::vector<cloud::ObjectInfo>& objects,
                   Manifest& manifest) {
  verify::ContentDigest digest;
  for (const cloud::ObjectInfo& object : objects) {
    HF_RETURN_IF_ERROR(common.context.keep_alive());
    HF_ASSIGN_OR_RETURN(verify::ObjectInspection inspected,
                        verify::InspectObject(common.services.objects, object, manifest.schema));
    manifest.rows += inspected.object.rows;
    manifest.stored_bytes += inspected.object.size_bytes;
    manifest.objects.push_back(std::move(inspected.object));
    digest.Merge(inspected.digest);
  }
  std::ranges::sort(manifest.objects, {}, &DataObject::name);
  manifest.content_digest = digest.ToString();
  manifest.verified = VerifyLevel::kL2;
  return Ok();
}

// What stays behind costs storage only, and the bucket's lifecycle takes it in the end.
void DeleteStaged(const TableBackup& common, const std::vector<cloud::ObjectInfo>& staged) {
  for (const cloud::ObjectInfo& object : staged) {
    if (const Status deleted = common.services.objects.DeleteObject(object.ref); !deleted.ok()) {
      LogWarning("staged object was not deleted",
                 {{"object", object.ref.Uri()}, {"error", deleted.error().message}});
    }
  }
}

}  // namespace

Result<ExportPlace> PlaceOfExport(const TableBackup& common, const Unit& unit) {
  const repository::Location& location = common.repository.location();
  const BackupPolicy& policy = common.context.run.policy;
  std::string prefix =
      repository::AttemptPrefix(location.prefix, unit.object, unit.backup, common.context.attempt);
  if (policy.direct_extract) return ExportPlace{location.bucket, std::move(prefix), false};
  HF_ASSIGN_OR_RETURN(
      std::string bucket,
      EnsureStagingBucket(common.services, policy, unit.object.project, common.table.location));
  return ExportPlace{std::move(bucket), std::move(prefix), true};
}

Result<cloud::JobStatus> StartExport(const TableBackup& common, const Unit& unit,
                                     const ExportPlace& place) {
  return common.services.warehouse.StartJob(
      JobOf(common, unit, "extract"),
      cloud::ExtractJob{.source = unit.object,
                        .destination_uri = "gs://" + place.bucket + "/" + place.prefix + "*.avro",
                        .codec = common.context.run.policy.codec});
}

Result<ItemOutcome> FinishExport(const TableBackup& common, const Unit& unit,
                                 const ExportPlace& place, cloud::JobStatus job) {
  const Services& services = common.services;
  HF_ASSIGN_OR_RETURN(job, cloud::WaitForJob(services.warehouse, services.clock, std::move(job),
                                             common.context.keep_alive));
  HF_ASSIGN_OR_RETURN(
      const std::vector<cloud::ObjectInfo> extracted,
      cloud::ListExtracted(services.objects, place.bucket, place.prefix, job.output_files));
  std::vector<cloud::ObjectInfo> objects = extracted;
  if (place.is_staging) {
    HF_ASSIGN_OR_RETURN(objects, MoveIntoRepository(common, unit, extracted));
  }
  Manifest manifest = StartManifest(common, unit);
  manifest.bucket = common.repository.location().bucket;
  manifest.codec = common.context.run.policy.codec;
  HF_RETURN_IF_ERROR(InspectInto(common, objects, manifest));
  HF_RETURN_IF_ERROR(CheckRows(common, unit, manifest.rows));
  HF_ASSIGN_OR_RETURN(ItemOutcome outcome, Commit(common, unit, std::move(manifest)));
  if (place.is_staging) DeleteStaged(common, extracted);
  return outcome;
}

}  // namespace holdfast::backup
