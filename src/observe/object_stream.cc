#include "observe/object_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cloud/page_reader.h"

namespace holdfast::observe {

namespace {

class ObjectReader {
 public:
  ObjectReader(catalog::Catalog& catalog, const std::vector<Run>& runs)
      : catalog_(catalog),
        backups_([&catalog](const std::string& token) {
          return catalog.FindBackups({.newest_only = true}, token);
        }),
        damaged_([&catalog](const std::string& token) {
          return catalog.FindBackups({.damaged_only = true}, token);
        }),
        defects_([&catalog](const std::string& token) {
          return catalog.FindCopies({.defects_only = true}, token);
        }),
        accepted_(
            [&catalog](const std::string& token) { return catalog.FindAccepted({}, token); }) {
    for (const Run& run : runs) {
      outcomes_.emplace_back([&catalog, id = run.id](const std::string& token) {
        return catalog.ListOutcomes(id, token);
      });
    }
  }

  Status VisitAll(const std::function<Status(const ObjectView& view)>& visit) {
    while (true) {
      HF_ASSIGN_OR_RETURN(const auto next, NextObject());
      if (!next) return Ok();
      HF_RETURN_IF_ERROR(VisitOne(*next, visit));
    }
  }

 private:
  // The least of the names at the heads of the listings.
  Result<std::optional<TableRef>> NextObject() {
    std::optional<TableRef> least;
    const auto take = [&](const TableRef& object) {
      if (!least || object < *least) least = object;
    };
    HF_ASSIGN_OR_RETURN(const catalog::BackupRecord* backup, backups_.Peek());
    if (backup != nullptr) take(backup->object);
    for (auto& stream : outcomes_) {
      HF_ASSIGN_OR_RETURN(const ItemOutcome* outcome, stream.Peek());
      if (outcome != nullptr) take(outcome->object);
    }
    return least;
  }

  Status VisitOne(const TableRef& object,
                  const std::function<Status(const ObjectView& view)>& visit) {
    ObjectView view{.object = object,
                    .damaged = {},
                    .from_copies = {},
                    .damaged_copies = {},
                    .accepted = {},
                    .outcomes = {},
                    .next = {}};
    HF_RETURN_IF_ERROR(TakeAll<catalog::AcceptedLoss>(
        accepted_, object,
        [&](const catalog::AcceptedLoss& loss) { view.accepted.push_back(loss); }));
    HF_RETURN_IF_ERROR(TakeLosses(view));
    std::optional<catalog::BackupRecord> good;
    HF_ASSIGN_OR_RETURN(const catalog::BackupRecord* backup, backups_.Peek());
    if (backup != nullptr && backup->object == object) {
      view.newest = backup;
      if (backup->IsGood()) {
        view.good = backup;
      } else {
        HF_ASSIGN_OR_RETURN(good, catalog::LatestGood(catalog_, object));
        view.good = good ? &*good : nullptr;
      }
    }
    std::vector<cloud::PageReader<ItemOutcome>*> taken;
    for (auto& stream : outcomes_) {
      HF_ASSIGN_OR_RETURN(const ItemOutcome* outcome, stream.Peek());
      const bool is_of_it = outcome != nullptr && outcome->object == object;
      view.outcomes.push_back(is_of_it ? outcome : nullptr);
      view.next.push_back(is_of_it ? nullptr : outcome);
      if (is_of_it) taken.push_back(&stream);
    }
    HF_RETURN_IF_ERROR(visit(view));
    if (view.newest != nullptr) backups_.Next();
    for (auto* stream : taken) stream->Next();
    return Ok();
  }

