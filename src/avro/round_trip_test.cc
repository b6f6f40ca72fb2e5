#include <gtest/gtest.h>

#include <bit>

#include "avro/file_fixture.h"

namespace holdfast::avro {
namespace {

using Mode = FieldMode;
using Type = FieldType;

// Writes and reads `rows` with every codec and both forms of DATETIME, and compares.
void ExpectRoundTrip(const Schema& schema, const std::vector<Json>& rows) {
  for (const Codec codec : kCodecs) {
    for (const DateTimeForm form : {DateTimeForm::kText, DateTimeForm::kMicros}) {
      const auto file = WriteRows(schema, rows, {.codec = codec, .datetime_form = form});
      ASSERT_TRUE(file.ok()) << file.error().message;
      const auto by_own_schema = ReadRows(*file);
      ASSERT_TRUE(by_own_schema.ok()) << by_own_schema.error().message;
      EXPECT_EQ(*by_own_schema, rows) << CodecName(codec);
      const auto by_table = ReadRows(*file, {.schema = schema});
      ASSERT_TRUE(by_table.ok()) << by_table.error().message;
      EXPECT_EQ(*by_table, rows) << CodecName(codec);
    }
  }
}

struct TypeCase {
  const char* name;
  Type type;
  std::vector<Json> values;
};

class EveryType : public testing::TestWithParam<TypeCase> {};

TEST_P(EveryType, KeepsEdgeValuesInEveryMode) {
  const Schema schema{{MakeField("required", GetParam().type, Mode::kRequired),
                       MakeField("nullable", GetParam().type),
                       MakeField("repeated", GetParam().type, Mode::kRepeated)}};
  std::vector<Json> rows;
  Json all = Json::array();
  for (const Json& value : GetParam().values) {
    all.push_back(value);
    rows.push_back({{"required", value}, {"nullable", value}, {"repeated", all}});
    rows.push_back({{"required", value}, {"nullable", nullptr}, {"repeated", Json::array()}});
  }
  ExpectRoundTrip(schema, rows);
}

const std::string k77Digits =
    "578960446186580977117854925043439539266.34992332820282019728792003956564819967";
const std::string k38Digits = "99999999999999999999999999999.999999999";

INSTANTIATE_TEST_SUITE_P(
    A4, EveryType,
    testing::Values(
        TypeCase{"Int64",
                 Type::kInt64,
                 {0, -1, 63, 64, -64, -65, 8191, 8192, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN}},
        TypeCase{"Float64",
                 Type::kFloat64,
                 {0.0, -0.0, 1.5, "NaN", "Infinity", "-Infinity", 5e-324, -2.2250738585072009e-308,
                  1.7976931348623157e308}},
        TypeCase{"Bool", Type::kBool, {true, false}},
        TypeCase{"String",
                 Type::kString,
                 {"", "a", std::string("nul\0inside", 10), "\xF0\x9F\x92\xBE astral",
                  "\xF4\x8F\xBF\xBF", "\xEF\xBB\xBFmark", std::string(70'000, 'x')}},
        TypeCase{"Bytes", Type::kBytes, {"", "AA==", "/////w==", "wIA="}},
        TypeCase{"Numeric",
                 Type::kNumeric,
                 {"0", "1", "-1", "0.000000001", "-0.000000001", "127", "128", "-128", "-129",
                  k38Digits, "-" + k38Digits}},
        TypeCase{"BigNumeric",
                 Type::kBigNumeric,
                 {"0", "-1", "0.00000000000000000000000000000000000001", k77Digits, "-" + k77Digits,
                  "-578960446186580977117854925043439539266.34992332820282019728792003956564819968",
                  "1" + std::string(38, '0'), k38Digits}},
        TypeCase{"Timestamp",
                 Type::kTimestamp,
                 {"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z",
                  "2000-02-29T12:00:00.5Z", "9999-12-31T23:59:59.999999Z"}},
        TypeCase{"Date",
                 Type::kDate,
                 {"0001-01-01", "1899-12-31", "1969-12-31", "2024-02-29", "9999-12-31"}},
        TypeCase{"Time", Type::kTime, {"00:00:00", "00:00:00.000001", "23:59:59.999999"}},
        TypeCase{"DateTime",
                 Type::kDateTime,
                 {"0001-01-01T00:00:00", "1969-12-31T23:59:59.999999", "2024-02-29T00:00:00.1",
                  "9999-12-31T23:59:59.999999"}},
        TypeCase{"Geography", Type::kGeography, {"POINT(1 2)"}},
        TypeCase{"Json", Type::kJson, {R"({"b":1,"a":[12345678901234567890]})", "null"}},
        TypeCase{"Interval", Type::kInterval, {"0-0 0 0:0:0", "-1-2 3 -4:5:6.789"}},
        TypeCase{"Range",
                 Type::kRange,
                 {{{"start", "2024-01-01"}, {"end", nullptr}},
                  {{"start", nullptr}, {"end", nullptr}},
                  {{"start", "0001-01-01"}, {"end", "9999-12-31"}}}}),
    [](const auto& test) { return test.param.name; });

TEST(RoundTrip, KeepsTheSignOfZeroAndTheBitsOfNaN) {
  const Schema schema{{MakeField("x", Type::kFloat64, Mode::kRequired)}};
  const uint64_t bits[] = {0x8000000000000000U, 0x7FF8000000000123U, 0x0000000000000001U};
  BatchBuilder builder(schema);
  for (const uint64_t value : bits) builder.column(0).AppendDouble(std::bit_cast<double>(value));
  const auto file = WriteFile(schema, builder.Build().view);
  ASSERT_TRUE(file.ok());
  auto reader = Reader::Open(SourceOf(*file));
  ASSERT_TRUE(reader.ok());
  const auto batch = (*reader)->Next(10);
  ASSERT_TRUE(batch.ok() && batch->has_value());
  EXPECT_EQ(std::memcmp((*batch)->view.columns[0].data, bits, sizeof(bits)), 0);
}

TEST(RoundTrip, TellsEmptyFromNull) {
  const Schema schema{{MakeField("b", Type::kBytes), MakeField("s", Type::kString)}};
  ExpectRoundTrip(schema, {{{"b", ""}, {"s", nullptr}}, {{"b", nullptr}, {"s", ""}}});
}

TEST(RoundTrip, KeepsDeclaredPrecisionAndScale) {
  Field price = MakeField("price", Type::kNumeric);
  price.precision = 5;
  price.scale = 2;
  Field big = MakeField("big", Type::kBigNumeric);
  big.precision = 40;
  big.scale = 12;
  const Schema schema{{price, big}};
  ExpectRoundTrip(schema,
                  {{{"price", "999.99"}, {"big", "-9999999999999999999999999999.000000000001"}},
                   {{"price", "-0.01"}, {"big", "7"}}});
  for (const char* wrong : {"1000", "0.001", "-1000"}) {
    const auto file = WriteRows(schema, {{{"price", wrong}}});
    ASSERT_FALSE(file.ok()) << wrong;
    EXPECT_EQ(file.error().id, ErrorId::kAvroBadValue);
    EXPECT_NE(file.error().message.find("\"price\", row 0"), std::string::npos);
  }
}

TEST(RoundTrip, KeepsFifteenLevelsAndRefusesSixteen) {
  Field nested = MakeField("leaf", Type::kInt64);
  Json value = {{"leaf", 42}};
  for (int level = 1; level <= kSchemaDepthMax; ++level) {
    const Mode mode = level % 3 == 1 ? Mode::kRepeated : Mode::kNullable;
    nested = MakeField("r", Type::kRecord, mode, {nested});
    value = {{"r", mode == Mode::kRepeated ? Json::array({value, value}) : value}};
  }
  ExpectRoundTrip(Schema{{nested}}, {value, {{"r", Json()}}});
  nested = MakeField("r", Type::kRecord, Mode::kNullable, {nested});
  EXPECT_EQ(WriteRows(Schema{{nested}}, {}).error().id, ErrorId::kLimitExceeded);
}

TEST(RoundTrip, KeepsListsOfRecordsWithListsInThem) {
  const Schema schema{{MakeField("id", Type::kInt64, Mode::kRequired),
                       MakeField("items", Type::kRecord, Mode::kRepeated,
                                 {MakeField("name", Type::kString),
                                  MakeField("tags", Type::kString, Mode::kRepeated),
                                  MakeField("at", Type::kRecord, Mode::kNullable,
                                            {MakeField("x", Type::kFloat64, Mode::kRequired)})})}};
  const Json at = {{"x", 1.25}};
  ExpectRoundTrip(schema, {{{"id", 1}, {"items", Json::array()}},
                           {{"id", 2},
                            {"items",
                             {{{"name", "a"}, {"tags", {"p", "q"}}, {"at", at}},
                              {{"name", nullptr}, {"tags", Json::array()}, {"at", nullptr}}}}},
                           {{"id", 3}, {"items", {{{"name", "b"}, {"tags", {""}}, {"at", at}}}}}});
}

TEST(RoundTrip, WritesANullListAsEmpty) {
  const Schema schema{{MakeField("l", Type::kInt64, Mode::kRepeated)}};
  const uint64_t validity = 0;
  const ListEntry entry{.offset = 0, .length = 1};
  const int64_t element = 5;
  BatchView view;
  view.rows = 1;
  view.columns.resize(1);
  view.columns[0] = {.validity = &validity, .data = &entry, .children = {{}}, .rows = 1};
  view.columns[0].children[0] = {.validity = nullptr, .data = &element, .children = {}, .rows = 1};
  const auto file = WriteFile(schema, view);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*ReadRows(*file), (std::vector<Json>{{{"l", Json::array()}}}));
}

TEST(RoundTrip, KeepsATableWithoutRows) {
  const Schema schema{{MakeField("a", Type::kInt64), MakeField("b", Type::kRecord, Mode::kRepeated,
                                                               {MakeField("c", Type::kString)})}};
  ExpectRoundTrip(schema, {});
}

TEST(RoundTrip, KeepsNamesThatAvroDoesNotAllow) {
  const std::string long_name(300, 'n');
  const Schema schema{
      {MakeField("größe in m²", Type::kInt64), MakeField("c0001", Type::kInt64),
       MakeField("1st", Type::kRecord, Mode::kNullable,
                 {MakeField("a-b", Type::kString), MakeField(long_name, Type::kBool)})}};
  ExpectRoundTrip(schema,
                  {{{"größe in m²", 1}, {"c0001", 2}, {"1st", {{"a-b", "x"}, {long_name, true}}}}});
}

TEST(RoundTrip, SpansManyBlocksAndBatches) {
  const Schema schema{
      {MakeField("i", Type::kInt64, Mode::kRequired), MakeField("s", Type::kString)}};
  BatchBuilder builder(schema);
  for (int64_t i = 0; i < 5000; ++i) {
    builder.column(0).AppendInt64(i);
    builder.column(1).AppendText("row " + std::to_string(i));
  }
  const Batch batch = builder.Build();
  for (const Codec codec : kCodecs) {
    const auto file = WriteFile(schema, batch.view, {.codec = codec, .block_bytes = 1024});
    ASSERT_TRUE(file.ok());
    for (const size_t rows_max : {size_t{1}, size_t{1000}, size_t{100'000}}) {
      const auto rows = ReadRows(*file, {}, rows_max, 4096);
      ASSERT_TRUE(rows.ok());
      ASSERT_EQ(rows->size(), 5000U);
      for (size_t i = 0; i < 5000; ++i) {
        ASSERT_EQ((*rows)[i], (Json{{"i", i}, {"s", "row " + std::to_string(i)}}));
      }
    }
  }
}

TEST(RoundTrip, BatchesOutliveTheReaderAndEachOther) {
  const Schema schema{{MakeField("s", Type::kString)}};
  std::vector<Json> rows;
  for (int i = 0; i < 400; ++i)
    rows.push_back({{"s", std::string(20, static_cast<char>('a' + i % 26))}});
  const auto file = WriteRows(schema, rows, {.block_bytes = 1024});
  ASSERT_TRUE(file.ok());
  std::vector<Batch> batches;
  {
    auto reader = Reader::Open(SourceOf(*file));
    ASSERT_TRUE(reader.ok());
    while (true) {
      auto batch = (*reader)->Next(33);
      ASSERT_TRUE(batch.ok());
      if (!batch->has_value()) break;
      batches.push_back(std::move(**batch));
    }
  }
  std::vector<Json> kept;
  for (const Batch& batch : batches) {
    for (size_t i = 0; i < batch.view.rows; ++i) kept.push_back(RowToJson(schema, batch.view, i));
  }
  EXPECT_EQ(kept, rows);
}

TEST(Writer, RefusesWhatBigQueryWouldRefuse) {
  const Schema text{{MakeField("t", Type::kString, Mode::kRequired)}};
  for (const std::string_view bad :
       {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "abc\xFF", "\xE2\x82"}) {
    BatchBuilder builder(text);
    builder.column(0).AppendText(bad);
    const auto file = WriteFile(text, builder.Build().view);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().id, ErrorId::kAvroBadValue);
  }
  BatchBuilder null_in_required(text);
  null_in_required.column(0).AppendNull();
  EXPECT_EQ(WriteFile(text, null_in_required.Build().view).error().id, ErrorId::kAvroBadValue);

  const Schema time{{MakeField("t", Type::kTimestamp)}};
  BatchBuilder year_10000(time);
  year_10000.column(0).AppendInt64(253'402'300'800'000'000);
  EXPECT_EQ(WriteFile(time, year_10000.Build().view).error().id, ErrorId::kAvroBadValue);
}

TEST(Writer, RepeatsItsFirstErrorEverAfter) {
  const Schema schema{{MakeField("x", Type::kInt64)}};
  const auto random = MakeSeededRandom(1);
  int calls = 0;
  auto writer = Writer::Create(
      schema, {},
      [&calls](std::string_view) -> Status {
        if (++calls == 1) return Ok();
        return MakeError(ErrorId::kDiskFull, "no room");
      },
      *random);
  ASSERT_TRUE(writer.ok());
  BatchBuilder builder(schema);
  ASSERT_TRUE(builder.AppendRow({{"x", 1}}).ok());
  EXPECT_TRUE((*writer)->Write(builder.Build().view).ok());
  EXPECT_EQ((*writer)->Finish().error().id, ErrorId::kDiskFull);
  EXPECT_EQ((*writer)->Finish().error().id, ErrorId::kDiskFull);
  EXPECT_EQ(calls, 2);
}

TEST(Writer, CountsRowsAndTheBytesGivenToItsSink) {
  const Schema schema{{MakeField("x", Type::kInt64)}};
  const auto random = MakeSeededRandom(1);
  std::string file;
  auto writer = Writer::Create(
      schema, {.codec = Codec::kNull, .block_bytes = 1024, .metadata = {{"who", "me"}}},
      [&file](std::string_view bytes) {
        file += bytes;
        return Ok();
      },
      *random);
  ASSERT_TRUE(writer.ok());
  for (int batch = 0; batch < 10; ++batch) {
    BatchBuilder builder(schema);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(builder.AppendRow({{"x", i}}).ok());
    ASSERT_TRUE((*writer)->Write(builder.Build().view).ok());
    EXPECT_EQ((*writer)->rows_written(), static_cast<uint64_t>(batch + 1) * 100);
    EXPECT_EQ((*writer)->bytes_written(), file.size());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ((*writer)->bytes_written(), file.size());
  auto reader = Reader::Open(SourceOf(file));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->header().metadata.back(),
            (std::pair<std::string, std::string>{"who", "me"}));
  while ((*reader)->Next(100)->has_value()) continue;
  EXPECT_EQ((*reader)->rows_read(), 1000U);
  EXPECT_EQ((*reader)->bytes_read(), file.size());
}

}  // namespace
}  // namespace holdfast::avro
