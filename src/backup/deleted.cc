#include "backup/deleted.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
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

bool IsPresent(const ItemOutcome& item) {
  return !item.object.table.empty() && item.outcome != Outcome::kVanished &&
         item.outcome != Outcome::kExcluded && item.outcome != Outcome::kNotDue;
}

// A partition that was gone in the run before, and with it too many of its table's rows.
bool IsLost(const ItemOutcome& item) { return item.outcome == Outcome::kVanished && item.suspect; }

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

constexpr std::string_view kReplaced =
    "; the table that had this name is gone, its backups are kept";

// A table whose name something else has now is gone as well: what is said of that one.
std::vector<ItemOutcome> FindReplaced(const std::vector<ItemOutcome>& before,
                                      const std::vector<ItemOutcome>& now) {
  const bool had_backups = std::ranges::any_of(before, [](const ItemOutcome& item) {
    return !item.backup.empty() && item.outcome != Outcome::kUnsupported &&
           item.outcome != Outcome::kVanished;
  });
  std::vector<ItemOutcome> replaced;
  for (const ItemOutcome& item : now) {
    if (!had_backups || item.outcome != Outcome::kUnsupported) continue;
    if (item.reason.ends_with(kReplaced)) continue;  // said before a crash
    replaced.push_back(item);
    replaced.back().reason += kReplaced;
  }
  return replaced;
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
    if (!(IsPresent(item) || IsLost(item)) || present.contains(object) ||
        !scope.CoversTable(object) || failed.contains(object.project) ||
        failed.contains(object.dataset_ref().ToString()) ||
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
                       .reason = WhyDeleted(IsLost(item), reshaped, is_whole_now),
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
    item.suspect = false;
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

namespace {

constexpr std::string_view kAsLastSeen = "; told as it was last seen";

// What a run that could not look at an object tells of it again, so that it is not forgotten: a
// loss, an object of a kind that is not backed up, and one that never had a backup. `above`: what
// failed, and the object with it. nullopt: its backups tell of it.
Result<std::optional<ItemOutcome>> StillKnown(catalog::BackupIndex& index,
                                              const ItemOutcome& before, const ItemOutcome& above) {
  ItemOutcome known = before;
  if (before.outcome == Outcome::kFailed || before.outcome == Outcome::kCarried) {
    const TableRef& object = before.object;
    HF_ASSIGN_OR_RETURN(const auto backups, index.FindBackups({.project = object.project,
                                                               .dataset = object.dataset,
                                                               .table = object.table,
                                                               .partition = object.partition,
                                                               .newest_only = true},
                                                              ""));
    if (!backups.items.empty()) return std::optional<ItemOutcome>();
    known = {.object = object,
             .kind = before.kind,
             .outcome = Outcome::kFailed,
             .reason = above.reason,
             .error_id = above.error_id};
  } else if (before.outcome != Outcome::kUnsupported && !IsLost(before)) {
    return std::optional<ItemOutcome>();
  }
  if (!known.reason.ends_with(kAsLastSeen)) known.reason += kAsLastSeen;
  return std::optional(std::move(known));
}

// One run before, read in order of object.
struct EarlierRun {
  Run run;
  catalog::OutcomeReader outcomes;
};

// The finished runs that tell what was there before `run`, the newest first.
Result<std::vector<EarlierRun>> RunsBefore(catalog::RunLedger& ledger, const Run& run) {
  std::vector<EarlierRun> found;
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListRuns(false, token));
    for (const Run& before : page.items) {
      if (before.state != RunState::kFinished || before.id >= run.id) continue;
      if (!SharesSchedule(before, run)) continue;
      found.push_back({before, catalog::OutcomeReader(ledger, before.id)});
      const bool is_like_this =
          before.policy.scope == run.policy.scope && (before.due.empty() || before.due == run.due);
      if (is_like_this || found.size() == kRunsBeforeMax) return found;
    }
    token = page.next_page_token;
  } while (!token.empty());
  return found;
}

// Compares a run with those before it, a table at a time.
class Deletions {
 public:
  Deletions(catalog::Catalog& catalog, catalog::RunLedger& ledger, const Run& run)
      : catalog_(catalog), ledger_(ledger), run_(run), now_(ledger, run.id) {}

  Status Record() {
    HF_RETURN_IF_ERROR(FindWhetherItSawNothing());
    HF_ASSIGN_OR_RETURN(before_, RunsBefore(catalog_, run_));
    if (before_.empty()) return Ok();
    while (true) {
      HF_ASSIGN_OR_RETURN(const auto table, NextTable());
      if (!table) return Flush();
      HF_RETURN_IF_ERROR(Compare(*table));
      if (found_.size() >= kBatchMax) HF_RETURN_IF_ERROR(Flush());
    }
  }

 private:
  static constexpr size_t kBatchMax = 1'000;

  // A run whose very first stage failed saw nothing, so it cannot say what is gone.
  Status FindWhetherItSawNothing() {
    catalog::OutcomeReader outcomes(ledger_, run_.id);
    while (true) {
      HF_ASSIGN_OR_RETURN(const ItemOutcome* item, outcomes.Peek());
      if (item == nullptr) return Ok();
      saw_nothing_ = item->object.table.empty() || item->reason.ends_with(kAsLastSeen);
      if (!saw_nothing_) return Ok();
      // What the projects were asked of stands where a project's name does (worker.cc).
      const std::string& of = item->object.project;
      if (of == "organization" || !ValidateProjectId(of).ok()) of_all_ = *item;
      outcomes.Next();
    }
  }

  // The first table of which any run tells and that was not compared.
  Result<std::optional<TableRef>> NextTable() {
    std::optional<TableRef> first;
    const auto look = [&](catalog::OutcomeReader& outcomes) -> Status {
      HF_ASSIGN_OR_RETURN(const ItemOutcome* item, outcomes.Peek());
      if (item != nullptr && (!first || item->object.WholeTable() < *first)) {
        first = item->object.WholeTable();
      }
      return Ok();
    };
    HF_RETURN_IF_ERROR(look(now_));
    for (EarlierRun& before : before_) HF_RETURN_IF_ERROR(look(before.outcomes));
    return first;
  }

  Status Compare(const TableRef& table) {
    HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> now, now_.TakeTable(table));
    HF_ASSIGN_OR_RETURN(const auto before, SeenBefore(table));
    if (table.table.empty()) {
      // What is said of a project or dataset as a whole holds for all that comes next.
      if (table.dataset.empty()) {
        of_project_ = now;
      } else {
        of_dataset_ = now;
      }
      return Ok();
    }
    std::erase_if(now, [](const ItemOutcome& item) {  // said before a crash
      return item.reason.ends_with(kAsLastSeen);
    });
    for (const auto* whole : {&of_project_, &of_dataset_}) {
      for (const ItemOutcome& item : *whole) {
        const bool is_above = item.object.project == table.project &&
                              (item.object.dataset.empty() || item.object.dataset == table.dataset);
        if (is_above) now.push_back(item);
      }
    }
    HF_RETURN_IF_ERROR(KeepKnown(before, now));
    if (saw_nothing_) return Ok();
    for (ItemOutcome& item : FindReplaced(before, now)) found_.push_back(std::move(item));
    std::vector<ItemOutcome> deleted = FindDeleted(before, now, run_.policy.scope);
    HF_RETURN_IF_ERROR(JudgeDeleted(catalog_, run_.policy, now, deleted));
    // That something is gone is told once, that too much is as long as it is so.
    std::set<TableRef> lost;
    for (const ItemOutcome& item : before) {
      if (IsLost(item)) lost.insert(item.object);
    }
    std::erase_if(deleted, [&](const ItemOutcome& item) {
      return !item.suspect && lost.contains(item.object);
    });
    std::ranges::move(deleted, std::back_inserter(found_));
    return Ok();
  }

  // Tells again what was known of those of `before` that the run could not look at.
  Status KeepKnown(const std::vector<ItemOutcome>& before, const std::vector<ItemOutcome>& now) {
    const ItemOutcome* above = of_all_ ? &*of_all_ : nullptr;
    const ItemOutcome* part = nullptr;  // of the table: then nothing is gone, FindDeleted
    std::set<TableRef> told;
    for (const ItemOutcome& item : now) {
      told.insert(item.object);
      if (item.outcome == Outcome::kFailed) {
        (item.object.partition.empty() ? above : part) = &item;
      }
    }
    for (const ItemOutcome& item : before) {
      const ItemOutcome* failed = above == nullptr && IsLost(item) ? part : above;
      if (failed == nullptr || told.contains(item.object) ||
          !run_.policy.scope.CoversTable(item.object)) {
        continue;
      }
      HF_ASSIGN_OR_RETURN(auto known, StillKnown(catalog_, item, *failed));
      if (known) found_.push_back(*std::move(known));
    }
    return Ok();
  }

  // What the runs before last saw of the table: what the newest one says that covered it.
  Result<std::vector<ItemOutcome>> SeenBefore(const TableRef& table) {
    std::vector<ItemOutcome> seen;
    bool is_told = false;
    for (EarlierRun& before : before_) {
      HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> items, before.outcomes.TakeTable(table));
      if (is_told) continue;  // by a newer run
      // One of some schedules tells of their objects only.
      is_told = before.run.due.empty()
                    ? before.run.policy.scope.CoversTable(table)
                    : !std::ranges::all_of(items, [](const auto& item) { return IsUnseen(item); });
      std::ranges::move(items, std::back_inserter(seen));
    }
    return seen;
  }

  // All of a table's at once: a table of which a part was recorded would look smaller than it was.
  Status Flush() {
    if (found_.empty()) return Ok();
    HF_RETURN_IF_ERROR(ledger_.RecordOutcomes(run_.id, found_));
    found_.clear();
    return Ok();
  }

  catalog::Catalog& catalog_;
  catalog::RunLedger& ledger_;
  const Run& run_;
  catalog::OutcomeReader now_;
  std::vector<EarlierRun> before_;  // the newest first
  bool saw_nothing_ = false;
  std::optional<ItemOutcome> of_all_;  // what failed when the projects were asked for
  std::vector<ItemOutcome> of_project_;
  std::vector<ItemOutcome> of_dataset_;
  std::vector<ItemOutcome> found_;  // and not recorded yet
};

}  // namespace

Status RecordDeleted(catalog::Catalog& catalog, catalog::RunLedger& ledger, const Run& run) {
  return Deletions(catalog, ledger, run).Record();
}

}  // namespace holdfast::backup
