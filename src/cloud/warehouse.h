// The data warehouse as the engine needs it: metadata, change, and jobs.
//
// Implemented by gcp/ (BigQuery's REST API) and sim/ (in memory). One contract suite runs over
// every implementation (tests/contract/warehouse_contract.h). All methods are thread-safe and
// block.
//
// Errors carry the service's own word in `Error::reason`. Common to all methods: kTableNotFound /
// kDatasetNotFound when the thing is absent, kAccessDenied when it may not be seen (never an empty
// answer), kUnavailable-coded errors after the implementation's own retries. Reads are retried by
// the implementation; writes say so below.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/job.h"
#include "cloud/page.h"
#include "model/table.h"

namespace holdfast::cloud {

// What the warehouse says of the newest write to a table, by its own clock. It says so some time
// after the write (BigQuery: seconds to minutes, "TABLE_STORAGE view").
struct DataWrite {
  int64_t at_ms = 0;
  int64_t told_ms = 0;  // when it said so
};

class Warehouse {
 public:
  virtual ~Warehouse() = default;

  // Datasets of a project, hidden ones included; in no particular order. Absent project:
  // kProjectNotFound. Items hold ref and location; `resource` may be partial.
  virtual Result<Page<DatasetInfo>> ListDatasets(const std::string& project,
                                                 const std::string& page_token) = 0;

  // One dataset whole.
  virtual Result<DatasetInfo> GetDataset(const DatasetRef& dataset) = 0;

  // Creates a dataset from its resource (location, labels, expirations...). Idempotent: an existing
  // dataset is returned as it is, unless its location differs: kLocationMismatch.
  virtual Result<DatasetInfo> EnsureDataset(const DatasetInfo& dataset) = 0;

  // Tables, views and the rest of one dataset, in bulk, with the numbers that show change; in
  // ascending order of name, by bytes. A token outlives the process, not for ever (a day or so).
  virtual Result<Page<TableSummary>> ListTables(const DatasetRef& dataset,
                                                const std::string& page_token) = 0;

  // The labels of the dataset's tables, of those that have any, in bulk: what ListTables cannot
  // tell, for a policy that asks for them.
  virtual Result<Page<TableLabels>> ListTableLabels(const DatasetRef& dataset,
                                                    const std::string& page_token) = 0;

  // Partitions of one table, each id once, in ascending order; empty when it has none.
  virtual Result<Page<PartitionInfo>> ListPartitions(const TableRef& table,
                                                     const std::string& page_token) = 0;

  // Partitions of all tables of a dataset whose names lie between two, both included, by bytes: in
  // ascending order of table, then of partition. nullopt: this warehouse tells of one table at a
  // time only.
  virtual Result<std::optional<Page<PartitionInfo>>> ListPartitionsInRange(
      const DatasetRef& dataset, const std::string& first_table, const std::string& last_table,
      const std::string& page_token);

  // One table whole, with its statistics. `table.partition` is ignored.
  virtual Result<TableInfo> GetTable(const TableRef& table) = 0;

  // When rows were last written to the table, which an edit of its description does not move.
  // `location`: of the table. nullopt: this warehouse does not tell, of this table or at all.
  virtual Result<std::optional<DataWrite>> LastDataWrite(const TableRef& table,
                                                         const std::string& location);

  // Creates a table from its resource document; server-owned members in it are ignored. Not
  // idempotent by itself: an existing table is kTableExists. Retried only where the service said
  // that nothing happened.
  virtual Result<TableInfo> CreateTable(const TableRef& table, const Json& resource) = 0;

  // Changes the members of the resource that `patch` names; null clears one (RFC 7396). Idempotent,
  // retried.
  virtual Result<TableInfo> UpdateTable(const TableRef& table, const Json& patch) = 0;

  // Deletes a table. Idempotent: an absent table is success.
  virtual Status DeleteTable(const TableRef& table) = 0;

  // Starts `spec` under `job`, or attaches to the job of that id if it was started before with the
  // same spec (kJobConflict if with another). Idempotent by the id, retried. The returned status
  // may already be kDone.
  virtual Result<JobStatus> StartJob(const JobRef& job, const JobSpec& spec) = 0;

  // How a job stands. kJobNotFound when the id is unknown in that location.
  virtual Result<JobStatus> GetJob(const JobRef& job) = 0;
};

}  // namespace holdfast::cloud
