// What goes out by an extract comes back by a load, in every format; and what CSV and JSON may
// hold.
#include <gmock/gmock.h>

#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

using Formats = WarehouseFixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char kFlatSchema[] = R"([
  {"name":"i","type":"INTEGER"}, {"name":"f","type":"FLOAT"}, {"name":"b","type":"BOOLEAN"},
  {"name":"s","type":"STRING"}, {"name":"y","type":"BYTES"}, {"name":"n","type":"NUMERIC"},
  {"name":"big","type":"BIGNUMERIC"}, {"name":"ts","type":"TIMESTAMP"}, {"name":"d","type":"DATE"},
  {"name":"t","type":"TIME"}, {"name":"dt","type":"DATETIME"}, {"name":"g","type":"GEOGRAPHY"},
  {"name":"j","type":"JSON"}, {"name":"iv","type":"INTERVAL"},
  {"name":"r","type":"RANGE","rangeElementType":{"type":"DATE"}}])";

const char kFlatRows[] =
    R"json({"i":"-9223372036854775808","f":-0.5,"b":true,"s":"a,\"b\" é 😀","y":"AP8=","n":"-1.5",)json"
    R"json("big":"-0.00000000000000000000000000000000000001","ts":"0001-01-01T00:00:00Z",)json"
    R"json("d":"0001-01-01","t":"23:59:59.999999","dt":"9999-12-31T23:59:59.999999",)json"
    R"json("g":"POINT(1 2)","j":{"a":[1,null]},"iv":"1-2 3 4:5:6","r":"[2026-01-01, UNBOUNDED)"})json"
    "\n"
    R"json({"i":9223372036854775807,"f":"NaN","b":false,"s":"","y":"",)json"
    R"json("n":"99999999999999999999999999999.999999999",)json"
    R"json("big":"12345678901234567890123456789012345678","ts":"1969-12-31T23:59:59.999999Z",)json"
    R"json("d":"9999-12-31","t":"00:00:00","dt":"1969-12-31T23:59:59","g":"","j":"text",)json"
    R"json("iv":"0-0 0 0:0:0","r":"[UNBOUNDED, UNBOUNDED)"})json"
    "\n{}";

struct FormatCase {
  const char* name;
  ExtractFormat extract;
  LoadFormat load;
  ExtractCompression compression;
};

const FormatCase kFormats[] = {
    {"avro", ExtractFormat::kAvro, LoadFormat::kAvro, ExtractCompression::kNone},
    {"avro_deflate", ExtractFormat::kAvro, LoadFormat::kAvro, ExtractCompression::kDeflate},
    {"avro_snappy", ExtractFormat::kAvro, LoadFormat::kAvro, ExtractCompression::kSnappy},
    {"avro_zstd", ExtractFormat::kAvro, LoadFormat::kAvro, ExtractCompression::kZstd},
    {"csv", ExtractFormat::kCsv, LoadFormat::kCsv, ExtractCompression::kNone},
    {"csv_gzip", ExtractFormat::kCsv, LoadFormat::kCsv, ExtractCompression::kGzip},
    {"json", ExtractFormat::kNewlineDelimitedJson, LoadFormat::kNewlineDelimitedJson,
     ExtractCompression::kNone},
    {"json_gzip", ExtractFormat::kNewlineDelimitedJson, LoadFormat::kNewlineDelimitedJson,
     ExtractCompression::kGzip},
    {"parquet", ExtractFormat::kParquet, LoadFormat::kParquet, ExtractCompression::kNone},
    {"parquet_zstd", ExtractFormat::kParquet, LoadFormat::kParquet, ExtractCompression::kZstd},
};

// Loads what `format` extracts from `from` into `to`, created with the schema.
Result<LoadResult> PassThrough(Warehouse& warehouse, const FormatCase& format,
                               std::vector<LoadSource> files, const TableRef& to,
                               const Schema& schema) {
  TableDefinition definition;
  definition.ref = to;
  definition.schema = schema;
  HF_RETURN_IF_ERROR(warehouse.store().CreateTable(definition));
  LoadRequest request;
  request.destination = to;
  request.sources = std::move(files);
  request.format = format.load;
  request.csv.skip_leading_rows = 1;
  request.use_avro_logical_types = true;
  return Load(warehouse, request);
}

