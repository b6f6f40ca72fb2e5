// The REST methods of jobs: insert, get, list, cancel, delete, query, getQueryResults.
//
// Jobs run on the service's workers; their records and the reading of results are here.
// Thread-safe. Source: BigQuery REST `jobs`.
#pragma once

#include <string>

#include "localcloud/bigquery/job_runner.h"
#include "localcloud/bigquery/job_store.h"
#include "localcloud/bigquery/request.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

// What every job does, by its type.
Result<JobOutcome> RunJob(const ServiceContext& context, const Job& job,
                          const std::stop_token& cancel);

class Jobs {
 public:
  Jobs(const ServiceContext& context, JobStore& store, JobRunner& runner)
      : context_(context), store_(store), runner_(runner) {}

  Result<Json> Insert(const Request& request);
  // `upload_path`: a file of the service's with the bytes of a load job, which is deleted when the
  // job is done, or when it is refused here.
  Result<Json> InsertUpload(const Request& request, const std::string& upload_path);
  Result<Json> Get(const Request& request);
  Result<Json> List(const Request& request);
  Result<Json> Cancel(const Request& request);
  Result<Json> Delete(const Request& request);
  Result<Json> Query(const Request& request);
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
