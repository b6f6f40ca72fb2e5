#include "localcloud/bigquery/tables.h"

#include <gtest/gtest.h>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

const Json kOneColumn = Json::array({FieldJson("x", "INTEGER")});

TEST(Tables, KeepSchemasOfAllTypes) {
  ServiceForTest service;
  service.MakeDataset("d");
  Json fields = Json::array();
  for (const char* type :
       {"STRING", "BYTES", "INTEGER", "FLOAT", "BOOLEAN", "NUMERIC", "BIGNUMERIC", "TIMESTAMP",
        "DATE", "TIME", "DATETIME", "GEOGRAPHY", "JSON", "INTERVAL"}) {
    fields.push_back(FieldJson(std::string("f_") + type, type));
  }
  fields[0]["description"] = "words";
  fields[0]["maxLength"] = "10";
  fields[5]["precision"] = "10";
  fields[5]["scale"] = "2";
  Json record = FieldJson("r", "RECORD", "REPEATED");
  record["fields"] = Json::array({FieldJson("a", "INTEGER", "REQUIRED")});
  fields.push_back(record);
  Json range = FieldJson("g", "RANGE");
  range["rangeElementType"] = {{"type", "DATE"}};
  fields.push_back(range);
  service.MakeTable("d", "t", fields);
  EXPECT_EQ(service.Get("/datasets/d/tables/t")["schema"]["fields"], fields);
}

TEST(Tables, ShowStatisticsUnlessTheViewIsBasic) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOneColumn);
  EXPECT_EQ(service.Query("INSERT INTO d.t (x) VALUES (1), (2)"), Json::array());
  const Json table = service.Get("/datasets/d/tables/t");
  EXPECT_EQ(table["type"], "TABLE");
  EXPECT_EQ(table["location"], "US");
  EXPECT_EQ(table["numRows"], "2");
  EXPECT_EQ(table["numBytes"], "16");
  EXPECT_EQ(table["numLongTermBytes"], "0");
  EXPECT_EQ(table["id"], "acme:d.t");
  const Json basic = service.Get("/datasets/d/tables/t?view=BASIC");
  EXPECT_FALSE(basic.contains("numRows"));
  EXPECT_FALSE(basic.contains("lastModifiedTime"));
  EXPECT_TRUE(basic.contains("schema"));
  EXPECT_EQ(service.Call("GET", "/datasets/d/tables/t?view=ODD").status, 400);
}

TEST(Tables, ListShowsNoStatisticsAndPages) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable(
      "d", "a", Json::array({FieldJson("day", "DATE")}),
      {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}, {"labels", {{"k", "v"}}}});
  service.MakeTable("d", "b", kOneColumn);
  service.MakeTable("d", "c", nullptr,
                    {{"view", {{"query", "SELECT 1 AS one"}, {"useLegacySql", false}}}});
  const Json list = service.Get("/datasets/d/tables");
  ASSERT_EQ(list["tables"].size(), 3);
  EXPECT_EQ(list["totalItems"], 3);
  const Json& first = list["tables"][0];
  EXPECT_EQ(first["tableReference"]["tableId"], "a");
  EXPECT_EQ(first["labels"], Json({{"k", "v"}}));
  EXPECT_EQ(first["timePartitioning"]["field"], "day");
  for (const char* key : {"schema", "numRows", "lastModifiedTime"})
    EXPECT_FALSE(first.contains(key));
  EXPECT_EQ(list["tables"][2]["type"], "VIEW");
  const Json page = service.Get("/datasets/d/tables?maxResults=2");
  EXPECT_EQ(page["tables"].size(), 2);
  const std::string token = page["nextPageToken"];
  EXPECT_EQ(service.Get("/datasets/d/tables?pageToken=" + token)["tables"].size(), 1);
}