TEST_F(Formats, EveryScalarTypeComesBackFromEveryFormat) {
  Schema schema = MakeSchema(kFlatSchema);
  LoadJson(Table("t"), schema, kFlatRows);
  const std::vector<Json> expected = AllRows(Table("t"));
  ASSERT_EQ(expected.size(), 3U);
  EXPECT_EQ(expected[0]["big"], "-0.00000000000000000000000000000000000001");
  for (const FormatCase& format : kFormats) {
    SCOPED_TRACE(format.name);
    ExtractRequest request;
    request.source = Table("t");
    request.format = format.extract;
    request.compression = format.compression;
    request.use_avro_logical_types = true;
    auto files = Must(ExtractFiles(request));
    ASSERT_EQ(files.size(), 1U);
    if (format.load == LoadFormat::kAvro) {
      // BigQuery does not read back the DATETIME that it writes (google-semantics, trap 3).
      EXPECT_ERROR(
          PassThrough(warehouse(), format, files, Table(std::string("x_") + format.name), schema),
          ErrorId::kWarehouseInvalidSchema);
      Schema staged = schema;
      staged.fields[10].type = FieldType::kString;
      ASSERT_OK(PassThrough(warehouse(), format, files, Table(format.name), staged));
      auto rows = AllRows(Table(format.name));
      ASSERT_EQ(rows.size(), 3U);
      EXPECT_EQ(rows[0]["dt"], "9999-12-31T23:59:59.999999");
      for (size_t i = 0; i < rows.size(); ++i) rows[i]["dt"] = expected[i]["dt"];
      EXPECT_EQ(Json(rows), Json(expected));
      continue;
    }
    ASSERT_OK(PassThrough(warehouse(), format, files, Table(format.name), schema));
    EXPECT_EQ(Json(AllRows(Table(format.name))), Json(expected));
  }
}

TEST_F(Formats, NestedAndRepeatedFieldsComeBack) {
  const Schema schema = MakeSchema(R"([{"name":"id","type":"INTEGER","mode":"REQUIRED"},
    {"name":"tags","type":"STRING","mode":"REPEATED"},
    {"name":"place","type":"RECORD","fields":[{"name":"lat","type":"FLOAT"},
      {"name":"hist","type":"RECORD","mode":"REPEATED","fields":[{"name":"at","type":"TIMESTAMP"},
        {"name":"v","type":"NUMERIC","mode":"REPEATED"}]}]}])");
  LoadJson(Table("t"), schema,
           R"({"id":1,"tags":["a","b"],"place":{"lat":1.5,)"
           R"("hist":[{"at":"2026-01-01T00:00:00Z","v":["1","2.5"]},{"v":[]}]}}
{"id":2,"tags":[],"place":null}
{"id":3,"tags":null,"place":{"hist":[{"at":null,"v":["3"]}]}})");
  const std::vector<Json> expected = AllRows(Table("t"));
  EXPECT_EQ(expected[2]["tags"], Json::array());
  EXPECT_EQ(expected[1]["place"], nullptr);
  for (const FormatCase& format : kFormats) {
    if (format.load == LoadFormat::kCsv) continue;
    SCOPED_TRACE(format.name);
    ExtractRequest request;
    request.source = Table("t");
    request.format = format.extract;
    request.compression = format.compression;
    request.use_avro_logical_types = true;
    const auto files = Must(ExtractFiles(request));
    ASSERT_OK(PassThrough(warehouse(), format, files, Table(format.name), schema));
    EXPECT_EQ(Json(AllRows(Table(format.name))), Json(expected));
  }
  ExtractRequest csv;
  csv.source = Table("t");
  EXPECT_ERROR(ExtractFiles(csv), ErrorId::kWarehouseInvalidRequest);
}

