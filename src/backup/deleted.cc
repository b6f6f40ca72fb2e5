#include "backup/deleted.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

namespace holdfast::backup {

namespace {

bool IsPresent(const ItemOutcome& item) {
  return !item.object.table.empty() && item.outcome != Outcome::kVanished &&
         item.outcome != Outcome::kExcluded && item.outcome != Outcome::kNotDue;
}

// Why so many deletions of one table's partitions are suspect; empty: they are not.
Result<std::string> WhySuspect(catalog::BackupIndex& index, const BackupPolicy& policy,
                               const TableRef& table, const std::set<TableRef>& present,
                               const std::set<TableRef>& gone) {
  HF_ASSIGN_OR_RETURN(const auto good, catalog::LatestGoodOfTable(index, table));
  int64_t rows_before = 0;
  int64_t rows_gone = 0;
  for (const catalog::BackupRecord& record : good) {
    const bool is_gone = gone.contains(record.object);
    if (is_gone) rows_gone += record.rows;
    if (is_gone || present.contains(record.object)) rows_before += record.rows;
  }
  return ShrinkReason(policy, {rows_before}, {rows_before - rows_gone});
}

std::string WhyDeleted(bool was_lost, bool has_partitions_now, bool is_whole_now) {
  if (was_lost) return "deleted at the source in an earlier run; its backups are kept";
  if (has_partitions_now) {
    return "the table has partitions now, which are backed up one by one; its backups as a whole "
           "are kept";
  }
  if (is_whole_now) {
    return "the table is backed up as a whole now, or has no partition left; its backups by "
           "partition are kept";
  }
  return "deleted at the source since the run before; its backups are kept";
}

}  // namespace

std::vector<ItemOutcome> FindDeleted(const std::vector<ItemOutcome>& before,
                                     const std::vector<ItemOutcome>& now, const Scope& scope) {
  std::set<TableRef> present;
  std::set<TableRef> tables_present;
  std::set<TableRef> tables_divided;  // of which some partition is
  std::set<std::string> failed;       // projects and datasets that were not listed
  std::set<TableRef> tables_unseen;
  for (const ItemOutcome& item : now) {
    if (item.object.table.empty()) {
      failed.insert(item.object.dataset.empty() ? item.object.project
                                                : item.object.dataset_ref().ToString());
    } else {
      present.insert(item.object);
      if (IsPresent(item)) tables_present.insert(item.object.WholeTable());
      if (IsPresent(item) && !item.object.partition.empty()) {
        tables_divided.insert(item.object.WholeTable());
      }
      if (IsUnseen(item)) tables_unseen.insert(item.object.WholeTable());
    }
  }
  // A run whose very first stage failed saw nothing, so it cannot say what is gone.
  if (present.empty() && !failed.empty()) return {};
  std::vector<ItemOutcome> deleted;
  for (const ItemOutcome& item : before) {
    const TableRef& object = item.object;
    if (!(IsPresent(item) || IsLoss(item)) || present.contains(object) ||
        !scope.CoversTable(object) || failed.contains(object.project) ||
        failed.contains(object.dataset_ref().ToString()) ||
        tables_unseen.contains(object.WholeTable())) {
      continue;
    }
    const bool reshaped = object.partition.empty() && tables_present.contains(object);
    // It failed, and what is told now are its partitions.
    if (reshaped && item.outcome == Outcome::kFailed) continue;
    const bool is_whole_now = !object.partition.empty() &&
                              tables_present.contains(object.WholeTable()) &&
                              !tables_divided.contains(object.WholeTable());
    deleted.push_back({.object = object,
                       .kind = item.kind,
                       .outcome = Outcome::kVanished,
                       .reason = WhyDeleted(IsLoss(item), reshaped, is_whole_now),
                       .backup = item.backup,
                       .error_id = {},
                       .lost_ms = item.lost_ms});
  }
  return deleted;
}

namespace {

// Of one table: what one run found gone.
struct LossKey {
  TableRef table;
  int64_t lost_ms = 0;

  auto operator<=>(const LossKey&) const = default;
};

std::string LossText(size_t count, const std::string& reason) {
  return fmt::format("; {} gone, and with {} its {}",
                     count == 1 ? std::string("1 partition of the table is")
                                : fmt::format("{} partitions of the table are", count),
                     count == 1 ? "it" : "them", reason);
}

}  // namespace

Status JudgeDeleted(catalog::BackupIndex& index, const BackupPolicy& policy, int64_t run_ms,
                    const std::vector<ItemOutcome>& now, const AcceptedBy& accepted,
                    std::vector<ItemOutcome>& deleted) {
  std::set<TableRef> present;
  std::set<TableRef> tables_present;
  for (const ItemOutcome& item : now) {
    // A table without any partition is judged when it is backed up as a whole.
    if (!IsPresent(item) || item.object.partition.empty()) continue;
    present.insert(item.object);
    tables_present.insert(item.object.WholeTable());
  }
  const auto key_of = [&](const ItemOutcome& item) {
    return LossKey{item.object.WholeTable(), item.lost_ms == 0 ? run_ms : item.lost_ms};
  };
  std::map<LossKey, std::set<TableRef>> gone;
  for (const ItemOutcome& item : deleted) {
    if (!item.object.partition.empty() && tables_present.contains(item.object.WholeTable())) {
      gone[key_of(item)].insert(item.object);
    }
  }
  std::map<LossKey, std::string> reasons;
  for (const auto& [key, partitions] : gone) {
    HF_ASSIGN_OR_RETURN(reasons[key], WhySuspect(index, policy, key.table, present, partitions));
  }
  for (ItemOutcome& item : deleted) {
    const LossKey key = key_of(item);
    item.suspect = false;
    item.lost_ms = 0;
    const auto reason = reasons.find(key);
    if (item.object.partition.empty() || reason == reasons.end() || reason->second.empty())
      continue;
    item.lost_ms = key.lost_ms;
    item.reason += LossText(gone[key].size(), reason->second);
    const auto acceptance = accepted(item.object);
    item.suspect = !acceptance || acceptance->at_ms < item.lost_ms;
    item.reason += item.suspect
                       ? "; suspect"
                       : fmt::format("; accepted by {}: {}", acceptance->actor, acceptance->reason);
  }
  return Ok();
}

}  // namespace holdfast::backup
