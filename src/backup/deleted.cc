#include "backup/deleted.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace holdfast::backup {

namespace {

bool IsPresent(const ItemOutcome& item) {
  return !item.object.table.empty() && item.outcome != Outcome::kVanished;
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
  return ShrinkReason(policy, rows_before, rows_before - rows_gone);
}

}  // namespace

std::vector<ItemOutcome> FindDeleted(const std::vector<ItemOutcome>& before,
                                     const std::vector<ItemOutcome>& now, const Scope& scope) {
  std::set<TableRef> present;
  std::set<TableRef> tables_present;
  std::set<std::string> failed;  // projects and datasets that could not be listed
  std::set<TableRef> tables_failed;
  for (const ItemOutcome& item : now) {
    if (item.object.table.empty()) {
      failed.insert(item.object.dataset.empty() ? item.object.project
                                                : item.object.dataset_ref().ToString());
    } else {
      present.insert(item.object);
      if (IsPresent(item)) tables_present.insert(item.object.WholeTable());
      if (item.outcome == Outcome::kFailed) tables_failed.insert(item.object.WholeTable());
    }
  }
  // A run whose very first stage failed saw nothing, so it cannot say what is gone.
  if (present.empty() && !failed.empty()) return {};
  std::vector<ItemOutcome> deleted;
  for (const ItemOutcome& item : before) {
    const TableRef& object = item.object;
    if (!IsPresent(item) || present.contains(object) || !scope.CoversTable(object) ||
        failed.contains(object.project) || failed.contains(object.dataset_ref().ToString()) ||
        tables_failed.contains(object.WholeTable())) {
      continue;
    }
    const bool reshaped = object.partition.empty() && tables_present.contains(object);
    deleted.push_back({.object = object,
                       .kind = item.kind,
                       .outcome = Outcome::kVanished,
                       .reason = reshaped ? "the table has partitions now, which are backed up one "
                                            "by one; its backups as a whole are kept"
                                          : "deleted at the source since the run before; its "
                                            "backups are kept",
                       .backup = item.backup,
                       .error_id = {}});
  }
  return deleted;
}

Status JudgeDeleted(catalog::BackupIndex& index, const BackupPolicy& policy,
                    const std::vector<ItemOutcome>& now, std::vector<ItemOutcome>& deleted) {
  std::set<TableRef> present;
  std::set<TableRef> tables_present;
  for (const ItemOutcome& item : now) {
    // A table without any partition is judged when it is backed up as a whole.
    if (!IsPresent(item) || item.object.partition.empty()) continue;
    present.insert(item.object);
    tables_present.insert(item.object.WholeTable());
  }
  std::map<TableRef, std::set<TableRef>> gone;
  for (const ItemOutcome& item : deleted) {
    const TableRef table = item.object.WholeTable();
    if (!item.object.partition.empty() && tables_present.contains(table)) {
      gone[table].insert(item.object);
    }
  }
  std::map<TableRef, std::string> reasons;
  for (const auto& [table, partitions] : gone) {
    HF_ASSIGN_OR_RETURN(reasons[table], WhySuspect(index, policy, table, present, partitions));
  }
  for (ItemOutcome& item : deleted) {
    const auto reason = reasons.find(item.object.WholeTable());
    if (item.object.partition.empty() || reason == reasons.end() || reason->second.empty())
      continue;
    item.suspect = true;
    const size_t count = gone[reason->first].size();
    item.reason += fmt::format("; suspect: {} gone, and with {} its {}",
                               count == 1 ? std::string("1 partition of the table is")
                                          : fmt::format("{} partitions of the table are", count),
                               count == 1 ? "it" : "them", reason->second);
  }
  return Ok();
}

}  // namespace holdfast::backup
