// Filling a target table from its backups.
//
// Jobs have ids that follow from the restore's id, so that a process which comes after a crash
// finds them instead of loading twice. What a load job would not give back exactly is rewritten
// first (rewrite.h). Source: DESIGN §4 "Restore"; google-semantics traps 3, 8, 9, 10.
#pragma once

#include <span>
#include <vector>

#include "model/manifest.h"
#include "restore/plan.h"
#include "restore/services.h"
#include "restore/target.h"

namespace holdfast::restore {

// BigQuery's limits of one load job: URIs, and partitions that it may write.
inline constexpr size_t kLoadUrisMax = 10'000;
inline constexpr size_t kLoadPartitionsMax = 4'000;

// What one job takes of one backup: all of its objects, or as many as a job may name.
struct LoadPart {
  const Manifest* manifest = nullptr;
  std::span<const DataObject> objects;  // of the manifest; empty for a copy
};

// One job: what it reads, and the table or partition that it appends to.
struct LoadGroup {
  TableRef destination;
  std::vector<LoadPart> parts;
};

// How the backups are spread over jobs. A table that is partitioned by a column, or not at all,
// takes many backups in one job, because rows find their partition; one that is partitioned by
// ingestion time takes one job for each partition. A backup of more objects than a job may name
// takes several. Copies (method copy) are one job each. Backups of one schema go together: the
// table may have got columns between two of them. The same backups give the same jobs, by which a
// process that comes after a crash finds them. The groups point into `manifests`. Pure.
std::vector<LoadGroup> GroupLoads(const TableRef& target, const Partitioning& partitioning,
                                  const std::vector<Manifest>& manifests);

// Whether the rows' partitions are in no column of the table. Pure.
bool IsByIngestionTime(const Partitioning& partitioning);

// Whether a backup of the partition of that id is loaded into one: not when the id is empty or that
// of rows without a partition, which find their place. Pure.
bool IsPartitionOfItsOwn(const std::string& partition);

// Whether rows of `older` are rows of `newer` as well, with nothing in the columns it lacks. Pure.
bool HoldsColumns(const Schema& newer, const Schema& older);

// The schema that a job names for a backup: the target's, where the backup's columns are all among
// its own, of the same types, so that the others are null; else the backup's own, for the service
// to judge. Pure.
const Schema& SchemaToLoad(const Schema& backup, const Schema& target);

// How far a fill came: whether a job of it may still be under way, as when the service stopped
// answering. Then the target may get rows later, and must be left alone.
struct FillProgress {
  bool job_may_run = false;
};

// Loads everything. Errors: the jobs'; kObjectMissing and the like when the backup is damaged.
Status FillTarget(const Services& services, const OwnedTable& owned,
                  const std::vector<Manifest>& manifests, FillProgress& progress);

}  // namespace holdfast::restore
