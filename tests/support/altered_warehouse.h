// A warehouse that does or tells something else than it was asked: what the real one does on a bad
// day, and the simulated one never does by itself.
//
// Passes every call on; the functions that a test sets change what goes in or comes out. Borrows
// the other warehouse. As thread-safe as the functions are.
#pragma once

#include <functional>

#include "cloud/warehouse.h"

namespace holdfast::testing_support {

class AlteredWarehouse : public cloud::Warehouse {
 public:
  explicit AlteredWarehouse(cloud::Warehouse& warehouse) : warehouse_(warehouse) {}

  // Changes what a job is to do, and what is told of it once it is done.
  std::function<void(cloud::JobSpec& spec)> change_job = [](cloud::JobSpec&) {};
  std::function<void(cloud::JobStatus& done)> change_status = [](cloud::JobStatus&) {};

  Result<cloud::Page<DatasetInfo>> ListDatasets(const std::string& project,
                                                const std::string& page_token) override {
    return warehouse_.ListDatasets(project, page_token);
  }
  Result<DatasetInfo> GetDataset(const DatasetRef& dataset) override {
    return warehouse_.GetDataset(dataset);
  }
  Result<DatasetInfo> EnsureDataset(const DatasetInfo& dataset) override {
    return warehouse_.EnsureDataset(dataset);
  }
  Result<cloud::Page<TableSummary>> ListTables(const DatasetRef& dataset,
                                               const std::string& page_token) override {
    return warehouse_.ListTables(dataset, page_token);
  }
  Result<cloud::Page<TableLabels>> ListTableLabels(const DatasetRef& dataset,
                                                   const std::string& page_token) override {
    return warehouse_.ListTableLabels(dataset, page_token);
  }
  Result<std::optional<cloud::Page<PartitionInfo>>> ListPartitionsInRange(
      const DatasetRef& dataset, const std::string& first_table, const std::string& last_table,
      const std::string& page_token) override {
    return warehouse_.ListPartitionsInRange(dataset, first_table, last_table, page_token);
  }
  Result<cloud::Page<PartitionInfo>> ListPartitions(const TableRef& table,
                                                    const std::string& page_token) override {
    return warehouse_.ListPartitions(table, page_token);
  }
  Result<std::optional<cloud::DataWrite>> LastDataWrite(const TableRef& table,
                                                        const std::string& location) override {
    return warehouse_.LastDataWrite(table, location);
  }
  Result<TableInfo> GetTable(const TableRef& table) override { return warehouse_.GetTable(table); }
  Result<TableInfo> CreateTable(const TableRef& table, const Json& resource) override {
    return warehouse_.CreateTable(table, resource);
  }
  Result<TableInfo> UpdateTable(const TableRef& table, const Json& patch) override {
    return warehouse_.UpdateTable(table, patch);
  }
  Status DeleteTable(const TableRef& table) override { return warehouse_.DeleteTable(table); }
  Result<cloud::JobStatus> StartJob(const cloud::JobRef& job, const cloud::JobSpec& spec) override {
    cloud::JobSpec changed = spec;
    change_job(changed);
    return Told(warehouse_.StartJob(job, changed));
  }
  Result<cloud::JobStatus> GetJob(const cloud::JobRef& job) override {
    return Told(warehouse_.GetJob(job));
  }

 private:
  Result<cloud::JobStatus> Told(Result<cloud::JobStatus> status) const {
    if (status.ok() && status->state == cloud::JobState::kDone) change_status(*status);
    return status;
  }

  cloud::Warehouse& warehouse_;
};

}  // namespace holdfast::testing_support
