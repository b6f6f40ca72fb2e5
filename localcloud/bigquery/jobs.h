// The REST methods of jobs: insert, get, list, cancel, delete, query, getQueryResults.
//
// Jobs run on the service's workers; their records and the reading of results are here.
// Errors of what names a job: reason "notFound". Without a location in the request, the newest job
// of that id is meant. Thread-safe. Source: BigQuery REST `jobs`.
#pragma once

#include <string>

#include "localcloud/bigquery/job_runner.h"
#include "localcloud/bigquery/job_store.h"
#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

// Does the job's work, by its type, on the calling thread. The upload of a load is deleted
// afterwards, unless that was cancelled: after a shutdown it runs again. Errors: those of the job.
Result<JobOutcome> RunJob(const ServiceContext& context, const Job& job,
                          const std::stop_token& cancel);

class Jobs {
 public:
  // All three must outlive this.
  Jobs(const ServiceContext& context, JobStore& store, JobRunner& runner)
      : context_(context), store_(store), runner_(runner) {}

  // Records the job and starts it; answers when it is done, at the latest after 50 ms. A query that
  // means nothing is refused without a job, and a dry run makes none. Errors: reason "duplicate"
  // for an id in use, "invalid", "required", "invalidQuery".
  Result<Json> Insert(const Request& request);

  // `upload_path`: a file of the service's with the bytes of a load job, which is deleted when the
  // job is done, or when it is refused here.
  Result<Json> InsertUpload(const Request& request, const std::string& upload_path);

  // The job as it stands, at once.
  Result<Json> Get(const Request& request);

  // Newest first; configurations only with projection=full.
  Result<Json> List(const Request& request);

  // Asks the job to stop and answers at once; a job that is done stays as it is.
  Result<Json> Cancel(const Request& request);

  // Forgets a job that is done. Errors: reason "invalid" for one that is not.
  Result<Json> Delete(const Request& request);

  // Starts a query and waits up to timeoutMs (10 s when absent, 200 s at most) for the first page
  // of rows; `jobComplete` false: ask getQueryResults. A repeated requestId finds the job of the
  // first.
  Result<Json> Query(const Request& request);

  // Waits the same way, then reads any page. Errors: also those with which the query failed.
  Result<Json> GetQueryResults(const Request& request);

 private:
  Result<Job> MakeJob(const Request& request, const std::string& upload_path);
  Result<Job> Find(const Request& request);
  Result<std::string> ChooseLocation(const Job& job, const std::string& given);
  Result<Json> DryRun(const Job& job);

  const ServiceContext& context_;
  JobStore& store_;
  JobRunner& runner_;
};

}  // namespace holdfast::bigquery
