#include "backup/backup_stage.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "backup/copy_unit.h"
#include "backup/definition_stage.h"
#include "backup/export_unit.h"
#include "backup/freeze.h"
#include "backup/metadata_unit.h"
#include "backup/replicate.h"
#include "backup/scan_plan.h"
#include "backup/unit.h"
#include "base/retry.h"
#include "model/effective_policy.h"
#include "model/ids.h"

namespace holdfast::backup {

namespace {

constexpr int64_t kMillisPerMinute = 60'000;

// A unit whose job runs.
struct RunningUnit {
  Unit unit;
  std::variant<ExportPlace, TableRef> place;
  cloud::JobStatus job;
};

// The outcome of a unit that ended in `error`, or that error if another attempt may mend it.
Result<ItemOutcome> SettleFailure(const StageContext& context, const TableRef& object,
                                  const Error& error) {
  if (error.id == ErrorId::kTableNotFound) return VanishedOutcome(object);
  if (IsInterrupted(error) || (IsRetryable(error) && !context.is_last_attempt)) return error;
  return FailedOutcome(object, error);
}

StageResult AllVanished(const RunBackup& message) {
  StageResult gone;
  for (const BackupUnit& unit : message.units) {
    gone.outcomes.push_back(VanishedOutcome(message.table_to_backup.WithPartition(unit.partition)));
  }
  return gone;
}

// Whether the table was made anew, divided otherwise, since it was scanned: then none of the
// message's units is there any more, and the next scan finds what took their place.
bool IsDividedOtherwise(const RunBackup& message, const TableInfo& table) {
  return std::ranges::any_of(message.units, [&](const BackupUnit& unit) {
    return unit.made_before.empty() && unit.fingerprint.partitioning != table.partitioning;
  });
}

class TableStage {
 public:
  TableStage(const RunBackup& message, TableBackup common, LastBackups last)
      : message_(message), common_(std::move(common)), last_(std::move(last)) {}

  Result<StageResult> Run() {
    for (const BackupUnit& scanned : message_.units) {
      HF_RETURN_IF_ERROR(common_.context.keep_alive());
      Unit unit = MakeUnit(scanned);
      if (!scanned.made_before.empty()) {
        const auto made_up = MakeUpFor(common_, unit);
        Keep(made_up.ok() ? made_up : SettleFailure(common_.context, unit.object, made_up.error()));
        continue;
      }
      const auto started = Start(std::move(unit));
      if (!started.ok()) {
        Keep(AdoptOrSettle(MakeUnit(scanned), started.error()));
      } else if (*started) {
        Keep(**started);
      }
    }
    for (RunningUnit& running : running_) {
      const auto outcome = Finish(running);
      Keep(outcome.ok() ? outcome : AdoptOrSettle(running.unit, outcome.error()));
    }
    // Every other unit was finished and recorded; the next attempt finds their manifests.
    if (retry_) return *std::move(retry_);
    if (common_.frozen && !message_.shares_moment) DropFrozen(common_, common_.frozen->table.ref);
    return std::move(result_);
  }

 private:
  Unit MakeUnit(const BackupUnit& scanned) const {
    Unit unit;
    unit.object = message_.table_to_backup.WithPartition(scanned.partition);
    unit.scanned = scanned;
    unit.backup = BackupId(message_.run, unit.object, message_.method);
    unit.started = common_.services.clock.Now();
    if (const auto found = last_.find(scanned.partition); found != last_.end()) {
      unit.last = found->second;
    }
    return unit;
  }

