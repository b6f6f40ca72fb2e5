#include "verify/content_digest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

#include "avro/batch_builder.h"

namespace holdfast::verify {
namespace {

Schema SmallSchema() {
  Field tags{.name = "tags", .type = FieldType::kString, .mode = FieldMode::kRepeated};
  Field inner{.name = "inner", .type = FieldType::kInt64};
  Field record{.name = "record", .type = FieldType::kRecord, .fields = {inner, tags}};
  return {{{.name = "n", .type = FieldType::kInt64},
           {.name = "s", .type = FieldType::kString},
           tags,
           record}};
}

ContentDigest DigestOf(const Schema& schema, const std::vector<Json>& rows) {
  avro::BatchBuilder builder(schema);
  for (const Json& row : rows) {
    const Status appended = builder.AppendRow(row);
    CHECK(appended.ok(), appended.ok() ? "" : appended.error().message);
  }
  const avro::Batch batch = builder.Build();
  ContentDigest digest;
  digest.Add(schema, batch.view);
  return digest;
}

Json AnyRow() {
  const auto number = *rc::gen::inRange<int64_t>(-3, 3);
  const auto text = [] {
    return *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab")));
  };
  Json tags = Json::array();
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) tags.push_back(text());
  Json row = Json::array();
  row.push_back(number == 2 ? Json() : Json(number));
  row.push_back(*rc::gen::arbitrary<bool>() ? Json(text()) : Json());
  row.push_back(tags);
  row.push_back(number == 1 ? Json() : Json{{"inner", number}, {"tags", tags}});
  return row;
}

std::vector<Json> AnyRows() {
  std::vector<Json> rows;
  for (int i = *rc::gen::inRange(0, 20); i > 0; --i) rows.push_back(AnyRow());
  return rows;
}

RC_GTEST_PROP(ContentDigest, IsEqualExactlyForTheSameRowsInAnyOrder, ()) {
  std::vector<Json> a = AnyRows();
  std::vector<Json> b = *rc::gen::arbitrary<bool>() ? a : AnyRows();
  std::ranges::reverse(b);
  const bool equal_digests = DigestOf(SmallSchema(), a) == DigestOf(SmallSchema(), b);
  std::ranges::sort(a);
  std::ranges::sort(b);
  RC_ASSERT(equal_digests == (a == b));
}

RC_GTEST_PROP(ContentDigest, OfPartsMergesToThatOfTheWhole, ()) {
  const std::vector<Json> rows = AnyRows();
  const auto cut = *rc::gen::inRange<size_t>(0, rows.size() + 1);
  const auto middle = rows.begin() + static_cast<ptrdiff_t>(cut);
  ContentDigest merged = DigestOf(SmallSchema(), {rows.begin(), middle});
  merged.Merge(DigestOf(SmallSchema(), {middle, rows.end()}));
  RC_ASSERT(merged == DigestOf(SmallSchema(), rows));
  RC_ASSERT(merged.rows() == rows.size());
}

RC_GTEST_PROP(ContentDigest, OneMoreOrLessOrOtherRowIsSeen, ()) {
  std::vector<Json> rows = AnyRows();
  const ContentDigest before = DigestOf(SmallSchema(), rows);
  const Json row = AnyRow();
  rows.push_back(row);
  const ContentDigest once = DigestOf(SmallSchema(), rows);
  rows.push_back(row);
  RC_ASSERT(before != once);
  RC_ASSERT(once != DigestOf(SmallSchema(), rows));
}

struct Pair {
  std::string what;
  Field field;
  Json a;
  Json b;
  bool equal;
};

TEST(ContentDigest, TellsValuesApartAsTheHeaderSays) {
  const auto column = [](FieldType type) { return Field{.name = "c", .type = type}; };
  Field list = column(FieldType::kString);
  list.mode = FieldMode::kRepeated;
  Field range = column(FieldType::kRange);
  range.range_element_type = FieldType::kDate;
  const Pair pairs[] = {
      {"null and empty text", column(FieldType::kString), nullptr, "", false},
      {"null and zero", column(FieldType::kInt64), nullptr, 0, false},
      {"text and its beginning", column(FieldType::kString), "ab", "a", false},
      {"minus zero", column(FieldType::kFloat64), -0.0, 0.0, false},
      {"NaN", column(FieldType::kFloat64), "NaN", "NaN", true},
      {"NaN and null", column(FieldType::kFloat64), "NaN", nullptr, false},
      {"infinities", column(FieldType::kFloat64), "Infinity", "-Infinity", false},
      {"numeric", column(FieldType::kNumeric), "1.50", "1.5", true},
      {"numeric", column(FieldType::kNumeric), "1.5", "1.500000001", false},
      {"null and empty list", list, nullptr, Json::array(), true},
      {"lists cut elsewhere", list, {"ab", ""}, {"a", "b"}, false},
      {"order in a list", list, {"a", "b"}, {"b", "a"}, false},
      {"unbounded range",
       range,
       {{"start", "2024-01-01"}, {"end", nullptr}},
       {{"start", nullptr}, {"end", "2024-01-01"}},
       false},
  };
  for (const Pair& pair : pairs) {
    const Schema schema{{pair.field}};
    const bool equal =
        DigestOf(schema, {Json::array({pair.a})}) == DigestOf(schema, {Json::array({pair.b})});
    EXPECT_EQ(equal, pair.equal) << pair.what;
  }
}

TEST(ContentDigest, EveryNanIsOne) {
  const Schema schema{{{.name = "c", .type = FieldType::kFloat64}}};
  const double values[] = {std::numeric_limits<double>::quiet_NaN(),
                           -std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::signaling_NaN()};
  std::vector<ContentDigest> digests(3);
  for (int i = 0; i < 3; ++i) {
    avro::ColumnView column{.data = &values[i], .rows = 1};
    digests[i].Add(schema, {.rows = 1, .columns = {column}});
  }
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_EQ(digests[0], digests[2]);
}

TEST(ContentDigest, ColumnsThatSwapTheirValuesAreSeen) {
  const Schema schema{
      {{.name = "a", .type = FieldType::kInt64}, {.name = "b", .type = FieldType::kInt64}}};
  EXPECT_NE(DigestOf(schema, {{1, 2}}), DigestOf(schema, {{2, 1}}));
}

TEST(ContentDigest, RoundTripsThroughText) {
  const ContentDigest digest = DigestOf(SmallSchema(), {{1, "x", Json::array(), nullptr}});
  EXPECT_EQ(ContentDigest::Parse(digest.ToString()), digest);
  EXPECT_EQ(ContentDigest().ToString(), "hf1:0:" + std::string(32, '0'));
  for (const std::string text :
       {"", "hf1", "hf1:1", "hf2:0:00000000000000000000000000000000",
        "hf1:01:00000000000000000000000000000000", "hf1:1:0000000000000000000000000000000g"}) {
    EXPECT_FALSE(ContentDigest::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace holdfast::verify
