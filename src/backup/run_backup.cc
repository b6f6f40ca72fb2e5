#include "backup/run_backup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

#include "backup/admission.h"
#include "backup/deleted.h"
#include "base/log.h"
#include "model/ids.h"
#include "repository/run_file.h"
#include "verify/audit_anchor.h"

namespace holdfast::backup {

namespace {

constexpr Duration kProgressInterval = std::chrono::milliseconds{100};
// A clock that was set forward is not a run that stands still: so many looks have to see it.
constexpr int kLooksMin = 1000;

// The present time, or a second after the newest run began if a clock stood wrong then or does now:
// of two runs, and of two backups, the newer one is told by its time.
Result<int64_t> StartOfNextRun(const Services& services) {
  constexpr int64_t kSecondMs = 1000;
  const int64_t now_ms = ToUnixMillis(services.clock.Now());
  HF_ASSIGN_OR_RETURN(const auto newest, services.catalog.ListRuns(false, ""));
  if (newest.items.empty() || newest.items.front().started_ms < now_ms) return now_ms;
  const int64_t start_ms = newest.items.front().started_ms + kSecondMs;
  if (start_ms - now_ms > 2 * kSecondMs) {
    LogWarning(
        "the newest run began later than it is by this machine's clock",
        {{"run", newest.items.front().id}, {"now", FormatTimestamp(FromUnixMillis(now_ms))}});
  }
  return start_ms;
}

class RunInProgress {
 public:
  RunInProgress(const BackupRequest& request, const BusSetup& setup, const Services& services,
                const ProgressCallback& on_progress)
      : request_(request), setup_(setup), services_(services), on_progress_(on_progress) {}

  bool is_resumed() const { return progress_.resumed; }

  Result<RunSummary> Execute() {
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
      HF_ASSIGN_OR_RETURN(run_.started_ms, StartOfNextRun(services_));
      run_.id = NewRunId(FromUnixMillis(run_.started_ms), services_.random);
      run_.policy = request_.policy;
      run_.document = request_.document;
      run_.due = request_.due;
      HF_RETURN_IF_ERROR(services_.catalog.BeginRun(run_));
    }
    progress_.run = run_.id;
    return PublishReady();
  }

  Status PublishReady() {
    HF_RETURN_IF_ERROR(PublishPending(setup_, services_.catalog, run_.id));
    return AdmitWork(setup_, services_, run_.id, true);
  }

  // True once every task is done.
  Result<bool> Look() {
    if (request_.stop.stop_requested()) {
      return MakeError(ErrorId::kCancelled, "run " + run_.id + " is left for later");
    }
    HF_ASSIGN_OR_RETURN(progress_.progress, services_.catalog.GetProgress(run_.id));
    on_progress_(progress_);
    if (progress_.progress.tasks_done != done_before_ ||
        progress_.progress.alive_ms != alive_before_ms_) {
      done_before_ = progress_.progress.tasks_done;
      alive_before_ms_ = progress_.progress.alive_ms;
      moved_ = services_.clock.Now();
      looks_since_ = 0;
    }
    ++looks_since_;
    return progress_.progress.IsComplete();
  }

