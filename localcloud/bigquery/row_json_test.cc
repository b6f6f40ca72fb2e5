#include "localcloud/bigquery/row_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "avro/batch_builder.h"

namespace holdfast::bigquery {
namespace {

TEST(FormatFloat64, PrintsTheShortestDigitsThatReadBack) {
  const struct {
    double value;
    const char* text;
  } kCases[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.0, "1.0"},
      {1.5, "1.5"},
      {-2.25, "-2.25"},
      {0.1, "0.1"},
      {0.001, "0.001"},
      {0.00012, "1.2E-4"},
      {123456.75, "123456.75"},
      {1234567.0, "1234567.0"},
      {1e7, "1.0E7"},
      {1.763720324e9, "1.763720324E9"},
      {1.7976931348623157e308, "1.7976931348623157E308"},
      {5e-324, "5.0E-324"},
      {std::numeric_limits<double>::infinity(), "Infinity"},
      {-std::numeric_limits<double>::infinity(), "-Infinity"},
      {std::nan(""), "NaN"},
  };
  for (const auto& c : kCases) EXPECT_EQ(FormatFloat64(c.value), c.text);
}

// One row of `row` under a schema of one column, as a REST cell.
Json Cell(const Json& field, const Json& value,
          TimestampFormat format = TimestampFormat::kFloatSeconds) {
  const Schema schema = Schema::FromJson({{"fields", Json::array({field})}}).value();
  avro::BatchBuilder builder(schema);
  const Status appended = builder.AppendRow(Json::array({value}));
  EXPECT_TRUE(appended.ok()) << field;
  const avro::Batch batch = builder.Build();
  return RowToJson(schema.fields, batch.view, 0, format)["f"][0]["v"];
}

Json FieldOf(const char* type, const char* mode = "NULLABLE") {
  return {{"name", "x"}, {"type", type}, {"mode", mode}};
}

TEST(RowToJson, PrintsEveryScalarAsText) {
  const struct {
    const char* type;
    Json value;
    Json cell;
  } kCases[] = {
      {"INTEGER", INT64_MIN, "-9223372036854775808"},
      {"FLOAT", 1.0, "1.0"},
      {"BOOLEAN", true, "true"},
      {"STRING", "a\"\u00e9", "a\"\u00e9"},
      {"BYTES", "AAH/", "AAH/"},
      {"NUMERIC", "12.5", "12.5"},
      {"BIGNUMERIC", "0.00000000000000000000000000000000000001",
       "0.00000000000000000000000000000000000001"},
      {"DATE", "2026-03-15", "2026-03-15"},
      {"TIME", "10:18:44", "10:18:44"},
      {"TIME", "10:18:44.5", "10:18:44.500000"},
      {"DATETIME", "2026-03-15T10:18:44.000001", "2026-03-15T10:18:44.000001"},
      {"DATETIME", "0001-01-01T00:00:00", "0001-01-01T00:00:00"},
      {"JSON", "{\"a\":1}", "{\"a\":1}"},
      {"STRING", nullptr, nullptr},
  };
  for (const auto& c : kCases) EXPECT_EQ(Cell(FieldOf(c.type), c.value), c.cell) << c.type;
}

TEST(RowToJson, PrintsTimestampsInTheFormAsked) {
  const Json value = "2026-03-15T00:00:00.25Z";
  const Json field = FieldOf("TIMESTAMP");
  EXPECT_EQ(Cell(field, value), "1.77353280025E9");
  EXPECT_EQ(Cell(field, value, TimestampFormat::kInt64Micros), "1773532800250000");
  EXPECT_EQ(Cell(field, value, TimestampFormat::kIso8601), "2026-03-15T00:00:00.25Z");
}

TEST(RowToJson, NestsRecordsAndRepeatedValues) {
  Json record = FieldOf("RECORD", "REPEATED");
  record["fields"] = Json::array({FieldOf("INTEGER", "REPEATED")});
  const Json cell = Cell(record, Json::array({{{"x", {1, 2}}}, {{"x", Json::array()}}}));
  EXPECT_EQ(DumpJson(cell),
            R"([{"v":{"f":[{"v":[{"v":"1"},{"v":"2"}]}]}},{"v":{"f":[{"v":[]}]}}])");
}

TEST(RowToJson, PrintsRangesWithOpenEnds) {
  Json field = FieldOf("RANGE");
  field["rangeElementType"] = {{"type", "DATE"}};
  EXPECT_EQ(Cell(field, {{"start", "2026-01-01"}, {"end", nullptr}}), "[2026-01-01, UNBOUNDED)");
}

TEST(TimestampFormatOf, ReadsBothOptions) {
  EXPECT_EQ(TimestampFormatOf(false, ""), TimestampFormat::kFloatSeconds);
  EXPECT_EQ(TimestampFormatOf(true, ""), TimestampFormat::kInt64Micros);
  EXPECT_EQ(TimestampFormatOf(false, "ISO8601_STRING"), TimestampFormat::kIso8601);
  EXPECT_EQ(TimestampFormatOf(false, "INT64"), TimestampFormat::kInt64Micros);
}

}  // namespace
}  // namespace holdfast::bigquery
