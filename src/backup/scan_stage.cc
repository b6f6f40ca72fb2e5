#include "backup/scan_stage.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "backup/replicate.h"
#include "backup/scan_plan.h"
#include "backup/table_policy.h"
#include "base/log.h"
#include "base/retry.h"

namespace holdfast::backup {

namespace {

// Google's reason for it, whichever service is asked.
constexpr std::string_view kApiIsOff = "accessNotConfigured";

class ProjectScan {
 public:
  ProjectScan(const CheckProjectTables& message, const StageContext& context,
              const Services& services)
      : context_(context),
        services_(services),
        now_ms_(ToUnixMillis(services.clock.Now())),
        policies_(message, context, services) {}

  // Whether nothing in the project is backed up; that is recorded then.
  bool IsExcluded() {
    auto excluded = policies_.ExcludedProject();
    if (excluded) result_.outcomes.push_back(*std::move(excluded));
    return !result_.outcomes.empty();
  }

  Status ScanDataset(const DatasetInfo& info) {
    const DatasetRef& dataset = info.ref;
    location_ = info.location;
    if (!policy().scope.MayCoverDataset(dataset)) return Ok();
    if (!IsBackedUpDataset(info)) return Ok();
    if (auto excluded = policies_.ExcludedDataset(info)) {
      result_.outcomes.push_back(*std::move(excluded));
      return Ok();
    }
    HF_RETURN_IF_ERROR(policies_.EnterDataset(info));
    committed_.clear();
    HF_RETURN_IF_ERROR(ScanTables(dataset));
    const TableRef itself = DatasetObject(dataset);
    if (policy().scope.CoversTable(itself)) {
      HF_RETURN_IF_ERROR(Settle(itself, LookAtDataset(itself)));
    }
    return policy().scope.MayCoverRoutines(dataset) ? ScanRoutines(dataset) : Ok();
  }

  bool IsLeftToRetry(const Error& error) const {
    return IsInterrupted(error) || (IsRetryable(error) && !context_.is_last_attempt);
  }

  // Records that something could not be looked at; an error that may pass is left to a retry.
  Status Settle(const TableRef& object, Status status) {
    if (status.ok()) return Ok();
    if (IsLeftToRetry(status.error())) return status;
    result_.outcomes.push_back(FailedOutcome(object, status.error()));
    return Ok();
  }

  void AddUnprotected(const TableRef& object, std::string reason) {
    result_.outcomes.push_back(
        {.object = object, .outcome = Outcome::kUnsupported, .reason = std::move(reason)});
  }

  StageResult TakeResult() { return std::move(result_); }

 private:
  const BackupPolicy& policy() const { return context_.run.policy; }

  Status ScanTables(const DatasetRef& dataset) {
    return cloud::ForEachPage<TableSummary>(
        [&](const std::string& token) { return services_.warehouse.ListTables(dataset, token); },
        [&](TableSummary&& summary) -> Status {
          HF_RETURN_IF_ERROR(context_.keep_alive());
          if (!policy().scope.CoversTable(summary.ref)) return Ok();
          return ScanTable(summary);
        });
  }

  Status ScanRoutines(const DatasetRef& dataset) {
    return cloud::ForEachPage<cloud::RoutineInfo>(
        [&](const std::string& token) {
          return services_.definitions.ListRoutines(dataset, token);
        },
        [&](cloud::RoutineInfo&& routine) -> Status {
          HF_RETURN_IF_ERROR(context_.keep_alive());
          const TableRef object = RoutineObject(dataset, routine.routine);
          if (!policy().scope.CoversTable(object)) return Ok();
          return Settle(object, ScanRoutine(object, routine));
        });
  }

