#include "gcp/bigquery_jobs.h"

#include <gtest/gtest.h>

#include "base/retry.h"

namespace holdfast::gcp {
namespace {

const TableRef kJobTable{"p", "d", "t", {}};

cloud::ExtractJob Extract() {
  return {.source = kJobTable, .as_of_ms = {}, .destination_uri = "gs://b/x-*.avro"};
}

cloud::LoadJob Load() {
  return {.source_uris = {"gs://b/x-0.avro"},
          .destination = kJobTable,
          .disposition = cloud::WriteDisposition::kEmpty,
          .schema = Schema::FromJson(
                        ParseJson(R"({"fields": [{"name": "n", "type": "INTEGER"}]})").value())
                        .value()};
}

cloud::CopyJob Copy() { return {.sources = {kJobTable}, .as_of_ms = {}, .destination = kJobTable}; }

Json JobResource(const Json& status, const Json& statistics = Json::object(),
                 const Json& configuration = Json::object()) {
  return {{"jobReference", {{"projectId", "p"}, {"jobId", "j"}, {"location", "EU"}}},
          {"status", status},
          {"statistics", statistics},
          {"configuration", configuration}};
}

TEST(JobConfiguration, AnExtractAsksForAvroWithLogicalTypes) {
  cloud::ExtractJob job = Extract();
  job.source.partition = "20261121";
  job.as_of_ms = 1'790'000'000'000;
  const Json extract = JobConfiguration(job)["extract"];
  EXPECT_EQ(extract["sourceTable"]["tableId"], "t$20261121@1790000000000");
  EXPECT_EQ(extract["destinationUris"], Json::array({"gs://b/x-*.avro"}));
  EXPECT_EQ(extract["destinationFormat"], "AVRO");
  EXPECT_EQ(extract["compression"], "SNAPPY");
  EXPECT_EQ(extract["useAvroLogicalTypes"], true);
}

// google-semantics A4: an explicit schema and logical types on both sides, never autodetect.
TEST(JobConfiguration, ALoadNamesSchemaObjectsAndDisposition) {
  cloud::LoadJob job = Load();
  const Json load = JobConfiguration(job)["load"];
  EXPECT_EQ(load["sourceUris"], Json::array({"gs://b/x-0.avro"}));
  EXPECT_EQ(load["schema"]["fields"][0]["name"], "n");
  EXPECT_EQ(load["useAvroLogicalTypes"], true);
  EXPECT_EQ(load["createDisposition"], "CREATE_NEVER");
  EXPECT_EQ(load["decimalTargetTypes"], Json::array({"NUMERIC", "BIGNUMERIC", "STRING"}));
  EXPECT_FALSE(load.value("autodetect", false));

  const std::pair<cloud::WriteDisposition, const char*> dispositions[] = {
      {cloud::WriteDisposition::kEmpty, "WRITE_EMPTY"},
      {cloud::WriteDisposition::kAppend, "WRITE_APPEND"},
      {cloud::WriteDisposition::kTruncate, "WRITE_TRUNCATE"}};
  for (const auto& [disposition, name] : dispositions) {
    job.disposition = disposition;
    EXPECT_EQ(JobConfiguration(job)["load"]["writeDisposition"], name);
  }
}

TEST(JobConfiguration, ACopyNamesItsOperation) {
  const std::pair<cloud::CopyOperation, const char*> operations[] = {
      {cloud::CopyOperation::kCopy, "COPY"},
      {cloud::CopyOperation::kSnapshot, "SNAPSHOT"},
      {cloud::CopyOperation::kClone, "CLONE"},
      {cloud::CopyOperation::kRestore, "RESTORE"}};
  cloud::CopyJob job = Copy();
  job.destination_expiration_ms = 1'790'000'000'000;
  for (const auto& [operation, name] : operations) {
    job.operation = operation;
    const Json copy = JobConfiguration(job)["copy"];
    EXPECT_EQ(copy["operationType"], name);
    EXPECT_EQ(copy["writeDisposition"], "WRITE_EMPTY");
    EXPECT_EQ(copy["destinationExpirationTime"], "2026-09-21T14:13:20Z");
  }
}

TEST(JobConfiguration, TheLabelFitsAndTellsSpecsApart) {
  cloud::LoadJob append = Load();
  append.disposition = cloud::WriteDisposition::kAppend;
  cloud::ExtractJob partition = Extract();
  partition.source.partition = "20261121";
  cloud::CopyJob clone = Copy();
  clone.operation = cloud::CopyOperation::kClone;
  const cloud::JobSpec specs[] = {Extract(), partition, Load(), append, Copy(), clone};
  for (const cloud::JobSpec& spec : specs) {
    const Json body = JobInsertBody({.project = "p", .location = "EU", .id = "j"}, spec);
    EXPECT_EQ(body["jobReference"], (Json{{"projectId", "p"}, {"jobId", "j"}, {"location", "EU"}}));
    const std::string label = body["configuration"]["labels"][std::string(kSpecLabel)];
    EXPECT_LE(label.size(), 63U);
    for (const cloud::JobSpec& other : specs) {
      EXPECT_EQ(IsSameSpec(body, other), &spec == &other);
    }
  }
  EXPECT_FALSE(IsSameSpec(Json::object(), specs[0]));
  EXPECT_FALSE(IsSameSpec({{"configuration", {{"labels", {{"other", "x"}}}}}}, specs[0]));
}

TEST(JobStatus, OnlyDoneIsDone) {
  const std::pair<const char*, cloud::JobState> states[] = {
      {"PENDING", cloud::JobState::kPending},
      {"RUNNING", cloud::JobState::kRunning},
      {"DONE", cloud::JobState::kDone},
      {"STATE_UNSPECIFIED", cloud::JobState::kPending}};
  for (const auto& [name, state] : states) {
    const auto status = JobStatusFromJson(JobResource({{"state", name}})).value();
    EXPECT_EQ(status.state, state) << name;
    EXPECT_EQ(status.Succeeded(), state == cloud::JobState::kDone) << name;
    EXPECT_EQ(status.ref.id, "j");
    EXPECT_EQ(status.ref.location, "EU");
  }
}

// google-semantics A5 #35: DONE is not success; errors alone are no failure.
TEST(JobStatus, TheErrorResultDecidesAndErrorsAloneAreWarnings) {
  const Json problem = {{"reason", "invalid"}, {"message", "row 7"}};
  const auto failed =
      JobStatusFromJson(
          JobResource({{"state", "DONE"}, {"errorResult", problem}, {"errors", {problem}}}))
          .value();
  EXPECT_FALSE(failed.Succeeded());
  EXPECT_TRUE(failed.warnings.empty());
  const auto warned =
      JobStatusFromJson(JobResource({{"state", "DONE"}, {"errors", {problem, problem}}})).value();
  EXPECT_TRUE(warned.Succeeded());
  EXPECT_EQ(warned.warnings, (std::vector<std::string>{"row 7", "row 7"}));
  EXPECT_TRUE(JobStatusFromJson(JobResource({{"state", "DONE"}, {"errorResult", nullptr}}))
                  .value()
                  .Succeeded());
}

// google-semantics A5 #37: what another job id may help with.
TEST(JobStatus, TheReasonOfAFailureTellsWhetherAnotherIdMayHelp) {
  const struct {
    const char* reason;
    ErrorId id;
    bool another_id;
  } cases[] = {
      {"backendError", ErrorId::kServiceUnavailable, true},
      {"jobBackendError", ErrorId::kServiceUnavailable, true},
      {"jobInternalError", ErrorId::kServiceUnavailable, true},
      {"jobRateLimitExceeded", ErrorId::kServiceUnavailable, true},
      {"rateLimitExceeded", ErrorId::kServiceUnavailable, true},
      {"stopped", ErrorId::kJobFailed, true},
      {"quotaExceeded", ErrorId::kQuotaExceeded, false},
      {"accessDenied", ErrorId::kAccessDenied, false},
      {"notFound", ErrorId::kTableNotFound, false},
      {"duplicate", ErrorId::kTableExists, false},
      {"invalid", ErrorId::kServiceRejected, false},
      {"responseTooLarge", ErrorId::kServiceRejected, false},
      {"", ErrorId::kServiceRejected, false},
  };
  const Json configuration = JobConfiguration(Load());
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.reason);
    const Json error = {{"reason", expected.reason}, {"message", "no"}};
    const auto status = JobStatusFromJson(JobResource({{"state", "DONE"}, {"errorResult", error}},
                                                      Json::object(), configuration))
                            .value();
    ASSERT_TRUE(status.error);
    EXPECT_EQ(status.error->id, expected.id);
    EXPECT_EQ(IsRetryable(*status.error), expected.another_id);
    EXPECT_TRUE(status.error->message.starts_with("load job of p.d.t: no"));
  }
}

