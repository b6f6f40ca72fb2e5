#include "model/partition_id.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

namespace holdfast {
namespace {

using Kind = Partitioning::Kind;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kYear1 = -62'135'596'800 * kSecond;      // 0001-01-01
constexpr int64_t kYear10000 = 253'402'300'800 * kSecond;  // 10000-01-01

Partitioning Range(int64_t start, int64_t end, int64_t interval) {
  return {.kind = Kind::kIntegerRange,
          .field = "n",
          .range_start = start,
          .range_end = end,
          .range_interval = interval};
}

struct SpanCase {
  Kind kind;
  std::string_view id;
  int64_t start;
  int64_t end;
};

TEST(PartitionId, NamesTheSpanThatBigQueryMeans) {
  constexpr int64_t kHour = 3600 * kSecond;
  const SpanCase cases[] = {
      {Kind::kHour, "1970010100", 0, kHour},
      {Kind::kHour, "1969123123", -kHour, 0},
      {Kind::kDay, "19700102", 24 * kHour, 48 * kHour},
      {Kind::kDay, "20240229", 1'709'164'800 * kSecond, 1'709'251'200 * kSecond},
      {Kind::kDay, "00010101", kYear1, kYear1 + 24 * kHour},
      {Kind::kDay, "99991231", kYear10000 - 24 * kHour, kYear10000},
      {Kind::kMonth, "197001", 0, 31 * 24 * kHour},
      {Kind::kMonth, "197012", 334 * 24 * kHour, 365 * 24 * kHour},
      {Kind::kYear, "1970", 0, 365 * 24 * kHour},
      {Kind::kYear, "9999", kYear10000 - 365 * 24 * kHour, kYear10000},
  };
  for (const SpanCase& item : cases) {
    const auto span = SpanOfPartition({.kind = item.kind}, item.id);
    ASSERT_TRUE(span.ok()) << item.id << ": " << span.error().message;
    EXPECT_EQ(*span, (PartitionSpan{item.start, item.end})) << item.id;
  }
}

TEST(PartitionId, RefusesWhatIsNoIdOfItsKind) {
  const std::pair<Kind, std::string_view> cases[] = {{Kind::kDay, "20230229"},
                                                     {Kind::kDay, "20231301"},
                                                     {Kind::kDay, "2023010"},
                                                     {Kind::kDay, "202301011"},
                                                     {Kind::kDay, "2023-101"},
                                                     {Kind::kDay, "00000101"},
                                                     {Kind::kDay, ""},
                                                     {Kind::kDay, "__NULL__"},
                                                     {Kind::kHour, "2023010124"},
                                                     {Kind::kMonth, "202300"},
                                                     {Kind::kYear, "0000"},
                                                     {Kind::kNone, "20230101"},
                                                     {Kind::kYear, "20230101"},
                                                     {Kind::kDay, "__UNPARTITIONED__"}};
  for (const auto& [kind, id] : cases) {
    const auto span = SpanOfPartition({.kind = kind}, id);
    ASSERT_FALSE(span.ok()) << id;
    EXPECT_EQ(span.error().id, ErrorId::kInvalidName);
  }
}

TEST(PartitionId, IntegerRangesAreNamedByTheirStart) {
  const Partitioning range = Range(-25, 30, 10);
  EXPECT_EQ(PartitionOfValue(range, -25), "-25");
  EXPECT_EQ(PartitionOfValue(range, -16), "-25");
  EXPECT_EQ(PartitionOfValue(range, -1), "-5");
  EXPECT_EQ(PartitionOfValue(range, 29), "25");
  EXPECT_EQ(PartitionOfValue(range, 30), kUnpartitionedPartition);
  EXPECT_EQ(PartitionOfValue(range, -26), kUnpartitionedPartition);
  EXPECT_EQ(*SpanOfPartition(range, "25"), (PartitionSpan{25, 30}));
  for (const std::string_view id : {"-24", "35", "+5", "05", "5x", "-35", ""}) {
    EXPECT_FALSE(SpanOfPartition(range, id).ok()) << id;
  }
}

TEST(PartitionId, NullAndUnpartitionedAreIdsWithoutASpan) {
  const Partitioning day{.kind = Kind::kDay};
  EXPECT_EQ(PartitionOfValue(day, std::nullopt), kNullPartition);
  EXPECT_EQ(PartitionOfValue(day, kYear10000), kUnpartitionedPartition);
  EXPECT_EQ(PartitionOfValue(day, kYear1 - 1), kUnpartitionedPartition);
  EXPECT_TRUE(ValidatePartitionId(day, kNullPartition).ok());
  EXPECT_TRUE(ValidatePartitionId(day, kUnpartitionedPartition).ok());
  EXPECT_FALSE(ValidatePartitionId({}, kNullPartition).ok());
}

Kind AnyTimeKind() { return *rc::gen::element(Kind::kHour, Kind::kDay, Kind::kMonth, Kind::kYear); }

RC_GTEST_PROP(PartitionId, EveryTimeIsInTheSpanOfItsPartition, ()) {
  const Partitioning partitioning{.kind = AnyTimeKind()};
  const int64_t micros = *rc::gen::inRange(kYear1, kYear10000);
  const std::string id = PartitionOfValue(partitioning, micros);
  const auto span = SpanOfPartition(partitioning, id);
  RC_ASSERT(span.ok());
  RC_ASSERT(span->Contains(micros));
  RC_ASSERT(PartitionOfValue(partitioning, span->start) == id);
  RC_ASSERT(PartitionOfValue(partitioning, span->end - 1) == id);
  RC_ASSERT(PartitionOfValue(partitioning, span->end) != id);
}

RC_GTEST_PROP(PartitionId, EveryIntegerIsInTheSpanOfItsPartition, ()) {
  const int64_t start = *rc::gen::arbitrary<int64_t>();
  const int64_t end = *rc::gen::suchThat(rc::gen::arbitrary<int64_t>(),
                                         [&](int64_t value) { return value != start; });
  const int64_t interval = *rc::gen::inRange<int64_t>(1, std::numeric_limits<int64_t>::max());
  const Partitioning range = Range(std::min(start, end), std::max(start, end), interval);
  const int64_t value = *rc::gen::inRange(range.range_start, range.range_end);
  const std::string id = PartitionOfValue(range, value);
  const auto span = SpanOfPartition(range, id);
  RC_ASSERT(span.ok());
  RC_ASSERT(span->Contains(value));
  RC_ASSERT(PartitionOfValue(range, span->start) == id);
}

RC_GTEST_PROP(PartitionId, AnyTextThatHasASpanIsTheIdOfItsStart, ()) {
  const Partitioning partitioning{.kind = AnyTimeKind()};
  const auto id = *rc::gen::container<std::string>(rc::gen::inRange('0', '9'));
  const auto span = SpanOfPartition(partitioning, id);
  RC_PRE(span.ok() || id.size() < 11);
  if (span.ok()) RC_ASSERT(PartitionOfValue(partitioning, span->start) == id);
}

}  // namespace
}  // namespace holdfast
