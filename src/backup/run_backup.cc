#include "backup/run_backup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

#include "base/log.h"
#include "model/ids.h"

namespace holdfast::backup {

namespace {

constexpr Duration kProgressInterval = std::chrono::milliseconds{100};

Result<std::vector<ItemOutcome>> AllOutcomes(catalog::RunLedger& ledger, const std::string& run) {
  std::vector<ItemOutcome> outcomes;
  HF_RETURN_IF_ERROR(cloud::ForEachPage<ItemOutcome>(
      [&](const std::string& token) { return ledger.ListOutcomes(run, token); },
      [&](ItemOutcome&& outcome) -> Status {
        outcomes.push_back(std::move(outcome));
        return Ok();
      }));
  return outcomes;
}

// How many runs are looked through for what was there before.
constexpr size_t kRunsBeforeMax = 20;

// What the finished runs before `run` last saw of the objects in its scope: of each object what the
// newest run says that covered it.
Result<std::vector<ItemOutcome>> SeenBefore(catalog::RunLedger& ledger, const Run& run) {
  std::vector<ItemOutcome> seen;
  std::vector<Scope> newer;
  std::string token;
  do {
    HF_ASSIGN_OR_RETURN(const auto page, ledger.ListRuns(false, token));
    for (const Run& before : page.items) {
      if (before.state != RunState::kFinished || before.id >= run.id) continue;
      HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> items, AllOutcomes(ledger, before.id));
      for (ItemOutcome& item : items) {
        const auto covers = [&](const Scope& scope) { return scope.CoversTable(item.object); };
        if (std::ranges::none_of(newer, covers)) seen.push_back(std::move(item));
      }
      newer.push_back(before.policy.scope);
      if (before.policy.scope == run.policy.scope || newer.size() == kRunsBeforeMax) return seen;
    }
    token = page.next_page_token;
  } while (!token.empty());
  return seen;
}

bool IsPresent(const ItemOutcome& item) {
  return !item.object.table.empty() && item.outcome != Outcome::kVanished;
}

class RunInProgress {
 public:
  RunInProgress(const BackupRequest& request, const BusSetup& setup, const Services& services,
                const ProgressCallback& on_progress)
      : request_(request), setup_(setup), services_(services), on_progress_(on_progress) {}

  bool is_resumed() const { return progress_.resumed; }

  Result<RunReport> Execute() {
    HF_RETURN_IF_ERROR(EnsureBus(setup_));
    HF_RETURN_IF_ERROR(BeginOrResume());
    HF_RETURN_IF_ERROR(request_.workers == 0 ? WorkHere() : WorkInThreads());
    return Finish();
  }

 private:
  Status BeginOrResume() {
    HF_ASSIGN_OR_RETURN(auto unfinished, catalog::UnfinishedRun(services_.catalog));
    progress_.resumed = unfinished.has_value();
    if (unfinished) {
      run_ = *std::move(unfinished);
    } else {
      run_.id = NewRunId(services_.clock, services_.random);
      run_.started_ms = ToUnixMillis(services_.clock.Now());
      run_.policy = request_.policy;
      HF_RETURN_IF_ERROR(services_.catalog.BeginRun(run_));
    }
    progress_.run = run_.id;
    return PublishPending(setup_, services_.catalog, run_.id);
  }

  // True once every task is done.
  Result<bool> Look() {
    HF_ASSIGN_OR_RETURN(progress_.progress, services_.catalog.GetProgress(run_.id));
    on_progress_(progress_);
    const Timestamp now = services_.clock.Now();
    if (progress_.progress.tasks_done != done_before_) {
      done_before_ = progress_.progress.tasks_done;
      moved_ = now;
    }
    return progress_.progress.IsComplete();
  }

  // Messages that got lost are published again halfway to the time when it counts as stalled.
  Status CheckStall() {
    const Duration still = services_.clock.Now() - moved_;
    if (still < request_.stall_timeout / 2) return Ok();
    if (still >= request_.stall_timeout) {
      return MakeError(ErrorId::kRunStalled,
                       "run " + run_.id + ": " + std::to_string(progress_.progress.tasks_pending) +
                           " tasks are pending and none was done for a long time");
    }
    if (!republished_) {
      republished_ = true;
      return PublishPending(setup_, services_.catalog, run_.id);
    }
    return Ok();
  }

