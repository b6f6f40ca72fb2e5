#include "localcloud/bigquery/job_runner.h"

#include <utility>

#include "base/log.h"

namespace holdfast::bigquery {

namespace {

Fault Interrupted() {
  return {.reason = "backendError",
          .location = {},
          .message =
              "The job was interrupted by the end of the server's process, repeatedly; "
              "nothing was changed. Retry it with a new job id."};
}

Fault CancelledByUser() {
  return {.reason = "stopped",
          .location = {},
          .message = "Job execution was cancelled: User requested cancellation"};
}

}  // namespace

JobRunner::JobRunner(JobStore& store, Clock& clock, JobExecutor executor, int threads)
    : store_(store), clock_(clock), executor_(std::move(executor)) {
  for (int i = 0; i < threads; ++i) {
    workers_.emplace_back([this](const std::stop_token& shutdown) { Work(shutdown); });
  }
}

JobRunner::~JobRunner() {
  for (std::jthread& worker : workers_) worker.request_stop();
  {
    const std::lock_guard lock(mutex_);
    for (auto& [key, source] : active_) source.request_stop();
  }
  changed_.notify_all();
  workers_.clear();
}

Status JobRunner::Recover() {
  HF_ASSIGN_OR_RETURN(std::vector<Job> jobs, store_.Unfinished());
  for (Job& job : jobs) {
    HF_ASSIGN_OR_RETURN(const bool took_effect, store_.HasTakenEffect(job.key));
    if (took_effect) {
      Finish(job, JobOutcome{.warnings = job.errors});  // the rest was noted with the effect
    } else if (job.attempts >= kAttemptsMax) {
      job.error_result = Interrupted();
      Finish(job, MakeError(ErrorId::kServiceUnavailable, job.error_result->message));
    } else {
      Queue(job.key);
    }
  }
  return Ok();
}

Status JobRunner::Submit(const Job& job) {
  HF_RETURN_IF_ERROR(store_.Insert(job));
  Queue(job.key);
  return Ok();
}

void JobRunner::Queue(const JobKey& key) {
  {
    const std::lock_guard lock(mutex_);
    active_.try_emplace(key);
    queue_.push_back(key);
  }
  changed_.notify_all();
}

Result<Job> JobRunner::Wait(const JobKey& key, Duration timeout) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return !active_.contains(key); });
  }
  return store_.Get(key);
}

Result<Job> JobRunner::Cancel(const JobKey& key) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = active_.find(key);
    if (found != active_.end()) {
      found->second.request_stop();
    }
  }
  return store_.Get(key);
}

void JobRunner::Work(const std::stop_token& shutdown) {
  while (true) {
    JobKey key;
    std::stop_token cancel;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, shutdown, [&] { return !queue_.empty(); });
      if (shutdown.stop_requested()) return;
      key = std::move(queue_.front());
      queue_.pop_front();
      cancel = active_[key].get_token();
    }
    RunOne(key, cancel, shutdown);
    {
      const std::lock_guard lock(mutex_);
      active_.erase(key);
    }
    changed_.notify_all();
  }
}

void JobRunner::RunOne(const JobKey& key, const std::stop_token& cancel,
                       const std::stop_token& shutdown) {
  Result<Job> stored = store_.Get(key);
  if (!stored.ok()) {
    LogError("a job cannot be read", {{"job", key.ToString()}, {"error", stored.error().message}});
    return;
  }
  Job job = std::move(stored).value();
  job.start_ms = ToUnixMillis(clock_.Now());
  if (cancel.stop_requested()) {
    if (!shutdown.stop_requested()) Finish(job, MakeError(ErrorId::kCancelled, "cancelled"));
    return;
  }
  job.state = JobState::kRunning;
  ++job.attempts;
  Result<JobOutcome> outcome = JobOutcome{};
  if (const Status saved = store_.Save(job); !saved.ok()) {
    outcome = saved.error();
  } else {
    outcome = executor_(job, cancel);
  }
  const bool interrupted =
      !outcome.ok() && outcome.error().code == Code::kCancelled && shutdown.stop_requested();
  if (!interrupted) Finish(job, outcome);
}

void JobRunner::Finish(Job& job, const Result<JobOutcome>& outcome) {
  job.state = JobState::kDone;
  job.end_ms = ToUnixMillis(clock_.Now());
  if (job.start_ms == 0) job.start_ms = job.end_ms;
  if (outcome.ok()) {
    job.Take(*outcome);
  } else {
    const bool cancelled = outcome.error().code == Code::kCancelled;
    if (!job.error_result) {
      job.error_result = cancelled ? CancelledByUser() : FaultOf(outcome.error());
    }
    job.errors = {*job.error_result};
  }
  store_.SaveDone(job);
}

}  // namespace holdfast::bigquery
