// cloud::Warehouse over BigQuery's REST API v2.
//
// Bulk numbers come from queries on `__TABLES__` and INFORMATION_SCHEMA.PARTITIONS, names in them
// through one quoting function; everything else is the plain resource methods.
#pragma once

#include "cloud/warehouse.h"
#include "gcp/rest_client.h"

namespace holdfast::gcp {

class BigQueryWarehouse final : public cloud::Warehouse {
 public:
  // `endpoint`: "https://bigquery.googleapis.com" or an emulator's.
  BigQueryWarehouse(std::string endpoint, RestEnvironment environment);

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

 private:
  Result<Json> GetJobResource(const cloud::JobRef& job);

  RestClient client_;
};

}  // namespace holdfast::gcp
