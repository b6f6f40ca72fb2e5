#include "backup/scan_stage.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "backup/scan_plan.h"
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
    HF_ASSIGN_OR_RETURN(const LastBackups last, LastBackupsOf(services_.catalog, summary.ref));
    if (auto settled = PlanFromSummary(summary, last, policy(), now_ms_)) {
      result_.outcomes.push_back(*std::move(settled));
      return Ok();
    }
    return Settle(summary.ref, LookAtTable(summary.ref, last));
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
