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

// Loads the objects, or the upload, into the destination as one commit. Warnings: bad records that
// were skipped. Errors: reason "notFound", "duplicate" (WRITE_EMPTY on data), "invalid"; "stopped"
// when `cancel` asks.
Result<JobOutcome> RunLoadJob(const ServiceContext& context, const Job& job,
                              const std::stop_token& cancel);

// Writes the table, a partition of it or its past into the buckets. Errors: reason "notFound",
// "invalid" (of a view, of CSV of nested data, of a table over 1 GB into one file); "stopped".
Result<JobOutcome> RunExtractJob(const ServiceContext& context, const Job& job,
                                 const std::stop_token& cancel);

// Copies, snapshots, clones or restores without reading a row, so it cannot be cancelled. Errors:
// reason "notFound", "duplicate", "invalid" (other locations, schemas that differ).
Result<JobOutcome> RunCopyJob(const ServiceContext& context, const Job& job);

}  // namespace holdfast::bigquery
