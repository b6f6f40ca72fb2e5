// BigQuery in memory: metadata, modification times, and jobs that take virtual time.
//
// `Change` and the functions below it are not calls of the engine: they act as the users of the
// warehouse do, outside of the fault plan. Thread-safe. Source: google-semantics A1, A2, A5.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "cloud/warehouse.h"
#include "sim/fault_plan.h"
#include "sim/sim_jobs.h"
#include "sim/sim_object_store.h"
#include "sim/sim_projects.h"
#include "sim/table_versions.h"

namespace holdfast::sim {

struct WarehouseSettings {
  Duration job_duration;
  Duration storage_view_delay;
  size_t page_size;
  size_t rows_per_object;
};

class SimWarehouse final : public cloud::Warehouse {
 public:
  // Borrows all of them.
  SimWarehouse(Clock& clock, FaultPlan& faults, SimProjects& projects, SimObjectStore& objects,
               WarehouseSettings settings)
      : clock_(clock),
        faults_(faults),
        projects_(projects),
        objects_(objects),
        settings_(settings) {}

  Result<cloud::Page<DatasetInfo>> ListDatasets(const std::string& project,
                                                const std::string& page_token) override;
  Result<DatasetInfo> GetDataset(const DatasetRef& dataset) override;
  Result<DatasetInfo> EnsureDataset(const DatasetInfo& dataset) override;
  Result<cloud::Page<TableSummary>> ListTables(const DatasetRef& dataset,
                                               const std::string& page_token) override;
  Result<cloud::Page<TableLabels>> ListTableLabels(const DatasetRef& dataset,
                                                   const std::string& page_token) override;
  Result<std::optional<cloud::Page<PartitionInfo>>> ListPartitionsInRange(
      const DatasetRef& dataset, const std::string& first_table, const std::string& last_table,
      const std::string& page_token) override;
  Result<cloud::Page<PartitionInfo>> ListPartitions(const TableRef& table,
                                                    const std::string& page_token) override;
  Result<std::optional<cloud::DataWrite>> LastDataWrite(const TableRef& table,
                                                        const std::string& location) override;
  Result<TableInfo> GetTable(const TableRef& table) override;
  Result<TableInfo> CreateTable(const TableRef& table, const Json& resource) override;
  Result<TableInfo> UpdateTable(const TableRef& table, const Json& patch) override;
  Status DeleteTable(const TableRef& table) override;
  Result<cloud::JobStatus> StartJob(const cloud::JobRef& job, const cloud::JobSpec& spec) override;
  Result<cloud::JobStatus> GetJob(const cloud::JobRef& job) override;

  // Adds a dataset; one that is there stays.
  void AddDataset(const DatasetRef& dataset, const std::string& location, const Json& saved = {});
  // Changes members of its resource (RFC 7396).
  Status PatchDataset(const DatasetRef& dataset, const Json& patch);
  void DropDataset(const DatasetRef& dataset);
  // Adds a table of canonical rows.
  Status AddTable(const TableRef& table, const Json& resource, const Rows& rows);
  // Changes a table that is there: `edit` gets a copy of its state and the time.
  Status Change(const TableRef& table,
                const std::function<Status(SimTable& state, int64_t now_ms)>& edit);

  // Drops the table now; time travel still reads what it was.
  void Drop(const TableRef& table);

  // The present state. Errors: kDatasetNotFound, kTableNotFound.
  Result<TableState> Look(const TableRef& table) const;

  // kDatasetNotFound when it is not there.
  Status LookAtDataset(const DatasetRef& dataset) const;

  // As SimCloud::JobsStarted.
  int64_t JobsStarted(const std::string& kind) const;

 private:
  struct Job {
    cloud::JobSpec spec;
    cloud::JobStatus status;
    Timestamp finishes;
    std::vector<TableState> sources;
    std::string failure;  // the reason with which it will fail; empty: it will not
  };

  int64_t NowMs() const { return ToUnixMillis(clock_.Now()); }
  // The lock is held.
  Result<const DatasetInfo*> FindDataset(const DatasetRef& dataset) const;
  Result<cloud::JobStatus> AddJob(const std::string& key, const cloud::JobRef& ref,
                                  const cloud::JobSpec& spec);
  void Settle(Job& job);
  void MaybeDrop(const cloud::JobSpec& spec);

  Clock& clock_;
  FaultPlan& faults_;
  SimProjects& projects_;
  SimObjectStore& objects_;
  const WarehouseSettings settings_;
  mutable std::mutex mutex_;
  TableVersions tables_;
  std::map<std::string, Job> jobs_;  // by project/location/id
  std::map<std::string, int64_t> jobs_started_;
};

}  // namespace holdfast::sim
