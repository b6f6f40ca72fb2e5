// Files made byte by byte: what other writers make, and what no writer should.

#include "avro/reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "avro/file_fixture.h"
#include "avro/varint.h"

namespace holdfast::avro {
namespace {

using Mode = FieldMode;
using Type = FieldType;

// Avro's binary form, put together by hand.
class Bytes {
 public:
  Bytes& Number(int64_t value) {
    char out[kVarintBytesMax];
    text_.append(out, static_cast<size_t>(WriteVarint(value, out) - out));
    return *this;
  }
  Bytes& Raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }
  Bytes& Text(std::string_view text) { return Number(static_cast<int64_t>(text.size())).Raw(text); }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

constexpr std::string_view kSync = "0123456789abcdef";

std::string HeaderOf(std::string_view schema, std::string_view codec = "null") {
  return Bytes()
      .Raw("Obj\x01")
      .Number(2)
      .Text("avro.schema")
      .Text(schema)
      .Text("avro.codec")
      .Text(codec)
      .Number(0)
      .Raw(kSync)
      .str();
}

std::string BlockOf(int64_t rows, std::string_view data) {
  return Bytes().Number(rows).Text(data).Raw(kSync).str();
}

// A record with one field "x" of the given type.
std::string SchemaOf(std::string_view type) {
  return R"({"type":"record","name":"R","fields":[{"name":"x","type":)" + std::string(type) + "}]}";
}

std::string FileOf(std::string_view type, int64_t rows, std::string_view data) {
  return HeaderOf(SchemaOf(type)) + BlockOf(rows, data);
}

ErrorId ErrorOf(std::string_view file, const ReaderOptions& options = {}) {
  const auto rows = ReadRows(file, options);
  return rows.ok() ? ErrorId::kUnknown : rows.error().id;
}

Json ValueOf(const std::string& type, const std::string& data, const ReaderOptions& options = {}) {
  const auto rows = ReadRows(FileOf(type, 1, data), options);
  return rows.ok() && rows->size() == 1 ? (*rows)[0]["x"] : Json(rows.error().message);
}

TEST(Reader, ReadsTheTypesOfOtherWriters) {
  EXPECT_EQ(ValueOf(R"("int")", Bytes().Number(-7).str()), Json(-7));
  EXPECT_EQ(ValueOf(R"("float")", std::string("\0\0\xC0\x3F", 4)), Json(1.5));
  EXPECT_EQ(ValueOf(R"({"type":"enum","name":"E","symbols":["A","B"]})", Bytes().Number(1).str()),
            Json("B"));
  EXPECT_EQ(ValueOf(R"({"type":"fixed","name":"F","size":3})", "abc"), Json("YWJj"));
  EXPECT_EQ(ValueOf(R"(["long","null"])", Bytes().Number(0).Number(5).str()), Json(5));
  EXPECT_EQ(ValueOf(R"(["long","null"])", Bytes().Number(1).str()), Json());
  EXPECT_EQ(ValueOf(R"(["long"])", Bytes().Number(0).Number(5).str()), Json(5));
  EXPECT_EQ(
      ValueOf(R"({"type":"long","logicalType":"timestamp-millis"})", Bytes().Number(-1).str()),
      Json("1969-12-31T23:59:59.999Z"));
  EXPECT_EQ(ValueOf(R"({"type":"int","logicalType":"time-millis"})", Bytes().Number(1).str()),
            Json("00:00:00.001"));
  EXPECT_EQ(
      ValueOf(R"({"type":"long","logicalType":"local-timestamp-millis"})", Bytes().Number(1).str()),
      Json("1970-01-01T00:00:00.001"));
  EXPECT_EQ(ValueOf(R"({"type":"fixed","name":"D","size":20,"logicalType":"decimal",)"
                    R"("precision":10,"scale":2})",
                    std::string(19, '\xFF') + "\x9C"),
            Json("-1"));
}

TEST(Reader, ReadsAMapAsARepeatedRecordOfKeyAndValue) {
  const std::string data =
      Bytes().Number(2).Text("a").Number(1).Text("b").Number(2).Number(0).str();
  EXPECT_EQ(ValueOf(R"({"type":"map","values":"long"})", data),
            Json::parse(R"([{"key":"a","value":1},{"key":"b","value":2}])"));
}

TEST(Reader, ReadsListsInSeveralRunsWithSizes) {
  const std::string data =
      Bytes().Number(-2).Number(2).Number(1).Number(2).Number(1).Number(3).Number(0).str();
  EXPECT_EQ(ValueOf(R"({"type":"array","items":"long"})", data), Json::parse("[1,2,3]"));
  EXPECT_EQ(ValueOf(R"(["null",{"type":"array","items":"long"}])", Bytes().Number(0).str()),
            Json::array());
}

TEST(Reader, PassesOverBlocksWithoutRows) {
  const std::string block = BlockOf(1, Bytes().Number(1).str());
  const std::string file =
      HeaderOf(SchemaOf(R"("long")")) + BlockOf(0, "") + block + BlockOf(0, "");
  EXPECT_EQ(ReadRows(file)->size(), 1U);
}

TEST(Reader, TakesMetadataInRunsWithSizesAndNoCodecAsNull) {
  const std::string schema = SchemaOf(R"("long")");
  const std::string file = Bytes()
                               .Raw("Obj\x01")
                               .Number(-1)
                               .Number(100)
                               .Text("avro.schema")
                               .Text(schema)
                               .Number(1)
                               .Text("k")
                               .Text("v")
                               .Number(0)
                               .Raw(kSync)
                               .Raw(BlockOf(1, Bytes().Number(9).str()))
                               .str();
  EXPECT_EQ(*ReadRows(file), (std::vector<Json>{{{"x", 9}}}));
}

struct DamageCase {
  const char* name;
  std::string file;
  ErrorId error;
};

class Damage : public testing::TestWithParam<DamageCase> {};

TEST_P(Damage, IsAnErrorOfItsKind) {
  const auto rows = ReadRows(GetParam().file);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().id, GetParam().error) << rows.error().message;
}

std::string LongText(size_t size) { return Bytes().Text(std::string(size, 'x')).str(); }

const std::string kLong = R"("long")";
const std::string kString = R"("string")";
const std::string kLongs = R"({"type":"array","items":"long"})";

INSTANTIATE_TEST_SUITE_P(
    Header, Damage,
    testing::Values(
        DamageCase{"Empty", "", ErrorId::kAvroNotAvro},
        DamageCase{"OtherMagic", "PAR1....................", ErrorId::kAvroNotAvro},
        DamageCase{"NoSchema", Bytes().Raw("Obj\x01").Number(0).Raw(kSync).str(),
                   ErrorId::kAvroSchema},
        DamageCase{"SchemaNotJson", HeaderOf("{"), ErrorId::kAvroSchema},
        DamageCase{"SchemaTooDeep", HeaderOf(std::string(5000, '[')), ErrorId::kAvroSchema},
        DamageCase{"TopNotRecord", HeaderOf(kLong), ErrorId::kAvroSchema},
        DamageCase{"UnknownCodec", HeaderOf(SchemaOf(kLong), "lzma"), ErrorId::kAvroUnsupported},
        DamageCase{"NegativeLength", Bytes().Raw("Obj\x01").Number(1).Number(-1).str(),
                   ErrorId::kAvroCorrupt},
        DamageCase{"HugeLength", Bytes().Raw("Obj\x01").Number(1).Number(INT64_MAX).str(),
                   ErrorId::kAvroLimit},
        DamageCase{"HugeCount", Bytes().Raw("Obj\x01").Number(INT64_MAX).str(),
                   ErrorId::kAvroLimit},
        DamageCase{"LeastCount", Bytes().Raw("Obj\x01").Number(INT64_MIN).str(),
                   ErrorId::kAvroCorrupt},
        DamageCase{"LongVarint", std::string("Obj\x01") + std::string(11, '\xFF'),
                   ErrorId::kAvroCorrupt}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Block, Damage,
    testing::Values(
        DamageCase{"NegativeRows", FileOf(kLong, -1, "\x02"), ErrorId::kAvroCorrupt},
        DamageCase{"NegativeSize", HeaderOf(SchemaOf(kLong)) + Bytes().Number(1).Number(-1).str(),
                   ErrorId::kAvroCorrupt},
        DamageCase{"SizeOverLimit",
                   HeaderOf(SchemaOf(kLong)) + Bytes().Number(1).Number(65 << 20).str(),
                   ErrorId::kAvroLimit},
        DamageCase{"SizePastEnd", HeaderOf(SchemaOf(kLong)) + Bytes().Number(1).Number(9).str(),
                   ErrorId::kAvroTruncated},
        DamageCase{
            "WrongSync",
            HeaderOf(SchemaOf(kLong)) + Bytes().Number(1).Text("\x02").str() + "0123456789abcdeX",
            ErrorId::kAvroCorrupt},
        DamageCase{"MoreRowsThanBytes", FileOf(kLong, INT64_MAX, "\x02"), ErrorId::kAvroCorrupt},
        DamageCase{"RowsWithoutBytes", FileOf(kLong, 1, ""), ErrorId::kAvroCorrupt},
        DamageCase{"BytesLeftOver", FileOf(kLong, 1, "\x02\x02"), ErrorId::kAvroCorrupt},
        DamageCase{"BytesWithoutRows", FileOf(kLong, 0, "\x02"), ErrorId::kAvroCorrupt}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Value, Damage,
    testing::Values(
        DamageCase{"VarintPastEnd", FileOf(kLong, 1, "\x80"), ErrorId::kAvroCorrupt},
        DamageCase{"VarintOver64Bits", FileOf(kLong, 1, std::string(9, '\xFF') + "\x7F"),
                   ErrorId::kAvroCorrupt},
        DamageCase{"VarintOfElevenBytes", FileOf(kLong, 1, std::string(10, '\xFF') + "\x01"),
                   ErrorId::kAvroCorrupt},
        DamageCase{"DoublePastEnd", FileOf(R"("double")", 1, "1234567"), ErrorId::kAvroCorrupt},
        DamageCase{"IntOver32Bits", FileOf(R"("int")", 1, Bytes().Number(int64_t{1} << 31).str()),
                   ErrorId::kAvroCorrupt},
        DamageCase{"BooleanTwo", FileOf(R"("boolean")", 1, "\x02"), ErrorId::kAvroCorrupt},
        DamageCase{"UnionIndex", FileOf(R"(["null","long"])", 1, "\x04\x02"),
                   ErrorId::kAvroCorrupt},
        DamageCase{"UnionIndexNegative", FileOf(R"(["null","long"])", 1, "\x01\x02"),
                   ErrorId::kAvroCorrupt},
        DamageCase{"EnumIndex", FileOf(R"({"type":"enum","name":"E","symbols":["A"]})", 1, "\x02"),
                   ErrorId::kAvroCorrupt},
        DamageCase{"TextPastEnd", FileOf(kString, 1, "\x06zz"), ErrorId::kAvroCorrupt},
        DamageCase{"TextLengthNegative", FileOf(kString, 1, "\x01zz"), ErrorId::kAvroCorrupt},
        DamageCase{"TextLengthHuge", FileOf(kString, 1, Bytes().Number(INT64_MAX).str()),
                   ErrorId::kAvroCorrupt},
        DamageCase{"TextNotUtf8", FileOf(kString, 1, "\x02\xFF"), ErrorId::kAvroBadValue},
        DamageCase{"NullElement",
                   FileOf(R"({"type":"array","items":["null","long"]})", 1,
                          Bytes().Number(1).Number(0).Number(0).str()),
                   ErrorId::kAvroBadValue},
        DamageCase{"ListCountHuge", FileOf(kLongs, 1, Bytes().Number(INT64_MAX).str()),
                   ErrorId::kAvroCorrupt},
        DamageCase{"ListCountLeast",
                   FileOf(kLongs, 1, Bytes().Number(INT64_MIN).Number(1).Number(0).str()),
                   ErrorId::kAvroCorrupt},
        DamageCase{"ListSizeNegative",
                   FileOf(kLongs, 1, Bytes().Number(-1).Number(-1).Number(0).Number(0).str()),
                   ErrorId::kAvroCorrupt},
        DamageCase{"ListWithoutEnd", FileOf(kLongs, 1, Bytes().Number(1).Number(1).str()),
                   ErrorId::kAvroCorrupt},
        DamageCase{
            "DateInYear10000",
            FileOf(R"({"type":"int","logicalType":"date"})", 1, Bytes().Number(2'932'897).str()),
            ErrorId::kAvroBadValue},
        DamageCase{"TimeOf24Hours",
                   FileOf(R"({"type":"long","logicalType":"time-micros"})", 1,
                          Bytes().Number(86'400'000'000).str()),
                   ErrorId::kAvroBadValue},
        DamageCase{"MillisOverflow",
                   FileOf(R"({"type":"long","logicalType":"timestamp-millis"})", 1,
                          Bytes().Number(INT64_MAX / 1000 + 1).str()),
                   ErrorId::kAvroBadValue},
        DamageCase{"DateTimeNotText",
                   FileOf(R"({"type":"string","logicalType":"datetime"})", 1,
                          Bytes().Text("2024-02-30T00:00:00").str()),
                   ErrorId::kAvroBadValue},
        DamageCase{"DecimalEmpty",
                   FileOf(R"({"type":"bytes","logicalType":"decimal","precision":38,"scale":9})", 1,
                          Bytes().Text("").str()),
                   ErrorId::kAvroBadValue},
        DamageCase{"DecimalTooLarge",
                   FileOf(R"({"type":"bytes","logicalType":"decimal","precision":38,"scale":9})", 1,
                          Bytes().Text("\x7F" + std::string(15, '\xFF')).str()),
                   ErrorId::kAvroBadValue}),
    [](const auto& test) { return test.param.name; });

TEST(Reader, NamesBlockOffsetColumnAndByte) {
  const std::string header = HeaderOf(SchemaOf(kString));
  const std::string first = BlockOf(1, "\x02z");
  const auto rows = ReadRows(header + first + BlockOf(1, "\x02\xFF"));
  ASSERT_FALSE(rows.ok());
  const std::string place =
      "block 2 at byte " + std::to_string(header.size() + first.size()) + ": column \"x\", byte 0";
  EXPECT_NE(rows.error().message.find(place), std::string::npos) << rows.error().message;
}

TEST(Reader, RepeatsItsFirstErrorEverAfter) {
  auto file = FileOf(kString, 1, "\x02\xFF");
  auto reader = Reader::Open(SourceOf(file));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->Next(1).error().id, ErrorId::kAvroBadValue);
  EXPECT_EQ((*reader)->Next(1).error().id, ErrorId::kAvroBadValue);
}

TEST(Reader, PassesTheSourcesErrorOn) {
  const auto result = Reader::Open([](std::span<char>) -> Result<size_t> {
    return MakeError(ErrorId::kFileError, "the disk is gone");
  });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().id, ErrorId::kFileError);
}

TEST(Projection, PicksColumnsByNameInTableOrderAndFillsWhatIsMissing) {
  const Schema file_schema{{MakeField("a", Type::kInt64), MakeField("b", Type::kString),
                            MakeField("r", Type::kRecord, Mode::kNullable,
                                      {MakeField("p", Type::kInt64), MakeField("q", Type::kInt64)}),
                            MakeField("l", Type::kString, Mode::kRepeated)}};
  const auto file = WriteRows(
      file_schema,
      {{{"a", 1}, {"b", "x"}, {"r", {{"p", 2}, {"q", 3}}}, {"l", {"m", "n"}}}, {{"r", nullptr}}});
  ASSERT_TRUE(file.ok());
  const Schema table{
      {MakeField(
           "R", Type::kRecord, Mode::kNullable,
           {MakeField("new_list", Type::kInt64, Mode::kRepeated), MakeField("Q", Type::kInt64)}),
       MakeField("new", Type::kRecord, Mode::kNullable, {MakeField("inner", Type::kBool)}),
       MakeField("news", Type::kRecord, Mode::kRepeated, {MakeField("inner", Type::kBool)}),
       MakeField("A", Type::kInt64)}};
  const auto rows = ReadRows(*file, {.schema = table});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(*rows, (std::vector<Json>{
                       Json::parse(R"({"R":{"new_list":[],"Q":3},"new":null,"news":[],"A":1})"),
                       Json::parse(R"({"R":null,"new":null,"news":[],"A":null})")}));
}

TEST(Projection, SkipsFieldsOfEveryType) {
  const std::string schema = R"({"type":"record","name":"R","fields":[
    {"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"f","type":"float"},
    {"name":"d","type":"double"},{"name":"s","type":"string"},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}},
    {"name":"x","type":{"type":"fixed","name":"F","size":2}},
    {"name":"u","type":["null","long","string"]},
    {"name":"l","type":{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"i","type":"int"}]}}},
    {"name":"nulls","type":{"type":"array","items":"null"}},
    {"name":"m","type":{"type":"map","values":"bytes"}},
    {"name":"keep","type":"long"}]})";
  const std::string data = Bytes()
                               .Raw(std::string("\x01", 1) + "ffffdddddddd")
                               .Text("text")
                               .Number(0)
                               .Raw("xx")
                               .Number(2)
                               .Text("u")
                               .Number(2)
                               .Number(1)
                               .Number(2)
                               .Number(0)
                               .Number(INT64_MAX)
                               .Number(0)
                               .Number(1)
                               .Text("k")
                               .Text("v")
                               .Number(0)
                               .Number(77)
                               .str();
  const Schema table{{MakeField("keep", Type::kInt64)}};
  const auto rows = ReadRows(HeaderOf(schema) + BlockOf(1, data), {.schema = table});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(*rows, (std::vector<Json>{{{"keep", 77}}}));
  for (size_t size = 0; size < data.size(); ++size) {
    const auto cut =
        ReadRows(HeaderOf(schema) + BlockOf(1, data.substr(0, size)), {.schema = table});
    EXPECT_FALSE(cut.ok()) << size;
  }
}

