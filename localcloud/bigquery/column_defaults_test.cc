#include "localcloud/bigquery/column_defaults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

using testing::HasSubstr;

Json DefaultedField(const std::string& name, const std::string& type, const std::string& expression,
                    const std::string& mode = "NULLABLE") {
  Json field = FieldJson(name, type, mode);
  field["defaultValueExpression"] = expression;
  return field;
}

// `id`, and columns whose defaults are literals, a function of time and one of each row.
const Json kFields = Json::array(
    {FieldJson("id", "INTEGER"), DefaultedField("word", "STRING", "\"it's\"", "REQUIRED"),
     DefaultedField("price", "NUMERIC", "1.25"), DefaultedField("data", "BYTES", "b'ab'"),
     DefaultedField("made", "TIMESTAMP", "CURRENT_TIMESTAMP()"),
     DefaultedField("doc", "JSON", "JSON '{\"a\":1}'"),
     DefaultedField("tags", "STRING", "['x', 'y']", "REPEATED"),
     DefaultedField("key", "STRING", "GENERATE_UUID()")});
constexpr const char* kRead =
    "SELECT id, word, price, TO_HEX(data), made = CURRENT_TIMESTAMP(), "
    "TO_JSON_STRING(doc), ARRAY_TO_STRING(tags, ','), LENGTH(key) FROM d.t ORDER BY id";
constexpr const char* kFilled = R"("it's","1.25","6162","true","{\"a\":1}","x,y","36"])";

class ColumnDefaults : public testing::Test {
 protected:
  ColumnDefaults() {
    service.MakeDataset("d");
    service.MakeBucket("bucket");
    service.MakeTable("d", "t", kFields);
  }

  // Loads the objects; fails the test when the job fails.
  void Load(const std::string& uri, const std::string& format, const Json& more = Json::object()) {
    Json settings = {
        {"sourceUris", {uri}}, {"sourceFormat", format}, {"destinationTable", TableJson("d", "t")}};
    settings.update(more);
    const Json job = service.RunJob({{"load", settings}});
    EXPECT_EQ(FindPath(job, {"status", "errorResult"}), nullptr) << job["status"];
  }

  void ExpectFilled(int rows) {
    std::string expected = "[";
    for (int i = 1; i <= rows; ++i) {
      expected += (i == 1 ? "[\"" : ",[\"") + std::to_string(i) + "\"," + kFilled;
    }
    EXPECT_EQ(DumpJson(service.Query(kRead)), expected + "]");
    const Json keys = service.Query("SELECT COUNT(DISTINCT key) FROM d.t");
    EXPECT_EQ(DumpJson(keys), "[[\"" + std::to_string(rows) + "\"]]") << "one for all rows";
  }

  ServiceForTest service;
};

TEST_F(ColumnDefaults, FillAnInsertThatDoesNotNameTheColumn) {
  service.Query("INSERT INTO d.t (id) VALUES (1), (2)");
  ExpectFilled(2);
}

TEST_F(ColumnDefaults, FillStreamedRowsThatLackTheMember) {
  const auto row = [](const Json& json) { return Json{{"json", json}}; };
  Json answer = service.Post("/datasets/d/tables/t/insertAll",
                             {{"rows", {row({{"id", 1}}), row({{"ID", 2}})}}});
  EXPECT_FALSE(answer.contains("insertErrors")) << answer;
  ExpectFilled(2);

  answer =
      service.Post("/datasets/d/tables/t/insertAll",
                   {{"rows", Json::array({row({{"id", 3}, {"WORD", "w"}, {"made", nullptr}})})}});
  EXPECT_FALSE(answer.contains("insertErrors")) << answer;
  EXPECT_EQ(DumpJson(service.Query("SELECT word, made, price FROM d.t WHERE id = 3")),
            R"([["w",null,"1.25"]])");
}

