#include "verify/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "verify/documents.h"

namespace holdfast::verify {

namespace {

std::string SubjectOf(const TableRef& object, const std::string& backup) {
  return fmt::format("{} backup {}", object.ToString(), backup);
}

// Whether the data lies where only this backup's does. The names of data objects and of copies hold
// the backup's id, so two backups share data only when one of them names another's.
bool NamesOnlyItsOwnData(const repository::Location& location, const Manifest& manifest) {
  if (manifest.copy) return manifest.copy->table.find(manifest.backup) != std::string::npos;
  return std::ranges::all_of(manifest.objects, [&](const DataObject& object) {
    const auto path = repository::ParseDataName(location.prefix, object.name);
    return path && path->backup == manifest.backup;
  });
}

class DriftCheck {
 public:
  DriftCheck(const Services& services, const DriftOptions& options)
      : services_(services), options_(options) {}

  Result<DriftReport> Run(std::vector<repository::Repository>& repositories) {
    for (repository::Repository& repository : repositories) {
      locations_.emplace(repository.location(), &repository);
      HF_RETURN_IF_ERROR(CheckManifests(repository));
    }
    HF_RETURN_IF_ERROR(CheckRecords());
    for (repository::Repository& repository : repositories) {
      HF_RETURN_IF_ERROR(CheckData(repository));
      HF_RETURN_IF_ERROR(CheckDocuments(repository, [&](const auto& uri, const auto& why) {
        Find(DriftKind::kDocumentDamaged, uri, why);
        return Ok();
      }));
    }
    HF_RETURN_IF_ERROR(CheckRunFiles());
    return std::move(report_);
  }

 private:
  void Find(DriftKind kind, std::string subject, std::string detail) {
    ++report_.count[static_cast<int>(kind)];
    if (report_.findings.size() == options_.findings_max) return;
    report_.findings.push_back({kind, std::move(subject), std::move(detail)});
  }

  Status CheckManifests(repository::Repository& repository) {
    return repository::ForEachManifest(
        repository, {},
        [&](const Result<Manifest>& manifest) -> Status {
          options_.on_progress(++report_.manifests);
          if (manifest.ok()) return CheckManifest(repository.location(), *manifest);
          Find(DriftKind::kManifestDamaged, last_listed_, manifest.error().message);
          return Ok();
        },
        [&](const repository::ManifestEntry& entry) {
          listed_.insert(entry.path.backup);
          last_listed_ = entry.info.ref.Uri();
          return true;
        });
  }

  Status CheckManifest(const repository::Location& location, const Manifest& manifest) {
    const std::string subject = SubjectOf(manifest.object, manifest.backup);
    if (!NamesOnlyItsOwnData(location, manifest)) {
      Find(DriftKind::kSharedData, subject, "it names data that belongs to another backup");
    }
    HF_ASSIGN_OR_RETURN(const auto known,
                        services_.catalog.FindBackups({.id_prefix = manifest.backup}, ""));
    if (known.items.empty()) {
      Find(DriftKind::kUnknownBackup, subject, "the catalog does not have it");
    }
    HF_ASSIGN_OR_RETURN(const VerifyReport verified,
                        VerifyManifest(services_, manifest, VerifyLevel::kL0));
    if (verified.Passed()) return Ok();
    Find(DriftKind::kDataLost, subject,
         verified.findings.empty() ? "nothing of it is there" : verified.findings.front().message);
    return known.items.empty() ? Ok() : RecordDamage(known.items.front());
  }

  // What is found out is to be known to the next run and to every restore.
  Status RecordDamage(const catalog::BackupRecord& record) {
    HF_RETURN_IF_ERROR(VerifyRecorded(services_, record, VerifyLevel::kL0));
    return Ok();
  }

  Status CheckRecords() {
    HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
        [&](const std::string& token) { return services_.catalog.FindBackups({}, token); },
        [&](catalog::BackupRecord&& record) { return CheckRecord(record); }));
    return Ok();
  }

  // The file of a run tells a restore what there was, when the catalog is lost.
  Status CheckRunFiles() {
    return cloud::ForEachPage<holdfast::Run>(
        [&](const std::string& token) { return services_.catalog.ListRuns(false, token); },
        [&](holdfast::Run&& run) {
          return run.state == RunState::kFinished ? CheckRunFile(run.id) : Ok();
        });
  }

