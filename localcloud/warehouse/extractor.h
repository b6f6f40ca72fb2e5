// Extract jobs: a table, a partition or a past version into Avro, CSV, NDJSON or Parquet files.
//
// Rows leave in listing order, without those in the streaming buffer. Output goes through sinks
// that the caller makes, one per file; with `split` a new file begins once one has reached the
// limit. An empty table gives one file with the schema and no rows. Memory is bounded by a few
// batches. Source: BigQuery "jobs#JobConfigurationExtract"; google-semantics A3 #31, #32; A4 for
// Avro.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

class BatchSource;  // batch_source.h

enum class ExtractFormat { kAvro, kCsv, kNewlineDelimitedJson, kParquet };
enum class ExtractCompression { kNone, kGzip, kDeflate, kSnappy, kZstd };

// Where one output file goes. Write and Finish may fail; after a failure, or without Finish, the
// file must not appear.
class ExtractSink {
 public:
  virtual ~ExtractSink() = default;

  // Takes the next bytes, in order; may block. An error ends the extract.
  virtual Status Write(std::string_view bytes) = 0;

  // Makes the file appear, whole. Once, last.
  virtual Status Finish() = 0;
};

// Makes the sink of file number `index` (0, 1, ... without gaps).
using ExtractSinkFactory = std::function<Result<std::unique_ptr<ExtractSink>>(int64_t index)>;

struct ExtractRequest {
  TableRef source;  // ref.partition: only that partition
  std::optional<int64_t> as_of_ms;
  ExtractFormat format = ExtractFormat::kCsv;
  // kAvro: none, deflate, snappy, zstd. kCsv, kNewlineDelimitedJson: none, gzip. kParquet: none,
  // gzip, snappy, zstd. Anything else is kWarehouseInvalidRequest.
  ExtractCompression compression = ExtractCompression::kNone;
  bool use_avro_logical_types = false;  // false: DATE and TIME are text, as BigQuery writes them
  std::string field_delimiter = ",";    // CSV
  bool print_header = true;             // CSV
  bool split = false;                   // several files (a wildcard URI)
  int64_t file_bytes_max = int64_t{1} << 30;  // size from which on a file is complete
  std::stop_token cancel;
};

struct ExtractResult {
  int64_t files = 0;
  int64_t rows = 0;
  int64_t input_bytes = 0;  // logical bytes of the table
};

// Errors: kWarehouseNotFound, kWarehouseTimeTravel, kWarehouseInvalidRequest (CSV of nested data; a
// view; a table over 1 GB without split), kWarehouseCorrupt (a Parquet file is missing or damaged),
// kCancelled, and those of the sinks.
Result<ExtractResult> Extract(Warehouse& warehouse, const ExtractRequest& request,
                              const ExtractSinkFactory& sinks);

// The same of rows from elsewhere, which are read once: `source` and `as_of_ms` of the request do
// not count, and `input_bytes` stays 0. A file of Parquet is complete when about so many bytes of
// rows, not yet compressed, are in it. Errors: as above, and those of `rows`.
Result<ExtractResult> ExtractSource(Warehouse& warehouse, BatchSource& rows,
                                    const ExtractRequest& request, const ExtractSinkFactory& sinks);

}  // namespace holdfast::warehouse