  // What is wrong with its backups and their copies, less what was accepted since.
  Status TakeLosses(ObjectView& view) {
    std::set<std::string> left_out;
    const auto is_accepted = [&](const std::string& backup, int64_t since_ms) {
      const bool is = std::ranges::any_of(view.accepted, [&](const catalog::AcceptedLoss& loss) {
        return loss.backup == backup && loss.at_ms >= since_ms;
      });
      if (is) left_out.insert(backup);
      return is;
    };
    HF_RETURN_IF_ERROR(TakeAll<catalog::BackupRecord>(damaged_, view.object,
                                                      [&](const catalog::BackupRecord& backup) {
                                                        // An acceptance ends when other damage is
                                                        // found (BackupIndex::RecordVerification).
                                                        if (!is_accepted(backup.backup, 0))
                                                          view.damaged.push_back(backup.backup);
                                                      }));
    HF_RETURN_IF_ERROR(
        TakeAll<catalog::CopyRecord>(defects_, view.object, [&](const catalog::CopyRecord& copy) {
          if (is_accepted(copy.backup, copy.at_ms)) return;
          const std::string place =
              fmt::format("gs://{}{}{}", copy.bucket, copy.prefix.empty() ? "" : "/", copy.prefix);
          const bool is_left = copy.state == catalog::CopyState::kLeft;
          (is_left ? view.from_copies : view.damaged_copies).push_back({copy.backup, place});
        }));
    view.accepted_backups = static_cast<int64_t>(left_out.size());
    return Ok();
  }

  // Takes what a listing in order of object has of this one. What it has of those before is of
  // backups that were recorded or removed meanwhile.
  template <typename T, typename Take>
  static Status TakeAll(cloud::PageReader<T>& reader, const TableRef& object, const Take& take) {
    while (true) {
      HF_ASSIGN_OR_RETURN(const T* item, reader.Peek());
      if (item == nullptr || object < item->object) return Ok();
      if (item->object == object) take(*item);
      reader.Next();
    }
  }

  catalog::Catalog& catalog_;
  cloud::PageReader<catalog::BackupRecord> backups_;
  cloud::PageReader<catalog::BackupRecord> damaged_;
  cloud::PageReader<catalog::CopyRecord> defects_;
  cloud::PageReader<catalog::AcceptedLoss> accepted_;
  std::vector<cloud::PageReader<ItemOutcome>> outcomes_;
};

}  // namespace

int ObjectView::NewestOutcome(size_t runs_max) const {
  for (size_t i = 0; i < std::min(outcomes.size(), runs_max); ++i) {
    const ItemOutcome* outcome = outcomes[i];
    // A run that it was not due in did not look at it.
    if (outcome != nullptr && outcome->outcome != Outcome::kNotDue) return static_cast<int>(i);
  }
  return -1;
}

int64_t ObjectView::RecoveryPointMs(const std::vector<Run>& runs) const {
  if (good == nullptr) return 0;
  int64_t point_ms = good->consistent_through_ms;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const ItemOutcome* outcome = outcomes[i];
    const bool is_held =
        outcome != nullptr && !outcome->suspect && outcome->outcome == Outcome::kUnchanged;
    if (is_held) point_ms = std::max(point_ms, runs[i].started_ms);
  }
  return point_ms;
}

bool IsWhole(const Run& run, const Scope& whole) {
  const bool is_all_due =
      run.due.empty() || (run.document && run.document->Schedules().size() == run.due.size());
  return run.policy.scope == whole && is_all_due;
}

Result<RecentRuns> FindRecentRuns(catalog::RunLedger& ledger, const Scope& whole,
                                  size_t count_max) {
  RecentRuns recent;
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListRuns(false, token));
    for (const Run& run : page.items) {
      if (run.state != RunState::kFinished) continue;
      const bool is_whole = IsWhole(run, whole);
      // A place is kept for the run that looked at everything.
      const bool is_kept_free = recent.whole < 0 && !is_whole;
      if (is_kept_free && recent.runs.size() + 1 >= count_max) continue;
      recent.runs.push_back(run);
      if (is_whole && recent.whole < 0) recent.whole = static_cast<int>(recent.runs.size()) - 1;
      if (recent.runs.size() == count_max) return recent;
    }
    token = page.next_page_token;
  } while (!token.empty());
  return recent;
}

Status VisitObjects(catalog::Catalog& catalog, const std::vector<Run>& runs,
                    const std::function<Status(const ObjectView& view)>& visit) {
  return ObjectReader(catalog, runs).VisitAll(visit);
}

std::string NameOf(const TableRef& object) {
  if (object.dataset.empty()) return object.project;
  return object.table.empty() ? object.dataset_ref().ToString() : object.ToString();
}

}  // namespace holdfast::observe
