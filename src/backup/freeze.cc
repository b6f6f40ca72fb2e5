#include "backup/freeze.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/copy_unit.h"
#include "base/log.h"
#include "model/ids.h"

namespace holdfast::backup {

namespace {

constexpr int64_t kLifetimeMs = int64_t{24} * 60 * 60 * 1000;
constexpr int kOfAllAttempts = 0;  // attempts begin with 1

// The frozen table, which goes by itself if nobody drops it.
Result<TableInfo> LetExpire(const Services& services, const TableRef& place) {
  const int64_t expiration_ms = ToUnixMillis(services.clock.Now()) + kLifetimeMs;
  auto frozen =
      services.warehouse.UpdateTable(place, {{"expirationTime", std::to_string(expiration_ms)}});
  if (!frozen.ok() && frozen.error().id == ErrorId::kTableNotFound) {
    return MakeError(ErrorId::kSourceChanged,
                     place.ToString() + ", which held its rows still, was dropped meanwhile");
  }
  return frozen;
}

Status RunClone(const TableBackup& common, const RunBackup& message, const TableRef& place) {
  const Services& services = common.services;
  const TableRef& table = message.table_to_backup;
  const TableRef first = table.WithPartition(message.units.front().partition);
  const cloud::JobRef job{.project = JobProjectOf(common.context.run.policy, first),
                          .location = common.table.location,
                          .id = JobId(fmt::format("freeze{}", MethodName(message.method)),
                                      message.run, table, common.context.attempt)};
  auto done =
      services.warehouse.StartJob(job, cloud::CopyJob{.sources = {table},
                                                      .as_of_ms = message.as_of_ms,
                                                      .destination = place,
                                                      .operation = cloud::CopyOperation::kClone});
  const bool failed_earlier = done.ok() && done->FailedEarlier();
  if (done.ok()) {
    done = cloud::WaitForJob(services.warehouse, services.clock, *std::move(done),
                             common.context.keep_alive);
  }
  if (done.ok()) return Ok();
  // Another message of the table was quicker.
  if (services.warehouse.GetTable(place).ok()) return Ok();
  Error error = done.error();
  // For a worker that did not live to record it: what was in the way may be over.
  if (failed_earlier) error.code = Code::kAborted;
  return error.WithContext(
      fmt::format("freezing {} as of {} (policy field `freeze`)", table.ToString(),
                  FormatTimestamp(FromUnixMillis(message.as_of_ms.value_or(0)))));
}

}  // namespace

Result<TableInfo> Freeze(const TableBackup& common, const Unit& unit) {
  const Services& services = common.services;
  const TableRef place = PlaceOfCopy(common.context.run.policy, unit.object, common.table.location,
                                     unit.backup, common.context.attempt);
  HF_RETURN_IF_ERROR(EnsureCopyDataset(common, place));
  HF_RETURN_IF_ERROR(cloud::RunJob(
      services.warehouse, services.clock, JobOf(common, unit, "freeze"),
      cloud::CopyJob{.sources = {unit.object}, .destination = place}, common.context.keep_alive));
  return LetExpire(services, place);
}

bool ReadsFrozen(const RunBackup& message, const BackupUnit& unit) {
  return message.as_of_ms && (message.method == Method::kExport || !unit.partition.empty());
}

bool ReadsFrozenTable(const RunBackup& message) {
  return std::ranges::any_of(message.units, [&](const BackupUnit& unit) {
    return unit.made_before.empty() && ReadsFrozen(message, unit);
  });
}

Result<FrozenTable> FreezeTable(const TableBackup& common, const RunBackup& message) {
  const Services& services = common.services;
  const TableRef table = message.table_to_backup;
  // One place for all messages and attempts: the moment is the same, and so is what is in it.
  const TableRef place = PlaceOfCopy(common.context.run.policy, table, common.table.location,
                                     BackupId(message.run, table, message.method), kOfAllAttempts);
  HF_RETURN_IF_ERROR(EnsureCopyDataset(common, place));
  if (const auto known = services.warehouse.GetTable(place); !known.ok()) {
    if (known.error().id != ErrorId::kTableNotFound) return known.error();
    HF_RETURN_IF_ERROR(RunClone(common, message, place));
  }
  FrozenTable frozen;
  HF_ASSIGN_OR_RETURN(frozen.table, LetExpire(services, place));
  HF_RETURN_IF_ERROR(cloud::ForEachPage<PartitionInfo>(
      [&](const std::string& token) { return services.warehouse.ListPartitions(place, token); },
      [&](PartitionInfo&& partition) -> Status {
        frozen.partition_rows.emplace(std::move(partition.ref.partition), partition.rows);
        return common.context.keep_alive();
      }));
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
