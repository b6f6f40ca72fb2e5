#include "cli/status_summary.h"

#include <algorithm>
#include <functional>

#include "cloud/page_reader.h"
#include "model/table.h"
#include "observe/object_stream.h"
#include "observe/protection.h"

namespace holdfast::cli {

namespace {

std::string NameOfObject(const TableRef& object) {
  if (object.dataset.empty()) return object.project;
  return object.table.empty() ? object.dataset_ref().ToString() : object.ToString();
}

cloud::PageReader<ItemOutcome> OutcomesOf(catalog::Catalog& catalog, const std::string& run) {
  return cloud::PageReader<ItemOutcome>(
      [&catalog, run](const std::string& token) { return catalog.ListOutcomes(run, token); });
}

// Whether an object that a run over the whole scope does not speak of is gone, or could not be
// seen. Outcomes come in order of object, so a project or dataset that failed whole comes before
// all that is in it.
class SeenByRun {
 public:
  explicit SeenByRun(const RunStatus& run) : run_(run) {}

  void Note(const ItemOutcome& outcome) {
    const TableRef& object = outcome.object;
    const bool unseen =
        IsUnseen(outcome) || (outcome.outcome == Outcome::kUnsupported && object.table.empty());
    if (!unseen) return;
    if (object.dataset.empty()) {
      failed_project_ = object.project;
    } else if (object.table.empty()) {
      failed_dataset_ = object.dataset_ref();
    } else if (object.partition.empty()) {
      failed_table_ = object;
    }
  }

  // `next`: the outcome that comes after where the object's would be.
  bool IsGone(const catalog::BackupRecord& newest, const ItemOutcome* next) const {
    const TableRef& object = newest.object;
    const RunTotals& totals = run_.progress.totals;
    // A run in which nothing worked saw nothing.
    if (totals.Of(Outcome::kFailed) == totals.objects) return false;
    if (!run_.run.policy.scope.CoversTable(object) || newest.created_ms >= run_.run.started_ms) {
      return false;
    }
    if (object.project == failed_project_ || object.dataset_ref() == failed_dataset_ ||
        object.WholeTable() == failed_table_) {
      return false;
    }
    // Rows leave that one for others by themselves; a table that has partitions by now is there.
    const bool reshaped =
        object.partition.empty() && next != nullptr && next->object.WholeTable() == object;
    return object.partition != kUnpartitionedPartition && !reshaped;
  }

 private:
  const RunStatus& run_;
  std::string failed_project_;
  DatasetRef failed_dataset_;
  TableRef failed_table_;
};

void AddGood(const catalog::BackupRecord& good, bool is_gone, ProjectStatus& project) {
  project.rows += good.rows;
  project.bytes += good.stored_bytes;
  project.verified += good.verified >= VerifyLevel::kL2 ? 1 : 0;
  if (is_gone) return;
  project.oldest_ms = std::min(project.oldest_ms.value_or(INT64_MAX), good.consistent_through_ms);
}

// What one object adds.
void AddObject(const observe::ObjectView& view, const observe::Protection& protection, bool is_gone,
               StatusSummary& summary) {
  ProjectStatus& project = summary.projects[view.object.project];
  ++project.objects;
  const auto count = [&](bool is_so, int64_t& of_project, NamedObjects& named) {
    if (!is_so) return;
    ++of_project;
    named.Add(view.object);
  };
  count(protection.is_suspect, project.suspect, summary.suspect);
  count(protection.is_damaged, project.damaged, summary.damaged);
  count(protection.lacks_good_backup, project.without_good_backup, summary.without_good_backup);
  count(is_gone, project.deleted, summary.deleted);
  if (protection.is_lost) summary.lost.Add(view.object);
  if (protection.is_from_copy) summary.from_copies.Add(view.object);
  if (protection.has_damaged_copy) summary.damaged_copies.Add(view.object);
  if (protection.is_accepted) summary.accepted.Add(view.object);
  if (view.good != nullptr) AddGood(*view.good, is_gone, project);
}

// Adds up backups and what the runs say, object by object.
class Summing {
 public:
  // `whole`: what is said of the newest finished run over the whole scope; nullptr: there is none.
  Summing(const observe::RecentRuns& recent, RunStatus* whole, StatusSummary& summary)
      : recent_(recent), whole_(whole), summary_(summary) {
    if (whole_ != nullptr) seen_.emplace(*whole_);
  }

