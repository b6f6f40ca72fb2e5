#include "localcloud/warehouse/batch_source.h"

#include <algorithm>

#include "localcloud/warehouse/duck_batch.h"

namespace holdfast::warehouse {

namespace {

// Where a scan is: the batch at hand and the next of its rows.
struct ScanState {
  BatchSource* source = nullptr;
  std::optional<avro::Batch> batch;
  size_t position = 0;
};

template <typename T>
void DeleteState(void* state) {
  delete static_cast<T*>(state);
}

void BindScan(duckdb_bind_info info) {
  auto* database = static_cast<Database*>(duckdb_bind_get_extra_info(info));
  duckdb_value handle = duckdb_bind_get_parameter(info, 0);
  BatchSource* source = database->sources().Find(duckdb_get_int64(handle));
  duckdb_destroy_value(&handle);
  if (source == nullptr) {
    duckdb_bind_set_error(info, "no such source");
    return;
  }
  for (const Field& field : source->schema().fields) {
    const DuckLogicalType type = MakeLogicalType(field);
    duckdb_bind_add_result_column(info, field.name.c_str(), type.get());
  }
  duckdb_bind_set_bind_data(info, new BatchSource*(source), DeleteState<BatchSource*>);
}

void InitScan(duckdb_init_info info) {
  BatchSource* source = *static_cast<BatchSource**>(duckdb_init_get_bind_data(info));
  duckdb_init_set_max_threads(info, 1);
  duckdb_init_set_init_data(info, new ScanState{.source = source, .batch = {}, .position = 0},
                            DeleteState<ScanState>);
}

void Scan(duckdb_function_info info, duckdb_data_chunk output) {
  auto& state = *static_cast<ScanState*>(duckdb_function_get_init_data(info));
  while (!state.batch || state.position == state.batch->view.rows) {
    Result<std::optional<avro::Batch>> next = state.source->Next();
    if (!next.ok()) {
      duckdb_function_set_error(info, next.error().message.c_str());
      state.source->set_failure(std::move(next).error());
      return;
    }
    state.batch = std::move(next).value();
    state.position = 0;
    if (!state.batch) {
      duckdb_data_chunk_set_size(output, 0);
      return;
    }
  }
  const size_t count =
      std::min<size_t>(state.batch->view.rows - state.position, duckdb_vector_size());
  FillChunk(state.source->schema(), state.batch->view, state.position, count, output);
  state.position += count;
}

}  // namespace

Status RegisterBatchFunction(Database& database, Connection& connection) {
  DuckHandle<duckdb_table_function, duckdb_destroy_table_function> function(
      duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), "holdfast_rows");
  const DuckLogicalType handle_type(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), handle_type.get());
  duckdb_table_function_set_extra_info(function.get(), &database, nullptr);
  duckdb_table_function_set_bind(function.get(), BindScan);
  duckdb_table_function_set_init(function.get(), InitScan);
  duckdb_table_function_set_function(function.get(), Scan);
  return connection.Register(function.get());
}

}  // namespace holdfast::warehouse
