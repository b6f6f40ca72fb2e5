// The work of load, extract and copy jobs: their configuration as requests to the warehouse.
//
// Each function does the whole of one job on the calling thread and gives the statistics that
// jobs.get shows. Errors carry BigQuery's reasons; nothing is changed then, but that an extract may
// leave complete objects behind. Source: BigQuery REST `JobConfigurationLoad`, `...Extract`,
// `...TableCopy`, `JobStatistics2..4`.
#pragma once

#include <stop_token>

#include "base/result.h"
#include "localcloud/bigquery/job.h"
#include "localcloud/bigquery/job_runner.h"
#include "localcloud/bigquery/service_context.h"

namespace holdfast::bigquery {

inline constexpr size_t kLoadUrisMax = 10'000;    // google-semantics A4 "Load limits"
inline constexpr size_t kExtractUrisMax = 500;    // google-semantics A3 #31
inline constexpr size_t kCopySourcesMax = 1'200;  // google-semantics A3 #29

Result<JobOutcome> RunLoadJob(const ServiceContext& context, const Job& job,
                              const std::stop_token& cancel);
Result<JobOutcome> RunExtractJob(const ServiceContext& context, const Job& job,
                                 const std::stop_token& cancel);
Result<JobOutcome> RunCopyJob(const ServiceContext& context, const Job& job);

}  // namespace holdfast::bigquery
