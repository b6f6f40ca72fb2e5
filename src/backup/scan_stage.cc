#include "backup/scan_stage.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "backup/scan_plan.h"
#include "base/log.h"
#include "base/retry.h"

namespace holdfast::backup {

namespace {

class ProjectScan {
 public:
  ProjectScan(const StageContext& context, const Services& services)
      : context_(context), services_(services), now_ms_(ToUnixMillis(services.clock.Now())) {}

  Status ScanDataset(const DatasetRef& dataset) {
    if (!policy().scope.MayCoverDataset(dataset)) return Ok();
    if (!IsBackedUpDataset(dataset.dataset)) return Ok();
    return cloud::ForEachPage<TableSummary>(
        [&](const std::string& token) { return services_.warehouse.ListTables(dataset, token); },
        [&](TableSummary&& summary) -> Status {
          HF_RETURN_IF_ERROR(context_.keep_alive());
          if (!policy().scope.CoversTable(summary.ref)) return Ok();
          return ScanTable(summary);
        });
  }

  // Records that something could not be looked at; an error that may pass is left to a retry.
  Status Settle(const TableRef& object, Status status) {
    if (status.ok()) return Ok();
    if (IsInterrupted(status.error())) return status;
    if (IsRetryable(status.error()) && !context_.is_last_attempt) return status;
    result_.outcomes.push_back(FailedOutcome(object, status.error()));
    return Ok();
  }

  StageResult TakeResult() { return std::move(result_); }

 private:
  const BackupPolicy& policy() const { return context_.run.policy; }

  Status ScanTable(const TableSummary& summary) {
    HF_ASSIGN_OR_RETURN(LastBackups last, LastBackupsOf(services_.catalog, summary.ref));
    HF_RETURN_IF_ERROR(ForgetLost(last));
    if (auto settled = PlanFromSummary(summary, last, policy(), now_ms_)) {
      result_.outcomes.push_back(*std::move(settled));
      return Ok();
    }
    return Settle(summary.ref, LookAtTable(summary.ref, last));
  }

  // Takes out the backups whose repository is gone: they protect nothing, whatever the catalog
  // says.
  Status ForgetLost(LastBackups& last) {
    for (auto entry = last.begin(); entry != last.end();) {
      const repository::Location place{entry->second.bucket, entry->second.prefix};
      HF_ASSIGN_OR_RETURN(const bool is_there, HasRepository(place));
      entry = is_there ? std::next(entry) : last.erase(entry);
    }
    return Ok();
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

  Status LookAtTable(const TableRef& table, const LastBackups& last) {
    const auto info = services_.warehouse.GetTable(table);
    if (!info.ok()) {
      if (info.error().code != Code::kNotFound) return info.error();
      result_.outcomes.push_back({.object = table,
                                  .outcome = Outcome::kVanished,
                                  .reason = "was listed, then dropped before it could be read"});
      return Ok();
    }
    std::vector<PartitionInfo> partitions;
    if (info->partitioning.kind != Partitioning::Kind::kNone) {
      HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
          [&](const std::string& token) {
            return services_.warehouse.ListPartitions(table, token);
          },
          [&](PartitionInfo&& partition) -> Status {
            partitions.push_back(std::move(partition));
            return context_.keep_alive();
          }));
    }
    TablePlan plan = PlanTable(*info, partitions, last, policy(), now_ms_);
    std::ranges::move(plan.outcomes, std::back_inserter(result_.outcomes));
    std::ranges::move(
        MessagesFor(context_.run.id, table, policy().method, plan.units, kUnitsPerMessage),
        std::back_inserter(result_.follow_ups));
    return Ok();
  }

  const StageContext& context_;
  const Services& services_;
  int64_t now_ms_;
  std::map<repository::Location, bool> repositories_;  // looked at, and whether they are there
  StageResult result_;
};

}  // namespace

Result<StageResult> ScanProject(const CheckProjectTables& message, const StageContext& context,
                                const Services& services) {
  ProjectScan scan(context, services);
  const std::string& project = message.project_to_check;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<DatasetInfo>(
      [&](const std::string& token) { return services.warehouse.ListDatasets(project, token); },
      [&](DatasetInfo&& dataset) -> Status {
        return scan.Settle({.project = project, .dataset = dataset.ref.dataset},
                           scan.ScanDataset(dataset.ref));
      }));
  return scan.TakeResult();
}

}  // namespace holdfast::backup