  Status CheckRunFile(const std::string& run) {
    HF_ASSIGN_OR_RETURN(const auto made, services_.catalog.FindBackups({.run = run}, ""));
    std::set<repository::Location> locations;
    for (const catalog::BackupRecord& record : made.items) {
      locations.insert({record.bucket, record.prefix});
    }
    for (const repository::Location& location : locations) {
      if (!locations_.contains(location)) continue;
      const std::string name = repository::RunFileName(location.prefix, run);
      HF_ASSIGN_OR_RETURN(const auto info,
                          services_.objects.StatObject({location.bucket, name, 0}));
      if (info) continue;
      Find(DriftKind::kRunFileLost, fmt::format("gs://{}/{}", location.bucket, name),
           "the catalog knows the run, and its file is not there");
    }
    return Ok();
  }

  Status CheckRecord(const catalog::BackupRecord& record) {
    const auto at = locations_.find({record.bucket, record.prefix});
    if (at == locations_.end()) {
      ++report_.records_elsewhere;
      return Ok();
    }
    ++report_.records;
    if (listed_.contains(record.backup)) return Ok();
    // It may have been committed after its page was listed.
    HF_ASSIGN_OR_RETURN(const bool there, at->second->HasManifest(record.object, record.backup));
    if (there) return Ok();
    HF_ASSIGN_OR_RETURN(const bool pruned,
                        at->second->HasEvidence(repository::kPrunedEvidence, record.backup));
    if (pruned) {
      ++report_.pruned_elsewhere;
      return services_.catalog.RemoveBackup(record.backup);
    }
    Find(DriftKind::kManifestLost, SubjectOf(record.object, record.backup),
         "the catalog has it and the repository does not");
    return RecordDamage(record);
  }

  Status CheckData(repository::Repository& repository) {
    HF_ASSIGN_OR_RETURN(
        repository::LeftoverPlan plan,
        repository::PlanLeftovers(repository, {}, services_.clock.Now(), options_.leftovers));
    report_.data_young += plan.kept_young;
    report_.data_in_doubt += plan.kept_in_doubt;
    for (const cloud::ObjectInfo& object : plan.objects) {
      Find(DriftKind::kLeftover, object.ref.Uri(),
           fmt::format("{} bytes that no manifest names", object.size_bytes));
    }
    report_.leftovers.push_back(std::move(plan));
    return Ok();
  }

  const Services& services_;
  const DriftOptions& options_;
  std::map<repository::Location, repository::Repository*> locations_;
  std::set<std::string> listed_;  // backups whose manifests are there
  std::string last_listed_;       // the manifest that is read now
  DriftReport report_;
};

}  // namespace

std::string_view DriftKindName(DriftKind kind) {
  switch (kind) {
    case DriftKind::kDataLost:
      return "data_lost";
    case DriftKind::kManifestDamaged:
      return "manifest_damaged";
    case DriftKind::kManifestLost:
      return "manifest_lost";
    case DriftKind::kSharedData:
      return "shared_data";
    case DriftKind::kUnknownBackup:
      return "unknown_backup";
    case DriftKind::kLeftover:
      return "leftover";
    case DriftKind::kDocumentDamaged:
      return "document_damaged";
    case DriftKind::kRunFileLost:
      return "run_file_lost";
  }
  return "";
}

bool DriftReport::HasDamage() const {
  return Of(DriftKind::kDataLost) + Of(DriftKind::kManifestDamaged) + Of(DriftKind::kManifestLost) +
             Of(DriftKind::kSharedData) + Of(DriftKind::kDocumentDamaged) >
         0;
}

bool DriftReport::IsClean() const {
  return !HasDamage() &&
         Of(DriftKind::kUnknownBackup) + Of(DriftKind::kLeftover) + Of(DriftKind::kRunFileLost) ==
             0;
}

Json DriftReport::ToJson() const {
  Json counts = Json::object();
  for (int kind = 0; kind < kDriftKinds; ++kind) {
    counts[std::string(DriftKindName(static_cast<DriftKind>(kind)))] = count[kind];
  }
  Json list = Json::array();
  for (const DriftFinding& finding : findings) {
    list.push_back({{"kind", DriftKindName(finding.kind)},
                    {"subject", finding.subject},
                    {"detail", finding.detail}});
  }
  return {{"manifests", manifests},
          {"records", records},
          {"records_elsewhere", records_elsewhere},
          {"pruned_elsewhere", pruned_elsewhere},
          {"data_young", data_young},
          {"data_in_doubt", data_in_doubt},
          {"counts", std::move(counts)},
          {"findings", std::move(list)}};
}

Result<DriftReport> CheckDrift(const Services& services,
                               std::vector<repository::Repository>& repositories,
                               const DriftOptions& options) {
  return DriftCheck(services, options).Run(repositories);
}

}  // namespace holdfast::verify
