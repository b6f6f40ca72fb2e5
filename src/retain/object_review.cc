#include "retain/object_review.h"

#include <algorithm>
#include <map>
#include <optional>

namespace holdfast::retain {

namespace {

bool IsAbsent(const Error& error) {
  return error.id == ErrorId::kTableNotFound || error.id == ErrorId::kDatasetNotFound ||
         error.id == ErrorId::kProjectNotFound || error.id == ErrorId::kRoutineNotFound;
}

// Whether what was asked for is there; an error other than its absence is one.
template <typename T>
Result<bool> IsThere(const Result<T>& found) {
  if (found.ok()) return true;
  if (IsAbsent(found.error())) return false;
  return found.error();
}

Result<bool> HasPartition(cloud::Warehouse& warehouse, const TableRef& object) {
  bool found = false;
  const Status listed = cloud::ForEachPage<PartitionInfo>(
      [&](const std::string& token) { return warehouse.ListPartitions(object, token); },
      [&](PartitionInfo&& partition) -> Status {
        found = found || partition.ref.partition == object.partition;
        return Ok();
      });
  HF_RETURN_IF_ERROR(listed);
  return found;
}

// A partition of a table that is not partitioned any more does not exist.
Result<bool> SourceExists(const Services& services, const TableRef& object) {
  if (const auto reserved = ParseReservedName(object.table)) {
    const DatasetRef dataset = object.dataset_ref();
    return reserved->routine.empty()
               ? IsThere(services.warehouse.GetDataset(dataset))
               : IsThere(services.definitions.GetRoutine(dataset, reserved->routine));
  }
  // What has no name by which to look is never taken for gone.
  if (object.table.empty() || object.table.find(':') != object.table.npos) return true;
  HF_ASSIGN_OR_RETURN(const bool there, IsThere(services.warehouse.GetTable(object)));
  return there && !object.partition.empty() ? HasPartition(services.warehouse, object)
                                            : Result<bool>(there);
}

bool IsGraceOver(const RetentionPolicy& policy, Timestamp last_seen, Timestamp now) {
  if (policy.bbq) {
    return policy.calendar.DateOf(last_seen) <
           MonthsBefore(policy.calendar.DateOf(now), static_cast<int>(policy.bbq->grace_months));
  }
  return last_seen <= policy.calendar.Before(now, policy.deleted_source->grace);
}

// When it was last seen, or when it may have been there unseen: its table, dataset or project was
// left out by policy, or could not be looked at.
Result<std::optional<int64_t>> LastSeenOrHidden(catalog::RunLedger& ledger,
                                                const TableRef& object) {
  std::optional<int64_t> last;
  for (const TableRef& at :
       {object, object.WholeTable(), TableRef{object.project, object.dataset, {}, {}},
        TableRef{object.project, {}, {}, {}}}) {
    HF_ASSIGN_OR_RETURN(const auto seen, ledger.LastSeen(at));
    if (seen) last = std::max(last.value_or(0), *seen);
  }
  return last;
}

// When the first run after that began which looked for the object, and did not find it; nullopt:
// none did.
Result<std::optional<int64_t>> FirstMissed(catalog::RunLedger& ledger, const TableRef& object,
                                           int64_t after_ms) {
  std::optional<int64_t> first;
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListRuns(false, token));
    for (const Run& run : page.items) {
      if (run.started_ms <= after_ms) return first;
      const bool looked =
          run.state == RunState::kFinished && run.policy.scope.CoversTable(object.WholeTable());
      if (looked) first = run.started_ms;
    }
    token = page.next_page_token;
  } while (!token.empty());
  return first;
}

// Fills in what is known of the source. It counts as gone since a run first missed it.
Status LookAtSource(const Services& services, const RetentionPolicy& policy,
                    const std::vector<catalog::BackupRecord>& records, Timestamp now,
                    ObjectHistory& history) {
  if (!policy.bbq && !policy.deleted_source) return Ok();
  const TableRef& object = records.front().object;
  int64_t last_ms = 0;
  for (const catalog::BackupRecord& record : records) {
    last_ms = std::max(last_ms, record.created_ms);
  }
  // Most objects need no look at the runs.
  if (!IsGraceOver(policy, FromUnixMillis(last_ms), now)) return Ok();
  HF_ASSIGN_OR_RETURN(const auto seen_ms, LastSeenOrHidden(services.catalog, object));
  const int64_t since_ms = std::max(last_ms, seen_ms.value_or(0));
  if (!IsGraceOver(policy, FromUnixMillis(since_ms), now)) return Ok();
  HF_ASSIGN_OR_RETURN(const auto missed_ms, FirstMissed(services.catalog, object, since_ms));
  if (!missed_ms) return Ok();
  const Timestamp last_seen = FromUnixMillis(*missed_ms);
  if (!IsGraceOver(policy, last_seen, now)) return Ok();
  HF_ASSIGN_OR_RETURN(const bool exists, SourceExists(services, object));
  if (exists) return Ok();
  history.source_last_seen = last_seen;
  history.source_deleted_at = last_seen;
  return Ok();
}

BackupState StateOf(const catalog::BackupRecord& record) {
  if (record.damaged) return BackupState::kDamaged;
  const bool good = record.IsGood() && record.verified != VerifyLevel::kNone;
  return good ? BackupState::kGood : BackupState::kSuspect;
}

}  // namespace

Result<RetentionPlan> ReviewObject(const Services& services,
                                   const std::vector<catalog::BackupRecord>& records,
                                   const PinLookup& pins, Timestamp now) {
  const TableRef& object = records.front().object;
  HF_ASSIGN_OR_RETURN(const RetentionPolicy policy, services.policy_of(object));
  ObjectHistory history{.object = object.ToString(), .backups = {}};
  for (const catalog::BackupRecord& record : records) {
    HF_ASSIGN_OR_RETURN(const PinCounts counts, pins(record));
    history.backups.push_back({.id = record.backup,
                               .time = FromUnixMillis(record.consistent_through_ms),
                               .state = StateOf(record),
                               .rows = record.rows,
                               .bytes = record.stored_bytes,
                               .pinned = counts.pins > 0,
                               .held = counts.holds > 0});
  }
  HF_RETURN_IF_ERROR(LookAtSource(services, policy, records, now, history));
  return PlanRetention(history, policy, now);
}

Result<std::vector<catalog::BackupRecord>> RecordsOf(catalog::BackupIndex& index,
                                                     const TableRef& object) {
  const catalog::BackupFilter filter{.project = object.project,
                                     .dataset = object.dataset,
                                     .table = object.table,
                                     .partition = object.partition};
  std::vector<catalog::BackupRecord> records;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return index.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        records.push_back(std::move(record));
        return Ok();
      }));
  return records;
}

std::vector<std::vector<catalog::BackupRecord>> ByMethod(
    std::vector<catalog::BackupRecord> records) {
  std::map<Method, std::vector<catalog::BackupRecord>> parts;
  for (catalog::BackupRecord& record : records) parts[record.method].push_back(std::move(record));
  std::vector<std::vector<catalog::BackupRecord>> list;
  for (auto& [method, part] : parts) list.push_back(std::move(part));
  return list;
}

}  // namespace holdfast::retain
