#include "localcloud/ask/table_scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "localcloud/ask/pruning.h"
#include "model/partition_id.h"

namespace holdfast::ask {

namespace {

constexpr size_t kScanBatchRows = 16'384;
constexpr int64_t kMicrosOfDay = int64_t{24} * 3'600'000'000;

bool IsPseudoColumn(const Field& field) {
  return field.name == kPartitionTime || field.name == kPartitionDate;
}

void Relax(std::vector<Field>& fields) {
  for (Field& field : fields) {
    if (field.mode == FieldMode::kRequired) field.mode = FieldMode::kNullable;
    Relax(field.fields);
  }
}

// A column of one value in every row, or of NULL.
template <typename T>
avro::ColumnView ConstantColumn(std::optional<T> value, avro::Batch& batch) {
  const size_t rows = batch.view.rows;
  auto values = std::make_shared<std::vector<T>>(rows, value.value_or(T{}));
  auto validity = std::make_shared<std::vector<uint64_t>>(rows / 64 + 1, 0);
  avro::ColumnView column;
  column.data = values->data();
  column.rows = rows;
  if (!value) column.validity = validity->data();
  batch.owners.push_back(std::move(values));
  batch.owners.push_back(std::move(validity));
  return column;
}

}  // namespace

void ReadCounter::CountFile(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  ++files_;
  bytes_ += bytes;
}

void ReadCounter::CountPartition(const TableRef& partition) {
  const std::lock_guard lock(mutex_);
  partitions_.insert(partition);
}

void ReadCounter::AddTo(AskStatistics& statistics) const {
  const std::lock_guard lock(mutex_);
  statistics.files_read += files_;
  statistics.bytes_read += bytes_;
  statistics.partitions_read += static_cast<int64_t>(partitions_.size());
}

Schema ScanSchema(const AskedTable& table, bool with_pseudo_columns) {
  Schema schema = table.schema;
  Relax(schema.fields);
  if (!with_pseudo_columns || !IsByIngestionTime(table.partitioning)) return schema;
  Field time;
  time.name = kPartitionTime;
  time.type = FieldType::kTimestamp;
  schema.fields.push_back(time);
  time.name = kPartitionDate;
  time.type = FieldType::kDate;
  schema.fields.push_back(time);
  return schema;
}

TableScan::TableScan(std::shared_ptr<const AskedTable> table, std::vector<std::string> partitions,
                     Schema columns, ReadCounter& counter)
    : table_(std::move(table)),
      partitions_(std::move(partitions)),
      columns_(std::move(columns)),
      stored_(columns_),
      counter_(counter) {
  std::erase_if(stored_.fields, IsPseudoColumn);
}

Result<std::optional<avro::Batch>> TableScan::Next() {
  while (true) {
    if (reader_ != nullptr) {
      auto batch = reader_->Next(kScanBatchRows).WithContext(part_.files[next_file_ - 1].name);
      if (!batch.ok()) return batch;
      if (*batch) {
        HF_RETURN_IF_ERROR(AddPseudoColumns(**batch));
        return batch;
      }
      HF_RETURN_IF_ERROR(CloseFile());
    }
    HF_ASSIGN_OR_RETURN(const bool is_open, NextFile());
    if (!is_open) return std::optional<avro::Batch>();
  }
}

// Whether there was one more.
Result<bool> TableScan::NextFile() {
  while (next_file_ == part_.files.size()) {
    if (next_partition_ == partitions_.size()) return false;
    HF_ASSIGN_OR_RETURN(part_, table_->part(partitions_[next_partition_++]));
    next_file_ = 0;
    counter_.CountPartition(table_->ref.WithPartition(part_.partition));
  }
  const AskedFile& file = part_.files[next_file_++];
  counter_.CountFile(file.size_bytes);
  HF_ASSIGN_OR_RETURN(avro::ByteSource bytes, file.open());
  avro::ReaderOptions options;
  options.schema = stored_;
  auto reader = avro::Reader::Open(std::move(bytes), options).WithContext(file.name);
  if (!reader.ok()) return std::move(reader).error();
  reader_ = std::move(reader).value();
  return true;
}

Status TableScan::CloseFile() {
  const AskedFile& file = part_.files[next_file_ - 1];
  const auto rows = static_cast<int64_t>(reader_->rows_read());
  reader_.reset();
  if (rows == file.rows) return Ok();
  return MakeError(ErrorId::kDataMismatch, fmt::format("{} holds {} rows, and its manifest says {}",
                                                       file.name, rows, file.rows));
}

Status TableScan::AddPseudoColumns(avro::Batch& batch) const {
  if (stored_.fields.size() == columns_.fields.size()) return Ok();
  // Rows that streamed in and were in no partition yet have no time.
  std::optional<int64_t> start;
  if (!IsSpecialPartition(part_.partition)) {
    HF_ASSIGN_OR_RETURN(const PartitionSpan span,
                        SpanOfPartition(table_->partitioning, part_.partition));
    start = span.start;
  }
  std::vector<avro::ColumnView> stored = std::move(batch.view.columns);
  std::vector<avro::ColumnView> all;
  size_t next = 0;
  for (const Field& field : columns_.fields) {
    if (!IsPseudoColumn(field)) {
      all.push_back(std::move(stored[next++]));
    } else if (field.name == kPartitionTime) {
      all.push_back(ConstantColumn<int64_t>(start, batch));
    } else {
      std::optional<int32_t> day;
      if (start) {
        const int64_t rest = *start % kMicrosOfDay;
        day =
            static_cast<int32_t>((*start - (rest < 0 ? rest + kMicrosOfDay : rest)) / kMicrosOfDay);
      }
      all.push_back(ConstantColumn<int32_t>(day, batch));
    }
  }
  batch.view.columns = std::move(all);
  return Ok();
}

warehouse::SourceBinding BindParts(std::shared_ptr<const AskedTable> table,
                                   std::vector<std::string> partitions, Schema schema,
                                   ReadCounter& counter) {
  warehouse::SourceBinding source;
  source.schema = std::move(schema);
  source.parts = partitions.size();
  source.open = [table = std::move(table), partitions = std::move(partitions), &counter](
                    Schema columns,
                    size_t part) -> Result<std::unique_ptr<warehouse::BatchSource>> {
    std::unique_ptr<warehouse::BatchSource> scan = std::make_unique<TableScan>(
        table, std::vector{partitions[part]}, std::move(columns), counter);
    return scan;
  };
  return source;
}

}  // namespace holdfast::ask
