#include "localcloud/warehouse/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "localcloud/warehouse/buffer_rows.h"
#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/json_rows.h"
#include "localcloud/warehouse/query_rows.h"
#include "localcloud/warehouse/relation.h"

namespace holdfast::warehouse {

namespace {

int64_t FileRows(const TableSnapshot& snapshot) {
  int64_t rows = 0;
  for (const DataFile& file : snapshot.files) rows += file.rows;
  return rows;
}

// Consecutive files of one schema, which one statement reads in order, and the rows wanted of them.
struct FileRun {
  std::vector<DataFile> files;
  int64_t skip = 0;
  int64_t take = 0;
};

std::vector<FileRun> RunsOf(const TableSnapshot& snapshot, RowRange range) {
  std::vector<FileRun> runs;
  int64_t first = 0;  // number of the file's first row
  for (const DataFile& file : snapshot.files) {
    const int64_t begin = std::max(range.start, first);
    const int64_t end = std::min(range.start + range.count, first + file.rows);
    if (begin < end) {
      if (runs.empty() || runs.back().files.back().schema_key != file.schema_key) {
        runs.push_back({.files = {}, .skip = begin - first, .take = 0});
      }
      runs.back().files.push_back(file);
      runs.back().take += end - begin;
    }
    first += file.rows;
  }
  return runs;
}

// The fields as columns of the table, cast where a field asks for another type than the table's.
std::string ColumnList(const Schema& table, const Schema& fields) {
  std::string columns;
  for (const Field& field : fields.fields) {
    const std::string name = QuoteIdentifier(field.name);
    const bool same = DuckType(*table.Find(field.name)) == DuckType(field);
    columns += columns.empty() ? "" : ", ";
    columns += same ? name : fmt::format("CAST({0} AS {1}) AS {0}", name, DuckType(field));
  }
  return columns;
}

Result<int64_t> StreamRun(Warehouse& warehouse, const TableSnapshot& snapshot, const FileRun& run,
                          const Schema& fields, const std::stop_token& cancel,
                          const BatchConsumer& consume) {
  TableSnapshot part = snapshot;
  part.files = run.files;
  HF_ASSIGN_OR_RETURN(const std::string select, SnapshotSelect(warehouse.files(), part));
  HF_ASSIGN_OR_RETURN(Connection connection, warehouse.database().Connect());
  HF_ASSIGN_OR_RETURN(DuckStatement statement,
                      connection.Prepare(fmt::format("SELECT {} FROM ({}) LIMIT {} OFFSET {}",
                                                     ColumnList(part.table.schema, fields), select,
                                                     run.take, run.skip)));
  return StreamRows(connection, statement, fields, cancel, consume);
}

// SQL of our own over our own files fails only when a file is not what it should be.
Result<int64_t> ReadRun(Warehouse& warehouse, const TableSnapshot& snapshot, const FileRun& run,
                        const Schema& fields, const std::stop_token& cancel,
                        const BatchConsumer& consume) {
  Result<int64_t> rows = StreamRun(warehouse, snapshot, run, fields, cancel, consume);
  const std::string table = snapshot.table.ref.ToString();
  if (!rows.ok() && rows.error().id == ErrorId::kQueryFailed) {
    return MakeError(ErrorId::kWarehouseCorrupt,
                     fmt::format("{}: {}", table, rows.error().message));
  }
  if (rows.ok() && *rows != run.take) {
    return MakeError(ErrorId::kWarehouseCorrupt,
                     fmt::format("{}: {} rows read of {}", table, *rows, run.take));
  }
  return rows;
}

// The columns of `fields` out of a batch with all of the table's.
avro::BatchView PickColumns(const Schema& all, const Schema& fields, const avro::BatchView& batch) {
  avro::BatchView picked;
  picked.rows = batch.rows;
  for (const Field& field : fields.fields) {
    picked.columns.push_back(
        batch.columns[static_cast<size_t>(all.Find(field.name) - all.fields.data())]);
  }
  return picked;
}

Result<int64_t> ReadBuffer(Warehouse& warehouse, const TableSnapshot& snapshot, RowRange range,
                           const Schema& fields, const BatchConsumer& consume) {
  HF_ASSIGN_OR_RETURN(std::vector<BufferedRow> buffered,
                      ReadBufferedRows(warehouse.store(), snapshot.table.table_key));
  const auto size = static_cast<int64_t>(buffered.size());
  const int64_t begin = std::clamp<int64_t>(range.start, 0, size);
  const int64_t end = std::min(size, begin + range.count);
  if (begin >= end) return int64_t{0};
  std::vector<std::string> texts;
  for (int64_t i = begin; i < end; ++i) {
    texts.push_back(std::move(buffered[static_cast<size_t>(i)].json));
  }
  JsonRowSource source(snapshot.table.schema, std::move(texts),
                       {.ignore_unknown_values = true, .json_columns_are_text = true});
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto batch, source.Next());
    if (!batch) return end - begin;
    HF_RETURN_IF_ERROR(consume(fields, PickColumns(snapshot.table.schema, fields, batch->view)));
  }
}

}  // namespace

Result<Schema> SelectFields(const Schema& schema, const std::vector<std::string>& selected) {
  if (selected.empty()) return schema;
  std::set<const Field*> wanted;
  for (const std::string& name : selected) {
    const Field* field = schema.Find(name);
    if (field == nullptr) {
      return WithReason("invalid",
                        MakeError(ErrorId::kWarehouseInvalidRequest,
                                  fmt::format("Selected field {} not found in the table", name)));
    }
    wanted.insert(field);
  }
  Schema fields;
  for (const Field& field : schema.fields) {
    if (wanted.contains(&field)) fields.fields.push_back(field);
  }
  return fields;
}

int64_t CountRows(const TableSnapshot& snapshot) {
  const auto& buffer = snapshot.table.streaming_buffer;
  return FileRows(snapshot) +
         (snapshot.is_current && snapshot.partition.empty() && buffer ? buffer->estimated_rows : 0);
}

Result<int64_t> ReadFileRows(Warehouse& warehouse, const TableSnapshot& snapshot, RowRange range,
                             const Schema& fields, const std::stop_token& cancel,
                             const BatchConsumer& consume) {
  int64_t rows = 0;
  for (const FileRun& run : RunsOf(snapshot, range)) {
    HF_ASSIGN_OR_RETURN(const int64_t read,
                        ReadRun(warehouse, snapshot, run, fields, cancel, consume));
    rows += read;
  }
  return rows;
}

Result<int64_t> ReadRows(Warehouse& warehouse, const TableSnapshot& snapshot, RowRange range,
                         const std::vector<std::string>& selected, const BatchConsumer& consume) {
  HF_ASSIGN_OR_RETURN(const Schema fields, SelectFields(snapshot.table.schema, selected));
  range.start = std::max<int64_t>(range.start, 0);
  range.count = std::clamp<int64_t>(CountRows(snapshot) - range.start, 0, range.count);
  HF_ASSIGN_OR_RETURN(const int64_t rows,
                      ReadFileRows(warehouse, snapshot, range, fields, {}, consume));
  if (rows == range.count) return rows;
  const RowRange buffered{.start = range.start + rows - FileRows(snapshot),
                          .count = range.count - rows};
  HF_ASSIGN_OR_RETURN(const int64_t read,
                      ReadBuffer(warehouse, snapshot, buffered, fields, consume));
  return rows + read;
}

}  // namespace holdfast::warehouse
