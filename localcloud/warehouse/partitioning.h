// How a table is divided into partitions, and which partition a row belongs to.
//
// Partition ids are BigQuery's: YYYYMMDDHH, YYYYMMDD, YYYYMM or YYYY in UTC; the start of the range
// for integer ranges; `__NULL__` for rows whose key is NULL; `__UNPARTITIONED__` for integers
// outside the range, and for streamed rows not flushed yet. The single part of an unpartitioned
// table has the id "". Inside, a partition is an int64 bucket, which DuckDB computes for every row
// in one pass. Pure. Source: google-semantics A2 #13, #14; BigQuery "Managing partitioned tables".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/schema.h"

namespace holdfast::warehouse {

inline constexpr std::string_view kNullPartition = "__NULL__";
inline constexpr std::string_view kUnpartitioned = "__UNPARTITIONED__";

// Pseudo-columns of ingestion-time tables: made from the partition of a row's file when it is read.
inline constexpr std::string_view kPartitionTimeColumn = "_PARTITIONTIME";
inline constexpr std::string_view kPartitionDateColumn = "_PARTITIONDATE";

enum class PartitionKind { kNone, kTimeColumn, kIngestionTime, kIntegerRange };
enum class PartitionUnit { kHour, kDay, kMonth, kYear };

struct Partitioning {
  PartitionKind kind = PartitionKind::kNone;
  PartitionUnit unit = PartitionUnit::kDay;  // the time kinds
  std::string column;                        // kTimeColumn and kIntegerRange
  FieldType column_type = FieldType::kDate;  // kTimeColumn: kDate, kDateTime or kTimestamp
  int64_t range_start = 0;                   // kIntegerRange: [start, end) in steps of interval
  int64_t range_end = 0;
  int64_t range_interval = 0;
  int64_t expiration_ms = 0;  // the time kinds; 0: partitions never expire

  // Reads `timePartitioning` or `rangePartitioning` of a table resource. Errors:
  // kWarehouseInvalidSchema when the column is missing, of a wrong type or repeated, or the range
  // is empty or has more than 10,000 steps.
  static Result<Partitioning> FromResource(const Json& resource, const Schema& schema);

  bool IsPartitioned() const { return kind != PartitionKind::kNone; }
  bool IsByTime() const {
    return kind == PartitionKind::kTimeColumn || kind == PartitionKind::kIngestionTime;
  }
  bool operator==(const Partitioning&) const = default;
};

// SQL of a BIGINT that is the bucket of a row, from the partitioning column named in the relation.
// NULL: `__NULL__`; INT64_MIN: `__UNPARTITIONED__`. Only for kTimeColumn and kIntegerRange.
std::string BucketExpression(const Partitioning& partitioning);

// The partition id of a bucket; nullopt: a NULL key.
std::string PartitionIdOfBucket(const Partitioning& partitioning, std::optional<int64_t> bucket);

// Whether a row of the table could be in partition `id`, `__NULL__` and `__UNPARTITIONED__`
// included. Errors: kInvalidName, for any id when the table is not partitioned.
Status ValidatePartitionId(const Partitioning& partitioning, std::string_view id);

// The partition that holds `time`; only for the time kinds.
std::string PartitionIdOfTime(const Partitioning& partitioning, Timestamp time);

// The first instant of partition `id`; nullopt for ids that are no time.
std::optional<Timestamp> PartitionStart(const Partitioning& partitioning, std::string_view id);

// When partition `id` expires (its start plus the expiration); nullopt if it never does.
std::optional<Timestamp> PartitionExpiry(const Partitioning& partitioning, std::string_view id);

}  // namespace holdfast::warehouse