TEST_F(ColumnDefaults, FillLinesOfJsonThatLackTheMember) {
  service.PutObject("bucket", "a.json", "{\"id\": 1}\n{\"Id\": 2}\n");
  Load("gs://bucket/a.json", "NEWLINE_DELIMITED_JSON");
  ExpectFilled(2);
  service.PutObject("bucket", "b.json",
                    "{\"id\": 3, \"WORD\": \"w\", \"made\": null, \"tags\": []}\n");
  Load("gs://bucket/b.json", "NEWLINE_DELIMITED_JSON");
  EXPECT_EQ(
      DumpJson(service.Query("SELECT word, made, price, ARRAY_LENGTH(tags) FROM d.t WHERE id = 3")),
      R"([["w",null,"1.25","0"]])");
}

TEST_F(ColumnDefaults, FillColumnsThatFilesLack) {
  service.MakeTable("d", "ids", Json::array({FieldJson("id", "INTEGER")}));
  service.Query("INSERT INTO d.ids VALUES (1), (2)");
  for (const char* format : {"AVRO", "PARQUET"}) {
    SCOPED_TRACE(format);
    const std::string uri = std::string("gs://bucket/ids.") + format;
    service.RunJob({{"extract",
                     {{"sourceTable", TableJson("d", "ids")},
                      {"destinationFormat", format},
                      {"destinationUris", {uri}}}}});
    Load(uri, format, {{"writeDisposition", "WRITE_TRUNCATE"}, {"schema", {{"fields", kFields}}}});
    ExpectFilled(2);
  }
}

TEST_F(ColumnDefaults, FillColumnsThatTheHeaderOfACsvFileLacks) {
  service.Query("CREATE TABLE d.c (word STRING, id INT64, made DATE DEFAULT DATE '2020-02-29')");
  service.PutObject("bucket", "a.csv", "id,word\n1,x\n2,y\n");
  Load("gs://bucket/a.csv", "CSV",
       {{"destinationTable", TableJson("d", "c")},
        {"autodetect", true},
        {"schemaUpdateOptions", {"ALLOW_FIELD_ADDITION"}}});
  EXPECT_EQ(DumpJson(service.Query("SELECT id, word, made FROM d.c ORDER BY id")),
            R"([["1","x","2020-02-29"],["2","y","2020-02-29"]])");
}

TEST_F(ColumnDefaults, ThatCannotBeEvaluatedAreRefusedWithTheColumnsName) {
  const struct {
    const char* type;
    const char* expression;
  } cases[] = {{"STRING", "id"},       {"STRING", "(SELECT word FROM d.t)"},
               {"STRING", "@p"},       {"STRING", "COUNT(*)"},
               {"STRING", "'cut off"}, {"STRING", "NO_SUCH_FUNCTION()"},
               {"INTEGER", "'text'"},  {"INTEGER", "CAST('text' AS INT64)"},
               {"STRING", ""}};
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.expression);
    const Json fields = Json::array(
        {FieldJson("id", "STRING"), DefaultedField("bad_one", bad.type, bad.expression)});
    const Answer made =
        service.Call("POST", "/datasets/d/tables",
                     {{"tableReference", TableJson("d", "n")}, {"schema", {{"fields", fields}}}});
    EXPECT_EQ(made.status, 400);
    EXPECT_EQ(made.reason(), "invalid");
    EXPECT_THAT(made.message(), HasSubstr("bad_one"));
    Json wider = kFields;
    wider.push_back(fields[1]);
    EXPECT_EQ(
        service.Call("PATCH", "/datasets/d/tables/t", {{"schema", {{"fields", wider}}}}).status,
        400);
  }
  Json record = FieldJson("r", "RECORD");
  record["fields"] = Json::array({DefaultedField("inner", "STRING", "'x'")});
  const Answer made = service.Call(
      "POST", "/datasets/d/tables",
      {{"tableReference", TableJson("d", "n")}, {"schema", {{"fields", Json::array({record})}}}});
  EXPECT_EQ(made.status, 400);
  EXPECT_THAT(made.message(), HasSubstr("r.inner"));
  EXPECT_THAT(DumpJson(service.Query("CREATE TABLE d.n (x STRING DEFAULT y)")),
              HasSubstr("column x"));
}

}  // namespace
}  // namespace holdfast::bigquery
