// Whole Avro files in memory, for tests: write a batch to a string, read a string as JSON rows.
//
// The source gives the file in pieces of a few bytes, so that every boundary is met. Test code
// only.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "avro/batch_builder.h"
#include "avro/cell_json.h"
#include "avro/reader.h"
#include "avro/writer.h"
#include "base/random.h"

namespace holdfast::avro {

inline constexpr Codec kCodecs[] = {Codec::kNull, Codec::kDeflate, Codec::kSnappy, Codec::kZstd};

// A column, in one line.
inline Field MakeField(std::string_view name, FieldType type, FieldMode mode = FieldMode::kNullable,
                       std::vector<Field> fields = {}) {
  Field field;
  field.name = name;
  field.type = type;
  field.mode = mode;
  field.fields = std::move(fields);
  return field;
}

// A source over `bytes`, which it borrows, in pieces of at most `piece` bytes.
inline ByteSource SourceOf(std::string_view bytes, size_t piece = 7) {
  return [bytes, piece, at = size_t{0}](std::span<char> buffer) mutable -> Result<size_t> {
    const size_t count = std::min({piece, buffer.size(), bytes.size() - at});
    std::memcpy(buffer.data(), bytes.data() + at, count);
    at += count;
    return count;
  };
}

inline Result<std::string> WriteFile(const Schema& schema, const BatchView& batch,
                                     const WriterOptions& options = {}) {
  std::string file;
  const auto random = MakeSeededRandom(1);
  HF_ASSIGN_OR_RETURN(auto writer, Writer::Create(
                                       schema, options,
                                       [&file](std::string_view bytes) {
                                         file += bytes;
                                         return Ok();
                                       },
                                       *random));
  HF_RETURN_IF_ERROR(writer->Write(batch));
  HF_RETURN_IF_ERROR(writer->Finish());
  return file;
}

// A file of `rows`, in the forms of avro/cell_json.h.
inline Result<std::string> WriteRows(const Schema& schema, const std::vector<Json>& rows,
                                     const WriterOptions& options = {}) {
  BatchBuilder builder(schema);
  for (const Json& row : rows) HF_RETURN_IF_ERROR(builder.AppendRow(row));
  const Batch batch = builder.Build();
  return WriteFile(schema, batch.view, options);
}

inline Result<std::vector<Json>> ReadRows(std::string_view file, const ReaderOptions& options = {},
                                          size_t rows_max = 3, size_t piece = 7) {
  HF_ASSIGN_OR_RETURN(auto reader, Reader::Open(SourceOf(file, piece), options));
  std::vector<Json> rows;
  while (true) {
    HF_ASSIGN_OR_RETURN(const auto batch, reader->Next(rows_max));
    if (!batch) return rows;
    for (size_t row = 0; row < batch->view.rows; ++row) {
      rows.push_back(RowToJson(reader->schema(), batch->view, row));
    }
  }
}

}  // namespace holdfast::avro
