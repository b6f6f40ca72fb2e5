#include "localcloud/bigquery/jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "localcloud/bigquery/service_for_test.h"

namespace holdfast::bigquery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Json kNamed = Json::array({FieldJson("id", "INTEGER"), FieldJson("name", "STRING")});

Json LoadOf(const std::string& uri, const std::string& table, const Json& more = Json::object()) {
  Json load = {{"sourceUris", {uri}},
               {"destinationTable", TableJson("d", table)},
               {"schema", {{"fields", kNamed}}}};
  load.update(more);
  return {{"load", load}};
}

std::string ErrorOf(const Json& job) {
  const Json* error = FindPath(job, {"status", "errorResult"});
  return error == nullptr ? ""
                          : StringOr(*error, "reason", "") + ": " + StringOr(*error, "message", "");
}

class JobsTest : public testing::Test {
 protected:
  JobsTest() {
    service.MakeDataset("d");
    service.MakeBucket("bkt");
  }
  ServiceForTest service;
};

TEST_F(JobsTest, LoadReadsCsvAndTellsWhatItDid) {
  service.PutObject("bkt", "in/1.csv", "id,name\n1,one\n2,\n");
  service.PutObject("bkt", "in/2.csv", "id,name\n3,\"th,ree\"\n");
  const Json job =
      service.RunJob(LoadOf("gs://bkt/in/*.csv", "t", {{"skipLeadingRows", "1"}}), "load-1");
  EXPECT_EQ(ErrorOf(job), "");
  EXPECT_EQ(job["kind"], "bigquery#job");
  EXPECT_EQ(job["id"], "acme:US.load-1");
  EXPECT_EQ(job["configuration"]["jobType"], "LOAD");
  EXPECT_EQ(job["statistics"]["load"]["outputRows"], "3");
  EXPECT_EQ(job["statistics"]["load"]["inputFiles"], "2");
  EXPECT_EQ(job["statistics"]["creationTime"], "1773532800000");
  EXPECT_TRUE(job["statistics"].contains("endTime"));
  EXPECT_EQ(service.Query("SELECT id, name FROM d.t ORDER BY id"),
            Json::parse(R"([["1","one"],["2",null],["3","th,ree"]])"));
}

TEST_F(JobsTest, AnIdIsUsedOnce) {
  service.PutObject("bkt", "a.csv", "1,one\n");
  service.RunJob(LoadOf("gs://bkt/a.csv", "t"), "twice");
  Json body = {{"configuration", LoadOf("gs://bkt/a.csv", "t")},
               {"jobReference", {{"projectId", "acme"}, {"jobId", "twice"}}}};
  const Answer again = service.Call("POST", "/jobs", body);
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.reason(), "duplicate");
  EXPECT_EQ(again.message(), "Already Exists: Job acme:US.twice");
  EXPECT_EQ(service.Query("SELECT COUNT(*) FROM d.t"), Json::parse(R"([["1"]])"));
}

