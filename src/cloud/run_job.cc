#include "cloud/run_job.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::cloud {

Result<JobStatus> WaitForJob(Warehouse& warehouse, Clock& clock, JobStatus status,
                             const KeepAlive& keep_alive, const PollPolicy& poll) {
  const Timestamp started = clock.Now();
  const JobRef job = status.ref;
  Duration pause = poll.first;
  while (status.state != JobState::kDone) {
    if (clock.Now() - started > poll.total) {
      return MakeError(
          ErrorId::kServiceUnavailable,
          fmt::format("job {} is not done after {} minutes", job.id,
                      std::chrono::duration_cast<std::chrono::minutes>(poll.total).count()));
    }
    clock.SleepFor(pause);
    pause = std::min(pause * 2, poll.longest);
    HF_RETURN_IF_ERROR(keep_alive());
    HF_ASSIGN_OR_RETURN(status, warehouse.GetJob(job));
  }
  if (status.error) return *status.error;
  return status;
}

Result<JobStatus> RunJob(Warehouse& warehouse, Clock& clock, const JobRef& job, const JobSpec& spec,
                         const KeepAlive& keep_alive, const PollPolicy& poll) {
  HF_ASSIGN_OR_RETURN(JobStatus status, warehouse.StartJob(job, spec));
  return WaitForJob(warehouse, clock, std::move(status), keep_alive, poll);
}

Result<std::vector<ObjectInfo>> ListExtracted(ObjectStore& store, const std::string& bucket,
                                              const std::string& prefix, int64_t expected) {
  std::vector<ObjectInfo> objects;
  HF_RETURN_IF_ERROR(ForEachPage<ObjectInfo>(
      [&](const std::string& token) { return store.ListObjects(bucket, prefix, token); },
      [&](ObjectInfo&& object) -> Status {
        objects.push_back(std::move(object));
        return Ok();
      }));
  const auto found = static_cast<int64_t>(objects.size());
  if (found == expected || (expected < 0 && found > 0)) return objects;
  return MakeError(ErrorId::kExtractIncomplete,
                   fmt::format("gs://{}/{}* holds {} objects, but the job wrote {}", bucket, prefix,
                               found, expected < 0 ? "at least one" : std::to_string(expected)));
}

}  // namespace holdfast::cloud
