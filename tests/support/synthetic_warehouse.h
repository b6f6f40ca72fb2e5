// A warehouse of any number of tables that holds none of them: names, times and counts are computed
// from the numbers of dataset, table and partition.
//
// For tests and benchmarks of the scan at the size of an organization. Every table has the same
// number of partitions by day (none: it is plain). `calls` counts what a service would be asked.
// Reads only: whatever writes, or starts a job, is refused. Thread-safe.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "cloud/definitions.h"
#include "cloud/warehouse.h"
#include "model/fingerprint.h"

namespace holdfast::testing_support {

struct SyntheticSize {
  std::string project = "acme-synthetic";
  int64_t datasets = 1;
  int64_t tables = 10;       // of each dataset
  int64_t partitions = 10;   // of each table; 0: they are plain
  size_t page_rows = 5'000;  // of a bulk listing
};

class SyntheticWarehouse final : public cloud::Warehouse {
 public:
  static constexpr int64_t kCreatedMs = 1'700'000'000'000;
  static constexpr int64_t kRowsEach = 100;

  explicit SyntheticWarehouse(const SyntheticSize& size) : size_(size) {}

  std::atomic<int64_t> calls = 0;
  // Every n-th table was modified since: one of its partitions, or it itself; 0: none was.
  std::atomic<int64_t> changed_every = 0;