TEST_F(JobsTest, FailuresNameTheirReason) {
  service.PutObject("bkt", "a.csv", "1,one\n");
  service.PutObject("bkt", "bad.csv", "x,one\n");
  service.RunJob(LoadOf("gs://bkt/a.csv", "full"));
  service.MakeDataset("eu", {{"location", "EU"}});
  service.MakeTable("eu", "t", kNamed);
  Json to_absent = LoadOf("gs://bkt/a.csv", "t");
  to_absent["load"]["destinationTable"] = TableJson("absent", "t");
  const Json eu = TableJson("eu", "t");
  const struct {
    Json configuration;
    std::string error;
  } kCases[] = {
      {LoadOf("gs://bkt/none.csv", "t"), "notFound: Not found: URI gs://bkt/none.csv"},
      {LoadOf("gs://absent-bucket/a.csv", "t"), "notFound: "},
      {LoadOf("http://b/a.csv", "t"), "invalid: "},
      {LoadOf("gs://bkt/a.csv", "t", {{"sourceFormat", "XML"}}),
       "invalid: Unsupported sourceFormat"},
      {LoadOf("gs://bkt/bad.csv", "t"), "invalid: "},
      {LoadOf("gs://bkt/a.csv", "t", {{"createDisposition", "CREATE_NEVER"}}), "notFound: "},
      {LoadOf("gs://bkt/a.csv", "full", {{"writeDisposition", "WRITE_EMPTY"}}),
       "duplicate: Already Exists: Table acme:d.full"},
      {to_absent, "notFound: Not found: Dataset acme:absent was not found in location US"},
      {{{"extract",
         {{"sourceTable", TableJson("d", "absent")}, {"destinationUris", {"gs://bkt/o"}}}}},
       "notFound: "},
      {{{"extract", {{"sourceTable", eu}, {"destinationUris", {"gs://bkt/o"}}}}},
       "invalid: Cannot read and write in different locations"},
      {{{"copy", {{"sourceTable", TableJson("d", "full")}, {"destinationTable", eu}}}},
       "notFound: Not found: Dataset acme:d was not found in location EU"},
      {{{"copy",
         {{"sourceTable", TableJson("d", "full@x")}, {"destinationTable", TableJson("d", "c")}}}},
       "invalid: Invalid table decorator"},
  };
  for (const auto& c : kCases) {
    const Json job = service.RunJob(c.configuration);
    EXPECT_THAT(ErrorOf(job), HasSubstr(c.error)) << c.configuration;
    EXPECT_EQ(job["status"]["errors"][0], job["status"]["errorResult"]);
  }
}

TEST_F(JobsTest, MalformedJobsAreRefusedAtOnce) {
  const struct {
    Json body;
    const char* reason;
  } kCases[] = {
      {Json::object(), "required"},
      {{{"configuration", Json::object()}}, "required"},
      {{{"configuration", {{"load", Json::object()}, {"copy", Json::object()}}}}, "invalid"},
      {{{"configuration", LoadOf("gs://bkt/a", "t")}, {"jobReference", {{"jobId", "a b"}}}},
       "invalid"},
      {{{"configuration", LoadOf("gs://bkt/a", "t")}, {"jobReference", {{"projectId", "other"}}}},
       "invalid"},
      {{{"configuration", {{"query", {{"query", "SELEC 1"}, {"useLegacySql", false}}}}}},
       "invalidQuery"},
      {{{"configuration", {{"query", {{"query", "SELECT 1"}}}}}}, "invalidQuery"},
  };
  for (const auto& c : kCases) {
    const Answer answer = service.Call("POST", "/jobs", c.body);
    EXPECT_EQ(answer.status, 400) << c.body;
    EXPECT_EQ(answer.reason(), c.reason) << c.body << answer.body;
  }
}

TEST_F(JobsTest, BadRecordsWithinTheAllowanceAreWarnings) {
  service.PutObject("bkt", "a.csv", "1,one\nx,two\n3,three\n");
  const Json job = service.RunJob(LoadOf("gs://bkt/a.csv", "t", {{"maxBadRecords", 1}}));
  EXPECT_EQ(ErrorOf(job), "");
  EXPECT_EQ(job["statistics"]["load"]["badRecords"], "1");
  EXPECT_EQ(job["status"]["errors"].size(), 1);
  EXPECT_EQ(service.Query("SELECT COUNT(*) FROM d.t"), Json::parse(R"([["2"]])"));
}

