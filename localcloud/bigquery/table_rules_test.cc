// Names of columns, conditions on etags, and tables as they were: tables, datasets, tabledata.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

using testing::HasSubstr;

const Json kOnlyX = Json::array({FieldJson("x", "INTEGER")});

TEST(TableRules, ColumnNamesAreUniqueAndNotBigQuerysOwn) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOnlyX);
  Json record = FieldJson("r", "RECORD");
  record["fields"] = Json::array({FieldJson("a", "STRING"), FieldJson("A", "STRING")});
  std::vector<Json> bad = {Json::array({FieldJson("x", "INTEGER"), FieldJson("X", "STRING")}),
                           Json::array({FieldJson("x", "INTEGER"), record})};
  for (const char* name : {"_PARTITIONTIME", "_partitiondate", "_TABLE_SUFFIX", "_FILE_NAME",
                           "_ROW_TIMESTAMP", "__ROOT__x", "_COLIDENTIFIER"}) {
    bad.push_back(Json::array({FieldJson("x", "INTEGER"), FieldJson(name, "STRING")}));
  }
  for (const Json& fields : bad) {
    const Json schema = {{"fields", fields}};
    const Answer made = service.Call("POST", "/datasets/d/tables",
                                     {{"tableReference", TableJson("d", "n")}, {"schema", schema}});
    EXPECT_EQ(made.status, 400) << fields;
    EXPECT_EQ(made.reason(), "invalid") << fields;
    EXPECT_EQ(service.Call("PATCH", "/datasets/d/tables/t", {{"schema", schema}}).status, 400)
        << fields;
  }
  EXPECT_EQ(service.Call("GET", "/datasets/d/tables/n").status, 404);
}

TEST(TableRules, LabelsHaveGooglesForm) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOnlyX);
  const Json bad = {{"labels", {{"Team", "x"}}}};
  const auto with = [&](Json body) {
    body.update(bad);
    return body;
  };
  const std::vector<std::pair<std::string, Answer>> answers = {
      {"dataset",
       service.Call("POST", "/datasets",
                    with({{"datasetReference", {{"projectId", "acme"}, {"datasetId", "e"}}}}))},
      {"patched dataset", service.Call("PATCH", "/datasets/d", bad)},
      {"table", service.Call("POST", "/datasets/d/tables",
                             with({{"tableReference", TableJson("d", "n")},
                                   {"schema", {{"fields", kOnlyX}}}}))},
      {"patched table", service.Call("PATCH", "/datasets/d/tables/t", bad)}};
  for (const auto& [what, answer] : answers) {
    EXPECT_EQ(answer.status, 400) << what;
    EXPECT_EQ(answer.reason(), "invalid") << what;
    EXPECT_THAT(answer.message(), HasSubstr("Team")) << what;
  }
  for (const char* sql : {"CREATE TABLE d.n (x INT64) OPTIONS (labels = [('Team', 'x')])",
                          "ALTER TABLE d.t SET OPTIONS (labels = [('Team', 'x')])",
                          "CREATE SCHEMA e OPTIONS (labels = [('Team', 'x')])",
                          "ALTER SCHEMA d SET OPTIONS (labels = [('Team', 'x')])"}) {
    EXPECT_THAT(DumpJson(service.Query(sql)), HasSubstr("Team")) << sql;
  }
  service.Query("ALTER TABLE d.t SET OPTIONS (labels = [('team', 'x')])");
  EXPECT_EQ(service.Get("/datasets/d/tables/t")["labels"], Json({{"team", "x"}}));
}

TEST(TableRules, AForeignKeyRefersToATableOfItsDataset) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeDataset("e");
  service.MakeTable("d", "t", kOnlyX);
  service.MakeTable("d", "parent", kOnlyX);
  service.MakeTable("e", "parent", kOnlyX);
  const auto refer_to = [](const Json& table) {
    const Json key = {
        {"referencedTable", table},
        {"columnReferences", {{{"referencingColumn", "x"}, {"referencedColumn", "x"}}}}};
    return Json{{"tableConstraints", {{"foreignKeys", Json::array({key})}}}};
  };
  const auto create = [&](const std::string& name, const Json& table) {
    Json body = refer_to(table);
    body["tableReference"] = TableJson("d", name);
    body["schema"] = {{"fields", kOnlyX}};
    return service.Call("POST", "/datasets/d/tables", body);
  };
  const std::string patched = "/datasets/d/tables/t";
  for (const Json& bad : {TableJson("e", "parent"), TableJson("d", "absent")}) {
    EXPECT_EQ(create("n", bad).status, 400) << bad;
    EXPECT_EQ(create("n", bad).reason(), "invalid") << bad;
    const Answer answer = service.Call("PATCH", patched, refer_to(bad));
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.reason(), "invalid") << bad;
  }
  EXPECT_EQ(create("n", nullptr).status, 400);
  EXPECT_EQ(create("n", TableJson("d", "parent")).status, 200);
  EXPECT_EQ(create("own", TableJson("d", "own")).status, 200);
  EXPECT_EQ(service.Call("PATCH", patched, refer_to(TableJson("d", "parent"))).status, 200);
  EXPECT_EQ(service.Get(patched)["tableConstraints"]["foreignKeys"].size(), 1U);

  // One that refers to what was deleted since is in nobody's way.
  EXPECT_EQ(service.Call("DELETE", "/datasets/d/tables/parent").status, 204);
  EXPECT_EQ(service.Call("PATCH", patched, {{"description", "x"}}).status, 200);
}

