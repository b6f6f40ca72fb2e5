// DuckDB's vectors as batches, and batches as DuckDB's vectors.
//
// Both hold numbers, times, decimals and list entries in the same layout, which is borrowed or
// copied whole; only texts change their form. Types must correspond as in column_types.h. Not
// thread-safe.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "avro/batch.h"
#include "localcloud/warehouse/duck.h"
#include "model/schema.h"

namespace holdfast::warehouse {

// The logical type of a field, as column_types.h.
DuckLogicalType MakeLogicalType(const Field& field);

// Shows chunks as batches; the buffers for texts are reused from chunk to chunk.
class ChunkReader {
 public:
  // Copies what it needs of `schema`.
  explicit ChunkReader(const Schema& schema);
  ~ChunkReader();

  // A view of `chunk`, which has the schema's columns. Valid until the next call and as long as the
  // chunk. A NULL where the field is REPEATED is an empty list.
  const avro::BatchView& View(duckdb_data_chunk chunk);

 private:
  struct Column;
  avro::BatchView view_;
  std::vector<std::unique_ptr<Column>> columns_;
};

// Copies rows [offset, offset + count) of `batch` to the start of `chunk` and sets its size; count
// is at most duckdb_vector_size().
void FillChunk(const Schema& schema, const avro::BatchView& batch, size_t offset, size_t count,
               duckdb_data_chunk chunk);

}  // namespace holdfast::warehouse
