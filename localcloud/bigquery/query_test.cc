// GoogleSQL run for real, against answers worked out by hand from BigQuery's reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

using testing::HasSubstr;

class QueryTest : public testing::Test {
 protected:
  QueryTest() {
    service.MakeDataset("d");
    Json tags = FieldJson("tags", "STRING", "REPEATED");
    service.MakeTable("d", "t",
                      Json::array({FieldJson("id", "INTEGER"), FieldJson("grp", "STRING"),
                                   FieldJson("day", "DATE"), FieldJson("v", "FLOAT"), tags}));
    service.Query(
        "INSERT INTO d.t (id, grp, day, v, tags) VALUES "
        "(1, 'a', DATE '2026-01-31', 1.5, ['x', 'y']), (2, 'a', DATE '2026-02-28', NULL, []), "
        "(3, 'b', DATE '2026-03-01', 2.5, ['z']), (4, NULL, NULL, 4, NULL)");
  }

  // The rows of `sql` as compact JSON.
  std::string Rows(const std::string& sql) { return DumpJson(service.Query(sql)); }

  ServiceForTest service;
};

TEST_F(QueryTest, AnswersAsBigQueryDoes) {
  const struct {
    const char* sql;
    const char* rows;
  } kCases[] = {
      {"SELECT 1, 'a', TRUE, NULL", R"([["1","a","true",null]])"},
      {"SELECT 7 / 2, DIV(7, 2), MOD(-7, 2), -7 / 2", R"([["3.5","3","-1","-3.5"]])"},
      {"SELECT grp FROM d.t ORDER BY grp", R"([[null],["a"],["a"],["b"]])"},
      {"SELECT grp FROM d.t ORDER BY grp DESC", R"([["b"],["a"],["a"],[null]])"},
      {"SELECT grp FROM d.t ORDER BY grp NULLS LAST LIMIT 1", R"([["a"]])"},
      {"SELECT grp, COUNT(*), SUM(v), AVG(v) FROM d.t GROUP BY grp ORDER BY grp",
       R"([[null,"1","4.0","4.0"],["a","2","1.5","1.5"],["b","1","2.5","2.5"]])"},
      {"SELECT COUNT(v), COUNT(DISTINCT grp), COUNTIF(id > 2) FROM d.t", R"([["3","2","2"]])"},
      {"SELECT grp FROM d.t GROUP BY grp HAVING COUNT(*) > 1", R"([["a"]])"},
      {"SELECT DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH)", R"([["2026-02-28"]])"},
      {"SELECT DATE_DIFF(DATE '2026-03-01', DATE '2026-02-28', DAY)", R"([["1"]])"},
      {"SELECT DATE_TRUNC(DATE '2026-03-15', MONTH), EXTRACT(YEAR FROM DATE '2026-03-15')",
       R"([["2026-03-01","2026"]])"},
      {"SELECT TIMESTAMP '2026-03-15 00:00:00 UTC'", R"([["1.7735328E9"]])"},
      {"SELECT id, tag FROM d.t, UNNEST(tags) AS tag ORDER BY tag",
       R"([["1","x"],["1","y"],["3","z"]])"},
      {"SELECT tags FROM d.t WHERE id >= 2 ORDER BY id", R"([[[]],[["z"]],[[]]])"},
      {"SELECT x + 1 FROM UNNEST([1, 2]) AS x ORDER BY 1", R"([["2"],["3"]])"},
      {"SELECT STRUCT(1 AS a, 'b' AS b)", R"([[["1","b"]]])"},
      {"SELECT s.a FROM (SELECT STRUCT(5 AS a) AS s)", R"([["5"]])"},
      {"SELECT id, ROW_NUMBER() OVER (PARTITION BY grp ORDER BY id DESC) FROM d.t WHERE grp = 'a' "
       "ORDER BY id",
       R"([["1","2"],["2","1"]])"},
      {"SELECT l.id, r.id AS rid FROM d.t AS l JOIN d.t AS r ON l.id = r.id + 1 ORDER BY 1",
       R"([["2","1"],["3","2"],["4","3"]])"},
      {"SELECT l.id, r.id AS rid FROM `acme.d.t` AS l LEFT JOIN `d.t` AS r ON l.id = r.id + 3 "
       "ORDER BY 1 DESC LIMIT 2",
       R"([["4","1"],["3",null]])"},
      {"WITH big AS (SELECT * FROM d.t WHERE v > 2) SELECT COUNT(*) FROM big", R"([["2"]])"},
      {"SELECT id FROM d.t WHERE id IN (SELECT MAX(id) FROM d.t)", R"([["4"]])"},
      {"SELECT 1 UNION ALL SELECT 1", R"([["1"],["1"]])"},
      {"SELECT DISTINCT grp FROM d.t WHERE grp IS NOT NULL ORDER BY 1", R"([["a"],["b"]])"},
      {"SELECT IFNULL(grp, 'none'), CASE WHEN v IS NULL THEN 'n' ELSE 'v' END FROM d.t "
       "WHERE id IN (2, 4) ORDER BY id",
       R"([["a","n"],["none","v"]])"},
      {"SELECT CONCAT('a', 'b'), UPPER('x'), LENGTH('h\u00e9'), SUBSTR('hello', 2, 3)",
       R"([["ab","X","2","ell"]])"},
      {"SELECT SAFE_CAST('x' AS INT64), CAST('12' AS INT64), CAST(2.5 AS INT64)",
       R"([[null,"12","3"]])"},
      {"SELECT NUMERIC '1.10' + 2", R"([["3.1"]])"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Rows(c.sql), c.rows) << c.sql;
}

TEST_F(QueryTest, RefusesWhatItDoesNotUnderstandAndSaysWhere) {
  const struct {
    const char* sql;
    const char* answer;
  } kCases[] = {
      {"SELEC 1", "invalidQuery: Syntax error"},
      {"SELECT nope FROM d.t", "invalidQuery: Unrecognized name: nope at [1:8]"},
      {"SELECT * FROM d.absent",
       "notFound: Not found: Table acme:d.absent was not found in location "},
      {"SELECT * FROM absent.t",
       "notFound: Not found: Dataset acme:absent was not found in location"},
      {"SELECT 1 / 0", "invalid"},
      {"SELECT * FROM d.INFORMATION_SCHEMA.ODD", "invalidQuery: "},
  };
  for (const auto& c : kCases) EXPECT_THAT(Rows(c.sql), HasSubstr(c.answer)) << c.sql;
  const Answer legacy = service.Call("POST", "/queries", {{"query", "SELECT 1"}});
  EXPECT_EQ(legacy.status, 400);
  EXPECT_EQ(legacy.reason(), "invalidQuery");
  EXPECT_THAT(legacy.message(), HasSubstr("Legacy SQL is not supported"));
  EXPECT_EQ(service.Call("POST", "/queries", {{"query", "#standardSQL\nSELECT 1"}}).status, 200);
}

TEST_F(QueryTest, TakesParametersOfScalarAndArrayTypes) {
  const auto type = [](const char* name) { return Json{{"type", name}}; };
  const Json named = {
      {"parameterMode", "NAMED"},
      {"queryParameters",
       {{{"name", "n"}, {"parameterType", type("INT64")}, {"parameterValue", {{"value", "2"}}}},
        {{"name", "s"}, {"parameterType", type("STRING")}, {"parameterValue", {{"value", "it's"}}}},
        {{"name", "none"},
         {"parameterType", type("DATE")},
         {"parameterValue", {{"value", nullptr}}}},
        {{"name", "list"},
         {"parameterType", {{"type", "ARRAY"}, {"arrayType", type("INT64")}}},
         {"parameterValue", {{"arrayValues", {{{"value", "1"}}, {{"value", "3"}}}}}}}}}};
  EXPECT_EQ(DumpJson(service.Query("SELECT @n + 1, @s, @none", named)), R"([["3","it's",null]])");
  EXPECT_EQ(
      DumpJson(service.Query("SELECT id FROM d.t WHERE id IN UNNEST(@list) ORDER BY id", named)),
      R"([["1"],["3"]])");
  const Json positional = {
      {"parameterMode", "POSITIONAL"},
      {"queryParameters",
       {{{"parameterType", type("FLOAT64")}, {"parameterValue", {{"value", "2"}}}},
        {{"parameterType", type("BOOL")}, {"parameterValue", {{"value", "true"}}}}}}};
  EXPECT_EQ(DumpJson(service.Query("SELECT ? * 2, ?", positional)), R"([["4.0","true"]])");
}

TEST_F(QueryTest, DmlCountsWhatItChanged) {
  const auto affected = [&](const std::string& sql) {
    return service.Post("/queries", {{"query", sql}, {"useLegacySql", false}})
        .value("numDmlAffectedRows", "");
  };
  EXPECT_EQ(affected("UPDATE d.t SET v = v * 2, grp = 'c' WHERE id IN (1, 3)"), "2");
  EXPECT_EQ(Rows("SELECT id, grp, v FROM d.t WHERE grp = 'c' ORDER BY id"),
            R"([["1","c","3.0"],["3","c","5.0"]])");
  EXPECT_EQ(affected("DELETE FROM d.t WHERE v IS NULL"), "1");
  EXPECT_EQ(affected("INSERT INTO d.t (id) SELECT id + 10 FROM d.t"), "3");
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.t"), R"([["6"]])");
  EXPECT_EQ(affected("TRUNCATE TABLE d.t"), "6");
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.t"), R"([["0"]])");
}

TEST_F(QueryTest, DdlCreatesReplacesAndDrops) {
  const auto operation = [&](const std::string& sql) {
    const Json job = service.RunJob({{"query", {{"query", sql}, {"useLegacySql", false}}}});
    const Json* error = FindPath(job, {"status", "errorResult"});
    if (error != nullptr) return StringOr(*error, "reason", "");
    return StringOr(job["statistics"]["query"], "ddlOperationPerformed", "");
  };
  EXPECT_EQ(operation("CREATE TABLE d.n (x INT64 NOT NULL, y STRING) OPTIONS(description='n')"),
            "CREATE");
  EXPECT_EQ(service.Get("/datasets/d/tables/n")["description"], "n");
  EXPECT_EQ(operation("CREATE TABLE d.n (x INT64)"), "duplicate");
  EXPECT_EQ(operation("CREATE TABLE IF NOT EXISTS d.n (x INT64)"), "SKIP");
  EXPECT_EQ(operation("CREATE OR REPLACE TABLE d.n PARTITION BY day AS SELECT id, day FROM d.t"),
            "REPLACE");
  EXPECT_EQ(service.Get("/datasets/d/tables/n")["timePartitioning"],
            Json({{"type", "DAY"}, {"field", "day"}}));
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.n"), R"([["4"]])");
  EXPECT_EQ(operation("CREATE VIEW d.w AS SELECT id FROM d.n WHERE id < 3"), "CREATE");
  EXPECT_EQ(operation("CREATE OR REPLACE VIEW d.w AS SELECT id FROM d.n WHERE id < 2"), "REPLACE");
  EXPECT_EQ(Rows("SELECT * FROM d.w"), R"([["1"]])");
  EXPECT_EQ(operation("CREATE SNAPSHOT TABLE d.s CLONE d.n"), "CREATE");
  EXPECT_EQ(operation("CREATE TABLE d.c CLONE d.n"), "CREATE");
  EXPECT_EQ(operation("DROP TABLE d.n"), "DROP");
  EXPECT_EQ(operation("DROP TABLE d.n"), "notFound");
  EXPECT_EQ(operation("DROP TABLE IF EXISTS d.n"), "SKIP");
  EXPECT_EQ(operation("DROP TABLE d.w"), "invalidQuery");
  EXPECT_EQ(operation("DROP VIEW d.w"), "DROP");
  EXPECT_EQ(operation("DROP SNAPSHOT TABLE d.s"), "DROP");
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.c"), R"([["4"]])");
}

TEST_F(QueryTest, ReadsThePast) {
  service.clock.Advance(std::chrono::hours{1});
  service.Query("DELETE FROM d.t WHERE id > 1");
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.t"), R"([["1"]])");
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.t FOR SYSTEM_TIME AS OF "
                 "TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 MINUTE)"),
            R"([["4"]])");
}