TEST_F(JobsTest, ExtractWritesAndLoadReadsBackEveryFormat) {
  service.PutObject("bkt", "a.csv", "1,one\n2,\n");
  service.RunJob(LoadOf("gs://bkt/a.csv", "t"));
  for (const std::string format : {"CSV", "NEWLINE_DELIMITED_JSON", "AVRO", "PARQUET"}) {
    const std::string uri = "gs://bkt/out/" + format + "-*";
    const Json extract = service.RunJob({{"extract",
                                          {{"sourceTable", TableJson("d", "t")},
                                           {"destinationUris", {uri}},
                                           {"destinationFormat", format}}}});
    ASSERT_EQ(ErrorOf(extract), "") << format;
    EXPECT_EQ(extract["statistics"]["extract"]["destinationUriFileCounts"], Json::array({"1"}));
    const std::string target = "back_" + format;
    const Json load = service.RunJob(LoadOf(
        uri, target, {{"sourceFormat", format}, {"skipLeadingRows", format == "CSV" ? "1" : "0"}}));
    ASSERT_EQ(ErrorOf(load), "") << format;
    EXPECT_EQ(service.Query("SELECT id, name FROM d." + target + " ORDER BY id"),
              Json::parse(R"([["1","one"],["2",null]])"))
        << format;
  }
  EXPECT_THAT(service.ListObjects("bkt"),
              ElementsAre("a.csv", "out/AVRO-000000000000", "out/CSV-000000000000",
                          "out/NEWLINE_DELIMITED_JSON-000000000000", "out/PARQUET-000000000000"));
  EXPECT_EQ(service.ReadObject("bkt", "out/CSV-000000000000"), "id,name\n1,one\n2,\n");
}

TEST_F(JobsTest, CopyHonoursWriteDispositionsAndManySources) {
  service.MakeTable("d", "a", kNamed);
  service.MakeTable("d", "b", kNamed);
  service.Query("INSERT INTO d.a VALUES (1, 'one')");
  service.Query("INSERT INTO d.b VALUES (2, 'two')");
  const Json both = {{"sourceTables", {TableJson("d", "a"), TableJson("d", "b")}},
                     {"destinationTable", TableJson("d", "c")}};
  Json job = service.RunJob({{"copy", both}});
  EXPECT_EQ(ErrorOf(job), "");
  EXPECT_EQ(job["statistics"]["copy"]["copiedRows"], "2");
  job = service.RunJob({{"copy", both}});
  EXPECT_THAT(ErrorOf(job), HasSubstr("duplicate: "));
  Json again = both;
  again["writeDisposition"] = "WRITE_TRUNCATE";
  EXPECT_EQ(ErrorOf(service.RunJob({{"copy", again}})), "");
  again["writeDisposition"] = "WRITE_APPEND";
  EXPECT_EQ(ErrorOf(service.RunJob({{"copy", again}})), "");
  EXPECT_EQ(service.Get("/datasets/d/tables/c")["numRows"], "4");
}

TEST_F(JobsTest, SnapshotCloneRestoreAndTimeTravel) {
  service.MakeTable("d", "t", kNamed);
  service.Query("INSERT INTO d.t VALUES (1, 'one')");
  service.clock.Advance(std::chrono::seconds{10});
  const std::string before = "1773532805000";
  service.Query("DELETE FROM d.t WHERE true");
  const auto copy = [&](const char* operation, const std::string& source, const char* target) {
    return service.RunJob({{"copy",
                            {{"sourceTable", TableJson("d", source)},
                             {"destinationTable", TableJson("d", target)},
                             {"operationType", operation}}}});
  };
  EXPECT_EQ(ErrorOf(copy("SNAPSHOT", "t@" + before, "snap")), "");
  EXPECT_EQ(ErrorOf(copy("RESTORE", "snap", "restored")), "");
  EXPECT_EQ(ErrorOf(copy("CLONE", "restored", "clone")), "");
  EXPECT_EQ(ErrorOf(copy("COPY", "t@-5000", "past")), "");
  for (const char* table : {"snap", "restored", "clone", "past"}) {
    EXPECT_EQ(service.Query(std::string("SELECT id FROM d.") + table), Json::parse(R"([["1"]])"))
        << table;
  }
  const Json snapshot = service.Get("/datasets/d/tables/snap");
  EXPECT_EQ(snapshot["type"], "SNAPSHOT");
  EXPECT_EQ(snapshot["snapshotDefinition"]["baseTableReference"]["tableId"], "t");
  EXPECT_TRUE(service.Get("/datasets/d/tables/clone").contains("cloneDefinition"));
  EXPECT_THAT(ErrorOf(copy("SNAPSHOT", "t", "snap")), HasSubstr("duplicate: "));
}