TEST(Projection, RefusesWhatCannotBeReadExactly) {
  const auto refuses = [](const std::string& type, const Field& column) {
    return ErrorOf(FileOf(type, 0, ""), {.schema = Schema{{column}}}) == ErrorId::kAvroMismatch;
  };
  EXPECT_TRUE(refuses(kString, MakeField("x", Type::kInt64)));
  EXPECT_TRUE(refuses(kLong, MakeField("x", Type::kString)));
  EXPECT_TRUE(refuses(kLong, MakeField("x", Type::kTimestamp)));
  EXPECT_TRUE(refuses(kLong, MakeField("x", Type::kFloat64)));
  EXPECT_TRUE(refuses(kLong, MakeField("x", Type::kInt64, Mode::kRepeated)));
  EXPECT_TRUE(refuses(kLongs, MakeField("x", Type::kInt64)));
  EXPECT_TRUE(refuses(kLong, MakeField("y", Type::kInt64, Mode::kRequired)));
  EXPECT_TRUE(refuses(R"(["null","long","string"])", MakeField("x", Type::kInt64)));
  EXPECT_FALSE(refuses(kLong, MakeField("x", Type::kInt64)));
}

TEST(Projection, RefusesNullInARequiredColumn) {
  const ReaderOptions options{.schema = Schema{{MakeField("x", Type::kInt64, Mode::kRequired)}}};
  EXPECT_EQ(ErrorOf(FileOf(R"(["null","long"])", 1, Bytes().Number(0).str()), options),
            ErrorId::kAvroBadValue);
}

