// What a query may not do, and what its errors say: in BigQuery's words, with the place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "localcloud/bigquery/service_for_test.h"
#include "localcloud/sqlite/database.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::bigquery {
namespace {

using testing::HasSubstr;
using testing::Not;

class QueryRulesTest : public testing::Test {
 protected:
  QueryRulesTest() {
    service.MakeDataset("d");
    service.MakeTable("d", "t",
                      Json::array({FieldJson("id", "INTEGER"), FieldJson("s", "STRING")}));
    service.Query("INSERT INTO d.t (id, s) VALUES (1, 'a'), (2, 'b')");
  }

  Json RunSql(const std::string& sql, Json more = Json::object()) {
    more["query"] = sql;
    more["useLegacySql"] = false;
    return service.RunJob({{"query", more}});
  }
  // The reason and message of a job that failed; "" for one that did not.
  static std::string ErrorIn(const Json& job) {
    const Json* error = FindPath(job, {"status", "errorResult"});
    if (error == nullptr) error = FindField(job, "error");
    if (error == nullptr) return {};
    return StringOr(*error, "reason", "") + ": " + StringOr(*error, "message", "");
  }
  std::string Refusal(const std::string& sql) {
    const Answer answer =
        service.Call("POST", "/queries", {{"query", sql}, {"useLegacySql", false}});
    return answer.reason() + ": " + answer.message();
  }
  std::string Rows(const std::string& sql) { return DumpJson(service.Query(sql)); }