TEST_F(QueryTest, ReadsWildcardsOfTables) {
  for (const char* day : {"20260101", "20260102"}) {
    service.MakeTable("d", std::string("e_") + day, Json::array({FieldJson("n", "INTEGER")}));
    service.Query(std::string("INSERT INTO d.e_") + day + " VALUES (1)");
  }
  EXPECT_EQ(Rows("SELECT SUM(n) FROM `d.e_*`"), R"([["2"]])");
  EXPECT_EQ(Rows("SELECT _TABLE_SUFFIX FROM `d.e_2026*` WHERE _TABLE_SUFFIX > '0101'"),
            R"([["0102"]])");
}

TEST_F(QueryTest, ShowsTheCatalog) {
  service.MakeTable("d", "p", Json::array({FieldJson("day", "DATE")}),
                    {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  service.Query("INSERT INTO d.p VALUES ('2026-03-01'), ('2026-03-02'), ('2026-03-02'), (NULL)");
  EXPECT_EQ(Rows("SELECT table_name, table_type FROM d.INFORMATION_SCHEMA.TABLES ORDER BY 1"),
            R"([["p","BASE TABLE"],["t","BASE TABLE"]])");
  EXPECT_EQ(Rows("SELECT partition_id, total_rows FROM d.INFORMATION_SCHEMA.PARTITIONS "
                 "ORDER BY table_name, partition_id"),
            R"([["20260301","1"],["20260302","2"],["__NULL__","1"],[null,"4"]])");
  EXPECT_EQ(Rows("SELECT column_name, ordinal_position, data_type, is_partitioning_column "
                 "FROM d.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'p'"),
            R"([["day","1","DATE","YES"]])");
  EXPECT_EQ(Rows("SELECT data_type FROM d.INFORMATION_SCHEMA.COLUMNS WHERE column_name = 'tags'"),
            R"([["ARRAY<STRING>"]])");
  EXPECT_EQ(Rows("SELECT table_id, row_count, type FROM d.__TABLES__ ORDER BY table_id"),
            R"([["p","4","1"],["t","4","1"]])");
  EXPECT_EQ(Rows("SELECT table_name FROM `region-us`.INFORMATION_SCHEMA.TABLES ORDER BY 1"),
            R"([["p"],["t"]])");
  EXPECT_EQ(Rows("SELECT schema_name, location FROM INFORMATION_SCHEMA.SCHEMATA"),
            R"([["d","US"]])");
}

TEST_F(QueryTest, IngestionTimePartitionsHavePseudoColumns) {
  service.MakeTable("d", "i", Json::array({FieldJson("n", "INTEGER")}),
                    {{"timePartitioning", {{"type", "DAY"}}}});
  service.Query("INSERT INTO d.i (n) VALUES (1)");
  EXPECT_EQ(Rows("SELECT n, _PARTITIONDATE FROM d.i"), R"([["1","2026-03-15"]])");
  EXPECT_EQ(Rows("SELECT * FROM d.i WHERE _PARTITIONTIME = TIMESTAMP '2026-03-14'"), "[]");
}

TEST_F(QueryTest, ViewsExpandInsideViews) {
  service.Query("CREATE VIEW d.v1 AS SELECT id, grp FROM d.t WHERE id < 4");
  service.Query("CREATE VIEW d.v2 AS SELECT id FROM d.v1 WHERE grp = 'a'");
  EXPECT_EQ(Rows("SELECT SUM(id) FROM d.v2"), R"([["3"]])");
}

TEST_F(QueryTest, ResultsArePagedAndStayReadable) {
  const Json first = service.Post(
      "/queries", {{"query", "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 5)) AS x ORDER BY x"},
                   {"useLegacySql", false},
                   {"maxResults", 2}});
  EXPECT_EQ(first["totalRows"], "5");
  EXPECT_EQ(DumpJson(Plain(first["rows"])), R"([["1"],["2"]])");
  const std::string job = first["jobReference"]["jobId"];
  const std::string token = first["pageToken"];
  const Json second = service.Get("/queries/" + job + "?maxResults=2&pageToken=" + token);
  EXPECT_EQ(DumpJson(Plain(second["rows"])), R"([["3"],["4"]])");
  const Json from_three = service.Get("/queries/" + job + "?startIndex=3");
  EXPECT_EQ(DumpJson(Plain(from_three["rows"])), R"([["4"],["5"]])");
  EXPECT_FALSE(from_three.contains("pageToken"));
  EXPECT_FALSE(service.Get("/queries/" + job + "?maxResults=0").contains("rows"));
  const Json destination =
      service.Get("/jobs/" + job)["configuration"]["query"]["destinationTable"];
  const Json data = service.Get("/datasets/" + destination["datasetId"].get<std::string>() +
                                "/tables/" + destination["tableId"].get<std::string>() + "/data");
  EXPECT_EQ(data["totalRows"], "5");
}

TEST_F(QueryTest, DestinationTablesFollowTheWriteDisposition) {
  const auto write = [&](const char* disposition) {
    const Json job = service.RunJob({{"query",
                                      {{"query", "SELECT id FROM d.t"},
                                       {"useLegacySql", false},
                                       {"destinationTable", TableJson("d", "out")},
                                       {"writeDisposition", disposition}}}});
    const Json* error = FindPath(job, {"status", "errorResult"});
    return error == nullptr ? service.Get("/datasets/d/tables/out")["numRows"].get<std::string>()
                            : StringOr(*error, "reason", "");
  };
  EXPECT_EQ(write("WRITE_EMPTY"), "4");
  EXPECT_EQ(write("WRITE_EMPTY"), "duplicate");
  EXPECT_EQ(write("WRITE_APPEND"), "8");
  EXPECT_EQ(write("WRITE_TRUNCATE"), "4");
}

TEST_F(QueryTest, DryRunTellsSchemaAndBytesAndRunsNothing) {
  const Json answer = service.Post(
      "/queries", {{"query", "SELECT id FROM d.t"}, {"useLegacySql", false}, {"dryRun", true}});
  EXPECT_EQ(answer["jobComplete"], true);
  EXPECT_EQ(answer["schema"]["fields"][0]["type"], "INTEGER");
  EXPECT_NE(answer["totalBytesProcessed"], "0");
  EXPECT_FALSE(answer.contains("rows"));
  const auto jobs_before = service.Get("/jobs")["jobs"].size();
  service.Post("/jobs",
               {{"configuration",
                 {{"query", {{"query", "DELETE FROM d.t WHERE true"}, {"useLegacySql", false}}},
                  {"dryRun", true}}}});
  EXPECT_EQ(service.Get("/jobs")["jobs"].size(), jobs_before);
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.t"), R"([["4"]])");
}

TEST_F(QueryTest, ARepeatedRequestIdRunsOnce) {
  const Json body = {
      {"query", "INSERT INTO d.t (id) VALUES (9)"}, {"useLegacySql", false}, {"requestId", "r-1"}};
  EXPECT_EQ(service.Post("/queries", body)["jobReference"],
            service.Post("/queries", body)["jobReference"]);
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.t WHERE id = 9"), R"([["1"]])");
}

}  // namespace
}  // namespace holdfast::bigquery
