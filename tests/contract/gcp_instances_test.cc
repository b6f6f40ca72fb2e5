// The contract suites over gcp/, which talks to a localcloud of this process over its real ports.
#include <filesystem>

#include "adapters/system_clock.h"
#include "avro/batch_builder.h"
#include "avro/writer.h"
#include "base/random.h"
#include "cloud/run_job.h"
#include "gcp/bigquery_definitions.h"
#include "gcp/bigquery_warehouse.h"
#include "gcp/credentials.h"
#include "gcp/resource_manager_projects.h"
#include "gcp/storage_object_store.h"
#include "localcloud/bigquery/documents.h"
#include "localcloud/localcloud.h"
#include "net/http_client.h"
#include "tests/contract/definitions_contract.h"
#include "tests/contract/object_store_contract.h"
#include "tests/contract/projects_contract.h"
#include "tests/contract/warehouse_contract.h"

namespace holdfast::contract {
namespace {

constexpr const char* kProject = "contract-project";
constexpr const char* kRowsBucket = "contract-rows";

// A localcloud with a directory of its own, and gcp/'s clients of it.
class GcpWorld final : public WarehouseWorld,
                       public DefinitionsWorld,
                       public ObjectStoreWorld,
                       public ProjectsWorld {
 public:
  GcpWorld()
      : random_(MakeSystemRandom()),
        directory_(std::filesystem::temp_directory_path() /
                   ("holdfast-contract-" + RandomHex(*random_, 8))),
        http_(net::MakeCurlHttpClient()) {
    cloud_ =
        localcloud::Localcloud::Start({.data_dir = directory_.string()}, clock_, *random_).value();
    const gcp::RestEnvironment environment{.http = *http_,
                                           .token = gcp::NoToken(),
                                           .clock = clock_,
                                           .random = *random_,
                                           .retry = {.attempts_max = 2}};
    const std::string url = "http://" + cloud_->endpoint().http;
    warehouse_ = std::make_unique<gcp::BigQueryWarehouse>(url, environment);
    definitions_ = std::make_unique<gcp::BigQueryDefinitions>(url, environment);
    objects_ = std::make_unique<gcp::StorageObjectStore>(url, environment);
    projects_ = std::make_unique<gcp::ResourceManagerProjects>(url, environment);
    organization_ = cloud_->control().EnsureOrganization("contract").value().name;
  }

  ~GcpWorld() override {
    cloud_->Stop();
    std::error_code error;
    std::filesystem::remove_all(directory_, error);
  }

  cloud::Warehouse& warehouse() override { return *warehouse_; }
  cloud::Definitions& definitions() override { return *definitions_; }
  std::string caller() override { return std::string(bigquery::kCaller); }
  cloud::ObjectStore& objects() override { return *objects_; }
  cloud::Projects& projects() override { return *projects_; }
  Clock& clock() override { return clock_; }
  std::string project() override { return kProject; }
  std::string absent_project() override { return ""; }
  std::string organization() override { return organization_; }

  void AppendRows(const TableRef& table, const std::vector<Json>& rows) override {
    const TableInfo info = warehouse_->GetTable(table).value();
    const cloud::ObjectRef object{kRowsBucket, RandomHex(*random_, 8) + ".avro", 0};
    objects_->EnsureBucket({.name = kRowsBucket, .project = kProject, .location = info.location})
        .value();
    cloud::CreateObjectFromString(*objects_, object, Encode(info.schema, rows)).value();
    cloud::RunJob(*warehouse_, clock_,
                  {.project = table.project,
                   .location = info.location,
                   .id = "rows-" + RandomHex(*random_, 8)},
                  cloud::LoadJob{.source_uris = {object.Uri()},
                                 .destination = table,
                                 .disposition = cloud::WriteDisposition::kAppend,
                                 .schema = info.schema},
                  [] { return Status(); })
        .value();
  }

  void AddProject(const std::string& id, const std::string& parent) override {
    cloud_->control().CreateProject({.id = id, .parent = parent, .display_name = id}).value();
  }

  std::string AddFolder(const std::string& parent) override {
    return cloud_->control().CreateFolder(parent, RandomHex(*random_, 4)).value().name;
  }

 private:
  std::string Encode(const Schema& schema, const std::vector<Json>& rows) {
    avro::BatchBuilder builder(schema);
    for (const Json& row : rows) builder.AppendRow(row).value();
    std::string content;
    // The form of DATETIME that a load takes as one (google-semantics trap 3).
    const auto writer = avro::Writer::Create(
        schema, {.datetime_form = avro::DateTimeForm::kMicros},
        [&](std::string_view bytes) -> Status {
          content.append(bytes);
          return Ok();
        },
        *random_);
    const avro::Batch batch = builder.Build();
    (*writer)->Write(batch.view).value();
    (*writer)->Finish().value();
    return content;
  }

  SystemClock clock_;
  std::unique_ptr<Random> random_;
  std::filesystem::path directory_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<localcloud::Localcloud> cloud_;
  std::unique_ptr<cloud::Warehouse> warehouse_;
  std::unique_ptr<cloud::Definitions> definitions_;
  std::unique_ptr<cloud::ObjectStore> objects_;
  std::unique_ptr<cloud::Projects> projects_;
  std::string organization_;
};

std::unique_ptr<GcpWorld> MakeGcpWorld() { return std::make_unique<GcpWorld>(); }

// Names of buckets are global: whose one is, its resource tells by the project's number.
TEST(GcpOverLocalcloud, ABucketTellsTheNumberOfItsProject) {
  GcpWorld world;
  world.objects().EnsureBucket({.name = "numbered", .project = kProject, .location = "US"}).value();
  const std::string number = world.objects().GetBucket("numbered").value().project;
  EXPECT_FALSE(number.empty());
  EXPECT_EQ(number.find_first_not_of("0123456789"), std::string::npos) << number;
}

INSTANTIATE_TEST_SUITE_P(Clouds, WarehouseContract,
                         testing::Values(WarehouseFactory{"gcp", MakeGcpWorld}),
                         InstanceName<WarehouseFactory>);
INSTANTIATE_TEST_SUITE_P(Clouds, DefinitionsContract,
                         testing::Values(DefinitionsFactory{"gcp", MakeGcpWorld}),
                         InstanceName<DefinitionsFactory>);
INSTANTIATE_TEST_SUITE_P(Clouds, ObjectStoreContract,
                         testing::Values(ObjectStoreFactory{"gcp", MakeGcpWorld}),
                         InstanceName<ObjectStoreFactory>);
INSTANTIATE_TEST_SUITE_P(Clouds, ProjectsContract,
                         testing::Values(ProjectsFactory{"gcp", MakeGcpWorld}),
                         InstanceName<ProjectsFactory>);

}  // namespace
}  // namespace holdfast::contract