  // Starts the unit's job; an outcome at once when its backup is committed already.
  Result<std::optional<ItemOutcome>> Start(Unit unit) {
    repository::Repository repository = common_.repository;
    HF_ASSIGN_OR_RETURN(const bool committed, repository.HasManifest(unit.object, unit.backup));
    if (committed) {
      HF_ASSIGN_OR_RETURN(const Manifest manifest,
                          repository.ReadManifest(unit.object, unit.backup));
      HF_ASSIGN_OR_RETURN(ItemOutcome outcome, Adopt(common_, unit, manifest));
      return std::optional(std::move(outcome));
    }
    if (message_.method == Method::kExport && MayLend(common_, unit)) {
      HF_ASSIGN_OR_RETURN(auto described, Describe(unit));
      if (described) return described;
    }
    if (common_.as_of_ms && ReadsFrozen(message_, unit.scanned)) {
      HF_RETURN_IF_ERROR(EnsureFrozen());
      const std::string& partition = unit.object.partition;
      if (!partition.empty() && !common_.frozen->partition_rows.contains(partition)) {
        return std::optional(NotYetOutcome(unit.object, *common_.as_of_ms));
      }
    }
    RunningUnit running{.unit = std::move(unit)};
    if (message_.method == Method::kExport) {
      HF_ASSIGN_OR_RETURN(ExportPlace place, PlaceOfExport(common_, running.unit));
      HF_ASSIGN_OR_RETURN(running.job, StartExport(common_, running.unit, place));
      running.place = std::move(place);
    } else {
      TableRef place =
          PlaceOfCopy(common_.context.run.policy, running.unit.object, common_.table.location,
                      running.unit.backup, common_.context.attempt);
      HF_ASSIGN_OR_RETURN(running.job, StartCopy(common_, running.unit, place));
      running.place = std::move(place);
    }
    if (running.job.FailedEarlier()) {
      // For a worker that did not live to record it. What was in the way, a full disk perhaps, may
      // be over, so the next attempt asks again under another id.
      Error error = *running.job.error;
      error.code = Code::kAborted;
      return error;
    }
    running_.push_back(std::move(running));
    return std::optional<ItemOutcome>();
  }

  // A version of the unit with its new description and the data of the backup before. What was
  // written since the scan is in no backup before, so the table is looked at again, once for all.
  Result<std::optional<ItemOutcome>> Describe(const Unit& unit) {
    if (!looked_again_) {
      looked_again_at_ = common_.services.clock.Now();
      HF_ASSIGN_OR_RETURN(looked_again_, CurrentFingerprints(common_));
    }
    const auto now = looked_again_->find(unit.object.partition);
    const bool is_as_scanned =
        now != looked_again_->end() && now->second == unit.scanned.fingerprint;
    if (!is_as_scanned) return std::optional<ItemOutcome>();
    HF_RETURN_IF_ERROR(AskForNewestWrite());
    const BackupPolicy& policy = common_.context.run.policy;
    Unit described = unit;
    described.started = std::min(unit.started, looked_again_at_);
    return SaveNewDescription(common_, described, [&](const Manifest& before) {
      return policy.trust_equal_counts ||
             (*newest_write_ && IsUnwritten(before, now->second, **newest_write_,
                                            policy.storage_view_delay_minutes * kMillisPerMinute));
    });
  }

  // What the service tells of writes is asked for once for all units, after the look at the table.
  // That it does not, or not to us, is no failure: the data is read.
  Status AskForNewestWrite() {
    if (newest_write_) return Ok();
    newest_write_.emplace();
    if (common_.context.run.policy.trust_equal_counts) return Ok();
    auto told = common_.services.warehouse.LastDataWrite(common_.table.ref.WholeTable(),
                                                         common_.table.location);
    if (told.ok()) {
      newest_write_ = *told;
    } else if (IsInterrupted(told.error()) ||
               (IsRetryable(told.error()) && !common_.context.is_last_attempt)) {
      newest_write_.reset();
      return told.error();
    }
    return Ok();
  }

  Status EnsureFrozen() {
    if (common_.frozen) return Ok();
    HF_ASSIGN_OR_RETURN(common_.frozen, FreezeTable(common_, message_));
    return Ok();
  }

  // Another worker may have the same message, and have committed the backup meanwhile and cleared
  // away what this one was looking for.
  Result<ItemOutcome> AdoptOrSettle(const Unit& unit, const Error& error) {
    if (!IsInterrupted(error)) {
      auto manifest = common_.repository.ReadManifest(unit.object, unit.backup);
      if (manifest.ok()) return Adopt(common_, unit, *manifest);
      // Whether there is one, the next attempt sees.
      const bool may_pass = IsInterrupted(manifest.error()) || IsRetryable(manifest.error());
      if (may_pass && !common_.context.is_last_attempt) return manifest.error();
    }
    return SettleFailure(common_.context, unit.object, error);
  }