TEST(JobStatus, StatisticsAreReadFromTextNumbers) {
  const auto load =
      JobStatusFromJson(
          JobResource({{"state", "DONE"}},
                      {{"load", {{"outputRows", "9007199254740993"}, {"outputBytes", "12"}}}}))
          .value();
  EXPECT_EQ(load.output_rows, 9007199254740993);
  EXPECT_EQ(load.output_bytes, 12);
  const auto copy =
      JobStatusFromJson(JobResource({{"state", "DONE"}},
                                    {{"copy", {{"copiedRows", "3"}, {"copiedLogicalBytes", "4"}}}}))
          .value();
  EXPECT_EQ(copy.output_rows, 3);
  EXPECT_EQ(copy.output_bytes, 4);
}

// google-semantics A3 #32, and a backup of nothing is never a success.
TEST(JobStatus, AnExtractThatDoesNotTellItsFilesIsNotOneOfZeroFiles) {
  const Json configuration = JobConfiguration(Extract());
  const std::pair<Json, int64_t> cases[] = {
      {{{"extract", {{"destinationUriFileCounts", {"12"}}}}}, 12},
      {{{"extract", {{"destinationUriFileCounts", {12}}}}}, 12},
      {{{"extract", {{"destinationUriFileCounts", {"0"}}}}}, 0},
      {{{"extract", {{"destinationUriFileCounts", Json::array()}}}}, -1},
      {{{"extract", {{"destinationUriFileCounts", "12"}}}}, -1},
      {{{"extract", {{"destinationUriFileCounts", {"many"}}}}}, -1},
      {{{"extract", Json::object()}}, -1},
      {{{"extract", nullptr}}, -1},
      {Json::object(), -1},
      {nullptr, -1},
  };
  for (const auto& [statistics, files] : cases) {
    const auto status =
        JobStatusFromJson(JobResource({{"state", "DONE"}}, statistics, configuration)).value();
    EXPECT_EQ(status.output_files, files) << statistics.dump();
  }
}

TEST(JobStatus, AResourceThatIsNoneIsAnError) {
  for (const char* text :
       {"{}", "[]", "null", R"({"jobReference": {"projectId": "p", "jobId": "j"}})",
        R"({"status": {"state": "DONE"}})", R"({"jobReference": {}, "status": {"state": "DONE"}})",
        R"({"jobReference": {"projectId": "p", "jobId": 7}, "status": {"state": "DONE"}})",
        R"({"jobReference": {"projectId": "p", "jobId": "j"}, "status": {}})",
        R"({"jobReference": {"projectId": "p", "jobId": "j"}, "status": {"state": 2}})",
        R"({"jobReference": "p:j", "status": "DONE"})"}) {
    const auto status = JobStatusFromJson(ParseJson(text).value());
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.error().id, ErrorId::kInvalidJson) << text;
  }
}

}  // namespace
}  // namespace holdfast::gcp
