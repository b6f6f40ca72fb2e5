#include "localcloud/warehouse/row_source.h"

#include <algorithm>
#include <atomic>

#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/duck_batch.h"

namespace holdfast::warehouse {

namespace {

constexpr size_t kReadersMax = 16;  // of one scan

// One scan, as all of its threads see it.
struct SharedScan {
  RowSource* source = nullptr;
  std::vector<size_t> columns;
  std::atomic<size_t> next_part = 0;
};

// One thread's reading: a part, the batch at hand and the next of its rows.
struct PartScan {
  std::unique_ptr<BatchSource> rows;
  std::optional<avro::Batch> batch;
  size_t position = 0;
};

template <typename T>
void DeleteRowState(void* state) {
  delete static_cast<T*>(state);
}

void BindRows(duckdb_bind_info info) {
  auto* database = static_cast<Database*>(duckdb_bind_get_extra_info(info));
  duckdb_value handle = duckdb_bind_get_parameter(info, 0);
  RowSource* source = database->row_sources().Find(duckdb_get_int64(handle));
  duckdb_destroy_value(&handle);
  if (source == nullptr) {
    duckdb_bind_set_error(info, "no such source");
    return;
  }
  for (const Field& field : source->schema().fields) {
    const DuckLogicalType type = MakeLogicalType(field);
    duckdb_bind_add_result_column(info, field.name.c_str(), type.get());
  }
  duckdb_bind_set_bind_data(info, new RowSource*(source), DeleteRowState<RowSource*>);
}

void InitScanOfAll(duckdb_init_info info) {
  RowSource* source = *static_cast<RowSource**>(duckdb_init_get_bind_data(info));
  duckdb_init_set_max_threads(info, std::clamp<size_t>(source->parts(), 1, kReadersMax));
  auto scan = std::make_unique<SharedScan>();
  scan->source = source;
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    const idx_t column = duckdb_init_get_column_index(info, i);
    // Beyond the last is what stands for no column at all, as of count(*).
    if (column < source->schema().fields.size()) scan->columns.push_back(column);
  }
  duckdb_init_set_init_data(info, scan.release(), DeleteRowState<SharedScan>);
}

void InitScanOfThread(duckdb_init_info info) {
  duckdb_init_set_init_data(info, new PartScan, DeleteRowState<PartScan>);
}

// Moves on to a batch with rows left to give. False: there is none.
Result<bool> Advance(SharedScan& shared, PartScan& scan) {
  while (!scan.batch || scan.position == scan.batch->view.rows) {
    scan.batch.reset();
    scan.position = 0;
    if (scan.rows == nullptr) {
      const size_t part = shared.next_part++;
      if (part >= shared.source->parts()) return false;
      HF_ASSIGN_OR_RETURN(scan.rows, shared.source->Open(shared.columns, part));
    }
    HF_ASSIGN_OR_RETURN(scan.batch, scan.rows->Next());
    if (!scan.batch) scan.rows.reset();
  }
  return true;
}

void ScanRows(duckdb_function_info info, duckdb_data_chunk output) {
  auto& shared = *static_cast<SharedScan*>(duckdb_function_get_init_data(info));
  auto& scan = *static_cast<PartScan*>(duckdb_function_get_local_init_data(info));
  const Result<bool> has_rows = Advance(shared, scan);
  if (!has_rows.ok()) {
    duckdb_function_set_error(info, has_rows.error().message.c_str());
    shared.source->Fail(has_rows.error());
    return;
  }
  if (!*has_rows) {
    duckdb_data_chunk_set_size(output, 0);
    return;
  }
  const size_t count =
      std::min<size_t>(scan.batch->view.rows - scan.position, duckdb_vector_size());
  FillChunk(scan.rows->schema(), scan.batch->view, scan.position, count, output);
  scan.position += count;
}

}  // namespace

Result<std::unique_ptr<BatchSource>> RowSource::Open(const std::vector<size_t>& columns,
                                                     size_t part) const {
  Schema wanted;
  for (const size_t column : columns) wanted.fields.push_back(source_.schema.fields[column]);
  return source_.open(std::move(wanted), part);
}

void RowSource::Fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
}

std::optional<Error> RowSource::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Status RegisterRowFunction(Database& database, Connection& connection) {
  DuckHandle<duckdb_table_function, duckdb_destroy_table_function> function(
      duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), "holdfast_scan");
  const DuckLogicalType handle_type(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), handle_type.get());
  duckdb_table_function_set_extra_info(function.get(), &database, nullptr);
  duckdb_table_function_set_bind(function.get(), BindRows);
  duckdb_table_function_set_init(function.get(), InitScanOfAll);
  duckdb_table_function_set_local_init(function.get(), InitScanOfThread);
  duckdb_table_function_set_function(function.get(), ScanRows);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  return connection.Register(function.get());
}

RowSourceRegistration::RowSourceRegistration(Database& database, SourceBinding source)
    : database_(database),
      source_(std::move(source)),
      handle_(database.row_sources().Add(&source_)) {}

RowSourceRegistration::~RowSourceRegistration() { database_.row_sources().Remove(handle_); }

}  // namespace holdfast::warehouse
