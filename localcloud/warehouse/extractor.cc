#include "localcloud/warehouse/extractor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "localcloud/warehouse/column_types.h"
#include "localcloud/warehouse/duck.h"
#include "localcloud/warehouse/extract_files.h"
#include "localcloud/warehouse/file_area.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/query_rows.h"
#include "localcloud/warehouse/relation.h"

namespace holdfast::warehouse {

namespace {

constexpr int64_t kSingleFileBytesMax = int64_t{1} << 30;  // google-semantics A3 #31

Status CheckRequest(const ExtractRequest& request, const TableRecord& table) {
  if (table.kind != TableKind::kTable && table.kind != TableKind::kSnapshot) {
    return InvalidExtract(fmt::format("{} is a {} and cannot be extracted",
                                      request.source.ToString(), TableKindName(table.kind)));
  }
  if (table.schema.fields.empty()) {
    return InvalidExtract(fmt::format("{} has no schema", request.source.ToString()));
  }
  HF_RETURN_IF_ERROR(CheckForm(request, table.schema));
  if (!request.split && table.num_bytes > kSingleFileBytesMax && request.source.partition.empty()) {
    return InvalidExtract(
        "Table is too large to be exported to a single file. Specify a URI with a wildcard");
  }
  return Ok();
}

// Without logical types BigQuery writes DATE and TIME as text; the cast reaches nested fields too.
void MakeTextual(std::vector<Field>& fields) {
  for (Field& field : fields) {
    if (field.type == FieldType::kDate || field.type == FieldType::kTime) {
      field.type = FieldType::kString;
    }
    MakeTextual(field.fields);
  }
}

// Parquet is DuckDB's to write: each file is made in staging and then given to its sink.
Result<int64_t> ExtractParquet(Warehouse& warehouse, const ExtractRequest& request,
                               const TableSnapshot& snapshot, const ExtractSinkFactory& sinks) {
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const DataFile& file : snapshot.files) {
    rows += file.rows;
    bytes += file.bytes;
  }
  int64_t rows_per_file = std::max<int64_t>(rows, 1);
  if (request.split && bytes > request.file_bytes_max) {
    rows_per_file = std::max<int64_t>(rows * request.file_bytes_max / bytes, 1);
  }
  HF_ASSIGN_OR_RETURN(const std::string select, SnapshotSelect(warehouse.files(), snapshot));
  HF_ASSIGN_OR_RETURN(const StagingDirectory staging, warehouse.files().MakeStaging());
  HF_ASSIGN_OR_RETURN(Connection connection, warehouse.database().Connect());
  const std::string path = staging.path() + "/extract.parquet";
  int64_t files = 0;
  do {
    HF_RETURN_IF_ERROR(connection.Execute(
        fmt::format("COPY (SELECT * FROM ({}) LIMIT {} OFFSET {}) TO {} (FORMAT parquet, "
                    "COMPRESSION {})",
                    select, rows_per_file, files * rows_per_file, QuoteLiteral(path),
                    ParquetCodec(request.compression)),
        request.cancel));
    HF_ASSIGN_OR_RETURN(const std::unique_ptr<ExtractSink> sink, sinks(files));
    HF_RETURN_IF_ERROR(CopyToSink(path, *sink));
    ++files;
  } while (files * rows_per_file < rows);
  return files;
}

Result<int64_t> ExtractRows(Warehouse& warehouse, const ExtractRequest& request,
                            const TableSnapshot& snapshot, const ExtractSinkFactory& sinks) {
  Schema fields = snapshot.table.schema;
  if (request.format == ExtractFormat::kAvro && !request.use_avro_logical_types) {
    MakeTextual(fields.fields);
  }
  FileSplitter splitter(request, fields, warehouse.random(), sinks);
  const RowRange all{.start = 0, .count = std::numeric_limits<int64_t>::max()};
  HF_RETURN_IF_ERROR(ReadFileRows(
      warehouse, snapshot, all, fields, request.cancel,
      [&](const Schema&, const avro::BatchView& batch) { return splitter.Write(batch); }));
  HF_RETURN_IF_ERROR(splitter.Finish());
  return splitter.files();
}

}  // namespace

Result<ExtractResult> Extract(Warehouse& warehouse, const ExtractRequest& request,
                              const ExtractSinkFactory& sinks) {
  HF_ASSIGN_OR_RETURN(const TableSnapshot snapshot,
                      warehouse.store().Snapshot(request.source, request.as_of_ms));
  HF_RETURN_IF_ERROR(CheckRequest(request, snapshot.table));
  ExtractResult result;
  for (const DataFile& file : snapshot.files) {
    result.rows += file.rows;
    result.input_bytes += file.bytes;
  }
  HF_ASSIGN_OR_RETURN(result.files, request.format == ExtractFormat::kParquet
                                        ? ExtractParquet(warehouse, request, snapshot, sinks)
                                        : ExtractRows(warehouse, request, snapshot, sinks));
  return result;
}

}  // namespace holdfast::warehouse
