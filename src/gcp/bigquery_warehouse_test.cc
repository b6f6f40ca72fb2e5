// Jobs and tables over a service that loses answers (google-semantics A5).
#include "gcp/bigquery_warehouse.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/retry.h"
#include "cloud/run_job.h"
#include "gcp/bigquery_jobs.h"
#include "gcp/scripted_http_for_test.h"

namespace holdfast::gcp {
namespace {

using namespace std::chrono_literals;

const TableRef kTable{"p", "d", "t", {}};
const cloud::JobRef kJob{.project = "p", .location = "EU", .id = "job-1"};

cloud::JobSpec Spec(const char* destination = "gs://b/x-*.avro") {
  return cloud::ExtractJob{.source = kTable, .as_of_ms = {}, .destination_uri = destination};
}

std::string Resource(const Json& status, const cloud::JobSpec& spec = Spec()) {
  Json resource = JobInsertBody(kJob, spec);
  resource["status"] = status;
  return DumpJson(resource);
}

const Json kRunning = {{"state", "RUNNING"}};
const Json kDone = {{"state", "DONE"}};

Json Failed(const char* reason) {
  return {{"state", "DONE"}, {"errorResult", {{"reason", reason}, {"message", "no"}}}};
}

class BigQueryWarehouseTest : public testing::Test, protected RestSurroundings {
 protected:
  Result<cloud::JobStatus> Start(const cloud::JobSpec& spec = Spec()) {
    return Warehouse().StartJob(kJob, spec);
  }
  Result<cloud::JobStatus> Run(const cloud::JobSpec& spec = Spec()) {
    BigQueryWarehouse warehouse = Warehouse();
    return cloud::RunJob(warehouse, clock, kJob, spec, [] { return Ok(); });
  }
  BigQueryWarehouse Warehouse() { return {kEndpoint, Environment()}; }
};

TEST_F(BigQueryWarehouseTest, StartsAJobUnderTheIdGiven) {
  http.Answer(200, Resource(kRunning));
  const auto status = Start();
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(status->state, cloud::JobState::kRunning);
  EXPECT_EQ(http.requests().at(0).url, "https://service.test/bigquery/v2/projects/p/jobs");
  EXPECT_EQ(ParseJson(http.requests().at(0).body).value(), JobInsertBody(kJob, Spec()));
}

// The answer is lost in whatever way; the same id is sent again and finds the job there.
TEST_F(BigQueryWarehouseTest, AttachesToTheJobWhoseAnswerWasLost) {
  const std::function<void(ScriptedHttp&)> losses[] = {
      [](ScriptedHttp& service) { service.Lose(); },
      [](ScriptedHttp& service) { service.Lose(ErrorId::kHttpTimeout); },
      [](ScriptedHttp& service) { service.Answer(503, "<html>"); },
      [](ScriptedHttp& service) { service.Answer(500, ErrorBodyOf(500, "internalError")); },
      [](ScriptedHttp& service) { service.Answer(200, "{\"status\": {\"sta"); },
  };
  for (const auto& lose : losses) {
    RestSurroundings here;
    lose(here.http);
    here.http.Answer(409, ErrorBodyOf(409, "duplicate"));
    here.http.Answer(404, ErrorBodyOf(404, "notFound"));  // a 404 right after the 409 happens
    here.http.Answer(200, Resource(kDone));
    BigQueryWarehouse warehouse(kEndpoint, here.Environment());
    const auto status = warehouse.StartJob(kJob, Spec());
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_TRUE(status->Succeeded());
    EXPECT_EQ(here.http.requests().at(0).body, here.http.requests().at(1).body);
    EXPECT_EQ(here.http.requests().at(3).url,
              "https://service.test/bigquery/v2/projects/p/jobs/job-1?location=EU");
  }
}

// google-semantics trap 9: 409 has two meanings.
TEST_F(BigQueryWarehouseTest, DoesNotAttachToAnotherJobOfTheSameId) {
  http.Answer(409, ErrorBodyOf(409, "duplicate"));
  http.Answer(200, Resource(kDone, Spec("gs://b/other-*.avro")));
  const auto status = Start();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, ErrorId::kJobConflict);
  EXPECT_FALSE(IsRetryable(status.error()));
}

TEST_F(BigQueryWarehouseTest, AttachingToAJobThatFailedGivesItsFailure) {
  http.Answer(409, ErrorBodyOf(409, "duplicate")).Answer(200, Resource(Failed("backendError")));
  const auto status = Start();
  ASSERT_TRUE(status.ok());
  ASSERT_TRUE(status->error);
  EXPECT_TRUE(IsRetryable(*status->error)) << "another id may help";
}

TEST_F(BigQueryWarehouseTest, AnIdThatIsTakenButNeverFoundIsNotAJob) {
  retry.attempts_max = 3;
  http.Answer(409, ErrorBodyOf(409, "duplicate")).Answer(404).Answer(404).Answer(404);
  const auto status = Start();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, ErrorId::kJobNotFound);
}

