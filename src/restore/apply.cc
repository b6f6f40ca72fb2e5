#include "restore/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <string>

#include "base/log.h"
#include "restore/access.h"
#include "restore/damage.h"
#include "restore/definitions.h"
#include "restore/foreign_keys.h"
#include "restore/judge.h"
#include "restore/load.h"
#include "restore/plan_lease.h"
#include "restore/target.h"
#include "restore/unfinished.h"

namespace holdfast::restore {

namespace {

int64_t MillisSince(const Clock& clock, Timestamp started) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now() - started).count();
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// No job crosses locations: a dataset that is there in another one takes nothing of a backup.
Status CheckLocations(const RestorePlan& plan, const Services& services) {
  std::map<DatasetRef, std::string> locations;  // of the datasets that are there, in lower case
  for (const TableRestore& restore : plan.tables) {
    const DatasetRef dataset = restore.target.dataset_ref();
    auto known = locations.find(dataset);
    if (known == locations.end()) {
      const auto info = services.warehouse.GetDataset(dataset);
      if (!info.ok() && info.error().code != Code::kNotFound) return info.error();
      known = locations.emplace(dataset, info.ok() ? LowerCase(info->location) : "").first;
    }
    const std::string& location = restore.backups.front().location;
    if (known->second.empty() || location.empty() || known->second == LowerCase(location)) continue;
    return MakeError(ErrorId::kLocationMismatch,
                     fmt::format("{} is in {}, and the backup of {} in {}", dataset.ToString(),
                                 known->second, restore.source.ToString(), location),
                     "Choose another dataset with --to-dataset: one that is not there yet is made "
                     "in the right location");
  }
  return Ok();
}

class PlanInProgress {
 public:
  PlanInProgress(const RestoreRequest& request, const RestorePlan& plan, const Services& services)
      : request_(request), plan_(plan), services_(services) {}

  Status RestoreTable(const TableRestore& restore, TableReport& report) {
    // To look at one that was made before costs as much as to skip it.
    if (IsDefinition(restore)) {
      return RestoreDefinition(request_, plan_, restore, services_, report);
    }
    if (restore.finished) {
      report.resumed = true;
      report.rows = restore.rows;
      report.bytes = restore.bytes;
      report.outcome = TableOutcome::kRestored;
      report.notes.emplace_back("it was finished before, by the same command");
      return Ok();
    }
    HF_ASSIGN_OR_RETURN(std::vector<Manifest> manifests,
                        ReadManifests(services_, restore, report.notes));
    LeaveOutOtherColumns(manifests);
    const Manifest& newest = NewestOf(manifests);
    auto owned = TakeTarget(services_, plan_, restore, newest);
    if (!owned.ok()) {
      if (owned.error().id != ErrorId::kTableExists) return owned.error();
      return SettleExisting(restore, manifests, report);
    }
    report.resumed = owned->resumed;
    report.expirations = ExpirationsLeftOut(newest, restore.target);
    report.foreign_keys = ForeignKeysLeftOut(newest.table_resource, restore.target, plan_.tables);
    FillProgress progress;
    if (const Status limited = LimitReaders(newest, restore.target, report); !limited.ok()) {
      return Abandon(*owned, progress, limited.error(), report);
    }
    const Status filled = FillTarget(services_, *owned, manifests, progress);
    if (!filled.ok()) {
      return Abandon(*owned, progress, ExplainLoadFailure(services_, manifests, filled.error()),
                     report);
    }
    report.rows = restore.rows;
    report.bytes = restore.bytes;
    if (request_.compare) HF_RETURN_IF_ERROR(Compare(restore, *owned, manifests, report));
    if (!request_.without_access) {
      RestoreIamPolicy(services_, newest, restore.target, report.notes);
    }
    report.outcome = TableOutcome::kRestored;
    to_release_.push_back(*std::move(owned));
    return Ok();
  }

  // What the plan holds and its tables cannot take.
  std::vector<MissingObject> TakeLeftOut() { return std::move(left_out_); }

  // Last of all, so that the labels tell a later process how far this one came.
  // One that cannot be released is whole, and fails, since it says that it is not finished.
  void Release(RestoreReport& report) {
    for (const OwnedTable& owned : to_release_) {
      const auto released = ReleaseTarget(services_, owned);
      if (released.ok()) continue;
      const auto table = std::ranges::find(report.tables, owned.table.ref, &TableReport::target);
      if (table == report.tables.end()) {
        report.notes.push_back(released.error().message);
        continue;
      }
      table->outcome = TableOutcome::kFailed;
      table->left_behind = true;
      table->error = released.error();
      table->error->message += "; it is filled, and its label was not taken off";
    }
  }