  Result<cloud::Page<DatasetInfo>> ListDatasets(const std::string& project,
                                                const std::string& page_token) override {
    ++calls;
    cloud::Page<DatasetInfo> page;
    const int64_t first = page_token.empty() ? 0 : std::stoll(page_token);
    const int64_t end = std::min<int64_t>(first + 1'000, size_.datasets);
    for (int64_t i = first; i < end; ++i) {
      page.items.push_back({.ref = {project, NameOf("d", i)}, .location = "US"});
    }
    if (end < size_.datasets) page.next_page_token = std::to_string(end);
    return page;
  }

  Result<DatasetInfo> GetDataset(const DatasetRef& dataset) override {
    ++calls;
    return DatasetInfo{.ref = dataset, .location = "US"};
  }

  Result<cloud::Page<TableSummary>> ListTables(const DatasetRef& dataset,
                                               const std::string& page_token) override {
    ++calls;
    cloud::Page<TableSummary> page;
    const int64_t first = page_token.empty() ? 0 : std::stoll(page_token);
    const int64_t end = std::min(first + PageRows(), size_.tables);
    for (int64_t i = first; i < end; ++i) page.items.push_back(SummaryOf(dataset, i));
    if (end < size_.tables) page.next_page_token = std::to_string(end);
    return page;
  }

  Result<cloud::Page<TableLabels>> ListTableLabels(const DatasetRef&, const std::string&) override {
    ++calls;
    return cloud::Page<TableLabels>();
  }

  Result<std::optional<cloud::Page<PartitionInfo>>> ListPartitionsInRange(
      const DatasetRef& dataset, const std::string& first_table, const std::string& last_table,
      const std::string& page_token) override {
    ++calls;
    cloud::Page<PartitionInfo> page;
    const int64_t begin = NumberOf(first_table) * size_.partitions;
    const int64_t end = (NumberOf(last_table) + 1) * size_.partitions;
    int64_t at = page_token.empty() ? begin : std::stoll(page_token);
    for (; at < end && static_cast<int64_t>(page.items.size()) < PageRows(); ++at) {
      page.items.push_back(PartitionOf(dataset, at / size_.partitions, at % size_.partitions));
    }
    if (at < end) page.next_page_token = std::to_string(at);
    return std::optional(std::move(page));
  }

  Result<cloud::Page<PartitionInfo>> ListPartitions(const TableRef& table,
                                                    const std::string&) override {
    ++calls;
    cloud::Page<PartitionInfo> page;
    for (int64_t i = 0; i < size_.partitions; ++i) {
      page.items.push_back(PartitionOf(table.dataset_ref(), NumberOf(table.table), i));
    }
    return page;
  }

  Result<TableInfo> GetTable(const TableRef& table) override {
    ++calls;
    return InfoOf(table);
  }

  Result<DatasetInfo> EnsureDataset(const DatasetInfo&) override { return ReadOnly(); }
  Result<TableInfo> CreateTable(const TableRef&, const Json&) override { return ReadOnly(); }
  Result<TableInfo> UpdateTable(const TableRef&, const Json&) override { return ReadOnly(); }
  Status DeleteTable(const TableRef&) override { return ReadOnly(); }
  Result<cloud::JobStatus> StartJob(const cloud::JobRef&, const cloud::JobSpec&) override {
    return ReadOnly();
  }
  Result<cloud::JobStatus> GetJob(const cloud::JobRef&) override { return ReadOnly(); }

  // Zero-padded: the order of numbers is that of names.
  static std::string NameOf(const char* kind, int64_t number) {
    return fmt::format("{}{:07}", kind, number);
  }

  TableInfo InfoOf(const TableRef& table) const {
    const TableSummary summary = SummaryOf(table.dataset_ref(), NumberOf(table.table));
    TableInfo info;
    info.ref = table.WholeTable();
    info.kind = TableKind::kTable;
    info.location = "US";
    info.creation_ms = summary.creation_ms;
    info.last_modified_ms = summary.last_modified_ms;
    info.rows = summary.rows;
    info.bytes = summary.bytes;
    info.schema = {{{.name = "day", .type = FieldType::kDate}}};
    if (size_.partitions > 0) {
      info.partitioning.kind = Partitioning::Kind::kDay;
      info.partitioning.field = "day";
    }
    return info;
  }

  PartitionInfo PartitionOf(const DatasetRef& dataset, int64_t table, int64_t partition) const {
    PartitionInfo info;
    info.ref = {dataset.project, dataset.dataset, NameOf("t", table),
                fmt::format("2026{:02}{:02}", 1 + partition / 28 % 12, 1 + partition % 28)};
    const bool is_newest = partition + 1 == size_.partitions;
    info.last_modified_ms =
        kCreatedMs + partition + (is_newest && IsChanged(table) ? 1'000'000 : 0);
    info.rows = kRowsEach;
    info.bytes = kRowsEach * 8;
    return info;
  }

  TableSummary SummaryOf(const DatasetRef& dataset, int64_t table) const {
    const int64_t pieces = std::max<int64_t>(size_.partitions, 1);
    TableSummary summary;
    summary.ref = {dataset.project, dataset.dataset, NameOf("t", table), ""};
    summary.kind = TableKind::kTable;
    summary.creation_ms = kCreatedMs;
    summary.last_modified_ms = kCreatedMs + pieces - 1 + (IsChanged(table) ? 1'000'000 : 0);
    summary.rows = kRowsEach * pieces;
    summary.bytes = summary.rows * 8;
    return summary;
  }

 private:
  static int64_t NumberOf(const std::string& table) { return std::stoll(table.substr(1)); }
  int64_t PageRows() const { return static_cast<int64_t>(size_.page_rows); }
  bool IsChanged(int64_t table) const {
    const int64_t every = changed_every;
    return every > 0 && table % every == 0;
  }
  static Error ReadOnly() {
    return MakeError(ErrorId::kServiceRejected, "a synthetic warehouse is read only");
  }

  SyntheticSize size_;
};

// A dataset without routines.
class NoDefinitions final : public cloud::Definitions {
 public:
  std::atomic<int64_t> calls = 0;

  Result<cloud::Page<cloud::RoutineInfo>> ListRoutines(const DatasetRef&,
                                                       const std::string&) override {
    ++calls;
    return cloud::Page<cloud::RoutineInfo>();
  }
  Result<cloud::RoutineInfo> GetRoutine(const DatasetRef&, const std::string&) override {
    return None();
  }
  Result<cloud::RoutineInfo> CreateRoutine(const DatasetRef&, const std::string&,
                                           const Json&) override {
    return None();
  }
  Result<std::vector<cloud::RowAccessPolicy>> ListRowAccessPolicies(const TableRef&) override {
    return None();
  }
  Result<bool> IsGranted(const TableRef&, const std::string&) override { return None(); }
  Status CreateRowAccessPolicy(const TableRef&, const cloud::RowAccessPolicy&) override {
    return None();
  }
  Result<Json> GetIamPolicy(const TableRef&) override { return None(); }
  Status SetIamPolicy(const TableRef&, const Json&) override { return None(); }

 private:
  static Error None() { return MakeError(ErrorId::kServiceRejected, "there are no definitions"); }
};

}  // namespace holdfast::testing_support