  // A listing tells when a routine was changed, and not its body.
  Status ScanRoutine(const TableRef& object, const cloud::RoutineInfo& listed) {
    HF_ASSIGN_OR_RETURN(const auto table_policy, PolicyOf(object));
    if (!table_policy) return Ok();
    HF_ASSIGN_OR_RETURN(const LastBackups last, IntactBackupsOf(object, table_policy->policy));
    const TableSummary summary{.ref = object,
                               .creation_ms = listed.creation_ms,
                               .last_modified_ms = listed.last_modified_ms};
    if (auto settled = PlanDefinitionFromSummary(summary, ObjectKind::kRoutine, last,
                                                 table_policy->policy, now_ms_)) {
      return AddOutcome(*std::move(settled), *table_policy);
    }
    const auto routine = services_.definitions.GetRoutine(object.dataset_ref(), listed.routine);
    if (!routine.ok()) {
      if (routine.error().id != ErrorId::kRoutineNotFound) return routine.error();
      result_.outcomes.push_back(DroppedOutcome(object));
      return Ok();
    }
    return Add(object,
               PlanDefinition(object, ObjectKind::kRoutine,
                              FingerprintOfDefinition(routine->resource), last),
               *table_policy);
  }

  static ItemOutcome DroppedOutcome(const TableRef& object) {
    return {.object = object,
            .outcome = Outcome::kVanished,
            .reason = "was listed, then dropped before it could be read"};
  }

  // The dataset's own definition. A listing tells neither its access nor when it was changed.
  Status LookAtDataset(const TableRef& itself) {
    HF_ASSIGN_OR_RETURN(const auto table_policy, PolicyOf(itself));
    if (!table_policy) return Ok();
    HF_ASSIGN_OR_RETURN(const DatasetInfo info,
                        services_.warehouse.GetDataset(itself.dataset_ref()));
    HF_ASSIGN_OR_RETURN(const LastBackups last, IntactBackupsOf(itself, table_policy->policy));
    return Add(
        itself,
        PlanDefinition(itself, ObjectKind::kDataset, FingerprintOfDefinition(info.resource), last),
        *table_policy);
  }

  // An outcome of the object by the policy's method. One that is unchanged, and whose backup a
  // further repository lacks, is work.
  Status AddOutcome(ItemOutcome outcome, const TablePolicy& table_policy) {
    outcome.note = table_policy.note;
    HF_ASSIGN_OR_RETURN(const bool is_everywhere, IsEverywhere(outcome, table_policy.policy));
    if (!is_everywhere) {
      AddMissingCopy(outcome, table_policy);
      return Ok();
    }
    if (!IsDefinitionOnly(outcome.kind)) outcome.method = MethodSought(table_policy.policy);
    result_.outcomes.push_back(std::move(outcome));
    return Ok();
  }

  // One more unit of the last message, where that is of the same kind.
  void AddMissingCopy(const ItemOutcome& outcome, const TablePolicy& table_policy) {
    BackupUnit unit{.partition = outcome.object.partition,
                    .change = Change::kUnchanged,
                    .made_before = outcome.backup};
    const Method method = MethodOf(outcome, table_policy.policy);
    RunBackup* last =
        result_.follow_ups.empty() ? nullptr : std::get_if<RunBackup>(&result_.follow_ups.back());
    if (last != nullptr && last->table_to_backup == outcome.object.WholeTable() &&
        last->method == method && !last->units.front().made_before.empty() &&
        last->units.size() < kUnitsPerMessage) {
      last->units.push_back(std::move(unit));
      return;
    }
    result_.follow_ups.push_back(RunBackup{.run = context_.run.id,
                                           .table_to_backup = outcome.object.WholeTable(),
                                           .method = method,
                                           .units = {std::move(unit)},
                                           .policy = table_policy.patch,
                                           .note = table_policy.note});
  }

  static Method MethodOf(const ItemOutcome& outcome, const BackupPolicy& policy) {
    return IsDefinitionOnly(outcome.kind) ? Method::kDefinition : policy.method;
  }

