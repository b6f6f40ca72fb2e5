#include "backup/export_unit.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/freeze.h"
#include "base/log.h"
#include "repository/layout.h"
#include "verify/inspect.h"
#include "verify/verify.h"

namespace holdfast::backup {

namespace {

// Begins the names of the files that come from a frozen copy, beside those of the attempt's first
// export.
constexpr std::string_view kFrozenFiles = "frozen-";

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

// An export that is in the repository and not committed. What of it is not committed stays there:
// another worker with the same message may have committed these very objects.
struct Export {
  Manifest manifest;
  std::vector<cloud::ObjectInfo> staged;  // where the job wrote it; empty: in the repository
};

Result<cloud::JobStatus> StartExtract(const TableBackup& common, const Unit& unit,
                                      const TableRef& source, std::string_view operation,
                                      const ExportPlace& place) {
  return common.services.warehouse.StartJob(
      JobOf(common, unit, operation),
      cloud::ExtractJob{.source = source,
                        .destination_uri = "gs://" + place.bucket + "/" + place.prefix + "*.avro",
                        .codec = common.context.run.policy.codec});
}

// Waits for the job, and takes what it wrote into the repository.
Result<Export> Collect(const TableBackup& common, const Unit& unit, const ExportPlace& place,
                       cloud::JobStatus job) {
  const Services& services = common.services;
  HF_ASSIGN_OR_RETURN(job, cloud::WaitForJob(services.warehouse, services.clock, std::move(job),
                                             common.context.keep_alive));
  Export made{.manifest = StartManifest(common, unit), .staged = {}};
  if (common.frozen) SetSchemaOf(common.frozen->table, made.manifest);
  HF_ASSIGN_OR_RETURN(
      std::vector<cloud::ObjectInfo> objects,
      cloud::ListExtracted(services.objects, place.bucket, place.prefix, job.output_files));
  if (place.is_staging) {
    made.staged = std::move(objects);
    HF_ASSIGN_OR_RETURN(objects, MoveIntoRepository(common, unit, made.staged));
  }
  made.manifest.bucket = common.repository.location().bucket;
  made.manifest.codec = common.context.run.policy.codec;
  HF_RETURN_IF_ERROR(InspectInto(common, objects, made.manifest));
  return made;
}

// The export of an object that is written without pause: of a copy that holds still.
Result<Export> ExportFrozen(const TableBackup& common, const Unit& unit, ExportPlace place) {
  place.prefix += kFrozenFiles;
  HF_ASSIGN_OR_RETURN(const TableInfo frozen, Freeze(common, unit));
  HF_ASSIGN_OR_RETURN(cloud::JobStatus job,
                      StartExtract(common, unit, frozen.ref, "extractfrozen", place));
  HF_ASSIGN_OR_RETURN(Export made, Collect(common, unit, place, std::move(job)));
  DropFrozen(common, frozen.ref);
  if (made.manifest.rows == frozen.rows) return made;
  DeleteStaged(common, made.staged);
  return MakeError(
      ErrorId::kRowsMissing,
      fmt::format("{}: the export holds {} rows of its copy {}, which counts {}",
                  unit.object.ToString(), made.manifest.rows, frozen.ref.ToString(), frozen.rows));
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
  return StartExtract(common, unit, SourceOf(common, unit), "extract", place);
}

Result<ItemOutcome> FinishExport(const TableBackup& common, const Unit& unit,
                                 const ExportPlace& place, cloud::JobStatus job) {
  HF_ASSIGN_OR_RETURN(Export made, Collect(common, unit, place, std::move(job)));
  if (common.frozen) {
    if (const Status whole = CheckFrozenRows(common, unit, made.manifest.rows); !whole.ok()) {
      DeleteStaged(common, made.staged);
      return whole.error();
    }
  } else if (const Status checked = CheckRows(common, unit, made.manifest.rows); !checked.ok()) {
    DeleteStaged(common, made.staged);
    if (checked.error().id != ErrorId::kSourceChanged) return checked.error();
    Result<Export> still = ExportFrozen(common, unit, place);
    if (!still.ok()) {
      return still.error().WithContext(checked.error().message + "; of a copy that holds still");
    }
    made = *std::move(still);
  }
  HF_ASSIGN_OR_RETURN(ItemOutcome outcome, Commit(common, unit, std::move(made.manifest)));
  DeleteStaged(common, made.staged);
  return outcome;
}

}  // namespace holdfast::backup