  Status Visit(const observe::ObjectView& view) {
    const observe::Protection protection = observe::ProtectionOf(view, recent_);
    bool is_gone = false;
    if (whole_ != nullptr) {
      const auto at = static_cast<size_t>(recent_.whole);
      const ItemOutcome* outcome = view.outcomes[at];
      if (outcome != nullptr) AddOutcome(*outcome, view.newest);
      is_gone = view.newest != nullptr &&
                (outcome != nullptr ? outcome->outcome == Outcome::kVanished
                                    : seen_->IsGone(*view.newest, view.next[at]));
    }
    if (protection.is_unsupported) summary_.unsupported.Add(view.object);
    if (view.newest != nullptr || protection.lacks_good_backup) {
      AddObject(view, protection, is_gone, summary_);
    }
    return Ok();
  }

 private:
  void AddOutcome(const ItemOutcome& outcome, const catalog::BackupRecord* newest) {
    seen_->Note(outcome);
    whole_->suspect += outcome.suspect ? 1 : 0;
    if (outcome.outcome != Outcome::kFailed) return;
    const bool is_last = &*summary_.last_run == whole_;
    const bool backed_up_since = newest != nullptr && newest->created_ms >= whole_->run.started_ms;
    if (is_last || !backed_up_since) whole_->failed.Add(outcome.object);
  }

  const observe::RecentRuns& recent_;
  RunStatus* whole_;
  StatusSummary& summary_;
  std::optional<SeenByRun> seen_;
};

Result<RunStatus> StatusOf(catalog::Catalog& catalog, const Run& run, const Scope& whole) {
  RunStatus status{
      .run = run, .progress = {}, .whole_scope = observe::IsWhole(run, whole), .failed = {}};
  HF_ASSIGN_OR_RETURN(status.progress, catalog.GetProgress(run.id));
  return status;
}

// The last run, and the last that finished over the whole scope.
Status FindRuns(catalog::Catalog& catalog, const Scope& whole, StatusSummary& summary) {
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, catalog.ListRuns(false, token));
    for (const Run& run : page.items) {
      const bool wanted = run.state == RunState::kFinished && observe::IsWhole(run, whole);
      if (!summary.last_run) {
        HF_ASSIGN_OR_RETURN(summary.last_run, StatusOf(catalog, run, whole));
        if (wanted) return Ok();
      } else if (wanted) {
        HF_ASSIGN_OR_RETURN(summary.last_whole_run, StatusOf(catalog, run, whole));
        return Ok();
      }
    }
    token = page.next_page_token;
  } while (!token.empty());
  return Ok();
}

// What failed in a run, whatever became of it since.
Status AddFailures(catalog::Catalog& catalog, RunStatus& status) {
  cloud::PageReader<ItemOutcome> outcomes = OutcomesOf(catalog, status.run.id);
  while (true) {
    HF_ASSIGN_OR_RETURN(const ItemOutcome* outcome, outcomes.Peek());
    if (outcome == nullptr) return Ok();
    status.suspect += outcome->suspect ? 1 : 0;
    if (outcome->outcome == Outcome::kFailed) status.failed.Add(outcome->object);
    outcomes.Next();
  }
}

}  // namespace

void NamedObjects::Add(const TableRef& object) {
  ++count;
  if (first.size() < kStatusNamesMax) first.push_back(NameOfObject(object));
}

Result<StatusSummary> SummarizeStatus(catalog::Catalog& catalog, const Scope& whole) {
  StatusSummary summary;
  HF_RETURN_IF_ERROR(FindRuns(catalog, whole, summary));
  RunStatus* whole_run = summary.last_whole_run ? &*summary.last_whole_run : nullptr;
  if (summary.last_run) {
    const RunStatus& last = *summary.last_run;
    if (last.whole_scope && last.run.state == RunState::kFinished) {
      whole_run = &*summary.last_run;
    } else {
      HF_RETURN_IF_ERROR(AddFailures(catalog, *summary.last_run));
    }
  }
  HF_ASSIGN_OR_RETURN(observe::RecentRuns recent, observe::FindRecentRuns(catalog, whole));
  // Of runs before the one over everything nothing is asked.
  if (recent.whole >= 0) recent.runs.resize(static_cast<size_t>(recent.whole) + 1);
  Summing summing(recent, recent.whole < 0 ? nullptr : whole_run, summary);
  HF_RETURN_IF_ERROR(observe::VisitObjects(
      catalog, recent.runs, [&](const observe::ObjectView& view) { return summing.Visit(view); }));
  return summary;
}

}  // namespace holdfast::cli