TEST_F(Formats, AnExtractSplitsAndAnEmptyTableStillGivesAFile) {
  const Schema schema = MakeSchema(R"([{"name":"v","type":"INTEGER"}])");
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += "{\"v\":" + std::to_string(i) + "}\n";
  LoadJson(Table("t"), schema, lines);
  for (const FormatCase& format : kFormats) {
    SCOPED_TRACE(format.name);
    ExtractRequest request;
    request.source = Table("t");
    request.format = format.extract;
    request.compression = format.compression;
    request.split = true;
    // The size of an Avro file grows by whole blocks; its header alone is over the limit.
    request.file_bytes_max = format.load == LoadFormat::kAvro ? 100 : 10'000;
    const auto files = Must(ExtractFiles(request));
    EXPECT_GT(files.size(), 1U);
    ASSERT_OK(PassThrough(warehouse(), format, files, Table(format.name), schema));
    // With a header in each CSV file, loads skip one line of each.
    EXPECT_EQ(AskText("SELECT count(DISTINCT v) AS n FROM t", Table(format.name)),
              R"([{"n":20000}])");
    request.source = Table("empty");
    LoadJson(Table("empty"), schema, "");
    EXPECT_EQ(Must(ExtractFiles(request)).size(), 1U);
  }
}

TEST_F(Formats, WithoutLogicalTypesAnAvroTimestampIsAnInteger) {
  LoadJson(Table("t"), MakeSchema(R"([{"name":"ts","type":"TIMESTAMP"}])"),
           R"({"ts":"1970-01-01T00:00:01Z"})");
  ExtractRequest extract;
  extract.source = Table("t");
  extract.format = ExtractFormat::kAvro;
  LoadRequest request;
  request.destination = Table("u");
  request.format = LoadFormat::kAvro;
  request.sources = Must(ExtractFiles(extract));
  const LoadResult loaded = Must(Load(warehouse(), request));
  EXPECT_EQ(loaded.table.schema.fields[0].type, FieldType::kInt64);
  EXPECT_EQ(AllRows(Table("u"))[0]["ts"], 1'000'000);
}

struct CsvCase {
  const char* name;
  const char* text;
  CsvOptions options;
  bool ignore_unknown = false;
  int64_t bad_max = 0;
  const char* rows;  // nullptr: the load fails
  int64_t bad = 0;
};

