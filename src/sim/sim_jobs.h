// What the simulated warehouse's jobs do when their time has come: extract, load, copy.
//
// The sources are those of the moment the job began; the effect is at its end, whole or not at all.
// Used under SimWarehouse's lock.
#pragma once

#include <string>
#include <vector>

#include "cloud/job.h"
#include "sim/fault_plan.h"
#include "sim/sim_object_store.h"
#include "sim/table_versions.h"

namespace holdfast::sim {

struct JobWorld {
  TableVersions& tables;
  SimObjectStore& objects;
  FaultPlan& faults;
  int64_t now_ms;
  size_t rows_per_object;
};

// "extract", "load" or "copy".
std::string KindOf(const cloud::JobSpec& spec);

// All of a spec as text: two jobs of the same text ask for the same.
std::string SpecText(const cloud::JobSpec& spec);

// The tables that the job reads, as of now or of the time it names, in its order. Errors:
// kDatasetNotFound, kTableNotFound; kServiceRejected for a kind of table that jobs do not read.
Result<std::vector<TableState>> SourcesOf(const cloud::JobSpec& spec, const TableVersions& tables);

// Does it, and sets the outputs of `status`. Errors: kJobFailed with BigQuery's reason;
// kTableNotFound, kDatasetNotFound, kBucketNotFound, kObjectNotFound.
Status RunJob(const cloud::JobSpec& spec, const std::vector<TableState>& sources, JobWorld& world,
              cloud::JobStatus& status);

}  // namespace holdfast::sim