  // Whether every further repository has the backup that an unchanged object is left with.
  Result<bool> IsEverywhere(const ItemOutcome& outcome, const BackupPolicy& policy) {
    if (outcome.outcome != Outcome::kUnchanged || !IsReplicated(MethodOf(outcome, policy))) {
      return true;
    }
    catalog::BackupRecord record;
    record.backup = outcome.backup;
    record.object = outcome.object;
    for (const FurtherRepository& further : policy.repositories) {
      const repository::Location place = PlaceOfFurther(further, outcome.object, location_);
      HF_ASSIGN_OR_RETURN(const bool has_repository, HasRepository(place));
      if (!has_repository) return false;
      HF_ASSIGN_OR_RETURN(const bool is_committed, IsCommitted(place, record));
      if (!is_committed) return false;
    }
    return true;
  }

  Status Add(const TableRef& object, TablePlan plan, const TablePolicy& table_policy) {
    for (ItemOutcome& outcome : plan.outcomes) {
      HF_RETURN_IF_ERROR(AddOutcome(std::move(outcome), table_policy));
    }
    const RunBackup message{.run = context_.run.id,
                            .table_to_backup = object.WholeTable(),
                            .method = plan.method,
                            .units = {},
                            .policy = table_policy.patch,
                            .note = table_policy.note,
                            .as_of_ms = plan.as_of_ms};
    std::ranges::move(MessagesFor(message, plan.units, kUnitsPerMessage),
                      std::back_inserter(result_.follow_ups));
    return Ok();
  }

  // What is to be done with the object; nullopt: it is settled, being excluded or not due.
  Result<std::optional<TablePolicy>> PolicyOf(const TableRef& object) {
    HF_ASSIGN_OR_RETURN(TablePolicy found, policies_.Of(object));
    // A definition is saved once, whatever the methods for tables.
    if (ParseReservedName(object.table)) found.policy.further_methods.clear();
    if (!found.settled) return std::optional(std::move(found));
    result_.outcomes.push_back(*std::move(found.settled));
    return std::optional<TablePolicy>();
  }

  Status ScanTable(const TableSummary& summary) {
    const auto table_policy = PolicyOf(summary.ref);
    if (!table_policy.ok()) return Settle(summary.ref, table_policy.error());
    if (!*table_policy) return Ok();
    return ScanUnder(summary, **table_policy);
  }

  // A method for which the listing does not settle the table.
  struct OpenMethod {
    TablePolicy policy;
    LastBackups last;
  };

  Status ScanUnder(const TableSummary& summary, const TablePolicy& table_policy) {
    const auto kind = ObjectKindOf(summary.kind);
    const bool has_rows = summary.kind == TableKind::kUnknown || (kind && !IsDefinitionOnly(*kind));
    std::vector<OpenMethod> open;
    for (const Method method : table_policy.policy.Methods()) {
      TablePolicy own = table_policy;
      own.policy = table_policy.policy.ForMethod(method);
      if (!has_rows) own.policy.further_methods.clear();
      HF_ASSIGN_OR_RETURN(LastBackups last, IntactBackupsOf(summary.ref, own.policy));
      if (auto settled = PlanFromSummary(summary, last, own.policy, now_ms_)) {
        HF_RETURN_IF_ERROR(AddOutcome(*std::move(settled), own));
      } else {
        open.push_back({std::move(own), std::move(last)});
      }
      if (!has_rows) break;  // its definition is saved, once
    }
    if (open.empty()) return Ok();
    const Status looked = LookAtTable(summary.ref, open);
    if (looked.ok() || IsLeftToRetry(looked.error())) return looked;
    for (const OpenMethod& each : open) {
      HF_RETURN_IF_ERROR(AddOutcome(FailedOutcome(summary.ref, looked.error()), each.policy));
    }
    return Ok();
  }

