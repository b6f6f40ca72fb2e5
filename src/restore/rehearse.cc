#include "restore/rehearse.h"

#include <fmt/format.h>

#include "model/ids.h"
#include "restore/apply.h"
#include "restore/unfinished.h"

namespace holdfast::restore {

namespace {

constexpr size_t kNonceBytes = 4;

// The request that restores exactly this backup under a name of its own.
RestoreRequest RequestFor(const catalog::BackupRecord& record, const DatasetRef& scratch,
                          Random& random) {
  RestoreRequest request;
  request.source = record.object;
  request.backup = record.backup;
  request.to_project = scratch.project;
  request.to_dataset = scratch.dataset;
  request.to_table = "rehearsal_" + RandomHex(random, kNonceBytes);
  return request;
}

Result<TableReport> RestoreOnce(const RestoreRequest& request, const RestorePlan& plan,
                                const Services& services) {
  HF_ASSIGN_OR_RETURN(RestoreReport report, Apply(request, plan, services));
  if (report.tables.size() == 1) return std::move(report.tables.front());
  return MakeError(ErrorId::kNothingToRestore,
                   "backup " + request.backup + " restores to no single table");
}

}  // namespace

Result<TableReport> Rehearse(const catalog::BackupRecord& record, const DatasetInfo& scratch,
                             const Services& services) {
  HF_RETURN_IF_ERROR(services.warehouse.EnsureDataset(scratch));
  const RestoreRequest request = RequestFor(record, scratch.ref, services.random);
  HF_ASSIGN_OR_RETURN(const RestorePlan plan, PlanRestore(request, services));
  auto report = RestoreOnce(request, plan, services);
  ForgetPlan(plan, services);
  const TableRef target{scratch.ref.project, scratch.ref.dataset, request.to_table, ""};
  const Status deleted = services.warehouse.DeleteTable(target);
  if (!report.ok() || deleted.ok()) return report;
  return deleted.error().WithContext("the rehearsal's table " + target.ToString() +
                                     " could not be deleted");
}

Result<int64_t> ClearRehearsals(const DatasetRef& scratch, Duration age, const Services& services) {
  const int64_t before_ms = ToUnixMillis(services.clock.Now() - age);
  int64_t deleted = 0;
  const Status cleared = cloud::ForEachPage<TableSummary>(
      [&](const std::string& token) { return services.warehouse.ListTables(scratch, token); },
      [&](TableSummary&& table) -> Status {
        if (table.creation_ms > before_ms || !table.ref.table.starts_with("rehearsal_")) {
          return Ok();
        }
        ++deleted;
        return services.warehouse.DeleteTable(table.ref);
      });
  if (!cleared.ok() && cleared.error().code == Code::kNotFound) return 0;
  HF_RETURN_IF_ERROR(cleared);
  return deleted;
}

}  // namespace holdfast::restore