TEST_F(Formats, CsvOptionsAreBigQuerys) {
  CsvOptions jagged;
  jagged.allow_jagged_rows = true;
  CsvOptions newlines;
  newlines.allow_quoted_newlines = true;
  CsvOptions marker;
  marker.null_marker = "\\N";
  CsvOptions tab;
  tab.field_delimiter = "\\t";
  tab.skip_leading_rows = 1;
  CsvOptions bar;
  bar.field_delimiter = "|";
  bar.quote = "'";
  CsvOptions latin;
  latin.encoding = "ISO-8859-1";
  const CsvCase cases[] = {
      {"plain", "1,a\n2,\"b,\"\"c\"\"\"\n", {}, false, 0, R"([[1,"a"],[2,"b,\"c\""]])"},
      {"null_and_empty", "1,\n2,\"\"\n,x\n", {}, false, 0, R"([[1,null],[2,""],[null,"x"]])"},
      {"jagged_refused", "1,a\n2\n", {}, false, 0, nullptr, 1},
      {"jagged_allowed", "1,a\n2\n", jagged, false, 0, R"([[1,"a"],[2,null]])"},
      {"extra_refused", "1,a,zz\n", {}, false, 0, nullptr, 1},
      {"extra_ignored", "1,a,zz\n", {}, true, 0, R"([[1,"a"]])"},
      {"newline_refused", "1,\"a\nb\"\n", {}, false, 0, nullptr, 1},
      {"newline_allowed", "1,\"a\nb\"\n", newlines, false, 0, R"([[1,"a\nb"]])"},
      {"marker", "1,\\N\n2,\n3,\"\\N\"\n", marker, false, 0, R"([[1,null],[2,""],[3,"\\N"]])"},
      {"tab_and_header", "i\ts\n1\ta\n", tab, false, 0, R"([[1,"a"]])"},
      {"other_quote", "1|'a|b'\n", bar, false, 0, R"([[1,"a|b"]])"},
      {"latin", "1,\xe9\n", latin, false, 0, "[[1,\"\xc3\xa9\"]]"},
      {"bad_number", "1,a\nx,b\n3,c\n", {}, false, 0, nullptr, 1},
      {"bad_number_allowed", "1,a\nx,b\n3,c\n", {}, false, 1, R"([[1,"a"],[3,"c"]])", 1},
      {"too_many_bad", "x,a\ny,b\n3,c\n", {}, false, 1, nullptr, 2},
      {"newline_counts_as_bad", "1,\"a\nb\"\n2,c\n", {}, false, 5, R"([[2,"c"]])", 1},
      {"crlf", "1,a\r\n2,b\r\n", {}, false, 0, R"([[1,"a"],[2,"b"]])"},
      {"no_rows", "", {}, false, 0, "[]"},
  };
  const Schema schema =
      MakeSchema(R"([{"name":"i","type":"INTEGER"},{"name":"s","type":"STRING"}])");
  for (const CsvCase& test : cases) {
    SCOPED_TRACE(test.name);
    LoadRequest request;
    request.destination = Table(test.name);
    request.schema = schema;
    request.csv = test.options;
    request.ignore_unknown_values = test.ignore_unknown;
    request.bad_records_max = test.bad_max;
    std::vector<BadRecord> bad;
    const auto result = LoadText(request, test.text, &bad);
    if (test.rows == nullptr) {
      EXPECT_ERROR(result, ErrorId::kLoadFailed);
      EXPECT_EQ(static_cast<int64_t>(bad.size()), test.bad);
      EXPECT_ERROR(warehouse().store().GetTable(Table(test.name)), ErrorId::kWarehouseNotFound);
      continue;
    }
    ASSERT_OK(result);
    EXPECT_EQ(result->bad_records, test.bad);
    Json rows = Json::array();
    for (const Json& row : AllRows(Table(test.name))) rows.push_back({row["i"], row["s"]});
    EXPECT_EQ(rows, Json::parse(test.rows));
  }
}

TEST_F(Formats, ABadCsvLineIsNamedByFileAndNumber) {
  LoadRequest request;
  request.destination = Table("t");
  request.schema = MakeSchema(R"([{"name":"i","type":"INTEGER"}])");
  const auto result = LoadText(request, "1\n2\nthree\n");
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("gs://b/in0 line 3"));
  EXPECT_THAT(result.error().message, ::testing::Not(HasSubstr(directory())));
}

TEST_F(Formats, JsonRowsAreCheckedFieldByField) {
  struct {
    const char* row;
    const char* message;
  } const cases[] = {
      {R"({"id":1,"x":1})", "no such field: x."},
      {R"({})", "Missing required field: id."},
      {R"({"id":"abc"})", "Cannot convert value to integer (bad value): \"abc\""},
      {R"({"id":1.5})", "Cannot convert value to integer (bad value): 1.5"},
      {R"({"id":1,"tags":"a"})", "Repeated field must be imported as a JSON array: tags."},
      {R"({"id":1,"tags":[null]})", "Only optional fields can be set to NULL"},
      {R"({"id":[1]})", "Array specified for non-repeated field: id."},
      {R"({"id":1,"rec":1})", "This field: rec is not a record."},
      {R"({"id":1,"rec":{"d":"2026-02-30"}})", "Cannot convert value to DATE"},
      {R"({"id":1)", "JSON parsing error"},
      {R"([1])", "JSON parsing error"},
  };
  const Schema schema = MakeSchema(R"([{"name":"id","type":"INTEGER","mode":"REQUIRED"},
    {"name":"tags","type":"STRING","mode":"REPEATED"},
    {"name":"rec","type":"RECORD","fields":[{"name":"d","type":"DATE"}]}])");
  for (const auto& test : cases) {
    LoadRequest request;
    request.destination = Table("t");
    request.schema = schema;
    request.format = LoadFormat::kNewlineDelimitedJson;
    std::vector<BadRecord> bad;
    const auto result = LoadText(request, std::string("{\"ID\":\"7\"}\n") + test.row, &bad);
    EXPECT_ERROR(result, ErrorId::kLoadFailed);
    ASSERT_EQ(bad.size(), 1U) << test.row;
    EXPECT_EQ(bad[0].line, 2);
    EXPECT_THAT(bad[0].message, HasSubstr(test.message));
  }
}