  // The newest backups of the table's objects that are still there: one whose repository or
  // manifest is gone protects nothing, whatever the catalog says.
  Result<LastBackups> IntactBackupsOf(const TableRef& table, const BackupPolicy& policy) {
    const repository::Location expected{
        FillBucketPattern(policy.bucket_pattern, table.project, location_), policy.prefix};
    while (true) {
      HF_ASSIGN_OR_RETURN(LastBackups last,
                          LastBackupsOf(services_.catalog, table, "", MethodSought(policy)));
      bool found_lost = false;
      for (auto entry = last.begin(); entry != last.end();) {
        const catalog::BackupRecord& record = entry->second;
        const repository::Location place{record.bucket, record.prefix};
        HF_ASSIGN_OR_RETURN(const bool has_repository, HasRepository(place));
        // One in another place than the policy's says nothing of what is to be in that.
        if (!has_repository || place != expected) {
          entry = last.erase(entry);
          continue;
        }
        HF_ASSIGN_OR_RETURN(const bool is_committed, IsCommitted(place, record));
        if (!is_committed) {
          HF_RETURN_IF_ERROR(NoteLost(place, record));
          found_lost = true;
        }
        ++entry;
      }
      // Those that were noted are damaged now, and older ones take their place.
      if (!found_lost) return last;
    }
  }

  // Whether the backup's manifest is there. The names of a dataset's manifests are read once; one
  // that is not among them is asked for, since another worker may have committed it meanwhile.
  Result<bool> IsCommitted(const repository::Location& place, const catalog::BackupRecord& record) {
    auto known = committed_.find(place);
    if (known != committed_.end() && known->second.contains(record.backup)) return true;
    HF_ASSIGN_OR_RETURN(auto repository, repository::Repository::Open(services_.objects, place));
    if (known == committed_.end()) {
      HF_ASSIGN_OR_RETURN(std::set<std::string> backups,
                          ListCommitted(repository, record.object.dataset_ref()));
      known = committed_.emplace(place, std::move(backups)).first;
    }
    if (known->second.contains(record.backup)) return true;
    return repository.HasManifest(record.object, record.backup);
  }

  Result<std::set<std::string>> ListCommitted(repository::Repository& repository,
                                              const DatasetRef& dataset) {
    std::set<std::string> backups;
    const TableRef all{dataset.project, dataset.dataset, "", ""};
    HF_RETURN_IF_ERROR(cloud::ForEachPage<repository::ManifestEntry>(
        [&](const std::string& token) { return repository.ListManifests(all, token); },
        [&](repository::ManifestEntry&& entry) -> Status {
          backups.insert(std::move(entry.path.backup));
          return context_.keep_alive();
        }));
    return backups;
  }

  Status NoteLost(const repository::Location& place, const catalog::BackupRecord& record) {
    HF_ASSIGN_OR_RETURN(auto repository, repository::Repository::Open(services_.objects, place));
    HF_ASSIGN_OR_RETURN(const bool pruned,
                        repository.HasEvidence(repository::kPrunedEvidence, record.backup));
    // By a prune that this catalog did not hear of.
    if (pruned) return services_.catalog.RemoveBackup(record.backup);
    LogWarning("the manifest of a backup is gone: its object is backed up again",
               {{"object", record.object.ToString()}, {"backup", record.backup}});
    return services_.catalog.RecordVerification({.backup = record.backup,
                                                 .at_ms = ToUnixMillis(services_.clock.Now()),
                                                 .level = VerifyLevel::kL0,
                                                 .passed = false,
                                                 .detail = "its manifest is not there"});
  }

  Result<bool> HasRepository(const repository::Location& place) {
    const auto known = repositories_.find(place);
    if (known != repositories_.end()) return known->second;
    const auto opened = repository::Repository::Open(services_.objects, place);
    if (!opened.ok() && opened.error().code != Code::kNotFound &&
        opened.error().id != ErrorId::kRepositoryDamaged) {
      return opened.error();
    }
    const bool is_there = opened.ok() || opened.error().code != Code::kNotFound;
    if (!is_there) {
      LogWarning("repository is not there: what it held, or should hold, is written again",
                 {{"bucket", place.bucket}, {"error", opened.error().message}});
    }
    repositories_.emplace(place, is_there);
    return is_there;
  }

