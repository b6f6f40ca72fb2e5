// Runs jobs on a few worker threads and lets callers wait for them.
//
// A job is durable before `Submit` returns and is worked on in the order of submission. Its effect
// on a table and the note that it happened, with what it leaves behind, are one transaction
// (`JobStore::NoteEffect`), so a job found unfinished after a crash either is known to have
// committed, or has changed nothing and is run again; one that was interrupted `kAttemptsMax` times
// fails with "backendError". Thread-safe. The destructor asks running jobs to stop and waits for
// them; what was stopped runs at the next start.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "localcloud/bigquery/job.h"
#include "localcloud/bigquery/job_store.h"

namespace holdfast::bigquery {

// Does the work of one job. Called on a worker thread; should end early with kCancelled when asked.
using JobExecutor = std::function<Result<JobOutcome>(const Job& job, std::stop_token cancel)>;

class JobRunner {
 public:
  static constexpr int kAttemptsMax = 3;

  // `store` and `clock` must outlive the runner.
  JobRunner(JobStore& store, Clock& clock, JobExecutor executor, int threads);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  // Takes up the jobs that an earlier process left unfinished. Call once, before the first Submit.
  Status Recover();

  // Records `job` and queues it. Errors: reason "duplicate" when the id is in use.
  Status Submit(const Job& job);

  // The job once it is done, or as it stands after `timeout`. Errors: reason "notFound".
  Result<Job> Wait(const JobKey& key, Duration timeout);

  // Asks the job to stop; one that is done, or past the point of return, is left as it is.
  Result<Job> Cancel(const JobKey& key);

 private:
  void Work(const std::stop_token& shutdown);
  void RunOne(const JobKey& key, const std::stop_token& cancel, const std::stop_token& shutdown);
  void Finish(Job& job, const Result<JobOutcome>& outcome);
  void Queue(const JobKey& key);

  JobStore& store_;
  Clock& clock_;
  JobExecutor executor_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<JobKey> queue_;
  std::map<JobKey, std::stop_source> active_;  // queued or running
  std::vector<std::jthread> workers_;          // last: they end before what they use
};

}  // namespace holdfast::bigquery