TEST_F(Formats, SchemasGrowOnlyAsTheJobAllows) {
  LoadJson(Table("t"), MakeSchema(R"([{"name":"a","type":"INTEGER","mode":"REQUIRED"},
    {"name":"r","type":"RECORD","mode":"REPEATED","fields":[{"name":"x","type":"INTEGER"}]}])"),
           R"({"a":1,"r":[{"x":5}]})");
  LoadRequest request;
  request.destination = Table("t");
  request.format = LoadFormat::kNewlineDelimitedJson;
  request.schema = MakeSchema(R"([{"name":"a","type":"INTEGER"},
    {"name":"r","type":"RECORD","mode":"REPEATED","fields":[{"name":"x","type":"INTEGER"},
      {"name":"y","type":"STRING","mode":"REPEATED"}]},{"name":"b","type":"STRING"}])");
  const char* line = R"({"b":"new","r":[{"y":["q"]}]})";
  EXPECT_ERROR(LoadText(request, line), ErrorId::kWarehouseInvalidSchema);
  request.allow_field_addition = true;
  EXPECT_ERROR(LoadText(request, line), ErrorId::kWarehouseInvalidSchema);
  request.allow_field_relaxation = true;
  ASSERT_OK(LoadText(request, line));
  EXPECT_EQ(
      AskText("SELECT a, b, r FROM t ORDER BY a NULLS LAST", Table("t")),
      R"([{"a":1,"b":null,"r":[{"x":5,"y":[]}]},{"a":null,"b":"new","r":[{"x":null,"y":["q"]}]}])");
}

TEST_F(Formats, DetectsSchemasOfRealFiles) {
  const std::filesystem::path top = std::filesystem::path(__FILE__).parent_path() / "../..";
  const std::string data = (top / "build/deps/vega-datasets/data").string();
  ASSERT_TRUE(std::filesystem::exists(data)) << data;
  std::filesystem::copy(data + "/birdstrikes.csv", directory() + "/input/[birds]*.csv");
  LoadRequest request;
  request.destination = Table("birds");
  request.sources = {{directory() + "/input/[birds]*.csv", "gs://b/birds"}};
  request.autodetect = true;
  request.csv.allow_quoted_newlines = true;
  const LoadResult result = Must(Load(warehouse(), request));
  EXPECT_EQ(result.output_rows, 10'000);
  EXPECT_NE(result.table.schema.Find("Flight_Date"), nullptr);
  EXPECT_EQ(result.table.schema.Find("Flight_Date")->type, FieldType::kDate);
}

TEST_F(Formats, StrangeNamesAreOnlyNames) {
  const Schema schema = MakeSchema(
      R"([{"name":"a \"b\" 'c'; DROP","type":"INTEGER"},{"name":"größe","type":"STRING"}])");
  LoadJson(Table("t \"x\" 'y' ü"), schema, R"({"a \"b\" 'c'; DROP":1,"größe":"g"})");
  EXPECT_EQ(AllRows(Table("t \"x\" 'y' ü")).at(0)["größe"], "g");
  for (const FormatCase& format : kFormats) {
    SCOPED_TRACE(format.name);
    ExtractRequest request;
    request.source = Table("t \"x\" 'y' ü");
    request.format = format.extract;
    request.compression = format.compression;
    const auto files = Must(ExtractFiles(request));
    ASSERT_OK(PassThrough(warehouse(), format, files, Table(format.name), schema));
    EXPECT_EQ(AllRows(Table(format.name)), AllRows(Table("t \"x\" 'y' ü")));
  }
}

}  // namespace
}  // namespace holdfast::warehouse