TEST(Projection, ReadsTextOfDatesAndTimes) {
  const ReaderOptions date{.schema = Schema{{MakeField("x", Type::kDate)}}};
  EXPECT_EQ(ValueOf(kString, Bytes().Text("2024-02-29").str(), date), Json("2024-02-29"));
  const ReaderOptions time{.schema = Schema{{MakeField("x", Type::kTime)}}};
  EXPECT_EQ(ValueOf(kString, Bytes().Text("23:59:59.5").str(), time), Json("23:59:59.5"));
}

TEST(Limits, RefuseRowsAndListsThatTakeNoBytes) {
  EXPECT_EQ(ErrorOf(FileOf(R"("null")", 1, "")), ErrorId::kAvroUnsupported);
  const ReaderOptions other{.schema = Schema{{MakeField("y", Type::kInt64)}}};
  EXPECT_EQ(ErrorOf(FileOf(R"("null")", INT64_MAX, ""), other), ErrorId::kAvroUnsupported);
}

TEST(Limits, EndABatchBeforeMemoryRunsAway) {
  const Schema schema{
      {MakeField("l", Type::kRecord, Mode::kRepeated, {MakeField("s", Type::kString)})}};
  Json list = Json::array();
  for (int i = 0; i < 1000; ++i) list.push_back({{"s", nullptr}});
  const std::vector<Json> rows(50, {{"l", list}});
  const auto file = WriteRows(schema, rows);
  ASSERT_TRUE(file.ok());
  ReaderOptions options;
  options.limits.batch_bytes = 64 << 10;
  auto reader = Reader::Open(SourceOf(*file, 4096), options);
  ASSERT_TRUE(reader.ok());
  uint64_t total = 0;
  while (true) {
    const auto batch = (*reader)->Next(1000);
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    if (!batch->has_value()) break;
    EXPECT_LE((*batch)->view.rows, 5U);
    total += (*batch)->view.rows;
  }
  EXPECT_EQ(total, 50U);
  options.limits.batch_bytes = 512;
  EXPECT_EQ(ErrorOf(*file, options), ErrorId::kAvroLimit);
}

