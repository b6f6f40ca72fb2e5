#include "backup/freeze.h"

#include "backup/copy_unit.h"
#include "base/log.h"

namespace holdfast::backup {

namespace {

constexpr int64_t kLifetimeMs = int64_t{24} * 60 * 60 * 1000;

}  // namespace

Result<TableInfo> Freeze(const TableBackup& common, const Unit& unit) {
  const Services& services = common.services;
  const TableRef place = PlaceOfCopy(common.context.run.policy, unit.object, common.table.location,
                                     unit.backup, common.context.attempt);
  HF_ASSIGN_OR_RETURN(cloud::JobStatus job, StartCopy(common, unit, place));
  HF_RETURN_IF_ERROR(cloud::WaitForJob(services.warehouse, services.clock, std::move(job),
                                       common.context.keep_alive));
  const int64_t expiration_ms = ToUnixMillis(services.clock.Now()) + kLifetimeMs;
  auto frozen =
      services.warehouse.UpdateTable(place, {{"expirationTime", std::to_string(expiration_ms)}});
  if (!frozen.ok() && frozen.error().id == ErrorId::kTableNotFound) {
    return MakeError(ErrorId::kSourceChanged,
                     place.ToString() + ", which held its rows still, was dropped meanwhile");
  }
  return frozen;
}

void DropFrozen(const TableBackup& common, const TableRef& frozen) {
  const Status dropped = common.services.warehouse.DeleteTable(frozen);
  if (!dropped.ok() && dropped.error().id != ErrorId::kTableNotFound) {
    LogWarning("the frozen copy of a table was not dropped; it expires within a day",
               {{"table", frozen.ToString()}, {"error", dropped.error().message}});
  }
}

}  // namespace holdfast::backup
