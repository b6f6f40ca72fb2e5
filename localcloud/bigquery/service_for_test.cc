#include "localcloud/bigquery/service_for_test.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace holdfast::bigquery {

namespace {

constexpr Timestamp kStart = Timestamp{
    std::chrono::sys_days{std::chrono::year{2026} / std::chrono::month{3} / std::chrono::day{15}}};

std::vector<std::string> SplitPath(const std::string& path) {
  std::vector<std::string> segments;
  size_t start = 1;
  while (start <= path.size()) {
    const size_t end = std::min(path.find('/', start), path.size());
    segments.push_back(net::PercentDecode(path.substr(start, end - start)).value_or(""));
    start = end + 1;
  }
  return segments;
}

net::BodyReader ReaderOf(std::string text) {
  auto shared = std::make_shared<std::pair<std::string, size_t>>(std::move(text), 0);
  return [shared](std::span<char> buffer) -> Result<size_t> {
    const size_t size = std::min(buffer.size(), shared->first.size() - shared->second);
    std::memcpy(buffer.data(), shared->first.data() + shared->second, size);
    shared->second += size;
    return size;
  };
}

}  // namespace

std::string Answer::reason() const {
  const Json* errors = FindPath(body, {"error", "errors"});
  return errors == nullptr || errors->empty() ? "" : StringOr((*errors)[0], "reason", "");
}

std::string Answer::message() const {
  const Json* error = FindField(body, "error");
  return error == nullptr ? "" : StringOr(*error, "message", "");
}

ServiceForTest::ServiceForTest() : clock(kStart), random_(MakeSeededRandom(7)) {
  std::string pattern = (std::filesystem::temp_directory_path() / "bigquery-test-XXXXXX").string();
  directory_ = mkdtemp(pattern.data());
  Open();
}

ServiceForTest::~ServiceForTest() {
  Close();
  std::error_code ignored;  // what is left in the temporary directory harms nothing
  std::filesystem::remove_all(directory_, ignored);
}

void ServiceForTest::Open() {
  warehouse::WarehouseOptions options;
  options.directory = directory_ + "/warehouse";
  options.readable_directories = {directory_ + "/objects", directory_ + "/uploads"};
  options.threads = 2;
  auto objects = storage::ObjectStore::Open(directory_ + "/objects", clock, *random_);
  ASSERT_TRUE(objects.ok()) << objects.error().message;
  objects_ = std::move(objects).value();
  auto warehouse = warehouse::Warehouse::Open(options, clock, *random_);
  ASSERT_TRUE(warehouse.ok()) << warehouse.error().message;
  warehouse_ = std::move(warehouse).value();
  auto service = BigQueryService::Open({.upload_directory = directory_ + "/uploads"}, *warehouse_,
                                       *objects_, clock, *random_);
  ASSERT_TRUE(service.ok()) << service.error().message;
  service_ = std::move(service).value();
  router_ = std::make_unique<rest::Router>();
  service_->Register(*router_);
}

void ServiceForTest::Close() {
  router_.reset();
  service_.reset();
  warehouse_.reset();
  objects_.reset();
}

void ServiceForTest::Restart() {
  Close();
  Open();
}

Answer ServiceForTest::Call(const std::string& method, const std::string& target, const Json& body,
                            const HeaderList& headers) {
  return CallRaw(method, "/bigquery/v2/projects/acme" + target,
                 body.is_null() ? std::string() : DumpJson(body), headers);
}

Answer ServiceForTest::CallRaw(const std::string& method, const std::string& target,
                               const std::string& body, const HeaderList& headers) {
  net::ServerRequest request;
  request.method = method;
  const size_t question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  request.segments = SplitPath(request.path);
  if (question < target.size()) {
    request.query = net::QueryParameters::Parse(target.substr(question + 1));
  }
  for (const auto& [name, value] : headers) request.headers.Set(name, value);
  request.headers.Set("Host", "localhost:9050");
  request.content_length = body.size();
  request.body = ReaderOf(body);
  const net::HttpResponse response = router_->Handle(request);
  Answer answer{.status = response.status, .body = nullptr, .headers = response.headers};
  if (!response.body.empty()) {
    const auto json = ParseJson(response.body);
    EXPECT_TRUE(json.ok()) << response.body;
    if (json.ok()) answer.body = *json;
  }
  return answer;
}

