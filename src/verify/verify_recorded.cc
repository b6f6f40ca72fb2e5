#include "verify/verify_recorded.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/retry.h"
#include "model/policy.h"
#include "repository/carry_pins.h"
#include "repository/repository.h"
#include "verify/verify_live.h"

namespace holdfast::verify {

namespace {

constexpr int kMomentBytes = 4;

void KeepEvidence(const Services& services, repository::Repository& repository,
                  const VerifyReport& report) {
  const Timestamp now = services.clock.Now();
  Json evidence = report.ToJson();
  evidence["at_ms"] = ToUnixMillis(now);
  const Status kept = repository.WriteEvidence(
      repository::kVerifyEvidence, report.backup + "-" + EvidenceMoment(now, services.random),
      evidence);
  if (!kept.ok()) LogWarning("evidence was not written", {{"error", kept.error().message}});
}

// The report, and its evidence where the repository can take it. `manifest` is set if it was read.
Result<VerifyReport> Look(const Services& services, const catalog::BackupRecord& record,
                          VerifyLevel level, std::optional<Manifest>& manifest) {
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
  auto read = repository->ReadManifest(record.object, record.backup);
  if (!read.ok() && !IsDamageOfRepository(read.error())) return read.error();
  if (!read.ok()) damaged.findings.push_back(read.error());
  auto report = read.ok() ? VerifyManifest(services, *read, level) : Result(damaged);
  if (!report.ok()) return report;
  if (read.ok()) manifest = *std::move(read);
  KeepEvidence(services, *repository, *report);
  return report;
}

// Damage that is found now is found after all that the catalog knows, also where the clock of
// another verifier is ahead of ours: its pass would hide the damage until that time.
Result<int64_t> MomentOf(const Services& services, const VerifyReport& report) {
  const int64_t now_ms = ToUnixMillis(services.clock.Now());
  if (report.Passed()) return now_ms;
  HF_ASSIGN_OR_RETURN(const auto known, services.catalog.ListVerifications(report.backup));
  const auto newest_pass = std::ranges::find(known, true, &catalog::VerificationRecord::passed);
  const bool is_ahead = newest_pass != known.end() && newest_pass->at_ms > now_ms;
  return is_ahead ? newest_pass->at_ms + 1 : now_ms;
}

Status RecordReport(const Services& services, const VerifyReport& report) {
  HF_ASSIGN_OR_RETURN(const int64_t at_ms, MomentOf(services, report));
  return services.catalog.RecordVerification(
      {.backup = report.backup,
       .at_ms = at_ms,
       .level = report.requested,
       .passed = report.Passed(),
       .detail = report.findings.empty() ? "" : report.findings.front().message});
}

// What is wrong with a backup where the catalog has it, once it is read from elsewhere.
catalog::CopyRecord LeftPlace(const Services& services, const catalog::BackupRecord& record,
                              const Error& damage) {
  return {.object = record.object,
          .backup = record.backup,
          .bucket = record.bucket,
          .prefix = record.prefix,
          .state = catalog::CopyState::kLeft,
          .at_ms = ToUnixMillis(services.clock.Now()),
          .detail = damage.message};
}

// Leaves word of it where the backup is now, for a catalog that is rebuilt.
void LeaveWordOfMove(const Services& services, const repository::Location& now,
                     const catalog::CopyRecord& left) {
  auto repository = repository::Repository::Open(services.objects, now);
  const Status written =
      repository.ok()
          ? repository->WriteEvidence(
                repository::kLeftEvidence,
                left.backup + "-" + EvidenceMoment(services.clock.Now(), services.random),
                LeftEvidence(left))
          : Status(repository.error());
  if (!written.ok()) LogWarning("evidence was not written", {{"error", written.error().message}});
}

Status RecordCopyReport(const Services& services, const catalog::BackupRecord& copy,
                        const VerifyReport& report) {
  return services.catalog.RecordCopy(
      {.object = copy.object,
       .backup = copy.backup,
       .bucket = copy.bucket,
       .prefix = copy.prefix,
       .state = report.Passed() ? catalog::CopyState::kWhole : catalog::CopyState::kDamaged,
       .level = report.Passed() ? report.reached : VerifyLevel::kNone,
       .at_ms = ToUnixMillis(services.clock.Now()),
       .detail = report.findings.empty() ? "" : report.findings.front().message});
}

// Whether the manifest of a copy is where it would be. Errors: the store's, when it cannot tell.
Result<bool> IsCopyThere(const Services& services, const catalog::BackupRecord& copy) {
  const auto info = services.objects.StatObject(
      {copy.bucket, repository::ManifestName(copy.prefix, copy.object, copy.backup), 0});
  if (info.ok()) return info->has_value();
  if (info.error().code == Code::kNotFound) return false;
  return info.error();
}

// The places where a copy may be, the record's own left out.
std::vector<repository::Location> OtherPlaces(const Services& services,
                                              const catalog::BackupRecord& record) {
  std::vector<repository::Location> places;
  if (!services.further_places) return places;
  places = services.further_places(record.object, record.location);
  std::erase(places, repository::Location{record.bucket, record.prefix});
  return places;
}

std::string PlacesText(const std::vector<repository::Location>& places) {
  std::string text;
  for (const repository::Location& place : places) {
    text += (text.empty() ? "" : ", ") + place.Uri();
  }
  return text;
}

}  // namespace

Json LeftEvidence(const catalog::CopyRecord& left) {
  return {{"backup", left.backup}, {"object", left.object.ToString()},
          {"bucket", left.bucket}, {"prefix", left.prefix},
          {"at_ms", left.at_ms},   {"detail", left.detail}};
}

std::string EvidenceMoment(Timestamp now, Random& random) {
  return fmt::format("{}_{:03}_{}", FormatCompact(now), ToUnixMillis(now) % 1000,
                     RandomHex(random, kMomentBytes));
}

int64_t EvidenceTime(const Json& evidence, int64_t created_ms) {
  return std::min(Int64Or(evidence, "at_ms", created_ms), created_ms);
}

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
  HF_RETURN_IF_ERROR(services.objects.EnsureBucket({.name = bucket,
                                                    .project = copy.project,
                                                    .location = manifest.location,
                                                    .delete_after_days = kStagedDaysMax}));
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

void KeepReport(const Services& services, const std::string& backup, const VerifyReport& report) {
  const Status recorded = RecordReport(services, report);
  if (!recorded.ok()) {
    LogWarning("verification was not recorded", {{"error", recorded.error().message}});
  }
  const auto record = catalog::GetBackup(services.catalog, backup);
  if (!record.ok()) return;
  auto repository =
      repository::Repository::Open(services.objects, {record->bucket, record->prefix});
  if (repository.ok()) KeepEvidence(services, *repository, report);
}

Result<VerifyReport> VerifyInPlace(const Services& services, const catalog::BackupRecord& record,
                                   VerifyLevel level) {
  std::optional<Manifest> manifest;
  HF_ASSIGN_OR_RETURN(VerifyReport report, Look(services, record, level, manifest));
  const auto known = catalog::GetBackup(services.catalog, record.backup);
  if (!known.ok() && known.error().id != ErrorId::kBackupNotFound) return known.error();
  if (!known.ok()) return report;
  if (known->bucket == record.bucket && known->prefix == record.prefix) {
    HF_RETURN_IF_ERROR(RecordReport(services, report));
  } else {
    HF_RETURN_IF_ERROR(RecordCopyReport(services, record, report));
  }
  return report;
}

Result<std::optional<VerifyReport>> VerifyFurtherCopy(const Services& services,
                                                      const catalog::BackupRecord& copy,
                                                      VerifyLevel level) {
  HF_ASSIGN_OR_RETURN(const auto known, services.catalog.FindCopies({.backup = copy.backup}, ""));
  const auto before = std::ranges::find_if(known.items, [&](const catalog::CopyRecord& of) {
    return of.bucket == copy.bucket && of.prefix == copy.prefix;
  });
  const bool was_there =
      before != known.items.end() && before->state != catalog::CopyState::kAbsent;
  if (!was_there) {
    HF_ASSIGN_OR_RETURN(const bool is_there, IsCopyThere(services, copy));
    if (!is_there) {
      HF_RETURN_IF_ERROR(services.catalog.RecordCopy({.object = copy.object,
                                                      .backup = copy.backup,
                                                      .bucket = copy.bucket,
                                                      .prefix = copy.prefix,
                                                      .at_ms = ToUnixMillis(services.clock.Now()),
                                                      .detail = {}}));
      return std::optional<VerifyReport>();
    }
  }
  HF_ASSIGN_OR_RETURN(VerifyReport report, VerifyInPlace(services, copy, level));
  return std::optional(std::move(report));
}

Result<std::optional<WholeCopy>> FallBackToCopy(const Services& services,
                                                const catalog::BackupRecord& record,
                                                VerifyLevel level, const Error& damage) {
  std::optional<Error> unread;  // why a place could not be read, the first that may answer later
  for (const repository::Location& place : OtherPlaces(services, record)) {
    catalog::BackupRecord copied = record;
    copied.bucket = place.bucket;
    copied.prefix = place.prefix;
    // Evidence of a place that never had it would be of nothing.
    const auto is_there = services.objects.StatObject(
        {place.bucket, repository::ManifestName(place.prefix, record.object, record.backup), 0});
    if (is_there.ok() && !*is_there) continue;
    std::optional<Manifest> manifest;
    auto report = Look(services, copied, level, manifest);
    if (!report.ok()) {
      // Nothing is known of the copy then, and damage that was recorded would hide it.
      if (report.error().code == Code::kCancelled) return report.error();
      LogWarning("a further repository could not be read",
                 {{"repository", place.Uri()}, {"error", report.error().message}});
      if (!unread && IsRetryable(report.error())) unread = report.error();
      continue;
    }
    if (!report->Passed() || !manifest) continue;
    HF_RETURN_IF_ERROR(repository::CarryPins(services.objects, {record.bucket, record.prefix},
                                             place, record.backup));
    const catalog::CopyRecord left = LeftPlace(services, record, damage);
    HF_RETURN_IF_ERROR(services.catalog.MoveBackup(
        catalog::RecordOf(*manifest, place.bucket, place.prefix), left));
    LeaveWordOfMove(services, place, left);
    HF_RETURN_IF_ERROR(RecordReport(services, *report));
    report->note = fmt::format("taken from its copy in {}: {}", place.Uri(), damage.message);
    LogError("a backup is lost or damaged where it was, and its copy is used",
             {{"backup", record.backup},
              {"object", record.object.ToString()},
              {"copy", place.Uri()},
              {"error", damage.message}});
    return std::optional(WholeCopy{*std::move(manifest), *std::move(report)});
  }
  if (unread) return *unread;
  return std::optional<WholeCopy>();
}

Result<bool> NoteLoss(const Services& services, const catalog::BackupRecord& record,
                      const Error& damage) {
  HF_ASSIGN_OR_RETURN(const auto copy, FallBackToCopy(services, record, VerifyLevel::kL0, damage));
  if (copy) return true;
  LogError(
      "a backup is lost or damaged, and there is no whole copy of it",
      {{"backup", record.backup}, {"object", record.object.ToString()}, {"error", damage.message}});
  const VerifyReport report{.backup = record.backup,
                            .object = record.object,
                            .requested = VerifyLevel::kL0,
                            .content_digest = {},
                            .problems = 1,
                            .findings = {DescribeLoss(services, record, damage)}};
  HF_RETURN_IF_ERROR(RecordReport(services, report));
  auto repository = repository::Repository::Open(services.objects, {record.bucket, record.prefix});
  if (repository.ok()) KeepEvidence(services, *repository, report);
  return false;
}

Error DescribeLoss(const Services& services, const catalog::BackupRecord& record,
                   const Error& damage) {
  const bool is_gone =
      damage.id == ErrorId::kRepositoryNotFound || damage.id == ErrorId::kBucketNotFound;
  if (!is_gone) return damage;
  const std::vector<repository::Location> others = OtherPlaces(services, record);
  if (others.empty()) {
    return MakeError(damage.id, damage.message,
                     "The repository of this backup is gone, and the policy names no further one. "
                     "If there is a copy, read it in: holdfast catalog rebuild gs://BUCKET/PREFIX");
  }
  return MakeError(damage.id, damage.message + "; no whole copy of it is in " + PlacesText(others),
                   fmt::format("The repository of this backup is gone. See what its further ones "
                               "hold: holdfast backup verify --repository {0}; where that is good, "
                               "read it in: holdfast catalog rebuild {0}",
                               others.front().Uri()));
}

Result<VerifyReport> VerifyRecorded(const Services& services, const catalog::BackupRecord& record,
                                    VerifyLevel level) {
  std::optional<Manifest> manifest;
  HF_ASSIGN_OR_RETURN(VerifyReport report, Look(services, record, level, manifest));
  if (!report.Passed() && !report.findings.empty()) {
    const Error damage = report.findings.front();
    HF_ASSIGN_OR_RETURN(auto copy, FallBackToCopy(services, record, level, damage));
    if (copy) return std::move(copy->report);
    report.findings.front() = DescribeLoss(services, record, damage);
  }
  HF_RETURN_IF_ERROR(RecordReport(services, report));
  return report;
}

}  // namespace holdfast::verify
