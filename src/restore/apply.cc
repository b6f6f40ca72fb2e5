#include "restore/apply.h"

#include <algorithm>

#include "base/log.h"
#include "repository/repository.h"
#include "restore/load.h"
#include "restore/target.h"
#include "verify/verify.h"

namespace holdfast::restore {

namespace {

int64_t MillisSince(const Clock& clock, Timestamp started) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now() - started).count();
}

// The manifests of a table's backups, each with its objects in place (L0).
Result<std::vector<Manifest>> ReadManifests(const Services& services, const TableRestore& restore) {
  std::vector<Manifest> manifests;
  for (const catalog::BackupRecord& backup : restore.backups) {
    HF_ASSIGN_OR_RETURN(
        repository::Repository repository,
        repository::Repository::Open(services.objects, {backup.bucket, backup.prefix}));
    HF_ASSIGN_OR_RETURN(Manifest manifest, repository.ReadManifest(backup.object, backup.backup));
    if (manifest.method == Method::kExport) {
      HF_ASSIGN_OR_RETURN(const verify::VerifyReport report,
                          verify::VerifyBackup(services.objects, manifest, VerifyLevel::kL0));
      if (!report.Passed()) {
        return report.findings.empty()
                   ? MakeError(ErrorId::kNothingToVerify, "backup " + backup.backup)
                   : report.findings.front();
      }
    }
    manifests.push_back(std::move(manifest));
  }
  return manifests;
}

// Keeps the comparison where it outlives this machine, and in the catalog.
void KeepEvidence(const Services& services, const TableRestore& restore, const OwnedTable& owned,
                  const TableComparison& comparison) {
  for (const catalog::BackupRecord& backup : restore.backups) {
    const Status recorded = services.catalog.RecordVerification(
        {.backup = backup.backup,
         .at_ms = ToUnixMillis(services.clock.Now()),
         .level = VerifyLevel::kL3,
         .passed = comparison.Equal(),
         .detail = "restored to " + restore.target.ToString() + " and compared"});
    if (!recorded.ok())
      LogWarning("verification was not recorded", {{"error", recorded.error().message}});
  }
  const catalog::BackupRecord& last = restore.backups.back();
  Json evidence = comparison.ToJson();
  evidence["source"] = restore.source.ToString();
  evidence["target"] = restore.target.ToString();
  for (const auto& backup : restore.backups) evidence["backups"].push_back(backup.backup);
  auto repository = repository::Repository::Open(services.objects, {last.bucket, last.prefix});
  const Status written = repository.ok()
                             ? repository->WriteEvidence("restore", owned.restore_id, evidence)
                             : Status(repository.error());
  if (!written.ok()) LogWarning("evidence was not written", {{"error", written.error().message}});
}

bool IsOfPlan(const RestorePlan& plan, const TableInfo& table) {
  const Json* labels = FindField(table.resource, "labels");
  return labels != nullptr && StringOr(*labels, kRestoreLabel, "").starts_with(plan.hash + "-");
}

// What is known of the targets before anything is begun.
struct Targets {
  bool in_progress = false;          // an earlier process had begun this plan
  std::optional<TableRef> conflict;  // the first that is not of this plan
};

Result<Targets> LookAtTargets(const RestorePlan& plan, const Services& services) {
  Targets targets;
  for (const TableRestore& restore : plan.tables) {
    const auto existing = services.warehouse.GetTable(restore.target);
    if (!existing.ok()) {
      if (existing.error().code == Code::kNotFound) continue;
      return existing.error();
    }
    if (IsOfPlan(plan, *existing)) {
      targets.in_progress = true;
    } else if (!targets.conflict) {
      targets.conflict = restore.target;
    }
  }
  return targets;
}

class PlanInProgress {
 public:
  PlanInProgress(const RestoreRequest& request, const RestorePlan& plan, const Services& services,
                 bool was_in_progress)
      : request_(request), plan_(plan), services_(services), was_in_progress_(was_in_progress) {}

  Status RestoreTable(const TableRestore& restore, TableReport& report) {
    HF_ASSIGN_OR_RETURN(const std::vector<Manifest> manifests, ReadManifests(services_, restore));
    auto owned = TakeTarget(services_, plan_, restore, manifests.back());
    if (!owned.ok()) {
      if (owned.error().id != ErrorId::kTableExists) return owned.error();
      if (request_.if_exists == IfExists::kSkip) {
        report.outcome = TableOutcome::kSkipped;
        return Ok();
      }
      return was_in_progress_ ? RecognizeReleased(restore, manifests, owned.error(), report)
                              : Status(owned.error());
    }
    report.resumed = owned->resumed;
    HF_RETURN_IF_ERROR(FillTarget(services_, *owned, manifests));
    report.rows = restore.rows;
    report.bytes = restore.bytes;
    if (request_.compare) {
      services_.on_step("comparing " + restore.target.ToString());
      HF_ASSIGN_OR_RETURN(report.comparison, CompareTarget(services_, *owned, manifests));
      KeepEvidence(services_, restore, *owned, *report.comparison);
      if (!report.comparison->Equal()) {
        report.outcome = TableOutcome::kDiffers;
        return MakeError(ErrorId::kRestoreMismatch,
                         restore.target.ToString() + ": " + report.comparison->differences.front());
      }
    }
    report.outcome = TableOutcome::kRestored;
    to_release_.push_back(*std::move(owned));
    return Ok();
  }

