// What is known of datasets, tables and partitions: BigQuery's resources as values.
//
// The whole resource document is kept (`resource`), so that a backup saves what Holdfast does not
// interpret; the members beside it are read from it once. Times are the server's, in milliseconds
// since 1970: they are compared with one another, never with a local clock (google-semantics A2
// #11).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/resource_names.h"
#include "model/schema.h"

namespace holdfast {

enum class TableKind { kTable, kView, kMaterializedView, kExternal, kSnapshot, kUnknown };

// "TABLE", "VIEW", ... as in the API's `type`; what is not known yet is kUnknown, never a guess.
TableKind ParseTableKind(std::string_view api_type);
std::string_view TableKindName(TableKind kind);

struct DatasetInfo {
  DatasetRef ref;
  std::string location;  // "US", "europe-west1", ...
  Json resource = Json::object();

  // From datasets.get. Errors: kInvalidJson naming the member.
  static Result<DatasetInfo> FromJson(const Json& resource);
};

// How a table is divided.
struct Partitioning {
  enum class Kind { kNone, kHour, kDay, kMonth, kYear, kIntegerRange };
  Kind kind = Kind::kNone;
  std::string field;        // empty: by ingestion time
  int64_t range_start = 0;  // kIntegerRange only: [start, end) in steps of interval
  int64_t range_end = 0;
  int64_t range_interval = 0;

  bool operator==(const Partitioning&) const = default;
};

// The partition ids that hold what has no partition of its own (google-semantics A2 #13).
inline constexpr std::string_view kNullPartition = "__NULL__";
inline constexpr std::string_view kUnpartitionedPartition = "__UNPARTITIONED__";

struct StreamingBuffer {
  uint64_t estimated_rows = 0;  // a lower bound (google-semantics trap 4)
  uint64_t estimated_bytes = 0;
  int64_t oldest_entry_ms = 0;
};

// One table as a bulk listing tells it: enough to see whether it changed.
struct TableSummary {
  TableRef ref;
  TableKind kind = TableKind::kUnknown;
  int64_t creation_ms = 0;
  int64_t last_modified_ms = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
};

// The labels of a table, by key.
struct TableLabels {
  TableRef ref;
  std::map<std::string, std::string, std::less<>> labels;
};

// The labels in a dataset's or table's resource; those that are not texts are left out.
std::map<std::string, std::string, std::less<>> LabelsOf(const Json& resource);

// One table whole.
struct TableInfo {
  TableRef ref;
  TableKind kind = TableKind::kUnknown;
  std::string location;
  std::string etag;
  int64_t creation_ms = 0;
  int64_t last_modified_ms = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  Schema schema;
  Partitioning partitioning;
  std::optional<StreamingBuffer> streaming_buffer;
  Json resource = Json::object();

  // From tables.get. Errors: kInvalidJson naming the table and the field.
  static Result<TableInfo> FromJson(const Json& resource);
};

// One partition of a table, rows and bytes of active and long-term storage added up.
struct PartitionInfo {
  TableRef ref;  // with .partition set
  int64_t last_modified_ms = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
};

}  // namespace holdfast