  ServiceForTest service;
};

TEST_F(QueryRulesTest, AReplacementThatFailsLeavesTheTable) {
  for (const char* sql :
       {"CREATE OR REPLACE TABLE d.t CLONE d.absent", "CREATE OR REPLACE TABLE d.t COPY d.absent",
        "CREATE OR REPLACE TABLE d.t CLONE d.t FOR SYSTEM_TIME AS OF TIMESTAMP "
        "'2001-01-01'",
        "CREATE OR REPLACE TABLE d.t COPY d.t OPTIONS(colour = 'red')"}) {
    EXPECT_NE(ErrorIn(RunSql(sql)), "") << sql;
    EXPECT_EQ(Rows("SELECT id FROM d.t ORDER BY id"), R"([["1"],["2"]])") << sql;
  }
}

TEST_F(QueryRulesTest, AReplacementTakesItsRowsAndOptionsAtOnce) {
  EXPECT_EQ(ErrorIn(RunSql("CREATE OR REPLACE TABLE d.t CLONE d.t OPTIONS(description = 'self')")),
            "");
  EXPECT_EQ(Rows("SELECT id FROM d.t ORDER BY id"), R"([["1"],["2"]])");
  EXPECT_EQ(service.Get("/datasets/d/tables/t")["description"], "self");
  service.Query("CREATE TABLE d.u AS SELECT 9 AS x");
  EXPECT_EQ(ErrorIn(RunSql("CREATE OR REPLACE TABLE d.u COPY d.t")), "");
  EXPECT_EQ(Rows("SELECT COUNT(*) FROM d.u"), R"([["2"]])");
}

// A job that took effect is not run again after a crash: a schema made twice is a duplicate.
TEST_F(QueryRulesTest, StatementsOfSchemasNoteThatTheyTookEffect) {
  const auto count = [&] {
    warehouse::TableStore& tables = service.warehouse().store();
    const std::lock_guard lock(tables.mutex());
    return tables.database().ReadInt("SELECT COUNT(*) FROM bigquery_jobs WHERE took_effect = 1");
  };
  for (const char* sql : {"CREATE SCHEMA made", "ALTER SCHEMA made SET OPTIONS (description = 'x')",
                          "DROP SCHEMA made"}) {
    const int64_t before = count().value().value_or(0);
    service.Query(sql);
    EXPECT_EQ(count().value(), before + 1) << sql;
  }
}

TEST_F(QueryRulesTest, ErrorsNameTheConstructAndThePlaceInBigQuerysWords) {
  const struct {
    const char* sql;
    const char* message;
  } kCases[] = {
      {"SELECT 1 / 0", "division by zero at [1:10]"},
      {"SELECT id / (id - id)\nFROM d.t", "division by zero at [1:11]"},
      {"SELECT s, COUNT(*) FROM d.t",
       "SELECT list expression references column s which is neither grouped nor aggregated at "
       "[1:8]"},
      {"SELECT id, s FROM d.t GROUP BY id", "column s which is neither grouped nor aggregated"},
      {"SELECT * FROM d.t GROUP BY id", "column s which is neither grouped nor aggregated"},
      {"SELECT CONCAT(s, 'x'), MAX(id) FROM d.t AS x GROUP BY UPPER(s)",
       "column s which is neither"},
  };
  for (const auto& c : kCases) {
    const std::string error = Refusal(c.sql);
    EXPECT_THAT(error, HasSubstr("invalidQuery")) << c.sql;
    EXPECT_THAT(error, HasSubstr(c.message)) << c.sql;
    EXPECT_THAT(error, Not(HasSubstr("Error: "))) << c.sql;
  }
}

TEST_F(QueryRulesTest, WhatIsGroupedOrAggregatedMayBeSelected) {
  const struct {
    const char* sql;
    const char* rows;
  } kCases[] = {
      {"SELECT UPPER(s), CONCAT(UPPER(s), 'x'), SUM(id) FROM d.t GROUP BY UPPER(s) ORDER BY 1",
       R"([["A","Ax","1"],["B","Bx","2"]])"},
      {"SELECT s AS k, COUNT(*) FROM d.t GROUP BY k ORDER BY k", R"([["a","1"],["b","1"]])"},
      {"SELECT id + 1, s FROM d.t GROUP BY 1, 2 ORDER BY 1", R"([["2","a"],["3","b"]])"},
      {"SELECT x.s, SUM(x.id) FROM d.t AS x GROUP BY s ORDER BY 1", R"([["a","1"],["b","2"]])"},
      {"SELECT ARRAY_AGG(s ORDER BY id DESC) FROM d.t", R"([[["b","a"]]])"},
      {"SELECT s, (SELECT COUNT(*) FROM d.t) FROM d.t ORDER BY s", R"([["a","2"],["b","2"]])"},
      {"SELECT s, SUM(COUNT(*)) OVER () FROM d.t GROUP BY s ORDER BY s",
       R"([["a","2"],["b","2"]])"},
      {"SELECT s, SUM(id) FROM d.t GROUP BY ALL ORDER BY s", R"([["a","1"],["b","2"]])"},
      {"SELECT (SELECT AS STRUCT s, MAX(id) AS m).m FROM d.t GROUP BY s ORDER BY 1",
       R"([["1"],["2"]])"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Rows(c.sql), c.rows) << c.sql;
}

TEST_F(QueryRulesTest, AViewThatReadsItselfIsNamedOnce) {
  service.Query("CREATE VIEW d.v AS SELECT id FROM d.t");
  service.Query("CREATE VIEW d.w AS SELECT id FROM d.v");
  service.Query("CREATE OR REPLACE VIEW d.v AS SELECT id FROM d.w");
  const std::string error = Refusal("SELECT * FROM d.v");
  EXPECT_THAT(error, HasSubstr("View acme.d.v reads itself"));
  EXPECT_LT(error.size(), 200U) << error;
}

TEST_F(QueryRulesTest, ATableMayDemandAFilterOverItsPartitions) {
  const Json fields = Json::array({FieldJson("day", "DATE"), FieldJson("x", "INTEGER")});
  service.MakeTable("d", "p", fields,
                    {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}},
                     {"requirePartitionFilter", true}});
  service.MakeTable("d", "i", Json::array({FieldJson("x", "INTEGER")}),
                    {{"timePartitioning", {{"type", "DAY"}}}, {"requirePartitionFilter", true}});
  service.Query("INSERT INTO d.p (day, x) VALUES (DATE '2026-01-01', 1)");
  service.Query("CREATE VIEW d.pv AS SELECT day AS d, x FROM d.p");
  for (const char* sql :
       {"SELECT * FROM d.p", "SELECT x FROM d.p WHERE x = 1", "SELECT day FROM d.p ORDER BY day",
        "SELECT COUNT(*) FROM d.pv", "UPDATE d.p SET x = 2 WHERE TRUE", "SELECT * FROM d.i",
        "DELETE FROM d.p WHERE x = 1",
        "SELECT a.x FROM d.p AS a, d.p AS b WHERE a.day = '2026-01-01'"}) {
    const std::string error = Refusal(sql);
    EXPECT_THAT(error, HasSubstr("invalidQuery")) << sql;
    EXPECT_THAT(error, HasSubstr("without a filter over column(s) '")) << sql;
    EXPECT_THAT(error, HasSubstr("that can be used for partition elimination")) << sql;
  }
  EXPECT_THAT(Refusal("SELECT * FROM d.p"),
              HasSubstr("Cannot query over table 'acme.d.p' without a "
                        "filter over column(s) 'day' that"));
  EXPECT_EQ(Rows("SELECT x FROM d.p WHERE day > '2025-01-01'"), R"([["1"]])");
  EXPECT_EQ(Rows("SELECT x FROM d.pv WHERE d > '2025-01-01'"), R"([["1"]])");
  EXPECT_EQ(Rows("SELECT x FROM (SELECT * FROM d.p) WHERE day > '2025-01-01'"), R"([["1"]])");
  EXPECT_EQ(
      Rows("WITH c AS (SELECT * FROM d.p) SELECT x FROM c WHERE DATE_ADD(day, INTERVAL 1 DAY) "
           "> '2025-01-01'"),
      R"([["1"]])");
  EXPECT_EQ(Rows("SELECT x FROM d.i WHERE _PARTITIONDATE = '2025-01-01'"), "[]");
  EXPECT_EQ(ErrorIn(RunSql("UPDATE d.p SET x = 2 WHERE day = '2026-01-01'")), "");
}