TEST_F(JobsTest, AJobIsFoundOnlyInItsLocation) {
  service.PutObject("bkt", "a.csv", "1,one\n");
  service.RunJob(LoadOf("gs://bkt/a.csv", "t"), "here");
  EXPECT_EQ(service.Call("GET", "/jobs/here").status, 200);
  EXPECT_EQ(service.Call("GET", "/jobs/here?location=us").status, 200);
  const Answer elsewhere = service.Call("GET", "/jobs/here?location=EU");
  EXPECT_EQ(elsewhere.status, 404);
  EXPECT_EQ(elsewhere.message(), "Not found: Job acme:EU.here");
  EXPECT_EQ(service.Call("GET", "/jobs/absent").reason(), "notFound");
}

TEST_F(JobsTest, ListIsNewestFirstAndFilters) {
  for (const char* id : {"one", "two", "three"}) {
    service.RunJob({{"query", {{"query", "SELECT 1"}, {"useLegacySql", false}}}}, id);
  }
  std::vector<std::string> ids;
  std::string token;
  do {
    const Json page = service.Get("/jobs?maxResults=2&pageToken=" + token);
    for (const Json& job : page["jobs"]) {
      ids.push_back(job["jobReference"]["jobId"]);
      EXPECT_EQ(job["state"], "DONE");
      EXPECT_FALSE(job.contains("configuration"));
    }
    token = page.value("nextPageToken", "");
  } while (!token.empty());
  EXPECT_THAT(ids, ElementsAre("three", "two", "one"));
  EXPECT_EQ(service.Get("/jobs?stateFilter=running&stateFilter=pending")["jobs"].size(), 0);
  EXPECT_EQ(
      service.Get("/jobs?stateFilter=done&projection=full")["jobs"][0]["configuration"]["jobType"],
      "QUERY");
  EXPECT_EQ(service.Call("GET", "/jobs?stateFilter=odd").status, 400);
  EXPECT_EQ(service.Call("DELETE", "/jobs/one/delete").status, 204);
  EXPECT_EQ(service.Call("GET", "/jobs/one").status, 404);
}

TEST_F(JobsTest, CancelOfADoneJobLeavesItAsItIs) {
  service.RunJob({{"query", {{"query", "SELECT 1"}, {"useLegacySql", false}}}}, "done");
  const Json answer = service.Post("/jobs/done/cancel", Json::object());
  EXPECT_EQ(answer["kind"], "bigquery#jobCancelResponse");
  EXPECT_EQ(ErrorOf(answer["job"]), "");
  EXPECT_EQ(service.Call("POST", "/jobs/absent/cancel", Json::object()).status, 404);
}

TEST_F(JobsTest, DoneJobsAndTheirResultsSurviveARestart) {
  const Json job =
      service.RunJob({{"query", {{"query", "SELECT 7 AS n"}, {"useLegacySql", false}}}}, "kept");
  service.Restart();
  EXPECT_EQ(service.Get("/jobs/kept"), job);
  EXPECT_EQ(service.Get("/queries/kept")["rows"][0]["f"][0]["v"], "7");
}

TEST_F(JobsTest, ManyJobsAppendToOneTableAtTheSameTime) {
  service.PutObject("bkt", "a.csv", "1,one\n2,two\n");
  service.MakeTable("d", "t", kNamed);
  constexpr int kThreads = 4;
  constexpr int kJobs = 5;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < kJobs; ++j) {
          EXPECT_EQ(ErrorOf(service.RunJob(LoadOf("gs://bkt/a.csv", "t"))), "");
        }
      });
    }
  }
  EXPECT_EQ(service.Get("/datasets/d/tables/t")["numRows"], std::to_string(kThreads * kJobs * 2));
}

}  // namespace
}  // namespace holdfast::bigquery