TEST(Tables, RefuseWhatBigQueryRefuses) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOneColumn);
  const auto table = [](const char* id, const Json& more) {
    Json resource = {{"tableReference", TableJson("d", id)}, {"schema", {{"fields", kOneColumn}}}};
    resource.update(more);
    return resource;
  };
  const Json other_dataset = {{"tableReference", TableJson("absent", "t")}};
  const Json retyped = {{"schema", {{"fields", Json::array({FieldJson("x", "STRING")})}}}};
  const Json dropped = {{"schema", {{"fields", Json::array({FieldJson("y", "INTEGER")})}}}};
  const Json required = {{"schema",
                          {{"fields", Json::array({FieldJson("x", "INTEGER"),
                                                   FieldJson("y", "INTEGER", "REQUIRED")})}}}};
  const struct {
    const char* method;
    const char* target;
    Json body;
    int status;
    const char* reason;
  } kCases[] = {
      {"POST", "/datasets/d/tables", table("t", Json::object()), 409, "duplicate"},
      {"POST", "/datasets/d/tables", Json::object(), 400, "required"},
      {"POST", "/datasets/absent/tables", other_dataset, 404, "notFound"},
      {"POST", "/datasets/d/tables", table("u$20260101", Json::object()), 400, "invalid"},
      {"POST", "/datasets/d/tables",
       table("u", {{"timePartitioning", {{"type", "DAY"}, {"field", "x"}}}}), 400, "invalid"},
      {"POST", "/datasets/d/tables", table("u", {{"clustering", {{"fields", {"nope"}}}}}), 400,
       "invalid"},
      {"POST", "/datasets/d/tables", table("u", {{"expirationTime", "1000"}}), 400, "invalid"},
      {"POST", "/datasets/d/tables",
       table("u", {{"schema", {{"fields", Json::array({FieldJson("x", "ODD")})}}}}), 400,
       "invalid"},
      {"GET", "/datasets/d/tables/absent", nullptr, 404, "notFound"},
      {"GET", "/datasets/absent/tables", nullptr, 404, "notFound"},
      {"PATCH", "/datasets/d/tables/t", {{"timePartitioning", {{"type", "DAY"}}}}, 400, "invalid"},
      {"DELETE", "/datasets/d/tables/absent", nullptr, 404, "notFound"},
  };
  for (const auto& c : kCases) {
    const Answer answer = service.Call(c.method, c.target, c.body);
    EXPECT_EQ(answer.status, c.status) << c.method << c.target << answer.body;
    EXPECT_EQ(answer.reason(), c.reason) << c.method << c.target << answer.body;
  }
  service.Query("INSERT INTO d.t (x) VALUES (1)");
  for (const Json& body : {retyped, dropped, required}) {
    EXPECT_EQ(service.Call("PATCH", "/datasets/d/tables/t", body).status, 400) << body;
  }
}

TEST(Tables, ASchemaGrowsAndOldRowsReadAsNull) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", Json::array({FieldJson("x", "INTEGER", "REQUIRED")}));
  service.Query("INSERT INTO d.t (x) VALUES (1)");
  const Answer patched = service.Call(
      "PATCH", "/datasets/d/tables/t",
      {{"schema",
        {{"fields", Json::array({FieldJson("x", "INTEGER"), FieldJson("y", "STRING")})}}}});
  EXPECT_EQ(patched.status, 200) << patched.body;
  EXPECT_EQ(service.Query("SELECT x, y FROM d.t"), Json::parse(R"([["1", null]])"));
}

TEST(Tables, AnEditOfMetadataMovesTheModificationTimeAndEtag) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOneColumn, {{"description", "old"}});
  const Json before = service.Get("/datasets/d/tables/t");
  service.clock.Advance(std::chrono::seconds{1});
  const Answer patched = service.Call("PATCH", "/datasets/d/tables/t", {{"description", nullptr}},
                                      {{"If-Match", before["etag"].get<std::string>()}});
  EXPECT_EQ(patched.status, 200) << patched.body;
  EXPECT_FALSE(patched.body.contains("description"));
  EXPECT_NE(patched.body["etag"], before["etag"]);
  EXPECT_EQ(patched.body["lastModifiedTime"], "1773532801000");
  const Answer stale = service.Call("PATCH", "/datasets/d/tables/t", {{"description", "x"}},
                                    {{"If-Match", before["etag"].get<std::string>()}});
  EXPECT_EQ(stale.status, 412);
}

