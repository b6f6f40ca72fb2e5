// What the embedded warehouse knows of datasets, tables, versions and partitions, as plain values.
//
// A table's `resource` is the document that the user gave (description, labels, expirations, view,
// clustering, ...), kept whole; what the server owns (counts, times, etag) stands beside it and is
// not in it, nor is the schema. Times are milliseconds since 1970 UTC, as in the REST API.
// Plain values without shared state, but for the pin of a `TableSnapshot`. Source: DESIGN §6.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "localcloud/warehouse/partitioning.h"
#include "model/resource_names.h"
#include "model/schema.h"

namespace holdfast::warehouse {

struct DatasetRecord {
  DatasetRef ref;
  Json resource = Json::object();
  std::string etag;
  int64_t created_ms = 0;
  int64_t modified_ms = 0;
};

// The `type` of a table resource. Only kTable and kSnapshot hold data.
enum class TableKind { kTable, kView, kMaterializedView, kExternal, kSnapshot };

std::string_view TableKindName(TableKind kind);  // "TABLE", "VIEW", "MATERIALIZED_VIEW", ...

// Rows that were streamed in and not flushed yet. Source: tables#Streamingbuffer.
struct StreamingBufferRecord {
  int64_t estimated_rows = 0;
  int64_t estimated_bytes = 0;
  int64_t oldest_entry_ms = 0;
};

struct TableRecord {
  TableRef ref;
  TableKind kind = TableKind::kTable;
  int64_t table_key = 0;  // identity of this incarnation: a recreated table has another
  Json resource = Json::object();
  Schema schema;
  Partitioning partitioning;
  std::string etag;     // changes with every change of data or metadata
  int64_t version = 0;  // of data and schema; 1 when created
  int64_t created_ms = 0;
  int64_t last_modified_ms = 0;
  int64_t data_modified_ms = 0;          // without edits of its description
  std::optional<int64_t> expiration_ms;  // `expirationTime` of the resource
  int64_t num_rows = 0;                  // without the streaming buffer
  int64_t num_bytes = 0;  // logical bytes by BigQuery's size of each type, streaming excluded
  std::optional<StreamingBufferRecord> streaming_buffer;  // absent when empty
};

// One partition that has data. Both times are of data, but for an edit of the table's metadata,
// which BigQuery counts as a modification of every partition (google-semantics A2 #9).
struct PartitionRecord {
  std::string id;  // "" for the single part of an unpartitioned table
  int64_t num_rows = 0;
  int64_t num_bytes = 0;
  int64_t last_modified_ms = 0;
};

// One immutable Parquet file.
struct DataFile {
  std::string path;       // relative to the warehouse's file area
  std::string partition;  // partition id
  int64_t rows = 0;
  int64_t bytes = 0;       // logical, as num_bytes above
  int64_t schema_key = 0;  // the schema it was written with (TableSnapshot::file_schemas)
  int64_t last_modified_ms = 0;
};

// What a table was at one moment: a schema and files, in the order in which rows are listed. While
// a copy of it lives, garbage collection leaves its files alone.
struct TableSnapshot {
  TableRecord table;      // as of now, but for schema, version and counts, which are of `version`
  std::string partition;  // all files are of this one; "": of every partition
  std::vector<DataFile> files;
  std::vector<std::pair<int64_t, Schema>> file_schemas;  // by DataFile::schema_key
  bool is_current = true;  // false: read through @ms; has no streaming buffer then
  std::shared_ptr<const void> pin;

  // What `file`, which must be of this snapshot, was written with.
  const Schema& SchemaOf(const DataFile& file) const;
};

// A page of a listing; an absent token means that this is the last one.
struct PageRequest {
  int64_t results_max = 1000;
  std::string token;
};
template <typename T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next_token;
};

// What happens to data that is already there. Source: BigQuery writeDisposition.
enum class WriteDisposition { kAppend, kTruncate, kEmpty };

}  // namespace holdfast::warehouse