TEST_F(BigQueryWarehouseTest, ARefusalToStartIsFinal) {
  const struct {
    int status;
    const char* reason;
    ErrorId id;
  } cases[] = {{403, "accessDenied", ErrorId::kAccessDenied},
               {403, "quotaExceeded", ErrorId::kQuotaExceeded},
               {404, "notFound", ErrorId::kTableNotFound},
               {400, "invalid", ErrorId::kServiceRejected}};
  for (const auto& expected : cases) {
    RestSurroundings here;
    here.http.Answer(expected.status, ErrorBodyOf(expected.status, expected.reason));
    BigQueryWarehouse warehouse(kEndpoint, here.Environment());
    const auto status = warehouse.StartJob(kJob, Spec());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().id, expected.id) << expected.reason;
  }
}

TEST_F(BigQueryWarehouseTest, AStartThatIsTurnedAwayForItsRateIsRepeated) {
  http.Answer(403, ErrorBodyOf(403, "jobRateLimitExceeded"))
      .Answer(403, ErrorBodyOf(403, "rateLimitExceeded"))
      .Answer(200, Resource(kRunning));
  EXPECT_TRUE(Start().ok());
  EXPECT_GT(elapsed(), 0s);
}

TEST_F(BigQueryWarehouseTest, WaitsForAJobThroughLostPolls) {
  http.Answer(200, Resource({{"state", "PENDING"}}))
      .Answer(200, Resource(kRunning))
      .Answer(503)
      .Lose()
      .Answer(200, Resource(kRunning))
      .Answer(200, Resource(kDone));
  const auto status = Run();
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_TRUE(status->Succeeded());
  EXPECT_EQ(http.steps_left(), 0U);
}

TEST_F(BigQueryWarehouseTest, AJobThatFailsOrIsCancelledIsNoSuccess) {
  const struct {
    const char* reason;
    ErrorId id;
    bool another_id;
  } cases[] = {{"backendError", ErrorId::kServiceUnavailable, true},
               {"stopped", ErrorId::kJobFailed, true},
               {"jobRateLimitExceeded", ErrorId::kServiceUnavailable, true},
               {"quotaExceeded", ErrorId::kQuotaExceeded, false},
               {"accessDenied", ErrorId::kAccessDenied, false},
               {"invalid", ErrorId::kServiceRejected, false}};
  for (const auto& expected : cases) {
    RestSurroundings here;
    here.http.Answer(200, Resource(kRunning)).Answer(200, Resource(Failed(expected.reason)));
    BigQueryWarehouse warehouse(kEndpoint, here.Environment());
    const auto status = cloud::RunJob(warehouse, here.clock, kJob, Spec(), [] { return Ok(); });
    ASSERT_FALSE(status.ok()) << expected.reason;
    EXPECT_EQ(status.error().id, expected.id) << expected.reason;
    EXPECT_EQ(IsRetryable(status.error()), expected.another_id) << expected.reason;
    EXPECT_NE(status.error().message.find("extract job of p.d.t"), std::string::npos);
  }
}

TEST_F(BigQueryWarehouseTest, AJobThatNeverEndsIsGivenUp) {
  http.Always([](const net::ClientRequest&) -> Result<net::HttpResponse> {
    return net::HttpResponse{.status = 200, .headers = {}, .body = Resource(kRunning)};
  });
  const auto status = Run();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, ErrorId::kServiceUnavailable);
  EXPECT_GE(elapsed(), 6h);
  EXPECT_LT(elapsed(), 6h + 1min);
}

