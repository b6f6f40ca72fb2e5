// Load jobs: local CSV, NDJSON, Avro and Parquet files into a table or one partition of it.
//
// Sources are local paths: the REST layer maps gs:// URIs to the object store's plain files. Rows
// are converted by BigQuery's rules, routed to their partitions in one pass and committed as one
// version: either every source is in the table or nothing is. Memory is bounded by the warehouse's
// limit. Source: BigQuery "jobs#JobConfigurationLoad"; google-semantics A4.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "localcloud/warehouse/column_default.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::warehouse {

enum class LoadFormat { kCsv, kNewlineDelimitedJson, kAvro, kParquet };

// BigQuery's CSV options, with its defaults.
struct CsvOptions {
  std::string field_delimiter = ",";  // one character, or "\t"
  int64_t skip_leading_rows = 0;
  std::string quote = "\"";            // empty: no quoting
  bool allow_quoted_newlines = false;  // false: a line break inside quotes is a bad record
  bool allow_jagged_rows = false;      // missing trailing columns are NULL
  std::string null_marker;             // unquoted text that means NULL; default: nothing at all
  std::string encoding = "UTF-8";      // or "ISO-8859-1"
};

enum class CreateDisposition { kIfNeeded, kNever };

struct LoadSource {
  std::string path;  // local file
  std::string name;  // how errors call it: "gs://bucket/object"
};

struct LoadRequest {
  TableRef destination;  // ref.partition: every row must belong to it
  std::vector<LoadSource> sources;
  LoadFormat format = LoadFormat::kCsv;
  std::optional<Schema> schema;  // absent: the table's, or detected if there is none
  bool autodetect = false;       // CSV, JSON: reads the first rows of the first files
  CsvOptions csv;
  bool ignore_unknown_values = false;  // CSV: extra columns; JSON: members that are no field
  int64_t bad_records_max = 0;         // CSV and JSON
  bool use_avro_logical_types = false;
  bool wide_decimals =
      true;  // Avro: a decimal too wide for NUMERIC becomes BIGNUMERIC; else refused
  WriteDisposition write_disposition = WriteDisposition::kAppend;
  CreateDisposition create_disposition = CreateDisposition::kIfNeeded;
  bool allow_field_addition = false;  // schemaUpdateOptions
  bool allow_field_relaxation = false;
  Json table_resource = Json::object();  // partitioning, clustering, ... of a table created here
  DefaultSql default_sql;                // of columns that the files, or a line of JSON, lack
  std::stop_token cancel;
};

// One row that could not be taken in. Source: ErrorProto.
struct BadRecord {
  std::string source;
  int64_t line = 0;   // 1-based; 0 if unknown
  std::string field;  // column, if known
  std::string message;
};

struct LoadResult {
  int64_t output_rows = 0;
  int64_t output_bytes = 0;  // logical
  int64_t input_files = 0;
  int64_t input_bytes = 0;
  int64_t bad_records = 0;
  std::vector<BadRecord> warnings;  // the first 100 bad records that were skipped
  TableRecord table;                // after the load
};

// `bad_records`, if given, takes the first 100 bad records of a load that failed over them.
// Errors: kWarehouseNotFound (dataset; table with kNever), kWarehouseExists (kEmpty on data, reason
// "duplicate"), kWarehouseInvalidSchema, kLoadFailed (more bad records than allowed: the message
// names the first and how many), kFileError, kDiskFull, kCancelled. Nothing is changed on failure.
Result<LoadResult> Load(Warehouse& warehouse, const LoadRequest& request,
                        std::vector<BadRecord>* bad_records = nullptr);

}  // namespace holdfast::warehouse
