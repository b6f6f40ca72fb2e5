// What the runs before a run saw, held against what it saw itself (deleted.h).
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "backup/deleted.h"

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
  } else if (before.outcome != Outcome::kUnsupported && !IsLoss(before)) {
    return std::optional<ItemOutcome>();
  }
  if (!known.reason.ends_with(kAsLastSeen)) known.reason += kAsLastSeen;
  return std::optional(std::move(known));
}

// What a run could not look into, as far as it was read: projects and datasets are told of before
// what is in them.
class Blindness {
 public:
  // Reads whether it saw nothing at all: its very first stage failed.
  Status Begin(catalog::RunLedger& ledger, const std::string& run) {
    catalog::OutcomeReader outcomes(ledger, run);
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

  // Takes what the run tells of a project or dataset as a whole.
  void Note(const TableRef& whole, const std::vector<ItemOutcome>& items) {
    (whole.dataset.empty() ? of_project_ : of_dataset_) = items;
  }

  bool saw_nothing() const { return saw_nothing_; }
  const std::optional<ItemOutcome>& of_all() const { return of_all_; }

  // What it tells of the project and the dataset that the table is in.
  std::vector<ItemOutcome> Above(const TableRef& table) const {
    std::vector<ItemOutcome> above;
    for (const auto* whole : {&of_project_, &of_dataset_}) {
      for (const ItemOutcome& item : *whole) {
        const bool is_above = item.object.project == table.project &&
                              (item.object.dataset.empty() || item.object.dataset == table.dataset);
        if (is_above) above.push_back(item);
      }
    }
    return above;
  }

  // Whether it tells of the table by what it saw: `items` is what it tells of it.
  bool Saw(const TableRef& table, const std::vector<ItemOutcome>& items) const {
    const auto is_unseen = [](const ItemOutcome& item) { return IsUnseen(item); };
    return !saw_nothing_ && std::ranges::none_of(items, is_unseen) &&
           std::ranges::none_of(Above(table), is_unseen);
  }

 private:
  bool saw_nothing_ = false;
  std::optional<ItemOutcome> of_all_;  // what failed when the projects were asked for
  std::vector<ItemOutcome> of_project_;
  std::vector<ItemOutcome> of_dataset_;
};

// One run before, read in order of object.
struct EarlierRun {
  Run run;
  catalog::OutcomeReader outcomes;
  Blindness blindness;
};

// The finished runs that tell what was there before `run`, the newest first: back to one that
// looked at all that this one does and in which nothing failed.
Result<std::vector<EarlierRun>> RunsBefore(catalog::RunLedger& ledger, const Run& run) {
  std::vector<EarlierRun> found;
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListRuns(false, token));
    for (const Run& before : page.items) {
      if (before.state != RunState::kFinished || before.id >= run.id) continue;
      if (!SharesSchedule(before, run)) continue;
      EarlierRun& earlier =
          found.emplace_back(EarlierRun{before, catalog::OutcomeReader(ledger, before.id), {}});
      HF_RETURN_IF_ERROR(earlier.blindness.Begin(ledger, before.id));
      if (found.size() == kRunsBeforeMax) return found;
      const bool is_like_this =
          before.policy.scope == run.policy.scope && (before.due.empty() || before.due == run.due);
      if (!is_like_this) continue;
      HF_ASSIGN_OR_RETURN(const auto progress, ledger.GetProgress(before.id));
      if (progress.totals.Of(Outcome::kFailed) == 0) return found;
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
    HF_RETURN_IF_ERROR(blindness_.Begin(ledger_, run_.id));
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
      blindness_.Note(table, now);
      return Ok();
    }
    std::erase_if(now, [](const ItemOutcome& item) {  // said before a crash
      return item.reason.ends_with(kAsLastSeen);
    });
    std::ranges::move(blindness_.Above(table), std::back_inserter(now));
    HF_RETURN_IF_ERROR(KeepKnown(before, now));
    if (blindness_.saw_nothing()) return Ok();
    for (ItemOutcome& item : FindReplaced(before, now)) found_.push_back(std::move(item));
    std::vector<ItemOutcome> deleted = FindDeleted(before, now, run_.policy.scope);
    HF_RETURN_IF_ERROR(Judge(table, now, deleted));
    // That something is gone is told once, that too much is as long as it is so.
    std::set<TableRef> lost;
    for (const ItemOutcome& item : before) {
      if (IsLoss(item)) lost.insert(item.object);
    }
    std::erase_if(deleted, [&](const ItemOutcome& item) {
      return !IsLoss(item) && lost.contains(item.object);
    });
    std::ranges::move(deleted, std::back_inserter(found_));
    return Ok();
  }

  Status Judge(const TableRef& table, const std::vector<ItemOutcome>& now,
               std::vector<ItemOutcome>& deleted) {
    if (deleted.empty()) return Ok();
    std::map<TableRef, catalog::AcceptedLoss> accepted;
    HF_RETURN_IF_ERROR(cloud::ForEachPage<catalog::AcceptedLoss>(
        [&](const std::string& token) {
          return catalog_.FindAccepted(
              {.project = table.project, .dataset = table.dataset, .table = table.table}, token);
        },
        [&](catalog::AcceptedLoss&& loss) -> Status {
          if (loss.backup.empty()) accepted[loss.object] = std::move(loss);
          return Ok();
        }));
    return JudgeDeleted(
        catalog_, run_.policy, run_.started_ms, now,
        [&](const TableRef& object) {
          const auto found = accepted.find(object);
          return found == accepted.end() ? std::nullopt : std::optional(found->second);
        },
        deleted);
  }

  // Tells again what was known of those of `before` that the run could not look at.
  Status KeepKnown(const std::vector<ItemOutcome>& before, const std::vector<ItemOutcome>& now) {
    const ItemOutcome* above = blindness_.of_all() ? &*blindness_.of_all() : nullptr;
    const ItemOutcome* part = nullptr;  // of the table: then nothing is gone, FindDeleted
    std::set<TableRef> told;
    for (const ItemOutcome& item : now) {
      told.insert(item.object);
      if (item.outcome == Outcome::kFailed) {
        (item.object.partition.empty() ? above : part) = &item;
      }
    }
    for (const ItemOutcome& item : before) {
      const ItemOutcome* failed = above == nullptr && IsLoss(item) ? part : above;
      if (failed == nullptr || told.contains(item.object) ||
          !run_.policy.scope.CoversTable(item.object)) {
        continue;
      }
      HF_ASSIGN_OR_RETURN(auto known, StillKnown(catalog_, item, *failed));
      if (known) found_.push_back(*std::move(known));
    }
    return Ok();
  }

  // What the runs before last saw of the table: of each object what the newest one says that told
  // of it, back to the newest that saw all of the table.
  Result<std::vector<ItemOutcome>> SeenBefore(const TableRef& table) {
    std::map<TableRef, ItemOutcome> seen;
    bool is_told = false;
    for (EarlierRun& before : before_) {
      HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> items, before.outcomes.TakeTable(table));
      if (table.table.empty()) before.blindness.Note(table, items);
      if (is_told) continue;  // by a newer run
      // One of some schedules tells of their objects only.
      const bool is_covered =
          before.run.due.empty() ? before.run.policy.scope.CoversTable(table) : !items.empty();
      is_told = is_covered && before.blindness.Saw(table, items);
      for (ItemOutcome& item : items) {
        // Of one that was told of before runs said since when.
        if (IsLoss(item) && item.lost_ms == 0) item.lost_ms = before.run.started_ms;
        TableRef object = item.object;
        seen.emplace(std::move(object), std::move(item));
      }
    }
    std::vector<ItemOutcome> items;
    for (auto& [object, item] : seen) items.push_back(std::move(item));
    return items;
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
  Blindness blindness_;             // of this run
  std::vector<ItemOutcome> found_;  // and not recorded yet
};

}  // namespace

Status RecordDeleted(catalog::Catalog& catalog, catalog::RunLedger& ledger, const Run& run) {
  return Deletions(catalog, ledger, run).Record();
}

}  // namespace holdfast::backup
