#include "verify/verify_recorded.h"

#include "base/log.h"
#include "model/policy.h"
#include "repository/repository.h"
#include "verify/verify_live.h"

namespace holdfast::verify {

namespace {

// The report, and its evidence where the repository can take it.
Result<VerifyReport> Look(const Services& services, const catalog::BackupRecord& record,
                          VerifyLevel level) {
  VerifyReport damaged{.backup = record.backup,
                       .object = record.object,
                       .requested = level,
                       .content_digest = {},
                       .problems = 1,
                       .findings = {}};
  auto repository = repository::Repository::Open(services.objects, {record.bucket, record.prefix});
  if (!repository.ok()) {
    if (!IsDamageOfRepository(repository.error())) return repository.error();
    damaged.findings.push_back(repository.error());
    return damaged;
  }
  const auto manifest = repository->ReadManifest(record.object, record.backup);
  if (!manifest.ok() && !IsDamageOfRepository(manifest.error())) return manifest.error();
  if (!manifest.ok()) damaged.findings.push_back(manifest.error());
  auto report = manifest.ok() ? VerifyManifest(services, *manifest, level) : Result(damaged);
  if (!report.ok()) return report;
  const Status kept = repository->WriteEvidence(
      "verify", record.backup + "-" + FormatCompact(services.clock.Now()), report->ToJson());
  if (!kept.ok()) LogWarning("evidence was not written", {{"error", kept.error().message}});
  return report;
}

}  // namespace

Result<VerifyReport> VerifyManifest(const Services& services, const Manifest& manifest,
                                    VerifyLevel level) {
  if (level == VerifyLevel::kL4) {
    HF_ASSIGN_OR_RETURN(VerifyReport report, VerifyManifest(services, manifest, VerifyLevel::kL2));
    if (report.Passed()) HF_RETURN_IF_ERROR(VerifyLive(services, manifest, report));
    return report;
  }
  if (!manifest.copy) return VerifyBackup(services.objects, manifest, level);
  if (level == VerifyLevel::kL1) level = VerifyLevel::kL2;
  const TableRef& copy = *manifest.copy;
  const std::string bucket =
      FillBucketPattern(services.staging_bucket_pattern, copy.project, manifest.location);
  HF_RETURN_IF_ERROR(services.objects.EnsureBucket(
      {.name = bucket, .project = copy.project, .location = manifest.location}));
  return VerifyCopy({services.warehouse, services.objects, services.clock, services.random, bucket,
                     [] { return Status(); }},
                    manifest, level);
}

bool IsDamageOfRepository(const Error& error) {
  switch (error.id) {
    case ErrorId::kBucketNotFound:
    case ErrorId::kRepositoryNotFound:
    case ErrorId::kRepositoryDamaged:
    case ErrorId::kManifestNotFound:
    case ErrorId::kManifestDamaged:
      return true;
    default:
      return false;
  }
}

Result<VerifyReport> VerifyRecorded(const Services& services, const catalog::BackupRecord& record,
                                    VerifyLevel level) {
  HF_ASSIGN_OR_RETURN(VerifyReport report, Look(services, record, level));
  HF_RETURN_IF_ERROR(services.catalog.RecordVerification(
      {.backup = record.backup,
       .at_ms = ToUnixMillis(services.clock.Now()),
       .level = report.requested,
       .passed = report.Passed(),
       .detail = report.findings.empty() ? "" : report.findings.front().message}));
  return report;
}

}  // namespace holdfast::verify