  // Last of all, so that the labels tell a later process how far this one came.
  Status Release() {
    for (const OwnedTable& owned : to_release_) {
      HF_RETURN_IF_ERROR(ReleaseTarget(services_, owned));
    }
    return Ok();
  }

 private:
  // The plan was begun only because none of its targets existed, so a table without its label was
  // released by the process that died, unless its content says otherwise.
  Status RecognizeReleased(const TableRestore& restore, const std::vector<Manifest>& manifests,
                           const Error& conflict, TableReport& report) {
    OwnedTable owned{.restore_id = plan_.hash, .resumed = true};
    HF_ASSIGN_OR_RETURN(owned.table, services_.warehouse.GetTable(restore.target));
    HF_ASSIGN_OR_RETURN(report.comparison, CompareTarget(services_, owned, manifests));
    if (!report.comparison->Equal()) return conflict;
    report.resumed = true;
    report.rows = restore.rows;
    report.bytes = restore.bytes;
    report.outcome = TableOutcome::kRestored;
    return Ok();
  }

  const RestoreRequest& request_;
  const RestorePlan& plan_;
  const Services& services_;
  bool was_in_progress_;
  std::vector<OwnedTable> to_release_;
};

}  // namespace

std::string_view TableOutcomeName(TableOutcome outcome) {
  switch (outcome) {
    case TableOutcome::kRestored:
      return "restored";
    case TableOutcome::kSkipped:
      return "skipped";
    case TableOutcome::kDiffers:
      return "differs";
    case TableOutcome::kFailed:
      break;
  }
  return "failed";
}

Result<RestoreReport> Apply(const RestoreRequest& request, const RestorePlan& plan,
                            const Services& services) {
  HF_ASSIGN_OR_RETURN(const Targets targets, LookAtTargets(plan, services));
  if (targets.conflict && !targets.in_progress && request.if_exists == IfExists::kFail) {
    return MakeError(ErrorId::kTableExists,
                     "the target " + targets.conflict->ToString() + " exists already",
                     "Choose another target with --to-dataset or --to-table, drop that table, or "
                     "leave such tables as they are with --if-exists=skip");
  }
  const Timestamp started = services.clock.Now();
  RestoreReport report{.plan = plan.hash, .tables = {}};
  PlanInProgress in_progress(request, plan, services, targets.in_progress);
  for (const TableRestore& restore : plan.tables) {
    services.on_step("restoring " + restore.target.ToString());
    const Timestamp table_started = services.clock.Now();
    TableReport table{.source = restore.source,
                      .target = restore.target,
                      .backups = static_cast<int64_t>(restore.backups.size())};
    if (const Status done = in_progress.RestoreTable(restore, table); !done.ok()) {
      table.error = done.error();
    }
    table.duration_ms = MillisSince(services.clock, table_started);
    report.tables.push_back(std::move(table));
  }
  HF_RETURN_IF_ERROR(in_progress.Release());
  report.duration_ms = MillisSince(services.clock, started);
  return report;
}

int64_t RestoreReport::Count(TableOutcome outcome) const {
  return std::ranges::count(tables, outcome, &TableReport::outcome);
}

Json TableReport::ToJson() const {
  Json json = {
      {"source", source.ToString()},          {"target", target.ToString()},
      {"outcome", TableOutcomeName(outcome)}, {"resumed", resumed},
      {"backups", std::to_string(backups)},   {"rows", std::to_string(rows)},
      {"bytes", std::to_string(bytes)},       {"duration_ms", std::to_string(duration_ms)}};
  if (comparison) json["comparison"] = comparison->ToJson();
  if (error) {
    json["error"] = {{"id", FindError(error->id).id}, {"message", error->message}};
  }
  return json;
}

Json RestoreReport::ToJson() const {
  Json list = Json::array();
  for (const TableReport& table : tables) list.push_back(table.ToJson());
  return {{"schema", "holdfast.restore.v1"},
          {"plan", plan},
          {"tables", std::move(list)},
          {"duration_ms", std::to_string(duration_ms)},
          {"succeeded", Succeeded()}};
}

}  // namespace holdfast::restore
