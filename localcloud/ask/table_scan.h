// The rows of some partitions of an asked table, file after file, as a source of the warehouse.
//
// Of each file only the columns that are wanted are decoded. A column that a file lacks, because it
// is from before the table got it, is NULL; the pseudo-columns of an ingestion-time table are made
// of the partition's name. A file that holds another number of rows than its manifest says is an
// error. One thread; memory is bounded by the Avro reader's limits.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "avro/reader.h"
#include "localcloud/ask/asked_table.h"
#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/query.h"

namespace holdfast::ask {

// What was read so far, by any number of scans. Thread-safe.
class ReadCounter {
 public:
  void CountFile(int64_t bytes);
  void CountPartition(const TableRef& partition);

  // Adds what was counted to `statistics`.
  void AddTo(AskStatistics& statistics) const;

 private:
  mutable std::mutex mutex_;
  int64_t files_ = 0;
  int64_t bytes_ = 0;
  std::set<TableRef> partitions_;
};

// The schema that every file of the table can be read as: nothing is REQUIRED, and it has the
// pseudo-columns if those are asked for.
Schema ScanSchema(const AskedTable& table, bool with_pseudo_columns);

class TableScan final : public warehouse::BatchSource {
 public:
  // `columns`: some of ScanSchema's. `counter` must outlive this.
  TableScan(std::shared_ptr<const AskedTable> table, std::vector<std::string> partitions,
            Schema columns, ReadCounter& counter);

  const Schema& schema() const override { return columns_; }
  Result<std::optional<avro::Batch>> Next() override;

 private:
  Result<bool> NextFile();
  Status CloseFile();
  Status AddPseudoColumns(avro::Batch& batch) const;

  std::shared_ptr<const AskedTable> table_;
  std::vector<std::string> partitions_;
  Schema columns_;
  Schema stored_;  // of `columns_`, those that files hold
  ReadCounter& counter_;
  AskedPart part_;
  size_t next_partition_ = 0;
  size_t next_file_ = 0;
  std::unique_ptr<avro::Reader> reader_;
};

// Those partitions as a source, of which each is a part. `counter` must outlive it.
warehouse::SourceBinding BindParts(std::shared_ptr<const AskedTable> table,
                                   std::vector<std::string> partitions, Schema schema,
                                   ReadCounter& counter);

}  // namespace holdfast::ask
