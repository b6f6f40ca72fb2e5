#include "backup/deleted.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace holdfast::backup {

namespace {

// How many runs are looked through for what was there before.
constexpr size_t kRunsBeforeMax = 20;

// Whether a run may tell of objects that the other one is of.
bool SharesSchedule(const Run& a, const Run& b) {
  return a.due.empty() || b.due.empty() || std::ranges::any_of(a.due, [&](const auto& schedule) {
           return std::ranges::find(b.due, schedule) != b.due.end();
         });
}

// What the finished runs before `run` last saw of the objects in its scope: of each object what the
// newest run says that covered it.
Result<std::vector<ItemOutcome>> SeenBefore(catalog::RunLedger& ledger, const Run& run) {
  std::vector<ItemOutcome> seen;
  std::vector<Scope> newer;
  std::set<TableRef> told;  // by a newer run of some schedules
  size_t looked = 0;
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListRuns(false, token));
    for (const Run& before : page.items) {
      if (before.state != RunState::kFinished || before.id >= run.id) continue;
      if (!SharesSchedule(before, run)) continue;
      HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> items, catalog::AllOutcomes(ledger, before.id));
      std::set<TableRef> told_here;
      for (ItemOutcome& item : items) {
        const auto covers = [&](const Scope& scope) { return scope.CoversTable(item.object); };
        if (std::ranges::any_of(newer, covers) || told.contains(item.object.WholeTable())) continue;
        if (!before.due.empty() && !IsUnseen(item)) told_here.insert(item.object.WholeTable());
        seen.push_back(std::move(item));
      }
      told.merge(told_here);
      // One of some schedules tells of their objects only.
      if (before.due.empty()) newer.push_back(before.policy.scope);
      const bool is_like_this =
          before.policy.scope == run.policy.scope && (before.due.empty() || before.due == run.due);
      if (is_like_this || ++looked == kRunsBeforeMax) return seen;
    }
    token = page.next_page_token;
  } while (!token.empty());
  return seen;
}

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
  return ShrinkReason(policy, rows_before, rows_before - rows_gone);
}

std::string WhyDeleted(bool has_partitions_now, bool is_whole_now) {
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

// A table whose name something else has now is gone as well.
void NoteReplaced(const std::vector<ItemOutcome>& before, std::vector<ItemOutcome>& now) {
  std::set<TableRef> had_backups;
  for (const ItemOutcome& item : before) {
    if (!item.backup.empty() && item.outcome != Outcome::kUnsupported) {
      had_backups.insert(item.object.WholeTable());
    }
  }
  for (ItemOutcome& item : now) {
    if (item.outcome != Outcome::kUnsupported || item.object.table.empty()) continue;
    if (!had_backups.contains(item.object.WholeTable())) continue;
    item.reason += "; the table that had this name is gone, its backups are kept";
  }
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
    if (!IsPresent(item) || present.contains(object) || !scope.CoversTable(object) ||
        failed.contains(object.project) || failed.contains(object.dataset_ref().ToString()) ||
        tables_unseen.contains(object.WholeTable())) {
      continue;
    }
    const bool reshaped = object.partition.empty() && tables_present.contains(object);
    const bool is_whole_now = !object.partition.empty() &&
                              tables_present.contains(object.WholeTable()) &&
                              !tables_divided.contains(object.WholeTable());
    deleted.push_back({.object = object,
                       .kind = item.kind,
                       .outcome = Outcome::kVanished,
                       .reason = WhyDeleted(reshaped, is_whole_now),
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

Status AddDeleted(catalog::Catalog& catalog, const Run& run, std::vector<ItemOutcome>& items) {
  HF_ASSIGN_OR_RETURN(const auto before, SeenBefore(catalog, run));
  NoteReplaced(before, items);
  std::vector<ItemOutcome> deleted = FindDeleted(before, items, run.policy.scope);
  HF_RETURN_IF_ERROR(JudgeDeleted(catalog, run.policy, items, deleted));
  std::ranges::move(deleted, std::back_inserter(items));
  return Ok();
}

}  // namespace holdfast::backup
