// What BigQuery answers comes over a network: whatever it says, reading it may not crash or go on
// for ever, and a resource that was accepted is read the same when it is written and read again.
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "gcp/bigquery_definitions.h"
#include "gcp/bigquery_jobs.h"
#include "gcp/bigquery_warehouse.h"
#include "tests/support/edited_json.h"

namespace {

using holdfast::Json;
using holdfast::Result;
using holdfast::TableRef;

// Answers every request with the same document.
class OneAnswer final : public holdfast::net::HttpClient {
 public:
  explicit OneAnswer(std::string body) : body_(std::move(body)) {}

  Result<holdfast::net::HttpResponse> Send(const holdfast::net::ClientRequest&) override {
    return holdfast::net::HttpResponse{.status = 200, .headers = {}, .body = body_};
  }

 private:
  std::string body_;
};

// A query that never ends is given up after one wait instead of thousands.
class HastyClock final : public holdfast::Clock {
 public:
  holdfast::Timestamp Now() const override { return now_; }
  void SleepFor(holdfast::Duration) override { now_ += std::chrono::hours{2}; }

 private:
  holdfast::Timestamp now_ = holdfast::FromUnixMillis(1'700'000'000'000);
};

const TableRef kTable{"p", "d", "t", ""};
const holdfast::cloud::JobRef kJob{"p", "EU", "job-1"};

holdfast::cloud::JobSpec Spec() {
  return holdfast::cloud::ExtractJob{.source = kTable, .destination_uri = "gs://b/x-*.avro"};
}

Json GoodTable() {
  return {{"tableReference", {{"projectId", "p"}, {"datasetId", "d"}, {"tableId", "t"}}},
          {"type", "TABLE"},
          {"location", "EU"},
          {"creationTime", "1700000000000"},
          {"lastModifiedTime", "1700000000001"},
          {"numRows", "3"},
          {"numBytes", "24"},
          {"schema",
           {{"fields",
             {{{"name", "day"}, {"type", "DATE"}, {"mode", "REQUIRED"}},
              {{"name", "r"},
               {"type", "RECORD"},
               {"mode", "REPEATED"},
               {"fields", {{{"name", "n"}, {"type", "NUMERIC"}, {"precision", "9"}}}}}}}}},
          {"timePartitioning", {{"type", "DAY"}, {"field", "day"}, {"expirationMs", "5"}}},
          {"streamingBuffer",
           {{"estimatedRows", "1"}, {"estimatedBytes", "8"}, {"oldestEntryTime", "1700000000000"}}},
          {"labels", {{"team", "sales"}}}};
}

Json GoodJob() {
  Json job = holdfast::gcp::JobInsertBody(kJob, Spec());
  job["status"] = {{"state", "DONE"}, {"errors", {{{"reason", "x"}, {"message", "y"}}}}};
  job["statistics"] = {{"creationTime", "1700000000000"},
                       {"extract", {{"destinationUriFileCounts", {"2"}}}},
                       {"load", {{"outputRows", "3"}, {"outputBytes", "24"}}}};
  return job;
}

Json GoodQuery() {
  const Json row = {{"f",
                     {{{"v", "20240101"}},
                      {{"v", "3"}},
                      {{"v", "24"}},
                      {{"v", nullptr}},
                      {{"v", "1700000000000"}},
                      {{"v", "t"}}}}};
  return {{"jobReference", {{"projectId", "p"}, {"jobId", "job-1"}, {"location", "EU"}}},
          {"jobComplete", true},
          {"rows", {row, row}}};
}

Json GoodList() {
  const Json dataset = {{"datasetReference", {{"projectId", "p"}, {"datasetId", "d"}}},
                        {"location", "EU"}};
  const Json routine = {
      {"routineReference", {{"projectId", "p"}, {"datasetId", "d"}, {"routineId", "r"}}},
      {"routineType", "SCALAR_FUNCTION"},
      {"lastModifiedTime", "1700000000000"}};
  const Json policy = {{"rowAccessPolicyReference", {{"policyId", "only_us"}}},
                       {"filterPredicate", "TRUE"}};
  return {{"datasets", {dataset}},
          {"tables", {GoodTable()}},
          {"routines", {routine}},
          {"rowAccessPolicies", {policy}},
          {"bindings", {{{"role", "r"}, {"members", {"user:a"}}}}}};
}

// Every call of both clients; what they make of the answer is theirs.
void AskEverything(const Json& answer) {
  OneAnswer http(holdfast::DumpJson(answer));
  HastyClock clock;
  const auto random = holdfast::MakeSeededRandom(1);
  const holdfast::gcp::RestEnvironment environment{
      .http = http, .token = {}, .clock = clock, .random = *random, .retry = {}};
  holdfast::gcp::BigQueryWarehouse warehouse("https://service.test", environment);
  holdfast::gcp::BigQueryDefinitions definitions("https://service.test", environment);
  (void)warehouse.ListDatasets("p", "");
  (void)warehouse.ListTables(kTable.dataset_ref(), "");
  (void)warehouse.ListTableLabels(kTable.dataset_ref(), "");
  (void)warehouse.ListPartitionsInRange(kTable.dataset_ref(), "a", "z", "");
  (void)warehouse.ListPartitions(kTable, "");
  (void)warehouse.GetDataset(kTable.dataset_ref());
  (void)warehouse.StartJob(kJob, Spec());
  (void)warehouse.GetJob(kJob);
  (void)definitions.ListRoutines(kTable.dataset_ref(), "");
  (void)definitions.GetRoutine(kTable.dataset_ref(), "r");
  (void)definitions.ListRowAccessPolicies(kTable);
  (void)definitions.GetIamPolicy(kTable);
  const auto table = warehouse.GetTable(kTable);
  if (!table.ok()) return;
  const auto again = holdfast::TableInfo::FromJson(table->resource);
  CHECK(again.ok(), "an accepted table is not read again");
  CHECK(again->rows == table->rows && again->creation_ms == table->creation_ms &&
            again->schema == table->schema && again->partitioning == table->partitioning,
        "a table is another when it is read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::array<Json, 4> good = {GoodTable(), GoodJob(), GoodQuery(), GoodList()};
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  AskEverything(holdfast::testing_support::EditedJson(good.at(data[0] % good.size()), text));
  return 0;
}