// Peak memory of the process in kilobytes.
int64_t PeakKilobytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  int64_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

TEST(Limits, KeepMemoryFromGrowingWithTheFile) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers keep freed memory";
#endif
  constexpr int kBlocks = 400;
  constexpr int kRowsPerBlock = 50'000;
  const std::string header = HeaderOf(SchemaOf(kString));
  std::string rows;
  for (int i = 0; i < kRowsPerBlock; ++i) rows += "\x0Amemo!";
  const std::string block = BlockOf(kRowsPerBlock, rows);
  std::string pending = header;
  int blocks_left = kBlocks;
  const ByteSource source = [&](std::span<char> buffer) -> Result<size_t> {
    if (pending.empty() && blocks_left-- > 0) pending = block;
    const size_t count = std::min(buffer.size(), pending.size());
    std::memcpy(buffer.data(), pending.data(), count);
    pending.erase(0, count);
    return count;
  };
  auto reader = Reader::Open(source);
  ASSERT_TRUE(reader.ok());
  const int64_t before = PeakKilobytes();
  while (true) {
    const auto batch = (*reader)->Next(4096);
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    if (!batch->has_value()) break;
  }
  EXPECT_EQ((*reader)->rows_read(), uint64_t{kBlocks} * kRowsPerBlock);
  EXPECT_LT(PeakKilobytes() - before, 32 << 10) << "of a file of " << kBlocks * block.size();
}

TEST(Limits, BoundTextHeaderAndBlock) {
  ReaderOptions options;
  options.limits.text_bytes = 99;
  EXPECT_EQ(ErrorOf(FileOf(kString, 1, LongText(100)), options), ErrorId::kAvroLimit);
  EXPECT_EQ(ErrorOf(FileOf(kString, 1, LongText(99)), options), ErrorId::kUnknown);
  options = {};
  options.limits.header_bytes = 50;
  EXPECT_EQ(ErrorOf(FileOf(kLong, 1, "\x02"), options), ErrorId::kAvroLimit);
  options = {};
  options.limits.block_bytes = 100;
  EXPECT_EQ(ErrorOf(FileOf(kString, 1, LongText(100)), options), ErrorId::kAvroLimit);
}

}  // namespace
}  // namespace holdfast::avro
