#include "localcloud/bigquery/datasets.h"

#include <gtest/gtest.h>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

TEST(Datasets, KeepWhatWasGivenAndAddWhatTheServerKnows) {
  ServiceForTest service;
  const Json made = service.Post("/datasets", {{"datasetReference", {{"datasetId", "sales"}}},
                                               {"description", "all sales"},
                                               {"labels", {{"team", "a"}}},
                                               {"location", "EU"}});
  EXPECT_EQ(made["kind"], "bigquery#dataset");
  EXPECT_EQ(made["id"], "acme:sales");
  EXPECT_EQ(made["datasetReference"], Json({{"projectId", "acme"}, {"datasetId", "sales"}}));
  EXPECT_EQ(made["location"], "EU");
  EXPECT_EQ(made["creationTime"], "1773532800000");
  EXPECT_EQ(made["description"], "all sales");
  EXPECT_FALSE(made["etag"].get<std::string>().empty());
  EXPECT_EQ(service.Get("/datasets/sales"), made);
}

TEST(Datasets, AreInTheUsUnlessSaidOtherwise) {
  ServiceForTest service;
  service.MakeDataset("d");
  EXPECT_EQ(service.Get("/datasets/d")["location"], "US");
}

TEST(Datasets, RefuseWhatBigQueryRefuses) {
  ServiceForTest service;
  service.MakeDataset("taken");
  service.MakeTable("taken", "t", Json::array({FieldJson("x", "INTEGER")}));
  const auto named = [](const char* id) { return Json{{"datasetReference", {{"datasetId", id}}}}; };
  Json short_lived = named("short");
  short_lived["defaultTableExpirationMs"] = "1000";
  const struct {
    const char* method;
    const char* target;
    Json body;
    int status;
    const char* reason;
  } kCases[] = {
      {"POST", "/datasets", named("taken"), 409, "duplicate"},
      {"POST", "/datasets", Json::object(), 400, "required"},
      {"POST", "/datasets", named("no-dash"), 400, "invalid"},
      {"POST", "/datasets", short_lived, 400, "invalid"},
      {"GET", "/datasets/absent", nullptr, 404, "notFound"},
      {"PATCH", "/datasets/absent", Json::object(), 404, "notFound"},
      {"PATCH", "/datasets/taken", {{"location", "EU"}}, 400, "invalid"},
      {"DELETE", "/datasets/absent", nullptr, 404, "notFound"},
      {"DELETE", "/datasets/taken", nullptr, 400, "resourceInUse"},
      {"GET", "/datasets?maxResults=-1", nullptr, 400, "invalid"},
      {"GET", "/datasets?pageToken=made-up", nullptr, 400, "invalid"},
      {"GET", "/datasets?filter=color:red", nullptr, 400, "invalid"},
  };
  for (const auto& c : kCases) {
    const Answer answer = service.Call(c.method, c.target, c.body);
    EXPECT_EQ(answer.status, c.status) << c.method << c.target << answer.body;
    EXPECT_EQ(answer.reason(), c.reason) << c.method << c.target << answer.body;
    EXPECT_FALSE(answer.message().empty());
  }
}

TEST(Datasets, PatchClearsWithNullAndUpdateReplaces) {
  ServiceForTest service;
  service.MakeDataset("d", {{"description", "old"}, {"labels", {{"a", "1"}, {"b", "2"}}}});
  Answer answer = service.Call("PATCH", "/datasets/d",
                               {{"description", nullptr}, {"labels", {{"a", nullptr}}}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.body.contains("description"));
  EXPECT_EQ(answer.body["labels"], Json({{"b", "2"}}));
  answer = service.Call("PUT", "/datasets/d", {{"friendlyName", "D"}});
  EXPECT_EQ(answer.body["friendlyName"], "D");
  EXPECT_FALSE(answer.body.contains("labels"));
  EXPECT_EQ(answer.body["location"], "US");
}

TEST(Datasets, AnEditWithAnOldEtagIsRefused) {
  ServiceForTest service;
  service.MakeDataset("d");
  const std::string etag = service.Get("/datasets/d")["etag"];
  EXPECT_EQ(
      service.Call("PATCH", "/datasets/d", {{"friendlyName", "a"}}, {{"If-Match", etag}}).status,
      200);
  const Answer stale =
      service.Call("PATCH", "/datasets/d", {{"friendlyName", "b"}}, {{"If-Match", etag}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.reason(), "conditionNotMet");
  EXPECT_EQ(service.Get("/datasets/d")["friendlyName"], "a");
}

TEST(Datasets, ListPagesThroughAllInOrder) {
  ServiceForTest service;
  for (const char* id : {"c", "a", "e", "b", "d"}) service.MakeDataset(id);
  std::string seen;
  std::string token;
  int pages = 0;
  do {
    const Json page = service.Get("/datasets?maxResults=2&pageToken=" + token);
    for (const Json& item : page["datasets"]) {
      seen += item["datasetReference"]["datasetId"].get<std::string>();
      EXPECT_FALSE(item.contains("creationTime"));
    }
    token = page.value("nextPageToken", "");
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(seen, "abcde");
  EXPECT_EQ(pages, 3);
}

TEST(Datasets, ListFiltersByLabelAndHidesUnderscores) {
  ServiceForTest service;
  service.MakeDataset("a", {{"labels", {{"team", "x"}}}});
  service.MakeDataset("b", {{"labels", {{"team", "y"}}}});
  service.MakeDataset("_hidden");
  EXPECT_EQ(service.Get("/datasets")["datasets"].size(), 2);
  EXPECT_EQ(service.Get("/datasets?all=true")["datasets"].size(), 3);
  EXPECT_EQ(service.Get("/datasets?filter=labels.team")["datasets"].size(), 2);
  const Json one = service.Get("/datasets?filter=labels.team:y");
  ASSERT_EQ(one["datasets"].size(), 1);
  EXPECT_EQ(one["datasets"][0]["id"], "acme:b");
}

TEST(Datasets, DeleteTakesTheContentsAlongWhenAsked) {
  ServiceForTest service;
  service.MakeDataset("d");
  service.MakeTable("d", "t", Json::array({FieldJson("x", "INTEGER")}));
  EXPECT_EQ(service.Call("DELETE", "/datasets/d?deleteContents=true").status, 204);
  EXPECT_EQ(service.Call("GET", "/datasets/d").status, 404);
}

TEST(Datasets, DefaultExpirationsApplyToNewTables) {
  ServiceForTest service;
  service.MakeDataset(
      "d", {{"defaultTableExpirationMs", "3600000"}, {"defaultPartitionExpirationMs", "86400000"}});
  service.MakeTable("d", "plain", Json::array({FieldJson("x", "INTEGER")}));
  service.MakeTable("d", "parted", Json::array({FieldJson("day", "DATE")}),
                    {{"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
  EXPECT_EQ(service.Get("/datasets/d/tables/plain")["expirationTime"], "1773536400000");
  EXPECT_EQ(service.Get("/datasets/d/tables/parted")["timePartitioning"]["expirationMs"],
            "86400000");
  service.clock.Advance(std::chrono::hours{2});
  EXPECT_EQ(service.Call("GET", "/datasets/d/tables/plain").status, 404);
}

TEST(Datasets, SurviveARestart) {
  ServiceForTest service;
  service.MakeDataset("d", {{"labels", {{"k", "v"}}}});
  const Json before = service.Get("/datasets/d");
  service.Restart();
  EXPECT_EQ(service.Get("/datasets/d"), before);
}

}  // namespace
}  // namespace holdfast::bigquery
