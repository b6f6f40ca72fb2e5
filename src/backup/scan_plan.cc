#include "backup/scan_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "backup/copy_unit.h"
#include "backup/stage_result.h"
#include "base/clock.h"

namespace holdfast::backup {

namespace {

constexpr size_t kResultDatasetDigits = 40;
constexpr int64_t kMillisPerHour = 60LL * 60 * 1000;
constexpr int64_t kMillisPerDay = 24 * kMillisPerHour;
constexpr int64_t kTimeTravelHours = 7 * 24;  // of a dataset that says nothing of it

ItemOutcome Unsupported(const TableRef& table, std::string_view what) {
  return {.object = table,
          .outcome = Outcome::kUnsupported,
          .reason = fmt::format("{}: objects of this kind are not backed up", what),
          .error_id = {}};
}

// The first column, with its path, that holds more than an export does: a TIMESTAMP of picoseconds
// is written to Avro in microseconds. Empty: there is none.
std::string TooPreciseColumn(const std::vector<Field>& fields, const std::string& path) {
  for (const Field& field : fields) {
    if (Int64Or(field.extras, "timestampPrecision", 6) > 6) return path + field.name;
    std::string inner = TooPreciseColumn(field.fields, path + field.name + ".");
    if (!inner.empty()) return inner;
  }
  return {};
}

// Rows that are only in the streaming buffer: counted under this partition, and in no export. Once
// they are written they are in partitions of their own, and change those (google-semantics trap 4).
bool IsStreamingBuffer(const TableInfo& table, const TableRef& object) {
  return object.partition == kUnpartitionedPartition && table.streaming_buffer.has_value() &&
         table.partitioning.kind != Partitioning::Kind::kIntegerRange;
}

ItemOutcome Unchanged(const TableRef& object, const catalog::BackupRecord& last) {
  return {.object = object,
          .kind = last.kind,
          .outcome = Outcome::kUnchanged,
          .reason = last.suspect.empty()
                        ? "as in its last backup"
                        : "as in its last backup, which is suspect: " + last.suspect,
          .backup = last.backup,
          .error_id = {},
          .suspect = !last.suspect.empty()};
}

// Whether a full backup is due although nothing seems to have changed: what the warehouse tells can
// be wrong (google-semantics trap 5).
bool IsForced(const catalog::BackupRecord& last, const BackupPolicy& policy, int64_t now_ms) {
  if (policy.force) return true;
  return policy.forced_full_days > 0 &&
         now_ms - last.created_ms >= policy.forced_full_days * kMillisPerDay;
}

// Whether a definition is to be looked at although its times did not move: once in the period of
// forced backups. As long as it is the same, its backup gets older and no new one is made.
bool IsLookDue(const catalog::BackupRecord& last, const BackupPolicy& policy, int64_t now_ms) {
  if (policy.force) return true;
  if (!IsForced(last, policy, now_ms)) return false;
  return (now_ms - last.created_ms) / kMillisPerDay % policy.forced_full_days == 0;
}

// Whether the object had been written to after the moment as of which its last backup was taken
// when it was looked at for that: its fingerprint is of what it had become, and tells nothing of
// what the backup holds. Within one millisecond nobody knows.
bool IsBehindItsLook(const catalog::BackupRecord& last) {
  return last.as_of_ms && last.source.last_modified_ms >= *last.as_of_ms;
}

// The outcome of what was not modified within the policy's window; nullopt: it was, or there is no
// window. What lands out of a streaming buffer carries an earlier time, and can be missed by it.
std::optional<ItemOutcome> OutsideWindow(const TableRef& object, int64_t last_modified_ms,
                                         const BackupPolicy& policy, int64_t now_ms) {
  if (policy.changed_within_hours == 0 || policy.force ||
      last_modified_ms >= now_ms - policy.changed_within_hours * kMillisPerHour) {
    return std::nullopt;
  }
  return ItemOutcome{.object = object,
                     .outcome = Outcome::kNotDue,
                     .reason = fmt::format("it was not modified in the {} hours before the run",
                                           policy.changed_within_hours)};
}

void PlanObject(const TableRef& object, Fingerprint now, const LastBackups& last,
                const BackupPolicy& policy, int64_t now_ms, TablePlan& plan) {
  if (auto outside = OutsideWindow(object, now.last_modified_ms, policy, now_ms)) {
    plan.outcomes.push_back(*std::move(outside));
    return;
  }
  Change change = Change::kDataChanged;
  if (const auto found = last.find(object.partition); found != last.end()) {
    const catalog::BackupRecord& record = found->second;
    // Another method keeps its data elsewhere: what it has says nothing of this one.
    if (record.method == policy.method && !IsForced(record, policy, now_ms)) {
      change =
          IsBehindItsLook(record) ? Change::kDataChanged : CompareFingerprints(record.source, now);
      if (change == Change::kUnchanged) {
        plan.outcomes.push_back(Unchanged(object, record));
        return;
      }
    }
  }
  plan.units.push_back(
      {.partition = object.partition, .fingerprint = std::move(now), .change = change});
}

// The moment as of which several partitions are taken: now, and behind all that was seen of the
// table, of which the warehouse's clock says when it was; ours may be slow. That clock's times are
// cut to whole milliseconds.
int64_t MomentOf(const TableInfo& table, const std::vector<PartitionInfo>& partitions,
                 int64_t now_ms) {
  int64_t moment_ms = std::max({now_ms, table.creation_ms, table.last_modified_ms + 1});
  for (const PartitionInfo& partition : partitions) {
    moment_ms = std::max(moment_ms, partition.last_modified_ms + 1);
  }
  return moment_ms;
}

}  // namespace

bool IsBackedUpDataset(const DatasetInfo& info) {
  const std::string_view dataset = info.ref.dataset;
  const bool holds_results =
      dataset.size() == kResultDatasetDigits + 1 && dataset.front() == '_' &&
      dataset.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
  const Json* labels = FindField(info.resource, "labels");
  const bool holds_copies = dataset.starts_with(kCopyDatasetPrefix) && labels != nullptr &&
                            StringOr(*labels, kCopyDatasetLabel, "") == kCopyDatasetLabelValue;
  return !holds_results && !holds_copies;
}

std::optional<ItemOutcome> PlanFromSummary(const TableSummary& summary, const LastBackups& last,
                                           const BackupPolicy& policy, int64_t now_ms) {
  if (summary.kind == TableKind::kUnknown) return std::nullopt;
  const auto kind = ObjectKindOf(summary.kind);
  if (!kind) return Unsupported(summary.ref, TableKindName(summary.kind));
  if (!policy.scope.PartitionsOf(summary.ref).empty()) return std::nullopt;
  if (IsDefinitionOnly(*kind))
    return PlanDefinitionFromSummary(summary, *kind, last, policy, now_ms);
  if (auto outside = OutsideWindow(summary.ref, summary.last_modified_ms, policy, now_ms)) {
    return outside;
  }
  // Only a table that was whole last time can be settled here: the numbers of partitions, and
  // whether it has any by now, are not in the listing. Dropping and creating anew moves `creation`.
  // A snapshot is of the whole, however it is divided.
  const auto found = last.find("");
  if (found == last.end()) return std::nullopt;
  if (last.size() != 1 && policy.method != Method::kSnapshot) return std::nullopt;
  const catalog::BackupRecord& record = found->second;
  const Fingerprint& source = record.source;
  const bool equal = source.creation_ms == summary.creation_ms &&
                     source.last_modified_ms == summary.last_modified_ms &&
                     source.rows == summary.rows && source.bytes == summary.bytes;
  // An empty partitioned table is also "whole"; its first partition moves the time.
  if (!equal || source.streaming || IsBehindItsLook(record) || record.method != policy.method ||
      IsForced(record, policy, now_ms)) {
    return std::nullopt;
  }
  return Unchanged(summary.ref, record);
}

std::optional<std::vector<ItemOutcome>> PlanFromPartitions(
    const TableSummary& summary, const std::vector<PartitionInfo>& partitions,
    const LastBackups& last, const BackupPolicy& policy, int64_t now_ms) {
  if (summary.kind != TableKind::kTable || partitions.empty() ||
      !policy.scope.PartitionsOf(summary.ref).empty()) {
    return std::nullopt;
  }
  std::vector<ItemOutcome> outcomes;
  int64_t newest_ms = 0;
  for (const PartitionInfo& partition : partitions) {
    newest_ms = std::max(newest_ms, partition.last_modified_ms);
    const auto found = last.find(partition.ref.partition);
    if (found == last.end()) return std::nullopt;
    const catalog::BackupRecord& record = found->second;
    const Fingerprint& source = record.source;
    const bool equal = source.creation_ms == summary.creation_ms &&
                       source.last_modified_ms == partition.last_modified_ms &&
                       source.rows == partition.rows && source.bytes == partition.bytes;
    if (!equal || source.streaming || IsBehindItsLook(record) || record.method != policy.method ||
        IsForced(record, policy, now_ms)) {
      return std::nullopt;
    }
    outcomes.push_back(Unchanged(partition.ref, record));
  }
  if (newest_ms != summary.last_modified_ms) return std::nullopt;
  return outcomes;
}

namespace {

// Of a table of which the run was given some partitions: as the policy has it for these, less what
// the table does not have.
TablePlan PlanNamedPartitions(const TableInfo& table, const std::vector<PartitionInfo>& partitions,
                              const LastBackups& last, const BackupPolicy& policy, int64_t now_ms) {
  std::set<std::string> missing = policy.scope.PartitionsOf(table.ref);
  std::vector<PartitionInfo> named;
  for (const PartitionInfo& partition : partitions) {
    if (missing.erase(partition.ref.partition) > 0) named.push_back(partition);
  }
  TablePlan plan{.method = policy.method, .as_of_ms = {}, .units = {}, .outcomes = {}};
  if (!named.empty()) {
    BackupPolicy whole = policy;
    whole.scope.partitions.clear();
    plan = PlanTable(table, named, last, whole, now_ms);
  }
  for (const std::string& partition : missing) {
    plan.outcomes.push_back(FailedOutcome(
        table.ref.WithPartition(partition),
        MakeError(ErrorId::kTableNotFound,
                  policy.method == Method::kSnapshot
                      ? "a snapshot is of a whole table: its partitions are not taken one by one"
                      : "the table has no such partition")));
  }
  return plan;
}

}  // namespace

TablePlan PlanTable(const TableInfo& table, const std::vector<PartitionInfo>& partitions,
                    const LastBackups& last, const BackupPolicy& policy, int64_t now_ms) {
  TablePlan plan{.method = policy.method, .as_of_ms = {}, .units = {}, .outcomes = {}};
  const auto kind = ObjectKindOf(table.kind);
  if (!kind) {
    plan.outcomes.push_back(Unsupported(table.ref.WholeTable(), TableKindName(table.kind)));
    return plan;
  }
  if (!policy.scope.PartitionsOf(table.ref).empty()) {
    return PlanNamedPartitions(table, partitions, last, policy, now_ms);
  }
  if (IsDefinitionOnly(*kind)) {
    plan = PlanDefinition(table.ref.WholeTable(), *kind, FingerprintOfDefinition(table.resource),
                          last, policy);
    // Who may use it is in no document that was compared: to be looked at in the stage.
    if (!plan.outcomes.empty() && IsLookDue(last.at(""), policy, now_ms)) {
      plan.outcomes.clear();
      plan.units.push_back({.partition = {},
                            .fingerprint = FingerprintOfDefinition(table.resource),
                            .change = Change::kMetadataOnly});
    }
    return plan;
  }
  if (table.schema.fields.empty()) {
    plan.outcomes.push_back(Unsupported(table.ref.WholeTable(), "table without columns"));
    return plan;
  }
  const std::string too_precise = TooPreciseColumn(table.schema.fields, "");
  if (!too_precise.empty() && policy.method == Method::kExport) {
    plan.outcomes.push_back({.object = table.ref.WholeTable(),
                             .outcome = Outcome::kUnsupported,
                             .reason = fmt::format("column {} has more digits of a second than an "
                                                   "export keeps; methods copy and "
                                                   "snapshot keep them",
                                                   too_precise),
                             .error_id = {}});
    return plan;
  }
  for (const PartitionInfo& partition : partitions) {
    if (policy.method == Method::kSnapshot) break;  // of the whole table only
    if (IsStreamingBuffer(table, partition.ref)) continue;
    PlanObject(partition.ref, FingerprintOf(table, partition), last, policy, now_ms, plan);
  }
  // A partitioned table without partitions is backed up whole: its definition is worth as much.
  if (plan.units.empty() && plan.outcomes.empty()) {
    PlanObject(table.ref.WholeTable(), FingerprintOf(table), last, policy, now_ms, plan);
  }
  if (policy.freeze && plan.units.size() > 1) plan.as_of_ms = MomentOf(table, partitions, now_ms);
  return plan;
}

Result<std::optional<int64_t>> TimeTravelMoment(const BackupPolicy& policy,
                                                const DatasetInfo& dataset, int64_t started_ms) {
  if (policy.time_travel_days == 0) return std::optional<int64_t>();
  const int64_t window_hours = Int64Or(dataset.resource, "maxTimeTravelHours", kTimeTravelHours);
  if (policy.time_travel_days * 24 > window_hours) {
    return MakeError(ErrorId::kTimeTravelWindow,
                     fmt::format("its policy takes it as it was {} days ago, and dataset {} keeps "
                                 "{} hours of its past",
                                 policy.time_travel_days, dataset.ref.ToString(), window_hours));
  }
  return std::optional(std::max(started_ms - policy.time_travel_days * kMillisPerDay,
                                started_ms - (window_hours - 1) * kMillisPerHour));
}

TablePlan TakenAsOf(TablePlan plan, const TableInfo& table, int64_t as_of_ms) {
  if (plan.method == Method::kDefinition || plan.units.empty()) return plan;
  plan.as_of_ms = as_of_ms;
  if (table.creation_ms <= as_of_ms) return plan;
  for (const BackupUnit& unit : plan.units) {
    plan.outcomes.push_back(
        {.object = table.ref.WithPartition(unit.partition),
         .outcome = Outcome::kNotDue,
         .reason = fmt::format("it was made at {}, after {}, as of which its policy takes it",
                               FormatTimestamp(FromUnixMillis(table.creation_ms)),
                               FormatTimestamp(FromUnixMillis(as_of_ms)))});
  }
  plan.units.clear();
  return plan;
}

std::optional<ItemOutcome> PlanDefinitionFromSummary(const TableSummary& summary, ObjectKind kind,
                                                     const LastBackups& last,
                                                     const BackupPolicy& policy, int64_t now_ms) {
  // One that nobody has touched since it was saved is settled.
  const auto found = last.find("");
  if (found == last.end() || found->second.kind != kind) return std::nullopt;
  const catalog::BackupRecord& record = found->second;
  if (record.source.creation_ms != summary.creation_ms ||
      record.source.last_modified_ms != summary.last_modified_ms ||
      IsLookDue(record, policy, now_ms)) {
    return std::nullopt;
  }
  return Unchanged(summary.ref, record);
}

TablePlan PlanDefinition(const TableRef& object, ObjectKind kind, Fingerprint now,
                         const LastBackups& last, const BackupPolicy& policy) {
  TablePlan plan{.method = Method::kDefinition, .as_of_ms = {}, .units = {}, .outcomes = {}};
  const auto found = last.find("");
  if (found != last.end() && found->second.kind == kind && !policy.force &&
      CompareDefinitionFingerprints(found->second.source, now) == Change::kUnchanged) {
    plan.outcomes.push_back(Unchanged(object, found->second));
  } else {
    plan.units.push_back(
        {.partition = {}, .fingerprint = std::move(now), .change = Change::kDataChanged});
  }
  return plan;
}

std::vector<WorkMessage> MessagesFor(const RunBackup& table, const std::vector<BackupUnit>& units,
                                     size_t units_max) {
  std::vector<WorkMessage> messages;
  for (size_t begin = 0; begin < units.size(); begin += units_max) {
    const size_t end = std::min(units.size(), begin + units_max);
    RunBackup message = table;
    message.units.assign(units.begin() + static_cast<ptrdiff_t>(begin),
                         units.begin() + static_cast<ptrdiff_t>(end));
    message.shares_moment = units.size() > units_max;
    messages.emplace_back(std::move(message));
  }
  return messages;
}

}  // namespace holdfast::backup
