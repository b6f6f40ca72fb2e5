#include "cli/status_summary.h"

#include <algorithm>
#include <functional>

#include "cloud/page_reader.h"
#include "model/table.h"

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

// What one object adds: `newest` its newest backup of any kind, `good` its newest good one.
void AddObject(const TableRef& object, const catalog::BackupRecord* newest,
               const catalog::BackupRecord* good, bool is_gone, StatusSummary& summary) {
  ProjectStatus& project = summary.projects[object.project];
  ++project.objects;
  const auto count = [&](bool is_so, int64_t& of_project, NamedObjects& named) {
    if (!is_so) return;
    ++of_project;
    named.Add(object);
  };
  const bool damaged = newest != nullptr && newest->damaged;
  const bool suspect = newest != nullptr && !damaged && !newest->suspect.empty();
  count(suspect, project.suspect, summary.suspect);
  count(damaged, project.damaged, summary.damaged);
  count(good == nullptr, project.without_good_backup, summary.without_good_backup);
  count(is_gone, project.deleted, summary.deleted);
  if (good != nullptr) AddGood(*good, is_gone, project);
}

// Reads backups and the whole run's outcomes side by side.
class Summing {
 public:
  // `whole`: the newest finished run over the whole scope; nullptr: there is none.
  Summing(catalog::Catalog& catalog, RunStatus* whole, StatusSummary& summary)
      : catalog_(catalog), whole_(whole), summary_(summary) {}

  Status Run() {
    cloud::PageReader<catalog::BackupRecord> backups([this](const std::string& token) {
      return catalog_.FindBackups({.newest_only = true}, token);
    });
    cloud::PageReader<ItemOutcome> outcomes(
        whole_ == nullptr ? cloud::PageReader<ItemOutcome>(
                                [](const std::string&) { return cloud::Page<ItemOutcome>(); })
                          : OutcomesOf(catalog_, whole_->run.id));
    std::optional<SeenByRun> seen;
    if (whole_ != nullptr) seen.emplace(*whole_);
    while (true) {
      HF_ASSIGN_OR_RETURN(const catalog::BackupRecord* backup, backups.Peek());
      HF_ASSIGN_OR_RETURN(const ItemOutcome* outcome, outcomes.Peek());
      if (backup == nullptr && outcome == nullptr) return Ok();
      const bool has_backup =
          backup != nullptr && (outcome == nullptr || backup->object <= outcome->object);
      const bool has_outcome =
          outcome != nullptr && (backup == nullptr || outcome->object <= backup->object);
      if (has_outcome) {
        seen->Note(*outcome);
        AddOutcome(*outcome, has_backup ? backup : nullptr);
      }
      if (has_backup) {
        const bool is_gone =
            whole_ != nullptr &&
            (has_outcome ? outcome->outcome == Outcome::kVanished : seen->IsGone(*backup, outcome));
        HF_RETURN_IF_ERROR(AddBackup(*backup, is_gone));
        backups.Next();
      }
      if (has_outcome) outcomes.Next();
    }
  }

 private:
  Status AddBackup(const catalog::BackupRecord& newest, bool is_gone) {
    if (newest.IsGood()) {
      AddObject(newest.object, &newest, &newest, is_gone, summary_);
      return Ok();
    }
    HF_ASSIGN_OR_RETURN(const auto good, catalog::LatestGood(catalog_, newest.object));
    AddObject(newest.object, &newest, good ? &*good : nullptr, is_gone, summary_);
    return Ok();
  }

  void AddOutcome(const ItemOutcome& outcome, const catalog::BackupRecord* newest) {
    whole_->suspect += outcome.suspect ? 1 : 0;
    if (outcome.outcome == Outcome::kCarried && newest == nullptr) {
      AddObject(outcome.object, nullptr, nullptr, false, summary_);
    }
    if (outcome.outcome != Outcome::kFailed) return;
    const bool is_last = &*summary_.last_run == whole_;
    const bool backed_up_since = newest != nullptr && newest->created_ms >= whole_->run.started_ms;
    if (is_last || !backed_up_since) whole_->failed.Add(outcome.object);
    if (newest == nullptr && !outcome.object.table.empty()) {
      AddObject(outcome.object, nullptr, nullptr, false, summary_);
    }
  }

  catalog::Catalog& catalog_;
  RunStatus* whole_;
  StatusSummary& summary_;
};

// Whether the run looked at all of the scope: one of some schedules leaves out what others cover.
bool IsWhole(const Run& run, const Scope& whole) {
  const bool all_due =
      run.due.empty() || (run.document && run.document->Schedules().size() == run.due.size());
  return run.policy.scope == whole && all_due;
}

Result<RunStatus> StatusOf(catalog::Catalog& catalog, const Run& run, const Scope& whole) {
  RunStatus status{.run = run, .progress = {}, .whole_scope = IsWhole(run, whole), .failed = {}};
  HF_ASSIGN_OR_RETURN(status.progress, catalog.GetProgress(run.id));
  return status;
}

// The last run, and the last that finished over the whole scope.
Status FindRuns(catalog::Catalog& catalog, const Scope& whole, StatusSummary& summary) {
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, catalog.ListRuns(false, token));
    for (const Run& run : page.items) {
      const bool wanted = run.state == RunState::kFinished && IsWhole(run, whole);
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
  HF_RETURN_IF_ERROR(Summing(catalog, whole_run, summary).Run());
  return summary;
}

}  // namespace holdfast::cli