TEST(TableRules, AnEtagGuardsDeletesAndSparesReads) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOnlyX);
  for (const char* target : {"/datasets/d/tables/t", "/datasets/d"}) {
    const std::string etag = service.Get(target)["etag"];
    EXPECT_EQ(service.Call("GET", target, nullptr, {{"If-None-Match", etag}}).status, 304);
    EXPECT_EQ(service.Call("GET", target, nullptr, {{"If-None-Match", "other"}}).status, 200);
    const Answer refused = service.Call("DELETE", target, nullptr, {{"If-Match", "other"}});
    EXPECT_EQ(refused.status, 412) << target;
    EXPECT_EQ(refused.reason(), "conditionNotMet");
    EXPECT_EQ(service.Call("DELETE", target, nullptr, {{"If-Match", etag}}).status, 204);
  }
}

TEST(TableRules, AnEtagGuardsTheUpdateOfARoutine) {
  ServiceForTest service;
  service.MakeDataset("d");
  Json routine = {
      {"routineReference", {{"projectId", "acme"}, {"datasetId", "d"}, {"routineId", "r"}}},
      {"definitionBody", "1"}};
  const std::string etag = service.Post("/datasets/d/routines", routine)["etag"];
  const std::string target = "/datasets/d/routines/r";
  routine["definitionBody"] = "2";
  const Answer refused = service.Call("PUT", target, routine, {{"If-Match", "other"}});
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(refused.reason(), "conditionNotMet");
  EXPECT_EQ(service.Get(target)["definitionBody"], "1");
  EXPECT_EQ(service.Call("PUT", target, routine, {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(service.Call("PUT", target, routine, {{"If-Match", etag}}).status, 412);
  EXPECT_EQ(service.Call("PUT", target, routine).status, 200);
}

TEST(TableRules, ADecoratedTableIsReadAsItWas) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOnlyX);
  service.clock.Advance(std::chrono::hours{1});
  service.Query("INSERT INTO d.t (x) VALUES (1)");
  const std::string then = std::to_string(ToUnixMillis(service.clock.Now()));
  service.clock.Advance(std::chrono::hours{1});
  service.Query("INSERT INTO d.t (x) VALUES (2), (3)");
  const std::string table = "/datasets/d/tables/t";
  EXPECT_EQ(service.Get(table)["numRows"], "3");
  EXPECT_EQ(service.Get(table + "@" + then)["numRows"], "1");
  EXPECT_EQ(service.Get(table + "@-1800000")["numRows"], "1");
  EXPECT_EQ(service.Get(table + "@0")["numRows"], "0");
  EXPECT_EQ(service.Get(table + "@" + then + "/data")["totalRows"], "1");
  EXPECT_EQ(service.Get(table + "@0/data")["totalRows"], "0");
  EXPECT_EQ(service.Call("GET", table + "@x").status, 400);
  // Longer ago than the window, the oldest that can be read is all there is.
  service.clock.Advance(std::chrono::hours{24 * 8});
  EXPECT_EQ(service.Get(table + "@0")["numRows"], "3");
  // A copy from @0 is the same.
  const Json job = service.RunJob(
      {{"copy",
        {{"sourceTable", TableJson("d", "t@0")}, {"destinationTable", TableJson("d", "c")}}}});
  EXPECT_EQ(FindPath(job, {"status", "errorResult"}), nullptr) << job;
  EXPECT_EQ(service.Get("/datasets/d/tables/c")["numRows"], "3");
}

TEST(LoadRules, OptionsThatAreNotUnderstoodAreRefused) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeBucket("bucket");
  service.PutObject("bucket", "a.csv", "1\n2\n");
  const auto load = [&](const std::string& option, const Json& value) {
    Json settings = {{"sourceUris", {"gs://bucket/a.csv"}},
                     {"schema", {{"fields", kOnlyX}}},
                     {"writeDisposition", "WRITE_TRUNCATE"},
                     {"destinationTable", TableJson("d", "t")}};
    settings[option] = value;
    const Json job = service.RunJob({{"load", settings}});
    const Json* error = FindPath(job, {"status", "errorResult"});
    return error == nullptr ? std::string() : StringOr(*error, "message", "");
  };
  for (const char* option : {"timestampFormat", "dateFormat", "timeZone", "jsonExtension"}) {
    EXPECT_THAT(load(option, "x"), HasSubstr(std::string("Unsupported load option: ") + option));
  }
  EXPECT_THAT(load("nullMarkers", {"NA"}), HasSubstr("nullMarkers"));
  EXPECT_EQ(load("nullMarkers", Json::array()), "");
  EXPECT_EQ(load("preserveAsciiControlCharacters", true), "");
  EXPECT_EQ(load("decimalTargetTypes", {"NUMERIC", "BIGNUMERIC"}), "");
  EXPECT_THAT(load("decimalTargetTypes", {"STRING"}), HasSubstr("decimalTargetTypes"));
}

}  // namespace
}  // namespace holdfast::bigquery