  // For the workers: waiting frees no space on the ledger's disk, so the run ends with the error.
  bool GivesUp(const Error& error) {
    if (error.id != ErrorId::kDiskFull) return false;
    const std::lock_guard lock(ended_mutex_);
    ended_ = error;
    return true;
  }

  // What a worker gave up with, if one did.
  Status Ended() {
    const std::lock_guard lock(ended_mutex_);
    return ended_;
  }

  Status WorkHere() {
    Worker worker(setup_, services_);
    moved_ = services_.clock.Now();
    while (true) {
      HF_ASSIGN_OR_RETURN(const bool complete, Look());
      if (complete) return Ok();
      HF_RETURN_IF_ERROR(worker.RunOnce(kProgressInterval));
      HF_RETURN_IF_ERROR(CheckStall());
    }
  }

  Status WorkInThreads() {
    std::vector<std::jthread> threads;
    for (int i = 0; i < request_.workers; ++i) {
      threads.emplace_back([this](const std::stop_token& stop) {
        Worker(setup_, services_).RunUntil(stop, [this](const Error& error) {
          return GivesUp(error);
        });
      });
    }
    moved_ = services_.clock.Now();
    while (true) {
      HF_ASSIGN_OR_RETURN(const bool complete, Look());
      if (complete) return Ok();
      HF_RETURN_IF_ERROR(Ended());
      HF_RETURN_IF_ERROR(CheckStall());
      services_.clock.SleepFor(kProgressInterval);
    }
  }

  Result<RunReport> Finish() {
    run_.finished_ms = ToUnixMillis(services_.clock.Now());
    HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> items, AllOutcomes(services_.catalog, run_.id));
    HF_ASSIGN_OR_RETURN(const auto before, SeenBefore(services_.catalog, run_));
    std::ranges::move(FindDeleted(before, items, run_.policy.scope), std::back_inserter(items));
    run_.state = RunState::kFinished;
    RunReport report = MakeRunReport(run_, std::move(items));
    // Before the run counts as finished, so that a crash in between writes it again.
    WriteRunFiles(report);
    HF_RETURN_IF_ERROR(services_.catalog.FinishRun(run_.id, run_.finished_ms));
    return report;
  }

  // The run's report goes into every repository that it wrote to: the consistent set that it made.
  // It is an index of manifests, so one that cannot be written is a warning, not a failed run.
  void WriteRunFiles(const RunReport& report) {
    std::set<repository::Location> locations;
    for (const ItemOutcome& item : report.items) {
      if (item.backup.empty()) continue;
      const auto record = catalog::GetBackup(services_.catalog, item.backup);
      if (record.ok()) locations.insert({record->bucket, record->prefix});
    }
    for (const repository::Location& location : locations) {
      auto opened = repository::Repository::Open(services_.objects, location);
      const Status written = opened.ok() ? opened->WriteRun(report) : Status(opened.error());
      // One that is there was written by a process that died before it could say so.
      if (!written.ok() && written.error().id != ErrorId::kObjectExists) {
        LogWarning("run file was not written",
                   {{"bucket", location.bucket}, {"error", written.error().message}});
      }
    }
  }

  const BackupRequest& request_;
  const BusSetup& setup_;
  const Services& services_;
  const ProgressCallback& on_progress_;
  Run run_;
  BackupProgress progress_;
  int64_t done_before_ = -1;
  Timestamp moved_;
  bool republished_ = false;
  std::mutex ended_mutex_;
  Status ended_;  // guarded by ended_mutex_
};

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

Result<RunReport> RunBackups(const BackupRequest& request, const BusSetup& setup,
                             const Services& services, const ProgressCallback& on_progress) {
  while (true) {
    RunInProgress run(request, setup, services, on_progress);
    HF_ASSIGN_OR_RETURN(RunReport report, run.Execute());
    // What was gone on with looked at the tables when it began, and perhaps at others: now it is
    // this request's turn.
    if (run.is_resumed()) continue;
    if (report.items.empty() && !request.policy.scope.include.empty()) {
      return MakeError(ErrorId::kNothingInScope,
                       fmt::format("no dataset or table that is visible fits {}",
                                   fmt::join(request.policy.scope.include, ", ")));
    }
    return report;
  }
}

}  // namespace holdfast::backup
