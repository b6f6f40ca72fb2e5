#include "localcloud/googlesql/date_parts.h"

#include <fmt/format.h>

#include <array>

namespace holdfast::googlesql {
namespace {

using enum TypeKind;

struct PartEntry {
  std::string_view name;
  std::string_view duck_name;  // of date_trunc and date_diff
  std::string_view interval;   // makes an INTERVAL of a number {}
  bool of_date = false;        // a DATE has it
  bool of_time = false;        // a TIME has it
  int64_t microseconds = 0;    // its length, if that is fixed and at most a day
};

constexpr std::array<PartEntry, 12> kParts = {{
    {"YEAR", "year", "to_years(CAST({} AS INTEGER))", true, false, 0},
    {"ISOYEAR", "isoyear", "", true, false, 0},
    {"QUARTER", "quarter", "to_months(CAST(3 * {} AS INTEGER))", true, false, 0},
    {"MONTH", "month", "to_months(CAST({} AS INTEGER))", true, false, 0},
    {"WEEK", "week", "to_days(CAST(7 * {} AS INTEGER))", true, false, 0},
    {"ISOWEEK", "week", "", true, false, 0},
    {"DAY", "day", "to_days(CAST({} AS INTEGER))", true, false, 86400000000},
    {"HOUR", "hour", "to_hours({})", false, true, 3600000000},
    {"MINUTE", "minute", "to_minutes({})", false, true, 60000000},
    {"SECOND", "second", "to_microseconds(1000000 * {})", false, true, 1000000},
    {"MILLISECOND", "millisecond", "to_microseconds(1000 * {})", false, true, 1000},
    {"MICROSECOND", "microsecond", "to_microseconds({})", false, true, 1},
}};

const PartEntry* FindPart(std::string_view name) {
  if (name.starts_with("WEEK(")) name = "WEEK";
  for (const PartEntry& entry : kParts) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

// How many days forward a week that starts on the part's weekday becomes one that starts on Monday;
// nullopt: no such weekday.
std::optional<int> WeekShift(std::string_view part) {
  if (part == "WEEK") return 1;
  constexpr std::array<std::string_view, 7> kWeekdays = {
      "WEEK(MONDAY)",   "WEEK(SUNDAY)",    "WEEK(SATURDAY)", "WEEK(FRIDAY)",
      "WEEK(THURSDAY)", "WEEK(WEDNESDAY)", "WEEK(TUESDAY)"};
  if (!part.starts_with("WEEK(")) return 0;
  for (size_t i = 0; i < kWeekdays.size(); ++i) {
    if (kWeekdays[i] == part) return static_cast<int>(i);
  }
  return std::nullopt;
}

bool HasPart(TypeKind kind, const PartEntry& part) {
  if (kind == kDate) return part.of_date;
  if (kind == kTime) return part.of_time;
  return true;
}

std::string Number(std::string_view part, std::string_view sql) {
  return fmt::format("CAST(extract({} FROM {}) AS BIGINT)", part, sql);
}

// EXTRACT of a civil time or date; empty: no such part.
std::string ExtractNumber(std::string_view part, std::string_view sql) {
  if (part == "DAYOFWEEK") return fmt::format("({} + 1)", Number("dow", sql));
  if (part == "DAYOFYEAR") return Number("doy", sql);
  if (part == "WEEK" || part == "WEEK(SUNDAY)") {
    return fmt::format("CAST(strftime({}, '%U') AS BIGINT)", sql);
  }
  if (part == "WEEK(MONDAY)") return fmt::format("CAST(strftime({}, '%W') AS BIGINT)", sql);
  if (part == "MILLISECOND") return fmt::format("({} % 1000)", Number("millisecond", sql));
  if (part == "MICROSECOND") return fmt::format("({} % 1000000)", Number("microsecond", sql));
  const PartEntry* const entry = FindPart(part);
  if (entry == nullptr || part.starts_with("WEEK(")) return {};
  return Number(entry->duck_name, sql);
}

}  // namespace

std::optional<std::string> IntervalSql(std::string_view amount_sql, std::string_view part) {
  const PartEntry* const entry = FindPart(part);
  if (entry == nullptr || entry->interval.empty() || part.starts_with("WEEK(")) return std::nullopt;
  return fmt::format(fmt::runtime(entry->interval), amount_sql);
}

bool IsDatePart(std::string_view part) {
  const PartEntry* const entry = FindPart(part);
  return entry != nullptr && entry->of_date;
}

bool IsTimePart(std::string_view part) { return PartMicroseconds(part).has_value(); }

std::optional<int64_t> PartMicroseconds(std::string_view part) {
  const PartEntry* const entry = FindPart(part);
  if (entry == nullptr || entry->microseconds == 0) return std::nullopt;
  return entry->microseconds;
}

std::optional<std::string> TruncateSql(const TypedSql& value, std::string_view part) {
  const PartEntry* const entry = FindPart(part);
  const std::optional<int> shift = WeekShift(part);
  if (entry == nullptr || !shift || !HasPart(value.type.kind, *entry)) return std::nullopt;
  std::string cut = fmt::format("date_trunc('{}', {})", entry->duck_name, value.sql);
  if (*shift != 0) {
    cut = fmt::format("(date_trunc('{0}', {1} + to_days({2})) - to_days({2}))", entry->duck_name,
                      value.sql, *shift);
  }
  if (value.type.kind != kDate) return cut;
  return fmt::format("CAST({} AS DATE)", cut);
}

std::optional<std::string> DifferenceSql(const TypedSql& left, const TypedSql& right,
                                         std::string_view part) {
  const PartEntry* const entry = FindPart(part);
  const std::optional<int> shift = WeekShift(part);
  if (entry == nullptr || !shift || !HasPart(left.type.kind, *entry)) return std::nullopt;
  if (part == "ISOYEAR") {
    return fmt::format("(extract(isoyear FROM {}) - extract(isoyear FROM {}))", left.sql,
                       right.sql);
  }
  if (entry->duck_name != "week") {
    return fmt::format("date_diff('{}', {}, {})", entry->duck_name, right.sql, left.sql);
  }
  // DuckDB counts whole weeks; BigQuery how often a week begins between the two.
  const auto week = [&](const TypedSql& value) { return *TruncateSql(value, part); };
  return fmt::format("(date_diff('day', {}, {}) // 7)", week(right), week(left));
}

std::optional<std::string> TimestampDifferenceSql(std::string_view left, std::string_view right,
                                                  std::string_view part) {
  const PartEntry* const entry = FindPart(part);
  if (entry == nullptr || entry->microseconds == 0) return std::nullopt;
  return fmt::format("((epoch_us({}) - epoch_us({})) // {})", left, right, entry->microseconds);
}

std::optional<TypedSql> ExtractSql(const TypedSql& value, std::string_view part,
                                   const std::optional<std::string>& zone_sql) {
  const TypeKind kind = value.type.kind;
  if (kind != kDate && kind != kDatetime && kind != kTime && kind != kTimestamp)
    return std::nullopt;
  const std::string civil =
      kind == kTimestamp ? fmt::format("timezone({}, {})", zone_sql.value_or("'UTC'"), value.sql)
                         : value.sql;
  TypedSql result;
  const bool has_both = kind == kDatetime || kind == kTimestamp;
  if (has_both && (part == "DATE" || part == "TIME")) {
    result.sql = fmt::format("CAST({} AS {})", civil, part);
    result.type = Type::Of(part == "DATE" ? kDate : kTime);
    return result;
  }
  if (kind == kTimestamp && part == "DATETIME") {
    result.sql = civil;
    result.type = Type::Of(kDatetime);
    return result;
  }
  const PartEntry* const entry = FindPart(part);
  const bool is_day_number = part == "DAYOFWEEK" || part == "DAYOFYEAR";
  if (entry == nullptr ? (!is_day_number || kind == kTime) : !HasPart(kind, *entry)) {
    return std::nullopt;
  }
  result.sql = ExtractNumber(part, civil);
  result.type = Type::Of(kInt64);
  if (result.sql.empty()) return std::nullopt;
  return result;
}

}  // namespace holdfast::googlesql