Json ServiceForTest::Get(const std::string& target) {
  Answer answer = Call("GET", target);
  EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
  return answer.status == 200 ? answer.body : Json();
}

Json ServiceForTest::Post(const std::string& target, const Json& body) {
  Answer answer = Call("POST", target, body);
  EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
  return answer.status == 200 ? answer.body : Json();
}

void ServiceForTest::MakeDataset(const std::string& id, const Json& members) {
  Json resource = {{"datasetReference", {{"datasetId", id}}}};
  resource.update(members);
  Post("/datasets", resource);
}

void ServiceForTest::MakeTable(const std::string& dataset, const std::string& id,
                               const Json& fields, const Json& members) {
  Json resource = {{"tableReference", TableJson(dataset, id)}};
  if (!fields.is_null()) resource["schema"] = {{"fields", fields}};
  resource.update(members);
  Post("/datasets/" + dataset + "/tables", resource);
}

Json ServiceForTest::RunJob(const Json& configuration, const std::string& id) {
  Json body = {{"configuration", configuration}};
  if (!id.empty()) body["jobReference"] = {{"projectId", "acme"}, {"jobId", id}};
  const Answer inserted = Call("POST", "/jobs", body);
  EXPECT_EQ(inserted.status, 200) << inserted.body;
  if (inserted.status != 200) return Json::object();
  Json job = inserted.body;
  const std::string target = "/jobs/" + job["jobReference"]["jobId"].get<std::string>() +
                             "?location=" + job["jobReference"]["location"].get<std::string>();
  for (int i = 0; i < 100'000 && job["status"]["state"] != "DONE"; ++i) job = Get(target);
  EXPECT_EQ(job["status"]["state"], "DONE");
  return job;
}

Json ServiceForTest::Query(const std::string& sql, const Json& more) {
  Json body = {{"query", sql}, {"useLegacySql", false}, {"timeoutMs", 100'000}};
  body.update(more);
  const Answer answer = Call("POST", "/queries", body);
  if (answer.status != 200) return answer.reason() + ": " + answer.message();
  return Plain(answer.body.value("rows", Json::array()));
}

void ServiceForTest::MakeBucket(const std::string& name, const std::string& location) {
  storage::BucketRecord bucket;
  bucket.name = name;
  bucket.project = "acme";
  bucket.settings["location"] = location;
  const auto made = objects_->CreateBucket(bucket);
  ASSERT_TRUE(made.ok()) << made.error().message;
}

void ServiceForTest::PutObject(const std::string& bucket, const std::string& name,
                               const std::string& content) {
  storage::NewObject object;
  object.bucket = bucket;
  object.name = name;
  auto writer = objects_->StartObject(object);
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  ASSERT_TRUE((*writer)->Append(content).ok());
  ASSERT_TRUE((*writer)->Finish().ok());
}

std::string ServiceForTest::ReadObject(const std::string& bucket, const std::string& name) {
  const auto file = objects_->OpenObject({.bucket = bucket, .name = name});
  EXPECT_TRUE(file.ok()) << name;
  if (!file.ok()) return {};
  std::ifstream stream(file->path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::string> ServiceForTest::ListObjects(const std::string& bucket) {
  std::vector<std::string> names;
  const auto page = objects_->ListObjects({.bucket = bucket});
  EXPECT_TRUE(page.ok());
  if (page.ok()) {
    for (const storage::ObjectRecord& object : page->objects) names.push_back(object.name);
  }
  return names;
}

Json FieldJson(const std::string& name, const std::string& type, const std::string& mode) {
  return {{"name", name}, {"type", type}, {"mode", mode}};
}

Json TableJson(const std::string& dataset, const std::string& table) {
  return {{"projectId", "acme"}, {"datasetId", dataset}, {"tableId", table}};
}

Json Plain(const Json& rows) {
  if (rows.is_object() && rows.contains("v")) return Plain(rows["v"]);
  if (rows.is_object() && rows.contains("f")) return Plain(rows["f"]);
  if (!rows.is_array()) return rows;
  Json plain = Json::array();
  for (const Json& item : rows) plain.push_back(Plain(item));
  return plain;
}

}  // namespace holdfast::bigquery
