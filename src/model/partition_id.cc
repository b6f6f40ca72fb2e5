#include "model/partition_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace holdfast {

namespace {

using Kind = Partitioning::Kind;
using std::chrono::day;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::month;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::sys_time;
using std::chrono::year;
using std::chrono::year_month_day;
using std::chrono::years;

using Micros = sys_time<microseconds>;

constexpr Micros kFirstTime = sys_days{year{1} / 1 / 1};
constexpr Micros kEndOfTime = sys_days{year{10000} / 1 / 1};

struct KindName {
  Kind kind;
  std::string_view name;
};

constexpr std::array<KindName, 6> kKindNames = {{
    {Kind::kNone, "NONE"},
    {Kind::kHour, "HOUR"},
    {Kind::kDay, "DAY"},
    {Kind::kMonth, "MONTH"},
    {Kind::kYear, "YEAR"},
    {Kind::kIntegerRange, "INTEGER_RANGE"},
}};

Error NoSuchId(std::string_view id, Kind kind) {
  return MakeError(ErrorId::kInvalidName, fmt::format("\"{}\" is not the id of a {} partition", id,
                                                      PartitioningKindName(kind)));
}

// Digits of an id of time, or 0 for a kind without.
size_t DigitsOf(Kind kind) {
  switch (kind) {
    case Kind::kYear:
      return 4;
    case Kind::kMonth:
      return 6;
    case Kind::kDay:
      return 8;
    case Kind::kHour:
      return 10;
    case Kind::kNone:
    case Kind::kIntegerRange:
      break;
  }
  return 0;
}

// The number in `digits` of `id`, which holds only digits.
unsigned Number(std::string_view id, size_t at, size_t digits) {
  unsigned number = 0;
  std::from_chars(id.data() + at, id.data() + at + digits, number);
  return number;
}

Result<PartitionSpan> SpanOfTime(Kind kind, std::string_view id) {
  const bool digits = std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || id.size() != DigitsOf(kind)) return NoSuchId(id, kind);
  const auto date = year{static_cast<int>(Number(id, 0, 4))} /
                    month{id.size() >= 6 ? Number(id, 4, 2) : 1} /
                    day{id.size() >= 8 ? Number(id, 6, 2) : 1};
  const unsigned hour = id.size() >= 10 ? Number(id, 8, 2) : 0;
  if (!date.ok() || date.year() < year{1} || hour > 23) return NoSuchId(id, kind);

  const Micros start = sys_days{date} + hours{hour};
  Micros end = start + hours{1};
  if (kind == Kind::kDay) end = start + days{1};
  if (kind == Kind::kMonth) end = sys_days{date + months{1}};
  if (kind == Kind::kYear) end = sys_days{date + years{1}};
  return PartitionSpan{start.time_since_epoch().count(), end.time_since_epoch().count()};
}

// How far `value` is above the start of the range; wide, because the two may be far apart.
__int128 OffsetInRange(const Partitioning& partitioning, int64_t value) {
  return static_cast<__int128>(value) - partitioning.range_start;
}

// The span of the partition that begins at `start`; the last one may be shorter.
PartitionSpan SpanFrom(const Partitioning& partitioning, int64_t start) {
  const __int128 end = static_cast<__int128>(start) + partitioning.range_interval;
  return {start, end < partitioning.range_end ? static_cast<int64_t>(end) : partitioning.range_end};
}

Result<PartitionSpan> SpanOfInteger(const Partitioning& partitioning, std::string_view id) {
  int64_t start = 0;
  const auto [end, code] = std::from_chars(id.data(), id.data() + id.size(), start);
  const bool canonical =
      code == std::errc() && end == id.data() + id.size() && std::to_string(start) == id;
  if (!canonical || start < partitioning.range_start || start >= partitioning.range_end ||
      OffsetInRange(partitioning, start) % partitioning.range_interval != 0) {
    return NoSuchId(id, partitioning.kind);
  }
  return SpanFrom(partitioning, start);
}

std::string PartitionOfInteger(const Partitioning& partitioning, int64_t value) {
  if (value < partitioning.range_start || value >= partitioning.range_end) {
    return std::string(kUnpartitionedPartition);
  }
  const __int128 steps = OffsetInRange(partitioning, value) / partitioning.range_interval;
  const __int128 start = partitioning.range_start + steps * partitioning.range_interval;
  return std::to_string(static_cast<int64_t>(start));
}

std::string PartitionOfTime(Kind kind, int64_t micros) {
  const Micros time{microseconds{micros}};
  if (time < kFirstTime || time >= kEndOfTime) return std::string(kUnpartitionedPartition);
  const sys_days midnight = floor<days>(time);
  const year_month_day date{midnight};
  std::string id = fmt::format(
      "{:04}{:02}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), floor<hours>(time - midnight).count());
  id.resize(DigitsOf(kind));
  return id;
}

}  // namespace

bool IsSpecialPartition(std::string_view id) {
  return id == kNullPartition || id == kUnpartitionedPartition;
}

Result<PartitionSpan> SpanOfPartition(const Partitioning& partitioning, std::string_view id) {
  if (partitioning.kind == Kind::kNone || IsSpecialPartition(id)) {
    return NoSuchId(id, partitioning.kind);
  }
  if (partitioning.kind == Kind::kIntegerRange) return SpanOfInteger(partitioning, id);
  return SpanOfTime(partitioning.kind, id);
}

std::string PartitionOfValue(const Partitioning& partitioning, std::optional<int64_t> value) {
  if (partitioning.kind == Kind::kNone) return {};
  if (!value) return std::string(kNullPartition);
  if (partitioning.kind == Kind::kIntegerRange) return PartitionOfInteger(partitioning, *value);
  return PartitionOfTime(partitioning.kind, *value);
}

Status ValidatePartitionId(const Partitioning& partitioning, std::string_view id) {
  if (partitioning.kind != Kind::kNone && IsSpecialPartition(id)) return Ok();
  HF_RETURN_IF_ERROR(SpanOfPartition(partitioning, id));
  return Ok();
}

std::string_view PartitioningKindName(Kind kind) {
  return std::ranges::find(kKindNames, kind, &KindName::kind)->name;
}

std::optional<Kind> FindPartitioningKind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name, &KindName::name);
  if (found == kKindNames.end()) return std::nullopt;
  return found->kind;
}

}  // namespace holdfast