TEST(Tables, UpdateKeepsThePartitioning) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", Json::array({FieldJson("day", "DATE")}),
                    {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}},
                     {"description", "gone after PUT"}});
  const Answer answer = service.Call("PUT", "/datasets/d/tables/t", {{"friendlyName", "T"}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.body["timePartitioning"]["field"], "day");
  EXPECT_FALSE(answer.body.contains("description"));
}

TEST(Tables, ViewsGetTheSchemaOfTheirQuery) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable(
      "d", "v", nullptr,
      {{"view", {{"query", "SELECT 1 AS one, 'a' AS two"}, {"useLegacySql", false}}}});
  const Json view = service.Get("/datasets/d/tables/v");
  EXPECT_EQ(view["type"], "VIEW");
  EXPECT_EQ(view["schema"]["fields"][1]["type"], "STRING");
  const Answer bad =
      service.Call("POST", "/datasets/d/tables",
                   {{"tableReference", TableJson("d", "w")},
                    {"view", {{"query", "SELECT nope FROM d.v"}, {"useLegacySql", false}}}});
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.reason(), "invalidQuery");
}

TEST(Tables, ExternalDefinitionsAreKeptAndNotQueried) {
  ServiceForTest service;
  service.MakeDataset("d");
  const Json definition = {{"sourceFormat", "CSV"},
                           {"sourceUris", {"gs://b/x.csv"}},
                           {"schema", {{"fields", kOneColumn}}}};
  service.MakeTable("d", "e", nullptr, {{"externalDataConfiguration", definition}});
  const Json table = service.Get("/datasets/d/tables/e");
  EXPECT_EQ(table["type"], "EXTERNAL");
  EXPECT_EQ(table["externalDataConfiguration"], definition);
  const std::string answer = service.Query("SELECT * FROM d.e").get<std::string>();
  EXPECT_NE(answer.find("invalidQuery: External table acme:d.e"), std::string::npos) << answer;
}

TEST(Tables, DecoratedNamesMeanOnePartition) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", Json::array({FieldJson("day", "DATE")}),
                    {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  service.Query("INSERT INTO d.t (day) VALUES ('2026-03-01'), ('2026-03-02')");
  const Json part = service.Get("/datasets/d/tables/t$20260301");
  EXPECT_EQ(part["tableReference"]["tableId"], "t$20260301");
  EXPECT_EQ(part["numRows"], "1");
  const std::string summary = "/datasets/d/tables/t$__PARTITIONS_SUMMARY__";
  EXPECT_EQ(service.Get(summary)["schema"]["fields"][3]["name"], "partition_id");
  EXPECT_EQ(Plain(service.Get(summary + "/data?selectedFields=partition_id")["rows"]),
            Json::parse(R"([["20260301"], ["20260302"]])"));
  EXPECT_EQ(service.Call("DELETE", "/datasets/d/tables/t$20260301").status, 204);
  EXPECT_EQ(service.Query("SELECT day FROM d.t"), Json::parse(R"([["2026-03-02"]])"));
}

TEST(Tables, PoliciesAreKeptAndGuardedByTheirEtag) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", kOneColumn);
  const std::string table = "/datasets/d/tables/t";
  const std::string etag = service.Post(table + ":getIamPolicy", Json::object())["etag"];
  const Json bindings = Json::array({{{"role", "roles/viewer"}, {"members", {"user:a@b.c"}}}});
  const Json policy = {{"policy", {{"bindings", bindings}, {"etag", etag}}}};
  EXPECT_EQ(service.Post(table + ":setIamPolicy", policy)["bindings"], bindings);
  EXPECT_EQ(service.Call("POST", table + ":setIamPolicy", policy).status, 412);
  EXPECT_EQ(service.Post(table + ":getIamPolicy", Json::object())["bindings"], bindings);
  const Json permissions = {{"permissions", {"bigquery.tables.get"}}};
  EXPECT_EQ(service.Post(table + ":testIamPermissions", permissions), permissions);
  EXPECT_EQ(service.Get(table + "/rowAccessPolicies"), Json::object());
}

}  // namespace
}  // namespace holdfast::bigquery
