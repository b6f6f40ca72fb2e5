// Date parts of GoogleSQL in DuckDB: truncation, differences, extraction, intervals.
//
// BigQuery's weeks start on Sunday, DuckDB's on Monday: times are shifted by whole days, cut, and
// shifted back. Parts are upper-case words, "WEEK(MONDAY)" for a week of that first day. Pure
// functions; nullopt means that the type has no such part. TIMESTAMPs are cut in a time zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "localcloud/googlesql/coerce.h"

namespace holdfast::googlesql {

// INTERVAL amount PART; the amount is a BIGINT expression.
std::optional<std::string> IntervalSql(std::string_view amount_sql, std::string_view part);

// Whether a part is of a day or more (YEAR ... DAY), or of a day or less (DAY ... MICROSECOND).
bool IsDatePart(std::string_view part);
bool IsTimePart(std::string_view part);

// The length of a part of a day or less; nullopt: it has no fixed length.
std::optional<int64_t> PartMicroseconds(std::string_view part);

// The value cut to a part. `value` is a DATE or DATETIME.
std::optional<std::string> TruncateSql(const TypedSql& value, std::string_view part);

// The number of part boundaries between two DATEs, DATETIMEs or TIMEs: `left` minus `right`.
std::optional<std::string> DifferenceSql(const TypedSql& left, const TypedSql& right,
                                         std::string_view part);

// The number of whole parts between two TIMESTAMPs, as TIMESTAMP_DIFF counts.
std::optional<std::string> TimestampDifferenceSql(std::string_view left, std::string_view right,
                                                  std::string_view part);

// EXTRACT(part FROM value AT TIME ZONE zone).
std::optional<TypedSql> ExtractSql(const TypedSql& value, std::string_view part,
                                   const std::optional<std::string>& zone_sql);

}  // namespace holdfast::googlesql