TEST_F(BigQueryWarehouseTest, AnUnknownJobIsNamedAsOne) {
  http.Answer(404, ErrorBodyOf(404, "notFound"));
  const auto status = Warehouse().GetJob(kJob);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().id, ErrorId::kJobNotFound);
}

// cloud/warehouse.h: CreateTable is repeated only where the service said that nothing happened.
TEST_F(BigQueryWarehouseTest, ATableIsCreatedTwiceOnlyIfTheFirstTimeDidNothing) {
  http.Answer(403, ErrorBodyOf(403, "rateLimitExceeded"))
      .Answer(200, R"({"tableReference": {"projectId": "p", "datasetId": "d", "tableId": "t"},
                       "type": "TABLE", "creationTime": "1", "lastModifiedTime": "1"})");
  const auto created = Warehouse().CreateTable(kTable, Json::object());
  EXPECT_TRUE(created.ok()) << created.error().message;

  RestSurroundings here;
  here.http.Answer(503, ErrorBodyOf(503, "backendError"));
  BigQueryWarehouse warehouse(kEndpoint, here.Environment());
  EXPECT_FALSE(warehouse.CreateTable(kTable, Json::object()).ok());
}

std::string DatasetBody(const char* location) {
  return DumpJson({{"datasetReference", {{"projectId", "p"}, {"datasetId", "d"}}},
                   {"location", location},
                   {"creationTime", "1"},
                   {"lastModifiedTime", "1"}});
}

DatasetInfo WantedDataset() {
  DatasetInfo dataset;
  dataset.ref = {"p", "d"};
  dataset.location = "europe-west3";
  return dataset;
}

TEST_F(BigQueryWarehouseTest, ADatasetThatExistsIsNotCreated) {
  http.Answer(200, DatasetBody("EUROPE-West3"));
  const auto found = Warehouse().EnsureDataset(WantedDataset());
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_EQ(http.requests().size(), 1U);
  EXPECT_EQ(http.requests()[0].method, "GET");
  EXPECT_EQ(http.requests()[0].url, "https://service.test/bigquery/v2/projects/p/datasets/d");

  http.Answer(200, DatasetBody("EU"));
  EXPECT_EQ(Warehouse().EnsureDataset(WantedDataset()).error().id, ErrorId::kLocationMismatch);
  http.Answer(403, ErrorBodyOf(403, "accessDenied"));
  EXPECT_EQ(Warehouse().EnsureDataset(WantedDataset()).error().id, ErrorId::kAccessDenied);
}

TEST_F(BigQueryWarehouseTest, AnAbsentDatasetIsCreatedOrTakenFromWhoWasFaster) {
  http.Answer(404, ErrorBodyOf(404, "notFound")).Answer(200, DatasetBody("europe-west3"));
  ASSERT_TRUE(Warehouse().EnsureDataset(WantedDataset()).ok());
  EXPECT_EQ(http.requests().at(1).method, "POST");
  EXPECT_EQ(http.requests().at(1).url, "https://service.test/bigquery/v2/projects/p/datasets");

  http.Answer(404, ErrorBodyOf(404, "notFound"))
      .Answer(409, ErrorBodyOf(409, "duplicate"))
      .Answer(200, DatasetBody("europe-west3"));
  EXPECT_TRUE(Warehouse().EnsureDataset(WantedDataset()).ok());
  http.Answer(404, ErrorBodyOf(404, "notFound")).Answer(403, ErrorBodyOf(403, "accessDenied"));
  EXPECT_EQ(Warehouse().EnsureDataset(WantedDataset()).error().id, ErrorId::kAccessDenied);
}

TEST_F(BigQueryWarehouseTest, DeletingWhatIsGoneIsSuccess) {
  http.Answer(503).Answer(404, ErrorBodyOf(404, "notFound"));
  EXPECT_TRUE(Warehouse().DeleteTable(kTable).ok());
  http.Answer(403, ErrorBodyOf(403, "accessDenied"));
  EXPECT_FALSE(Warehouse().DeleteTable(kTable).ok());
}

}  // namespace
}  // namespace holdfast::gcp
