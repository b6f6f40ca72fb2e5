#include "backup/scan_stage.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

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

  // Records that something could not be looked at; an error that may pass is left to a retry.
  Status Settle(const TableRef& object, Status status) {
    if (status.ok()) return Ok();
    if (IsInterrupted(status.error())) return status;
    if (IsRetryable(status.error()) && !context_.is_last_attempt) return status;
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
      settled->note = table_policy->note;
      result_.outcomes.push_back(*std::move(settled));
      return Ok();
    }
    const auto routine = services_.definitions.GetRoutine(object.dataset_ref(), listed.routine);
    if (!routine.ok()) {
      if (routine.error().id != ErrorId::kRoutineNotFound) return routine.error();
      AddVanished(object);
      return Ok();
    }
    Add(object,
        PlanDefinition(object, ObjectKind::kRoutine, FingerprintOfDefinition(routine->resource),
                       last),
        *table_policy);
    return Ok();
  }

  void AddVanished(const TableRef& object) {
    result_.outcomes.push_back({.object = object,
                                .outcome = Outcome::kVanished,
                                .reason = "was listed, then dropped before it could be read"});
  }

  // The dataset's own definition. A listing tells neither its access nor when it was changed.
  Status LookAtDataset(const TableRef& itself) {
    HF_ASSIGN_OR_RETURN(const auto table_policy, PolicyOf(itself));
    if (!table_policy) return Ok();
    HF_ASSIGN_OR_RETURN(const DatasetInfo info,
                        services_.warehouse.GetDataset(itself.dataset_ref()));
    HF_ASSIGN_OR_RETURN(const LastBackups last, IntactBackupsOf(itself, table_policy->policy));
    Add(itself,
        PlanDefinition(itself, ObjectKind::kDataset, FingerprintOfDefinition(info.resource), last),
        *table_policy);
    return Ok();
  }

  void Add(const TableRef& object, TablePlan plan, const TablePolicy& table_policy) {
    for (ItemOutcome& outcome : plan.outcomes) {
      outcome.note = table_policy.note;
      result_.outcomes.push_back(std::move(outcome));
    }
    const RunBackup message{.run = context_.run.id,
                            .table_to_backup = object.WholeTable(),
                            .method = plan.method,
                            .units = {},
                            .policy = table_policy.patch,
                            .note = table_policy.note,
                            .data_class = table_policy.data_class,
                            .rpo_seconds = table_policy.rpo_seconds};
    std::ranges::move(MessagesFor(message, plan.units, kUnitsPerMessage),
                      std::back_inserter(result_.follow_ups));
  }

  // What is to be done with the object; nullopt: it is settled, being excluded or not due.
  Result<std::optional<TablePolicy>> PolicyOf(const TableRef& object) {
    HF_ASSIGN_OR_RETURN(TablePolicy found, policies_.Of(object));
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

  Status ScanUnder(const TableSummary& summary, const TablePolicy& table_policy) {
    HF_ASSIGN_OR_RETURN(const LastBackups last, IntactBackupsOf(summary.ref, table_policy.policy));
    if (auto settled = PlanFromSummary(summary, last, table_policy.policy, now_ms_)) {
      settled->note = table_policy.note;
      result_.outcomes.push_back(*std::move(settled));
      return Ok();
    }
    return Settle(summary.ref, LookAtTable(summary.ref, last, table_policy));
  }

  // The newest backups of the table's objects that are still there: one whose repository or
  // manifest is gone protects nothing, whatever the catalog says.
  Result<LastBackups> IntactBackupsOf(const TableRef& table, const BackupPolicy& policy) {
    const repository::Location expected{
        FillBucketPattern(policy.bucket_pattern, table.project, location_), policy.prefix};
    while (true) {
      HF_ASSIGN_OR_RETURN(LastBackups last, LastBackupsOf(services_.catalog, table));
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
          HF_RETURN_IF_ERROR(NoteLost(record));
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

  Status NoteLost(const catalog::BackupRecord& record) {
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
      LogWarning("repository is gone: what it held is backed up again",
                 {{"bucket", place.bucket}, {"error", opened.error().message}});
    }
    repositories_.emplace(place, is_there);
    return is_there;
  }

  Status LookAtTable(const TableRef& table, const LastBackups& last,
                     const TablePolicy& table_policy) {
    const auto info = services_.warehouse.GetTable(table);
    if (!info.ok()) {
      if (info.error().code != Code::kNotFound) return info.error();
      AddVanished(table);
      return Ok();
    }
    std::vector<PartitionInfo> partitions;
    // The partitions of a materialized view are not ours to back up.
    if (info->kind == TableKind::kTable && info->partitioning.kind != Partitioning::Kind::kNone) {
      HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
          [&](const std::string& token) {
            return services_.warehouse.ListPartitions(table, token);
          },
          [&](PartitionInfo&& partition) -> Status {
            partitions.push_back(std::move(partition));
            return context_.keep_alive();
          }));
    }
    Add(table, PlanTable(*info, partitions, last, table_policy.policy, now_ms_), table_policy);
    return Ok();
  }

  const StageContext& context_;
  const Services& services_;
  int64_t now_ms_;
  std::string location_;  // of the dataset that is looked at
  ProjectPolicies policies_;
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
