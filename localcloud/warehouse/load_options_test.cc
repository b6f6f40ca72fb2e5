// Options of load jobs: gzip, detection over several files, fields that a load adds, and errors.
#include <gmock/gmock.h>
#include <zlib.h>

#include "localcloud/warehouse/warehouse_fixture.h"

namespace holdfast::warehouse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Gzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

class LoadOptions : public WarehouseFixture {
 protected:
  LoadRequest Into(const std::string& table, LoadFormat format, bool autodetect = true) {
    LoadRequest request;
    request.destination = Table(table);
    request.format = format;
    request.autodetect = autodetect;
    return request;
  }
};

TEST_F(LoadOptions, GzippedTextIsDetectedAndLoadedWhateverItsName) {
  ASSERT_OK(LoadText(Into("json", LoadFormat::kNewlineDelimitedJson),
                     Gzipped("{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n")));
  EXPECT_EQ(AskText("SELECT a, b FROM t ORDER BY a", Table("json")),
            R"([{"a":1,"b":"x"},{"a":2,"b":null}])");
  ASSERT_OK(LoadText(Into("csv", LoadFormat::kCsv), Gzipped("a,b\n1,x\n2,y\n")));
  EXPECT_EQ(AskText("SELECT a, b FROM t ORDER BY a", Table("csv")),
            R"([{"a":1,"b":"x"},{"a":2,"b":"y"}])");
}

TEST_F(LoadOptions, ErrorsNameTheSourceAndNotItsFile) {
  for (const LoadFormat format : {LoadFormat::kCsv, LoadFormat::kNewlineDelimitedJson,
                                  LoadFormat::kParquet, LoadFormat::kAvro}) {
    for (const bool autodetect : {true, false}) {
      LoadRequest request = Into("t", format, autodetect);
      if (!autodetect) request.schema = MakeSchema(R"([{"name":"a","type":"INTEGER"}])");
      std::string broken = Gzipped("a,b\n1,x\n");
      broken.resize(broken.size() - 6);
      broken[12] ^= 0x55;
      for (const std::string& contents : {broken, std::string("{\"a\": \"x\"\n\"q")}) {
        std::vector<BadRecord> bad;
        const auto loaded = LoadText(request, contents, &bad);
        if (loaded.ok()) continue;  // text that CSV takes as it is
        EXPECT_THAT(loaded.error().message, Not(HasSubstr(directory())));
        EXPECT_THAT(loaded.error().message, Not(HasSubstr("Invalid Input Error")));
        EXPECT_THAT(loaded.error().message, Not(HasSubstr(": :")));
        for (const BadRecord& record : bad)
          EXPECT_THAT(record.message, Not(HasSubstr(directory())));
      }
    }
  }
}

TEST_F(LoadOptions, DetectionLooksAtMoreThanTheFirstFile) {
  LoadRequest json = Into("json", LoadFormat::kNewlineDelimitedJson);
  json.sources = {Input("1", "{\"a\":1}\n"), Input("2", "{\"a\":2.5,\"b\":\"x\"}\n")};
  ASSERT_OK(Load(warehouse(), json));
  EXPECT_EQ(AskText("SELECT a, b FROM t ORDER BY a", Table("json")),
            R"([{"a":1.0,"b":null},{"a":2.5,"b":"x"}])");
  LoadRequest csv = Into("csv", LoadFormat::kCsv);
  csv.sources = {Input("3", "a,b\n1,7\n"), Input("4", "a,b\n2.5,x\n")};
  ASSERT_OK(Load(warehouse(), csv));
  EXPECT_EQ(AskText("SELECT a, b FROM t ORDER BY a", Table("csv")),
            R"([{"a":1.0,"b":"7"},{"a":2.5,"b":"x"}])");
}

TEST_F(LoadOptions, FilesWithoutAHeaderLineLoseNoRow) {
  ASSERT_OK(LoadText(Into("t", LoadFormat::kCsv), "1,2.5\n2,3.5\n"));
  EXPECT_EQ(AskText("SELECT string_field_0 AS a FROM t ORDER BY a", Table("t")),
            R"([{"a":1},{"a":2}])");
}

TEST_F(LoadOptions, DetectedFieldsAreAddedWhereTheJobAllowsIt) {
  const Schema schema =
      MakeSchema(R"([{"name":"a","type":"INTEGER"},{"name":"b","type":"STRING"}])");
  for (const auto& [format, text] :
       {std::pair(LoadFormat::kNewlineDelimitedJson, "{\"c\":true,\"a\":2}\n"),
        std::pair(LoadFormat::kCsv, "c,a\ntrue,2\n")}) {
    for (const int64_t bad_records_max : {0, 1}) {
      const std::string name = "t" + std::to_string(static_cast<int>(format) * 2 + bad_records_max);
      LoadJson(Table(name), schema, R"({"a":1,"b":"x"})");
      LoadRequest request = Into(name, format);
      request.bad_records_max = bad_records_max;
      request.allow_field_addition = true;
      ASSERT_OK(LoadText(request, text));
      EXPECT_EQ(AskText("SELECT a, b, c FROM t ORDER BY a", Table(name)),
                R"([{"a":1,"b":"x","c":null},{"a":2,"b":null,"c":true}])");
    }
  }
}

}  // namespace
}  // namespace holdfast::warehouse
