#include "localcloud/bigquery/tabledata.h"

#include <gtest/gtest.h>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

class TabledataTest : public testing::Test {
 protected:
  TabledataTest() {
    service.MakeDataset("d");
    service.MakeTable(
        "d", "t",
        Json::array({FieldJson("id", "INTEGER", "REQUIRED"), FieldJson("at", "TIMESTAMP")}));
  }
  static Json Row(const Json& json, const std::string& id = {}) {
    Json row = {{"json", json}};
    if (!id.empty()) row["insertId"] = id;
    return row;
  }
  ServiceForTest service;
  const std::string table = "/datasets/d/tables/t";
};

TEST_F(TabledataTest, InsertedRowsAreVisibleAtOnceButNotCounted) {
  const Json answer = service.Post(
      table + "/insertAll",
      {{"rows", {Row({{"id", 1}, {"at", "2026-03-15T00:00:00Z"}}), Row({{"id", "2"}})}}});
  EXPECT_FALSE(answer.contains("insertErrors")) << answer;
  EXPECT_EQ(DumpJson(service.Query("SELECT id FROM d.t ORDER BY id")), R"([["1"],["2"]])");
  const Json resource = service.Get(table);
  EXPECT_EQ(resource["numRows"], "0");
  EXPECT_EQ(resource["streamingBuffer"]["estimatedRows"], "2");
  EXPECT_EQ(resource["streamingBuffer"]["oldestEntryTime"], "1773532800000");
  const Json data = service.Get(table + "/data?formatOptions.useInt64Timestamp=true");
  EXPECT_EQ(DumpJson(Plain(data["rows"])), R"([["1","1773532800000000"],["2",null]])");
}

TEST_F(TabledataTest, ABadRowStopsTheOthersUnlessSkipped) {
  const Json rows = {Row({{"id", 1}}), Row({{"id", 2}, {"x", 3}}), Row({{"at", "2026-01-01"}})};
  Json answer = service.Post(table + "/insertAll", {{"rows", rows}});
  ASSERT_EQ(answer["insertErrors"].size(), 3) << answer;
  EXPECT_EQ(answer["insertErrors"][0]["index"], 0);
  EXPECT_EQ(answer["insertErrors"][0]["errors"][0]["reason"], "stopped");
  EXPECT_EQ(answer["insertErrors"][1]["errors"][0]["reason"], "invalid");
  EXPECT_EQ(answer["insertErrors"][1]["errors"][0]["message"], "no such field: x.");
  EXPECT_EQ(service.Query("SELECT COUNT(*) FROM d.t"), Json::parse(R"([["0"]])"));
  answer = service.Post(table + "/insertAll", {{"rows", rows}, {"skipInvalidRows", true}});
  EXPECT_EQ(answer["insertErrors"].size(), 2) << answer;
  EXPECT_EQ(service.Query("SELECT id FROM d.t"), Json::parse(R"([["1"]])"));
  answer = service.Post(table + "/insertAll",
                        {{"rows", Json::array({rows[1]})}, {"ignoreUnknownValues", true}});
  EXPECT_FALSE(answer.contains("insertErrors")) << answer;
}

TEST_F(TabledataTest, ARepeatedInsertIdIsDropped) {
  const Json body = {{"rows", Json::array({Row({{"id", 1}}, "once")})}};
  service.Post(table + "/insertAll", body);
  service.Post(table + "/insertAll", body);
  EXPECT_EQ(service.Query("SELECT COUNT(*) FROM d.t"), Json::parse(R"([["1"]])"));
}

TEST_F(TabledataTest, InsertRefusesBadRequests) {
  Json too_many = Json::array();
  for (size_t i = 0; i <= kInsertRowsMax; ++i) too_many.push_back(Row({{"id", 1}}));
  const struct {
    std::string target;
    Json body;
    int status;
    const char* reason;
  } kCases[] = {
      {table, {{"rows", Json::array()}}, 400, "invalid"},
      {table, {{"rows", {1}}}, 400, "invalid"},
      {table, {{"rows", too_many}}, 400, "invalid"},
      {table, {{"rows", {Row({{"id", 1}})}}, {"templateSuffix", "_x"}}, 400, "invalid"},
      {table,
       {{"rows", {Row({{"id", std::string(kInsertBytesMax, 'x')}})}}},
       413,
       "uploadTooLarge"},
      {"/datasets/d/tables/absent", {{"rows", {Row({{"id", 1}})}}}, 404, "notFound"},
  };
  for (const auto& c : kCases) {
    const Answer answer = service.Call("POST", c.target + "/insertAll", c.body);
    EXPECT_EQ(answer.status, c.status) << answer.body;
    EXPECT_EQ(answer.reason(), c.reason) << answer.body;
  }
}

TEST_F(TabledataTest, PagesOfOneListingShowOneVersion) {
  service.Query("INSERT INTO d.t (id) VALUES (1), (2), (3)");
  const Json first = service.Get(table + "/data?maxResults=2");
  EXPECT_EQ(first["totalRows"], "3");
  EXPECT_EQ(first["rows"].size(), 2);
  service.clock.Advance(std::chrono::seconds{1});
  service.Query("DELETE FROM d.t WHERE true");
  service.clock.Advance(std::chrono::seconds{1});
  const Json second =
      service.Get(table + "/data?pageToken=" + first["pageToken"].get<std::string>());
  EXPECT_EQ(second["rows"].size(), 1);
  EXPECT_FALSE(second.contains("pageToken"));
  EXPECT_EQ(service.Get(table + "/data")["totalRows"], "0");
}

TEST_F(TabledataTest, ListSelectsColumnsAndRefusesOthers) {
  service.Query("INSERT INTO d.t (id) VALUES (7)");
  EXPECT_EQ(DumpJson(Plain(service.Get(table + "/data?selectedFields=at")["rows"])), "[[null]]");
  EXPECT_EQ(service.Call("GET", table + "/data?selectedFields=nope").status, 400);
  EXPECT_EQ(service.Call("GET", table + "/data?pageToken=forged").status, 400);
  EXPECT_EQ(service.Call("GET", table + "/data?startIndex=-1").status, 400);
  service.Query("CREATE VIEW d.v AS SELECT 1 AS one");
  EXPECT_EQ(service.Call("GET", "/datasets/d/tables/v/data").reason(), "invalid");
}

TEST_F(TabledataTest, StreamedRowsSurviveARestart) {
  service.Post(table + "/insertAll", {{"rows", {Row({{"id", 5}})}}});
  service.Restart();
  EXPECT_EQ(service.Query("SELECT id FROM d.t"), Json::parse(R"([["5"]])"));
}

}  // namespace
}  // namespace holdfast::bigquery