 private:
  // Of a table that was made anew with other columns, a partition may have its last good backup of
  // the table before it: those rows have no place beside the others, and must not keep them away.
  void LeaveOutOtherColumns(std::vector<Manifest>& manifests) {
    const Schema schema = NewestOf(manifests).schema;
    std::erase_if(manifests, [&](const Manifest& manifest) {
      if (HoldsColumns(schema, manifest.schema)) return false;
      left_out_.push_back(
          {.object = manifest.object,
           .reason = fmt::format("its last good backup {} has columns that the table has not any "
                                 "more; restore it alone with --backup {}",
                                 manifest.backup, manifest.backup)});
      return true;
    });
  }

  // Before the first row is there.
  Status LimitReaders(const Manifest& manifest, const TableRef& target, TableReport& report) {
    if (!request_.without_access) {
      return RestoreRowPolicies(services_, manifest, target, report.notes);
    }
    std::ranges::move(AccessNotRestored(manifest), std::back_inserter(report.notes));
    return Ok();
  }

  Status Compare(const TableRestore& restore, const OwnedTable& owned,
                 const std::vector<Manifest>& manifests, TableReport& report) {
    services_.on_step("comparing " + restore.target.ToString());
    auto comparison = CompareTarget(services_, owned, manifests);
    if (!comparison.ok()) {
      report.left_behind = true;
      return comparison.error().WithContext(restore.target.ToString() +
                                            " is filled and was not compared");
    }
    report.comparison = *std::move(comparison);
    KeepEvidence(services_, restore, owned, *report.comparison);
    if (report.comparison->Equal()) return Ok();
    report.outcome = TableOutcome::kDiffers;
    std::string message = restore.target.ToString() + ": " + report.comparison->differences.front();
    if (report.comparison->content_differs) {
      services_.on_step("reading the backups of " + restore.source.ToString() + " again");
      message += "; " + ExamineBackups(services_, manifests);
    }
    return MakeError(ErrorId::kRestoreMismatch, std::move(message));
  }

  // A target that could not be filled is taken away while it is empty, so that nobody takes it for
  // a table that was restored. With rows in it, or a job that may still bring some, it stays.
  Status Abandon(const OwnedTable& owned, const FillProgress& progress, const Error& error,
                 TableReport& report) {
    const std::string name = owned.table.ref.ToString();
    Error failure = error;
    if (error.code != Code::kCancelled && !progress.job_may_run) {
      const auto dropped = DropIfEmpty(services_, owned);
      if (dropped.ok() && *dropped) {
        failure.message += "; the target " + name + ", still empty, was taken away again";
        return failure;
      }
    }
    report.left_behind = true;
    failure.message += "; the target " + name + " is left unfinished";
    return failure;
  }

  // A target that is there and not this plan's to fill.
  Status SettleExisting(const TableRestore& restore, const std::vector<Manifest>& manifests,
                        TableReport& report) {
    OwnedTable owned{.restore_id = plan_.hash, .resumed = true};
    HF_ASSIGN_OR_RETURN(owned.table, services_.warehouse.GetTable(restore.target));
    Error conflict = ConflictOf(services_, owned.table);
    if (!RestoreLabelOf(owned.table).empty()) return conflict;
    if (plan_.resumes_ms) {
      // The plan was begun when none of its targets existed, so a table without its label was
      // released by the process that died, unless its content says otherwise.
      HF_ASSIGN_OR_RETURN(report.comparison, CompareTarget(services_, owned, manifests));
      if (report.comparison->Equal()) {
        report.resumed = true;
        report.rows = restore.rows;
        report.bytes = restore.bytes;
        report.outcome = TableOutcome::kRestored;
        return Ok();
      }
      report.comparison.reset();
    }
    if (request_.if_exists == IfExists::kFail) return conflict;
    report.outcome = TableOutcome::kSkipped;
    return Ok();
  }

  const RestoreRequest& request_;
  const RestorePlan& plan_;
  const Services& services_;
  std::vector<OwnedTable> to_release_;
  std::vector<MissingObject> left_out_;
};

// The plan as it goes on from here: what is done is not restored, nor looked at, again.
void KeepWhatIsLeft(const RestoreRequest& request, const RestorePlan& plan,
                    const RestoreReport& report, Timestamp started, const Services& services) {
  std::vector<TableRestore> tables = plan.tables;
  for (size_t i = 0; i < tables.size(); ++i) {
    tables[i].finished = report.tables[i].outcome == TableOutcome::kRestored;
  }
  RestorePlan left = PlanOf(request, std::move(tables), plan.missing, plan.notes);
  left.resumes_ms = plan.resumes_ms.value_or(ToUnixMillis(started));
  const Status kept = KeepPlan(request, left, services);
  // Then the same command looks at the tables that are done, which costs time only.
  if (!kept.ok()) LogWarning("the plan was not stored", {{"error", kept.error().message}});
}

}  // namespace

