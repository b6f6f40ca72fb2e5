#include "localcloud/warehouse/partitioning.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

#include "localcloud/warehouse/identifier.h"

namespace holdfast::warehouse {

namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;
constexpr int64_t kDaysBeforeEpoch = 719'162;  // from 0001-01-01 to 1970-01-01
constexpr int64_t kOutOfRangeBucket = std::numeric_limits<int64_t>::min();
constexpr int64_t kRangeStepsMax = 10'000;  // BigQuery: partitions of a table

Error InvalidPartitioning(std::string message) {
  return WithReason("invalid", MakeError(ErrorId::kWarehouseInvalidSchema, std::move(message)));
}

struct UnitForm {
  std::string_view name;
  PartitionUnit unit;
  size_t digits;  // of a partition id
};
constexpr std::array<UnitForm, 4> kUnits = {{{"HOUR", PartitionUnit::kHour, 10},
                                             {"DAY", PartitionUnit::kDay, 8},
                                             {"MONTH", PartitionUnit::kMonth, 6},
                                             {"YEAR", PartitionUnit::kYear, 4}}};

const UnitForm& FormOf(PartitionUnit unit) {
  return *std::ranges::find(kUnits, unit, &UnitForm::unit);
}

Result<const Field*> PartitionColumn(const Schema& schema, const std::string& column) {
  const Field* field = schema.Find(column);
  if (field == nullptr) {
    return InvalidPartitioning(fmt::format(
        "The field specified for partitioning cannot be found in the schema: {}", column));
  }
  if (field->mode == FieldMode::kRepeated) {
    return InvalidPartitioning(
        fmt::format("The field specified for partitioning is REPEATED: {}", column));
  }
  return field;
}

Result<Partitioning> TimePartitioning(const Json& json, const Schema& schema) {
  Partitioning partitioning;
  const std::string type = StringOr(json, "type", "DAY");
  const auto* form = std::ranges::find(kUnits, type, &UnitForm::name);
  if (form == kUnits.end()) {
    return InvalidPartitioning(fmt::format("timePartitioning.type \"{}\" is not supported", type));
  }
  partitioning.unit = form->unit;
  HF_ASSIGN_OR_RETURN(const auto expiration, OptionalInt64(json, "expirationMs"));
  partitioning.expiration_ms = std::max<int64_t>(expiration.value_or(0), 0);
  partitioning.column = StringOr(json, "field", "");
  if (partitioning.column.empty()) {
    partitioning.kind = PartitionKind::kIngestionTime;
    return partitioning;
  }
  partitioning.kind = PartitionKind::kTimeColumn;
  HF_ASSIGN_OR_RETURN(const Field* field, PartitionColumn(schema, partitioning.column));
  const bool by_date = field->type == FieldType::kDate;
  const bool by_time = field->type == FieldType::kTimestamp || field->type == FieldType::kDateTime;
  if ((!by_date && !by_time) || (by_date && partitioning.unit == PartitionUnit::kHour)) {
    return InvalidPartitioning(fmt::format("{} partitioning cannot use field {} of type {}", type,
                                           partitioning.column, SqlTypeName(field->type)));
  }
  partitioning.column_type = field->type;
  partitioning.column = field->name;
  return partitioning;
}

Result<Partitioning> RangePartitioning(const Json& json, const Schema& schema) {
  Partitioning partitioning;
  partitioning.kind = PartitionKind::kIntegerRange;
  HF_ASSIGN_OR_RETURN(partitioning.column, RequiredString(json, "field"));
  HF_ASSIGN_OR_RETURN(const Field* field, PartitionColumn(schema, partitioning.column));
  if (field->type != FieldType::kInt64) {
    return InvalidPartitioning(
        fmt::format("Range partitioning field {} is not INT64", partitioning.column));
  }
  partitioning.column = field->name;
  const Json* range = FindField(json, "range");
  if (range == nullptr) return InvalidPartitioning("rangePartitioning.range is missing");
  HF_ASSIGN_OR_RETURN(partitioning.range_start, RequiredInt64(*range, "start"));
  HF_ASSIGN_OR_RETURN(partitioning.range_end, RequiredInt64(*range, "end"));
  HF_ASSIGN_OR_RETURN(partitioning.range_interval, RequiredInt64(*range, "interval"));
  const __int128 width = static_cast<__int128>(partitioning.range_end) - partitioning.range_start;
  if (partitioning.range_interval <= 0 || width <= 0 ||
      width / partitioning.range_interval > kRangeStepsMax) {
    return InvalidPartitioning(fmt::format(
        "rangePartitioning.range must be ascending and have at most {} intervals", kRangeStepsMax));
  }
  return partitioning;
}

// Reads all of `text` as a decimal number.
std::optional<int64_t> ReadInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The instant at which the partition with this time id begins.
std::optional<Timestamp> StartOfTimeId(PartitionUnit unit, std::string_view id) {
  const auto all_digits = [](char c) { return c >= '0' && c <= '9'; };
  if (id.size() != FormOf(unit).digits || !std::ranges::all_of(id, all_digits)) return std::nullopt;
  const auto part = [&](size_t at, size_t digits, unsigned absent) {
    if (at >= id.size()) return absent;
    return static_cast<unsigned>(*ReadInteger(id.substr(at, digits)));
  };
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(part(0, 4, 0))},
                                         std::chrono::month{part(4, 2, 1)},
                                         std::chrono::day{part(6, 2, 1)}};
  const unsigned hour = part(8, 2, 0);
  if (!date.ok() || hour > 23 || static_cast<int>(date.year()) < 1) return std::nullopt;
  return Timestamp{sys_days{date}} + std::chrono::hours{hour};
}