  // Messages that got lost are published again halfway to the time when it counts as stalled.
  Status CheckStall() {
    const Duration still = services_.clock.Now() - moved_;
    if (still < request_.stall_timeout / 2 || looks_since_ < kLooksMin) return Ok();
    if (still >= request_.stall_timeout) {
      return MakeError(ErrorId::kRunStalled,
                       "run " + run_.id + ": " + std::to_string(progress_.progress.tasks_pending) +
                           " tasks are pending and none was done for a long time");
    }
    if (!republished_) {
      republished_ = true;
      return PublishReady();
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
    threads.reserve(static_cast<size_t>(request_.workers));
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

  Result<RunSummary> Finish() {
    run_.finished_ms = std::max(ToUnixMillis(services_.clock.Now()), run_.started_ms);
    HF_RETURN_IF_ERROR(RecordDeleted(services_.catalog, services_.catalog, run_));
    run_.state = RunState::kFinished;
    RunSummary summary{.run = run_, .totals = {}, .suspects = 0};
    HF_ASSIGN_OR_RETURN(const catalog::RunProgress progress,
                        services_.catalog.GetProgress(run_.id));
    summary.totals = progress.totals;
    // Before the run counts as finished, so that a crash in between writes it again.
    HF_RETURN_IF_ERROR(WriteRunFiles(summary));
    HF_RETURN_IF_ERROR(services_.catalog.FinishRun(run_.id, run_.finished_ms));
    return summary;
  }

  // The run's outcomes go into every repository that it wrote to: the consistent set that it made.
  Status WriteRunFiles(RunSummary& summary) {
    HF_ASSIGN_OR_RETURN(auto repositories, RepositoriesOfRun(summary.suspects));
    for (repository::Repository& repository : repositories) {
      verify::LeaveAuditAnchor(services_.catalog, repository);
    }
    repository::RunFileWriter writer(std::move(repositories), run_.id);
    catalog::OutcomeReader outcomes(services_.catalog, run_.id);
    while (true) {
      HF_ASSIGN_OR_RETURN(const ItemOutcome* item, outcomes.Peek());
      if (item == nullptr) break;
      writer.Add(*item);
      outcomes.Next();
    }
    writer.Finish(summary);
    return Ok();
  }

  // Those that hold a backup which the run names. The backups of one table lie in one of them.
  Result<std::vector<repository::Repository>> RepositoriesOfRun(int64_t& suspects) {
    std::set<repository::Location> locations;
    catalog::OutcomeReader outcomes(services_.catalog, run_.id);
    TableRef looked_up;
    while (true) {
      HF_ASSIGN_OR_RETURN(const ItemOutcome* item, outcomes.Peek());
      if (item == nullptr) break;
      suspects += item->suspect ? 1 : 0;
      if (!item->backup.empty() && item->object.WholeTable() != looked_up) {
        const auto record = catalog::GetBackup(services_.catalog, item->backup);
        if (record.ok()) {
          locations.insert({record->bucket, record->prefix});
          looked_up = item->object.WholeTable();
        }
      }
      outcomes.Next();
    }
    std::vector<repository::Repository> repositories;
    for (const repository::Location& location : locations) {
      auto opened = repository::Repository::Open(services_.objects, location);
      if (opened.ok()) {
        repositories.push_back(*std::move(opened));
      } else {
        LogWarning("run file was not written",
                   {{"bucket", location.bucket}, {"error", opened.error().message}});
      }
    }
    return repositories;
  }

  const BackupRequest& request_;
  const BusSetup& setup_;
  const Services& services_;
  const ProgressCallback& on_progress_;
  Run run_;
  BackupProgress progress_;
  int64_t done_before_ = -1;
  int64_t alive_before_ms_ = 0;
  int looks_since_ = 0;  // since something moved
  Timestamp moved_;
  bool republished_ = false;
  std::mutex ended_mutex_;
  Status ended_;  // guarded by ended_mutex_
};

}  // namespace

Result<RunSummary> RunToEnd(const BackupRequest& request, const BusSetup& setup,
                            const Services& services, const ProgressCallback& on_progress) {
  while (true) {
    RunInProgress run(request, setup, services, on_progress);
    HF_ASSIGN_OR_RETURN(RunSummary summary, run.Execute());
    // What was gone on with looked at the tables when it began, and perhaps at others: now it is
    // this request's turn.
    if (run.is_resumed()) continue;
    // A run that sees nothing at all has lost its permissions more often than its data.
    const int64_t left_out = summary.totals.Of(Outcome::kExcluded);
    if (summary.totals.objects == left_out) {
      const auto& include = request.policy.scope.include;
      return MakeError(
          ErrorId::kNothingInScope,
          fmt::format("{}{}",
                      include.empty() ? std::string("no table is visible in any project")
                                      : fmt::format("no dataset or table that is visible fits {}",
                                                    fmt::join(include, ", ")),
                      left_out == 0 ? "" : ", but for what is excluded"));
    }
    return summary;
  }
}

Result<RunReport> RunBackups(const BackupRequest& request, const BusSetup& setup,
                             const Services& services, const ProgressCallback& on_progress) {
  HF_ASSIGN_OR_RETURN(RunSummary summary, RunToEnd(request, setup, services, on_progress));
  HF_ASSIGN_OR_RETURN(std::vector<ItemOutcome> items,
                      catalog::AllOutcomes(services.catalog, summary.run.id));
  return MakeRunReport(std::move(summary.run), std::move(items));
}

}  // namespace holdfast::backup