TEST_F(QueryRulesTest, BytesBilledHaveALimit) {
  EXPECT_EQ(ErrorIn(RunSql("SELECT * FROM d.t", {{"maximumBytesBilled", "1000"}})), "");
  const std::string error = ErrorIn(RunSql("SELECT * FROM d.t", {{"maximumBytesBilled", "10"}}));
  EXPECT_THAT(error,
              HasSubstr("bytesBilledLimitExceeded: Query exceeded limit for bytes billed: 10. "
                        "22 or higher required."));
  const Answer answer = service.Call(
      "POST", "/queries",
      {{"query", "SELECT * FROM d.t"}, {"useLegacySql", false}, {"maximumBytesBilled", "10"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.reason(), "bytesBilledLimitExceeded");
}

TEST_F(QueryRulesTest, MetadataOfOneTableIsTheSameAsThatOfAllFiltered) {
  service.Query("CREATE TABLE d.u AS SELECT 1 AS x");
  const char* of_one =
      "SELECT table_name, total_rows FROM d.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'u'";
  EXPECT_EQ(Rows(of_one), R"([["u","1"]])");
  EXPECT_EQ(Rows(std::string(of_one) + " AND total_rows > 1"), "[]");
  EXPECT_EQ(Rows("SELECT table_name FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'absent'"),
            "[]");
  EXPECT_EQ(Rows("SELECT table_name FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'u' OR "
                 "table_name = 't' ORDER BY 1"),
            R"([["t"],["u"]])");
  const Json named = {{"parameterMode", "NAMED"},
                      {"queryParameters",
                       {{{"name", "table"},
                         {"parameterType", {{"type", "STRING"}}},
                         {"parameterValue", {{"value", "u"}}}}}}};
  EXPECT_EQ(DumpJson(service.Query(
                "SELECT table_name FROM d.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = @table "
                "AND partition_id IS NULL",
                named)),
            R"([["u"]])");
  EXPECT_EQ(Rows("SELECT table_id FROM d.__TABLES__ WHERE table_id = 't'"), R"([["t"]])");
}

TEST_F(QueryRulesTest, ValuesThatDoNotFitTheColumnAreRefused) {
  service.Query("CREATE TABLE d.n (s STRING(3))");
  EXPECT_THAT(ErrorIn(RunSql("INSERT INTO d.n (s) VALUES ('abcd')")),
              HasSubstr("maximum length 3"));
  EXPECT_EQ(ErrorIn(RunSql("INSERT INTO d.n (s) VALUES ('abc')")), "");
}

}  // namespace
}  // namespace holdfast::bigquery
