#include "localcloud/ask/pruning.h"

#include <algorithm>

#include "localcloud/googlesql/words.h"
#include "model/partition_id.h"

namespace holdfast::ask {

namespace {

constexpr int64_t kDayMicros = int64_t{24} * 3'600'000'000;

// The values of the bound's column that the partition's rows have, whole span; nullopt: the bound
// is of another column.
std::optional<PartitionSpan> ValuesIn(const Partitioning& partitioning, const PartitionSpan& span,
                                      const googlesql::ColumnBound& bound) {
  if (!IsByIngestionTime(partitioning)) {
    const bool is_of_it = googlesql::SameWord(bound.column, partitioning.field);
    return is_of_it ? std::optional(span) : std::nullopt;
  }
  // All rows of a partition have the time at which it begins.
  if (googlesql::SameWord(bound.column, kPartitionTime)) {
    return PartitionSpan{span.start, span.start + 1};
  }
  if (!googlesql::SameWord(bound.column, kPartitionDate)) return std::nullopt;
  const int64_t rest = span.start % kDayMicros;
  const int64_t day = span.start - (rest < 0 ? rest + kDayMicros : rest);
  return PartitionSpan{day, day + 1};
}

}  // namespace

bool IsByIngestionTime(const Partitioning& partitioning) {
  return partitioning.kind != Partitioning::Kind::kNone &&
         partitioning.kind != Partitioning::Kind::kIntegerRange && partitioning.field.empty();
}

bool MayHold(const Partitioning& partitioning, const std::string& partition,
             const std::vector<googlesql::ColumnBound>& bounds) {
  if (partition == kNullPartition) {
    return std::ranges::all_of(bounds, [&](const googlesql::ColumnBound& bound) {
      return bound.admits_null || !googlesql::SameWord(bound.column, partitioning.field);
    });
  }
  const auto span = SpanOfPartition(partitioning, partition);
  if (!span.ok()) return true;
  return std::ranges::all_of(bounds, [&](const googlesql::ColumnBound& bound) {
    const auto values = ValuesIn(partitioning, *span, bound);
    return !values || std::ranges::any_of(bound.ranges, [&](const googlesql::ValueRange& range) {
      return range.low < values->end && values->start <= range.high;
    });
  });
}

}  // namespace holdfast::ask
