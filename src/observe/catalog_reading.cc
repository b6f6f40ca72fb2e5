#include "observe/catalog_reading.h"

#include <fmt/format.h>

#include "cloud/page.h"
#include "observe/object_stream.h"

namespace holdfast::observe {

namespace {

constexpr size_t kPoliciesKept = 10'000;
constexpr int64_t kRowsPerShow = 1'000;

}  // namespace

CatalogReading::CatalogReading(const ExportServices& services, const cloud::ObjectRef& place)
    : services_(services) {
  for (size_t i = 0; i < uploads_.size(); ++i) {
    const auto table = static_cast<ExportTable>(i);
    cloud::ObjectRef folder = place;
    folder.name += fmt::format("{}/", ExportTableName(table));
    uploads_[i] = std::make_unique<TableUpload>(services.objects, services.random, folder,
                                                ExportTableSchema(table), services.part_bytes);
  }
}

Result<ServiceLevels> CatalogReading::ReadAll(const ServiceLevelSources& sources,
                                              const Scope& scope, const ExportStamp& stamp) {
  HF_ASSIGN_OR_RETURN(const ServiceLevels levels, LookAtSources(sources, scope, stamp));
  HF_RETURN_IF_ERROR(ReadBackups());
  HF_RETURN_IF_ERROR(ReadPins());
  HF_RETURN_IF_ERROR(ReadRuns());
  HF_RETURN_IF_ERROR(ReadAuditLog());
  HF_RETURN_IF_ERROR(AppendStamp(At(ExportTable::kExport), stamp));
  return levels;
}

Status CatalogReading::BeginRow(std::string_view what, ExportTable table) const {
  const int64_t rows = At(table).rows();
  if (rows % kRowsPerShow == 0) {
    services_.on_progress({.step = fmt::format("reading {}", what), .rows = rows});
  }
  return services_.keep_alive();
}

Result<ServiceLevels> CatalogReading::LookAtSources(const ServiceLevelSources& sources,
                                                    const Scope& scope, const ExportStamp& stamp) {
  ServiceLevelSources with_rows = sources;
  with_rows.on_seen = [&](const SeenObject& seen) -> Status {
    HF_RETURN_IF_ERROR(BeginRow("objects", ExportTable::kObjects));
    return AppendObject(At(ExportTable::kObjects), seen, stamp.at_ms);
  };
  return MeasureServiceLevels(
      with_rows, scope, FromUnixMillis(stamp.at_ms), [&](const ServiceLevelMiss& miss) -> Status {
        if (miss.kind != ServiceLevelMiss::Kind::kUnseen) return Ok();
        return AppendUnseen(At(ExportTable::kUnseen), NameOf(miss.object), miss.detail);
      });
}

Status CatalogReading::ReadBackups() {
  return cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return services_.catalog.FindBackups({}, token); },
      [&](catalog::BackupRecord&& record) { return ReadOneBackup(record); });
}

Status CatalogReading::ReadOneBackup(const catalog::BackupRecord& record) {
  HF_RETURN_IF_ERROR(BeginRow("backups", ExportTable::kBackups));
  HF_ASSIGN_OR_RETURN(const std::string policy, PolicyOf(record.run));
  HF_RETURN_IF_ERROR(AppendBackup(At(ExportTable::kBackups), record, policy));
  if (!record.bucket.empty()) repositories_.insert({record.bucket, record.prefix});
  if (record.verified_ms == 0 && !record.damaged) return Ok();
  HF_ASSIGN_OR_RETURN(const auto verifications, services_.catalog.ListVerifications(record.backup));
  for (const catalog::VerificationRecord& verification : verifications) {
    HF_RETURN_IF_ERROR(AppendVerification(At(ExportTable::kVerifications), verification));
  }
  return Ok();
}

// A run that a rebuild did not find has no policy that anyone knows.
Result<std::string> CatalogReading::PolicyOf(const std::string& run) {
  const auto known = policies_.find(run);
  if (known != policies_.end()) return known->second;
  const auto found = services_.catalog.GetRun(run);
  if (!found.ok() && found.error().id != ErrorId::kRunNotFound) return found.error();
  if (policies_.size() == kPoliciesKept) policies_.clear();
  return policies_[run] = found.ok() ? found->policy.name : "";
}

Status CatalogReading::ReadPins() {
  if (!services_.visit_pins) return Ok();
  for (const repository::Location& repository : repositories_) {
    std::optional<Error> failed;  // of writing, which is not the repository's doing
    const Status visited = services_.visit_pins(repository, [&](const ExportedPin& pin) -> Status {
      Status appended = BeginRow("pins", ExportTable::kPins);
      if (appended.ok()) appended = AppendPin(At(ExportTable::kPins), pin);
      if (!appended.ok()) failed = appended.error();
      return appended;
    });
    if (failed) return *failed;
    if (visited.ok()) continue;
    const std::string folder = repository.prefix.empty() ? "" : "/" + repository.prefix;
    HF_RETURN_IF_ERROR(AppendUnseen(At(ExportTable::kUnseen), "gs://" + repository.bucket + folder,
                                    visited.error().message));
  }
  return Ok();
}

Status CatalogReading::ReadRuns() {
  return cloud::ForEachPage<Run>(
      [&](const std::string& token) { return services_.catalog.ListRuns(false, token); },
      [&](Run&& run) -> Status {
        HF_RETURN_IF_ERROR(BeginRow("runs", ExportTable::kRuns));
        HF_ASSIGN_OR_RETURN(const auto progress, services_.catalog.GetProgress(run.id));
        HF_RETURN_IF_ERROR(AppendRun(At(ExportTable::kRuns), run, progress.totals));
        return cloud::ForEachPage<ItemOutcome>(
            [&](const std::string& token) { return services_.catalog.ListOutcomes(run.id, token); },
            [&](ItemOutcome&& item) -> Status {
              HF_RETURN_IF_ERROR(BeginRow("outcomes", ExportTable::kOutcomes));
              return AppendOutcome(At(ExportTable::kOutcomes), run.id, item);
            });
      });
}

Status CatalogReading::ReadAuditLog() {
  int64_t sequence = 0;
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto entries, services_.catalog.ListAudit(sequence));
    if (entries.empty()) return Ok();
    for (const catalog::AuditEntry& entry : entries) {
      HF_RETURN_IF_ERROR(BeginRow("audit entries", ExportTable::kAudit));
      HF_RETURN_IF_ERROR(AppendAudit(At(ExportTable::kAudit), entry));
      sequence = entry.sequence;
    }
  }
}

}  // namespace holdfast::observe