  Status LookAtTable(const TableRef& table, const std::vector<OpenMethod>& open) {
    const auto info = services_.warehouse.GetTable(table);
    if (!info.ok()) {
      if (info.error().code != Code::kNotFound) return info.error();
      for (const OpenMethod& each : open) {
        HF_RETURN_IF_ERROR(AddOutcome(DroppedOutcome(table), each.policy));
      }
      return Ok();
    }
    std::optional<int64_t> as_of_ms;
    if (info->kind == TableKind::kTable) {
      HF_ASSIGN_OR_RETURN(as_of_ms, MomentOf(table, open.front().policy.policy));
    }
    const bool by_partition = std::ranges::any_of(open, [](const OpenMethod& each) {
      return each.policy.policy.method != Method::kSnapshot;
    });
    std::vector<PartitionInfo> partitions;
    // The partitions of a materialized view are not ours to back up.
    if (by_partition && info->kind == TableKind::kTable &&
        info->partitioning.kind != Partitioning::Kind::kNone) {
      HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
          [&](const std::string& token) {
            return services_.warehouse.ListPartitions(table, token);
          },
          [&](PartitionInfo&& partition) -> Status {
            partitions.push_back(std::move(partition));
            return context_.keep_alive();
          }));
    }
    for (const OpenMethod& each : open) {
      TablePlan plan = PlanTable(*info, partitions, each.last, each.policy.policy, now_ms_);
      if (as_of_ms) plan = TakenAsOf(std::move(plan), *info, *as_of_ms);
      HF_RETURN_IF_ERROR(Add(table, std::move(plan), each.policy));
    }
    return Ok();
  }

  // Of a listing a dataset is without its time travel window.
  Result<std::optional<int64_t>> MomentOf(const TableRef& table, const BackupPolicy& policy) {
    if (policy.time_travel_days == 0) return std::optional<int64_t>();
    if (!dataset_ || dataset_->ref != table.dataset_ref()) {
      HF_ASSIGN_OR_RETURN(dataset_, services_.warehouse.GetDataset(table.dataset_ref()));
    }
    return TimeTravelMoment(policy, *dataset_, context_.run.started_ms);
  }

  const StageContext& context_;
  const Services& services_;
  int64_t now_ms_;
  std::string location_;  // of the dataset that is looked at
  ProjectPolicies policies_;
  std::optional<DatasetInfo> dataset_;                 // whole, the one that was last asked for
  std::map<repository::Location, bool> repositories_;  // looked at, and whether they are there
  std::map<repository::Location, std::set<std::string>> committed_;  // backups of this dataset
  StageResult result_;
};

}  // namespace

Result<StageResult> ScanProject(const CheckProjectTables& message, const StageContext& context,
                                const Services& services) {
  ProjectScan scan(message, context, services);
  if (scan.IsExcluded()) return scan.TakeResult();
  const std::string& project = message.project_to_check;
  const Status listed = cloud::ForEachPage<DatasetInfo>(
      [&](const std::string& token) { return services.warehouse.ListDatasets(project, token); },
      [&](DatasetInfo&& dataset) -> Status {
        return scan.Settle({.project = project, .dataset = dataset.ref.dataset},
                           scan.ScanDataset(dataset));
      });
  // Where the API is off, nothing can be seen: that is no failure of this run, and is said.
  if (!listed.ok() && listed.error().reason == kApiIsOff) {
    scan.AddUnprotected({.project = project}, "the BigQuery API is off in this project");
    return scan.TakeResult();
  }
  HF_RETURN_IF_ERROR(listed);
  return scan.TakeResult();
}

}  // namespace holdfast::backup
