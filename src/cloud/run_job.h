// Running a job of the warehouse to its end, and finding what an extract wrote.
//
// The engine's stages are straight-line code: start (or attach by id), poll with growing pauses,
// look at the result. Thread-safe as far as the ports are.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/object_store.h"
#include "cloud/warehouse.h"

namespace holdfast::cloud {

// Called between polls, so that a message's lease does not run out; an error ends the wait (the job
// goes on, and is found again by its id).
using KeepAlive = std::function<Status()>;

// How often and how long a job is asked for.
struct PollPolicy {
  Duration first = std::chrono::milliseconds{20};  // doubles from poll to poll
  Duration longest = std::chrono::seconds{5};
  Duration total = std::chrono::hours{6};  // BigQuery ends a job after 6 hours
};

// Starts the job or attaches to it, and waits until it is done. Errors: the job's own error when it
// failed; kServiceUnavailable when it is not done after `poll.total`; those of StartJob and GetJob.
Result<JobStatus> RunJob(Warehouse& warehouse, Clock& clock, const JobRef& job, const JobSpec& spec,
                         const KeepAlive& keep_alive, const PollPolicy& poll = {});

// Waits for a job that was started. As RunJob.
Result<JobStatus> WaitForJob(Warehouse& warehouse, Clock& clock, JobStatus status,
                             const KeepAlive& keep_alive, const PollPolicy& poll = {});

// The objects below `prefix`, in name order. Errors: kExtractIncomplete when there are not exactly
// `expected` of them (-1: the service did not tell; then one at least must be there).
Result<std::vector<ObjectInfo>> ListExtracted(ObjectStore& store, const std::string& bucket,
                                              const std::string& prefix, int64_t expected);

}  // namespace holdfast::cloud