std::string TimeIdOf(PartitionUnit unit, Timestamp time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const auto hour = std::chrono::floor<std::chrono::hours>(time - day).count();
  const std::string id =
      fmt::format("{:04}{:02}{:02}{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), hour);
  return id.substr(0, FormOf(unit).digits);
}

// The instant that a time bucket stands for: hours, days, months or years since 1970.
Timestamp StartOfBucket(PartitionUnit unit, int64_t bucket) {
  using std::chrono::floor;
  switch (unit) {
    case PartitionUnit::kHour:
      return Timestamp{std::chrono::hours{bucket}};
    case PartitionUnit::kDay:
      return Timestamp{days{bucket}};
    case PartitionUnit::kYear:
      bucket *= 12;
      break;
    case PartitionUnit::kMonth:
      break;
  }
  const std::chrono::year_month month = std::chrono::year{1970} / std::chrono::January;
  return sys_days{(month + std::chrono::months{bucket}) / 1};
}

std::string TimeBucketExpression(const Partitioning& partitioning) {
  const std::string column = QuoteIdentifier(partitioning.column);
  const bool by_date = partitioning.column_type == FieldType::kDate;
  // `//` cuts towards zero: count from year 1, so that nothing is negative.
  const auto units_since_epoch = [&](int64_t micros) {
    const int64_t offset = kDaysBeforeEpoch * kMicrosPerDay;
    return fmt::format("((epoch_us({}) + {}) // {} - {})", column, offset, micros, offset / micros);
  };
  switch (partitioning.unit) {
    case PartitionUnit::kHour:
      return units_since_epoch(kMicrosPerHour);
    case PartitionUnit::kDay:
      if (by_date) return fmt::format("CAST({} - DATE '1970-01-01' AS BIGINT)", column);
      return units_since_epoch(kMicrosPerDay);
    case PartitionUnit::kMonth:
    case PartitionUnit::kYear:
      break;
  }
  // A civil time has the same fields as the instant in UTC, and its functions need no time zone.
  const std::string civil = by_date ? column : fmt::format("make_timestamp(epoch_us({}))", column);
  if (partitioning.unit == PartitionUnit::kYear) return fmt::format("(year({}) - 1970)", civil);
  return fmt::format("((year({0}) - 1970) * 12 + month({0}) - 1)", civil);
}

}  // namespace

Result<Partitioning> Partitioning::FromResource(const Json& resource, const Schema& schema) {
  const Json* time = FindField(resource, "timePartitioning");
  const Json* range = FindField(resource, "rangePartitioning");
  if (time != nullptr && range != nullptr) {
    return InvalidPartitioning("A table has either timePartitioning or rangePartitioning");
  }
  if (time != nullptr) return TimePartitioning(*time, schema);
  if (range != nullptr) return RangePartitioning(*range, schema);
  return Partitioning{};
}

std::string BucketExpression(const Partitioning& partitioning) {
  if (partitioning.kind == PartitionKind::kTimeColumn) return TimeBucketExpression(partitioning);
  CHECK(partitioning.kind == PartitionKind::kIntegerRange, "rows carry no bucket");
  const std::string column = QuoteIdentifier(partitioning.column);
  return fmt::format(
      "CASE WHEN {0} IS NULL THEN NULL WHEN {0} >= {1} AND {0} < {2} "
      "THEN CAST(({0}::HUGEINT - {1}) // {3} * {3} + {1} AS BIGINT) "
      "ELSE (-9223372036854775808)::BIGINT END",
      column, partitioning.range_start, partitioning.range_end, partitioning.range_interval);
}

std::string PartitionIdOfBucket(const Partitioning& partitioning, std::optional<int64_t> bucket) {
  if (!bucket) return std::string(kNullPartition);
  if (partitioning.kind == PartitionKind::kIntegerRange) {
    return *bucket == kOutOfRangeBucket ? std::string(kUnpartitioned) : std::to_string(*bucket);
  }
  return TimeIdOf(partitioning.unit, StartOfBucket(partitioning.unit, *bucket));
}

Status ValidatePartitionId(const Partitioning& partitioning, std::string_view id) {
  bool valid = id == kNullPartition || id == kUnpartitioned;
  if (partitioning.IsByTime()) {
    valid = valid || StartOfTimeId(partitioning.unit, id).has_value();
  } else if (partitioning.kind == PartitionKind::kIntegerRange) {
    const auto start = ReadInteger(id);
    valid = valid || (start && std::to_string(*start) == id && *start >= partitioning.range_start &&
                      *start < partitioning.range_end &&
                      (static_cast<__int128>(*start) - partitioning.range_start) %
                              partitioning.range_interval ==
                          0);
  } else {
    valid = false;
  }
  if (valid) return Ok();
  return WithReason(
      "invalid",
      MakeError(ErrorId::kInvalidName, fmt::format("\"${}\" is not a partition of this table", id),
                "Use an id of the table's partitioning, for example $20261121 for days"));
}

std::string PartitionIdOfTime(const Partitioning& partitioning, Timestamp time) {
  CHECK(partitioning.IsByTime(), "partitions are not times");
  return TimeIdOf(partitioning.unit, time);
}

std::optional<Timestamp> PartitionStart(const Partitioning& partitioning, std::string_view id) {
  if (!partitioning.IsByTime()) return std::nullopt;
  return StartOfTimeId(partitioning.unit, id);
}

std::optional<Timestamp> PartitionExpiry(const Partitioning& partitioning, std::string_view id) {
  const auto start = PartitionStart(partitioning, id);
  if (!start || partitioning.expiration_ms == 0) return std::nullopt;
  return *start + std::chrono::milliseconds{partitioning.expiration_ms};
}

}  // namespace holdfast::warehouse
