#include "restore/damage.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/retry.h"
#include "repository/repository.h"
#include "verify/verify.h"
#include "verify/verify_recorded.h"

namespace holdfast::restore {

namespace {

// A copy's rows are read by way of a staging bucket; one that was never read has nothing to be held
// against, so there they are not.
Result<verify::VerifyReport> Verify(const Services& services, const Manifest& manifest,
                                    VerifyLevel level) {
  if (!manifest.copy) return verify::VerifyBackup(services.objects, manifest, level);
  std::string bucket;
  if (!manifest.content_digest.empty()) {
    HF_ASSIGN_OR_RETURN(bucket,
                        EnsureStagingBucket(services, manifest.copy->project, manifest.location));
  }
  const verify::TableReader reader{services.warehouse, services.objects,  services.clock,
                                   services.random,    std::move(bucket), [] { return Status(); }};
  return verify::VerifyCopy(reader, manifest, level);
}

// That a restore proved the backup.
void RecordProof(const Services& services, const std::string& backup, const TableRef& target) {
  const Status recorded = services.catalog.RecordVerification(
      {.backup = backup,
       .at_ms = ToUnixMillis(services.clock.Now()),
       .level = VerifyLevel::kL3,
       .passed = true,
       .detail = "restored to " + target.ToString() + " and compared"});
  if (!recorded.ok()) {
    LogWarning("verification was not recorded", {{"error", recorded.error().message}});
  }
}

Result<Manifest> OpenManifest(const Services& services, const catalog::BackupRecord& backup) {
  HF_ASSIGN_OR_RETURN(
      repository::Repository repository,
      repository::Repository::Open(services.objects, {backup.bucket, backup.prefix}));
  return repository.ReadManifest(backup.object, backup.backup);
}

verify::Services ForVerification(const Services& services) {
  return {services.warehouse,     services.objects, services.catalog,
          services.clock,         services.random,  services.staging_bucket_pattern,
          services.further_places};
}

// A damaged backup's copy, of which the notes tell; or the damage, recorded.
Result<Manifest> ReadCopy(const Services& services, const catalog::BackupRecord& backup,
                          const verify::VerifyReport& report, std::vector<std::string>& notes) {
  const verify::Services verifying = ForVerification(services);
  const Error& damage = report.findings.front();
  HF_ASSIGN_OR_RETURN(auto copy,
                      verify::FallBackToCopy(verifying, backup, VerifyLevel::kL0, damage));
  if (copy) {
    notes.push_back("backup " + backup.backup + " was " + copy->report.note);
    return std::move(copy->manifest);
  }
  verify::KeepReport(verifying, backup.backup, report);
  return verify::DescribeLoss(verifying, backup, damage);
}

// The manifest of a backup, with its objects in place; damage is recorded.
Result<Manifest> ReadManifest(const Services& services, const catalog::BackupRecord& backup,
                              std::vector<std::string>& notes) {
  auto manifest = OpenManifest(services, backup);
  if (!manifest.ok()) {
    if (!verify::IsDamageOfRepository(manifest.error())) return manifest.error();
    const verify::VerifyReport damaged{.backup = backup.backup,
                                       .object = backup.object,
                                       .requested = VerifyLevel::kL0,
                                       .content_digest = {},
                                       .problems = 1,
                                       .findings = {manifest.error()}};
    return ReadCopy(services, backup, damaged, notes);
  }
  // A copy is a table that anyone may have written to since: then it is no backup any more.
  HF_ASSIGN_OR_RETURN(const verify::VerifyReport report,
                      Verify(services, *manifest, VerifyLevel::kL0));
  if (report.Passed()) return manifest;
  if (report.findings.empty()) {
    return MakeError(ErrorId::kNothingToVerify, "backup " + backup.backup);
  }
  return ReadCopy(services, backup, report, notes);
}

// What to do about a damaged backup: its copy may be whole, and is what the catalog knows then.
std::string HintOf(const Services& services, const std::string& backup, VerifyLevel level,
                   const Error& damage) {
  const auto record = catalog::GetBackup(services.catalog, backup);
  if (!record.ok()) return {};
  const auto copy = verify::FallBackToCopy(ForVerification(services), *record, level, damage);
  if (!copy.ok() || !*copy) return {};
  return "Run the same command again: the backup is now " + (*copy)->report.note;
}

// The damage that a look at this level finds in one of the backups, recorded; nullopt: none.
std::optional<Error> FindDamage(const Services& services, const std::vector<Manifest>& manifests,
                                VerifyLevel level) {
  for (const Manifest& manifest : manifests) {
    if (manifest.method != Method::kExport) continue;
    const auto report = verify::VerifyBackup(services.objects, manifest, level);
    if (!report.ok() || report->findings.empty()) continue;
    const Error& damage = report->findings.front();
    verify::KeepReport(ForVerification(services), manifest.backup, *report);
    return MakeError(damage.id,
                     "backup " + manifest.backup + " of " + manifest.object.ToString() +
                         " is damaged: " + damage.message,
                     HintOf(services, manifest.backup, level, damage));
  }
  return std::nullopt;
}

// Whether a load failed for what it was to read, and not for want of permission or quota.
bool TellsOfData(const Error& error) {
  return error.code == Code::kInvalidArgument || error.code == Code::kDataLoss ||
         error.reason == "invalid";
}

}  // namespace

Result<std::vector<Manifest>> ReadManifests(const Services& services, const TableRestore& restore,
                                            std::vector<std::string>& notes) {
  std::vector<Manifest> manifests;
  for (const catalog::BackupRecord& backup : restore.backups) {
    HF_ASSIGN_OR_RETURN(Manifest manifest, ReadManifest(services, backup, notes));
    manifests.push_back(std::move(manifest));
  }
  return manifests;
}

Error ExplainLoadFailure(const Services& services, const std::vector<Manifest>& manifests,
                         const Error& error) {
  if (IsRetryable(error) || error.id == ErrorId::kCancelled) return error;
  // An object that is gone is told of as not found.
  if (!TellsOfData(error) && error.code != Code::kNotFound) return error;
  auto damage = FindDamage(services, manifests, VerifyLevel::kL0);
  if (!damage && TellsOfData(error)) damage = FindDamage(services, manifests, VerifyLevel::kL1);
  return damage.value_or(error);
}

std::string ExamineBackups(const Services& services, const std::vector<Manifest>& manifests) {
  std::string damaged;
  size_t whole = 0;
  for (const Manifest& manifest : manifests) {
    const auto report = Verify(services, manifest, VerifyLevel::kL2);
    if (!report.ok()) {
      LogWarning("a backup was not read again",
                 {{"backup", manifest.backup}, {"error", report.error().message}});
    } else if (!report->findings.empty()) {
      const Error& damage = report->findings.front();
      verify::KeepReport(ForVerification(services), manifest.backup, *report);
      if (damaged.empty()) {
        damaged = "backup " + manifest.backup + " is damaged: " + damage.message;
      }
    } else if (report->Passed() && report->reached >= VerifyLevel::kL2) {
      verify::KeepReport(ForVerification(services), manifest.backup, *report);
      ++whole;
    }
  }
  if (!damaged.empty()) return damaged;
  if (whole == manifests.size()) {
    return "every backup of it was read again and is whole: the restored table is what is wrong";
  }
  return fmt::format("of its {} backups {} could be read again and are whole", manifests.size(),
                     whole);
}

void KeepEvidence(const Services& services, const TableRestore& restore, const OwnedTable& owned,
                  const TableComparison& comparison) {
  if (comparison.Equal()) {
    for (const catalog::BackupRecord& backup : restore.backups) {
      RecordProof(services, backup.backup, restore.target);
    }
  }
  // Where it lies now: it may have been read from its copy.
  const auto known = catalog::GetBackup(services.catalog, restore.backups.back().backup);
  const catalog::BackupRecord& last = known.ok() ? *known : restore.backups.back();
  Json evidence = comparison.ToJson();
  const Timestamp now = services.clock.Now();
  evidence["at_ms"] = ToUnixMillis(now);
  evidence["source"] = restore.source.ToString();
  evidence["target"] = restore.target.ToString();
  for (const auto& backup : restore.backups) evidence["backups"].push_back(backup.backup);
  auto repository = repository::Repository::Open(services.objects, {last.bucket, last.prefix});
  // A restore that is repeated finds something new.
  const std::string id = owned.restore_id + "-" + verify::EvidenceMoment(now, services.random);
  const Status written = repository.ok()
                             ? repository->WriteEvidence(repository::kRestoreEvidence, id, evidence)
                             : Status(repository.error());
  if (!written.ok()) LogWarning("evidence was not written", {{"error", written.error().message}});
}

}  // namespace holdfast::restore