Error ConflictOf(const Services& services, const TableInfo& table) {
  const std::string name = table.ref.ToString();
  if (RestoreLabelOf(table).empty()) {
    return MakeError(ErrorId::kTableExists, "the target " + name + " exists already",
                     "Choose another target with --to-dataset or --to-table, drop that table, or "
                     "leave such tables as they are with --if-exists=skip");
  }
  // A plan that cannot be read changes nothing of that, so its error is not the one to show.
  const auto unfinished = FindRestoreOf(table, services);
  if (!unfinished.ok() || !*unfinished) {
    return MakeError(ErrorId::kTableExists,
                     "the target " + name + " is of a restore that was not finished",
                     "It is not complete. Drop it, if no other process is at it now, or choose "
                     "another target with --to-dataset or --to-table");
  }
  return MakeError(
      ErrorId::kTableExists,
      fmt::format("the target {} is of a restore that was begun at {} and not finished", name,
                  FormatTimestamp(FromUnixMillis((*unfinished)->begun_ms))),
      fmt::format("It is not complete. If no other process is at it now, finish that restore with "
                  "`{}`, or drop the table; or choose another target with --to-dataset or "
                  "--to-table",
                  CommandOf((*unfinished)->request)));
}

Status CheckTargets(const RestoreRequest& request, const RestorePlan& plan,
                    const Services& services) {
  HF_RETURN_IF_ERROR(RefuseConflicts(plan));
  HF_RETURN_IF_ERROR(CheckLocations(plan, services));
  if (plan.resumes_ms || request.if_exists != IfExists::kFail) return Ok();
  for (const TableRestore& restore : plan.tables) {
    if (IsDefinition(restore)) {
      HF_RETURN_IF_ERROR(CheckDefinitionTarget(plan, restore, services));
      continue;
    }
    const auto existing = services.warehouse.GetTable(restore.target);
    if (existing.ok()) return ConflictOf(services, *existing);
    if (existing.error().code != Code::kNotFound) return existing.error();
  }
  return Ok();
}

Result<RestoreReport> Apply(const RestoreRequest& request, const RestorePlan& plan,
                            const Services& services) {
  HF_RETURN_IF_ERROR(CheckTargets(request, plan, services));
  const Timestamp started = services.clock.Now();
  HF_ASSIGN_OR_RETURN(PlanLease lease, PlanLease::Take(plan, services));
  if (const Status kept = KeepPlan(request, plan, services); !kept.ok()) {
    lease.End();
    return kept.error();
  }
  RestoreReport report{.plan = plan.hash,
                       .missing = plan.missing,
                       .notes = plan.notes,
                       .resumes_ms = plan.resumes_ms};
  std::ranges::copy(lease.notes(), std::back_inserter(report.notes));
  PlanInProgress in_progress(request, plan, services);
  report.tables.resize(plan.tables.size());
  for (const size_t index : OrderOfRestore(plan, services)) {
    const TableRestore& restore = plan.tables[index];
    services.on_step("restoring " + restore.target.ToString());
    const Timestamp table_started = services.clock.Now();
    if (const Status renewed = lease.Renew(); !renewed.ok()) {
      report.notes.push_back("the backups are not held any more: " + renewed.error().message);
    }
    TableReport table{.source = restore.source,
                      .target = restore.target,
                      .kind = restore.backups.front().kind,
                      .backups = static_cast<int64_t>(restore.backups.size()),
                      .notes = restore.notes};
    if (const Status done = in_progress.RestoreTable(restore, table); !done.ok()) {
      table.error = done.error();
    }
    table.duration_ms = MillisSince(services.clock, table_started);
    report.tables[index] = std::move(table);
  }
  std::ranges::move(in_progress.TakeLeftOut(), std::back_inserter(report.missing));
  in_progress.Release(report);
  lease.End();
  if (report.Count(TableOutcome::kFailed) + report.Count(TableOutcome::kDiffers) == 0) {
    ForgetPlan(plan, services);
  } else if (report.Count(TableOutcome::kRestored) != 0) {
    KeepWhatIsLeft(request, plan, report, started, services);
  }
  report.duration_ms = MillisSince(services.clock, started);
  return report;
}

}  // namespace holdfast::restore
