// Partition ids: between the text after '$' and the span of values that a partition holds.
//
// Ids are UTC and of one form per kind: HOUR YYYYMMDDHH, DAY YYYYMMDD, MONTH YYYYMM, YEAR YYYY,
// integer range the decimal start of the range. `__NULL__` and `__UNPARTITIONED__` hold what has no
// partition of its own and have no span. Years are 0001..9999. Pure functions.
// Source: google-semantics A2 #13, #14.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/table.h"

namespace holdfast {

// The values of one partition, [start, end): microseconds since 1970 UTC for the kinds of time
// (also when the column is a DATE), the column's own integers for an integer range.
struct PartitionSpan {
  int64_t start = 0;
  int64_t end = 0;

  bool Contains(int64_t value) const { return start <= value && value < end; }
  bool operator==(const PartitionSpan&) const = default;
};

// Whether `id` is one of the two that have no span.
bool IsSpecialPartition(std::string_view id);

// The span of partition `id`. Errors: kInvalidName for text that is no id of this kind of
// partitioning (another kind's, a date that does not exist, an integer that starts no range), for
// the special partitions, and for a table that is not partitioned.
Result<PartitionSpan> SpanOfPartition(const Partitioning& partitioning, std::string_view id);

// The id of the partition that holds `value` (units as in PartitionSpan): nullopt is `__NULL__`; an
// integer outside of the range, or a time outside of years 0001..9999, is `__UNPARTITIONED__`.
// Empty for a table that is not partitioned.
std::string PartitionOfValue(const Partitioning& partitioning, std::optional<int64_t> value);

// Whether `id` may name a partition of such a table: one with a span, or a special one.
Status ValidatePartitionId(const Partitioning& partitioning, std::string_view id);

// "DAY", "HOUR", "MONTH", "YEAR", "INTEGER_RANGE", "NONE" and back; nullopt for other text.
std::string_view PartitioningKindName(Partitioning::Kind kind);
std::optional<Partitioning::Kind> FindPartitioningKind(std::string_view name);

}  // namespace holdfast