  Result<ItemOutcome> Finish(RunningUnit& running) {
    // A job that an earlier worker began holds the rows of that time.
    if (running.job.created_ms > 0) {
      running.unit.started = std::min(running.unit.started, FromUnixMillis(running.job.created_ms));
    }

    if (const auto* place = std::get_if<ExportPlace>(&running.place)) {
      return FinishExport(common_, running.unit, *place, std::move(running.job));
    }
    return FinishCopy(common_, running.unit, std::get<TableRef>(running.place),
                      std::move(running.job));
  }

  // An error that another attempt may mend must not keep the other units from being finished.
  void Keep(const Result<ItemOutcome>& outcome) {
    if (outcome.ok()) {
      result_.outcomes.push_back(*outcome);
    } else if (!retry_) {
      retry_ = outcome.error();
    }
  }

  const RunBackup& message_;
  TableBackup common_;
  LastBackups last_;
  std::vector<RunningUnit> running_;
  std::optional<std::map<std::string, Fingerprint>> looked_again_;
  Timestamp looked_again_at_;
  std::optional<std::optional<cloud::DataWrite>> newest_write_;  // unset: not asked yet
  StageResult result_;
  std::optional<Error> retry_;
};

Result<StageResult> BackUpUnder(const RunBackup& message, const StageContext& context,
                                const Services& services) {
  const TableRef& table = message.table_to_backup;
  if (message.method == Method::kDefinition) return BackUpDefinition(message, context, services);
  if (message.method == Method::kNative) {
    return MakeError(ErrorId::kMethodUnsupported,
                     "method " + std::string(MethodName(message.method)));
  }
  auto info = services.warehouse.GetTable(table);
  if (!info.ok()) {
    if (info.error().id != ErrorId::kTableNotFound) return info.error();
    return AllVanished(message);
  }
  if (IsDividedOtherwise(message, *info)) return AllVanished(message);
  auto access = ReadAccess(services, context.run.policy, table.WholeTable(), ObjectKind::kTable);
  if (!access.ok()) {
    if (access.error().id != ErrorId::kTableNotFound) return access.error();
    return AllVanished(message);
  }
  HF_ASSIGN_OR_RETURN(DatasetInfo dataset, services.warehouse.GetDataset(table.dataset_ref()));
  HF_ASSIGN_OR_RETURN(
      repository::Repository repository,
      OpenRepositoryFor(services, context.run.policy, table.project, info->location));
  HF_ASSIGN_OR_RETURN(LastBackups last, KnownBackupsOf(services, repository, table, message.run,
                                                       MethodSought(context.run.policy)));
  // The past of a table with row access policies is for its administrators (google-semantics #23).
  const bool closed_past = context.run.policy.time_travel_days == 0 && HasRowPolicies(*access);
  return TableStage(message,
                    {.context = context,
                     .services = services,
                     .table = *std::move(info),
                     .dataset = std::move(dataset),
                     .repository = std::move(repository),
                     .access = *std::move(access),
                     .as_of_ms = closed_past ? std::nullopt : message.as_of_ms},
                    std::move(last))
      .Run();
}

}  // namespace

Result<StageResult> BackUpTable(const RunBackup& message, const StageContext& context,
                                const Services& services) {
  StageContext own = context;
  own.run.document.reset();  // what it says of this table is in the message
  HF_ASSIGN_OR_RETURN(own.run.policy, PatchPolicy(context.run.policy, message.policy));
  if (message.method == Method::kDefinition) {
    own.run.policy.further_methods.clear();
  } else {
    own.run.policy = own.run.policy.ForMethod(message.method);
  }
  HF_ASSIGN_OR_RETURN(StageResult result, BackUpUnder(message, own, services));
  for (ItemOutcome& outcome : result.outcomes) {
    outcome.note = message.note;
    outcome.method = MethodSought(own.run.policy);
  }
  return result;
}

}  // namespace holdfast::backup
