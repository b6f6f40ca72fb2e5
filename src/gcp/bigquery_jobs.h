// Jobs of BigQuery: our JobSpec as `configuration`, and a job resource as our JobStatus.
//
// Pure translation, no I/O. Source: BigQuery REST v2, resource Job.
#pragma once

#include <string>

#include "base/json.h"
#include "cloud/job.h"

namespace holdfast::gcp {

// The label that holds a digest of the configuration, by which a job that was started before is
// recognized as the same one (google-semantics A5 #36).
inline constexpr std::string_view kSpecLabel = "holdfast-spec";

// `configuration` of a job, with kSpecLabel in its labels.
Json JobConfiguration(const cloud::JobSpec& spec);

// The body of jobs.insert.
Json JobInsertBody(const cloud::JobRef& job, const cloud::JobSpec& spec);

// Whether the job resource was started with this spec.
bool IsSameSpec(const Json& job_resource, const cloud::JobSpec& spec);

// Errors: kInvalidJson for a resource without status or reference.
Result<cloud::JobStatus> JobStatusFromJson(const Json& job_resource);

// {"projectId", "datasetId", "tableId"} with the partition and `as_of_ms` as decorators.
Json TableReference(const TableRef& table, std::optional<int64_t> as_of_ms = std::nullopt);

}  // namespace holdfast::gcp
