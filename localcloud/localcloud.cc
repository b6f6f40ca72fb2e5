#include "localcloud/localcloud.h"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/directory_lock.h"
#include "base/file_error.h"
#include "base/json.h"
#include "base/log.h"
#include "localcloud/bigquery/bigquery_service.h"
#include "localcloud/control/control_service.h"
#include "localcloud/logging/log_store.h"
#include "localcloud/logging/logging_service.h"
#include "localcloud/pubsub/broker.h"
#include "localcloud/pubsub/pubsub_grpc.h"
#include "localcloud/pubsub/pubsub_rest.h"
#include "localcloud/rest/fault_injection.h"
#include "localcloud/rest/router.h"
#include "localcloud/storage/object_store.h"
#include "localcloud/storage/storage_service.h"
#include "localcloud/warehouse/warehouse.h"
#include "net/http_server.h"

namespace holdfast::localcloud {

namespace {

constexpr const char* kEndpointFile = "endpoint.json";
constexpr const char* kOrganizationName = "localcloud";
constexpr std::chrono::seconds kMaintenanceInterval{60};

// Written whole under another name first: who reads it never sees half of it.
Status WriteEndpoint(const std::string& directory, const Endpoint& endpoint) {
  const std::string path = directory + "/" + kEndpointFile;
  std::ofstream file(path + ".new");
  file << DumpJson({{"http", endpoint.http}, {"grpc", endpoint.grpc}}) << '\n';
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(path + ".new", path, error);
  // A stream keeps the cause to itself; errno still has it.
  if (!file || error) return FileError("writing", path, error ? error.value() : errno);
  return Ok();
}

class RunningLocalcloud final : public Localcloud {
 public:
  RunningLocalcloud(const Options& options, Clock& clock, Random& random)
      : options_(options), clock_(clock), random_(random), faults_(clock) {}
  ~RunningLocalcloud() override { Stop(); }

  Status Open() {
    HF_ASSIGN_OR_RETURN(lock_, DirectoryLock::Take(options_.data_dir));
    // Where a process that was killed listened: no one may take it for this one's.
    std::error_code absent;
    std::filesystem::remove(options_.data_dir + "/" + kEndpointFile, absent);
    HF_RETURN_IF_ERROR(OpenStores());
    HF_RETURN_IF_ERROR(Listen());
    maintenance_ = std::jthread([this](const std::stop_token& stop) { Maintain(stop); });
    return WriteEndpoint(options_.data_dir, endpoint());
  }

  Endpoint endpoint() const override {
    return {.http = options_.address + ":" + std::to_string(http_->port()),
            .grpc = options_.address + ":" + std::to_string(grpc_->port())};
  }

  control::ControlStore& control() override { return *control_; }

  void Stop() override {
    if (stopped_.exchange(true)) return;
    maintenance_.request_stop();
    if (grpc_) grpc_->Stop();
    if (http_) http_->Stop();
    if (broker_) broker_->Stop();
  }

 private:
  Status OpenStores() {
    const std::string& directory = options_.data_dir;
    HF_ASSIGN_OR_RETURN(control_,
                        control::ControlStore::Open(directory + "/control.sqlite", clock_,
                                                    {.strict_projects = options_.strict_projects}));
    HF_RETURN_IF_ERROR(control_->EnsureOrganization(kOrganizationName));
    HF_ASSIGN_OR_RETURN(objects_,
                        storage::ObjectStore::Open(directory + "/storage", clock_, random_));
    HF_ASSIGN_OR_RETURN(warehouse_,
                        warehouse::Warehouse::Open({.directory = directory + "/warehouse",
                                                    .readable_directories = {directory}},
                                                   clock_, random_));
    const auto ensure_project = [this](const std::string& project) {
      return control_->EnsureProject(project);
    };
    HF_ASSIGN_OR_RETURN(broker_, pubsub::Broker::Open({.directory = directory + "/pubsub",
                                                       .ensure_project = ensure_project},
                                                      clock_));
    HF_ASSIGN_OR_RETURN(logs_, logging::LogStore::Open(directory + "/logs.sqlite", clock_,
                                                       {.retention = options_.log_retention}));
    control::RegisterControlRoutes(router_, *control_);
    logging::RegisterLoggingRoutes(
        router_,
        {.store = *logs_, .clock = clock_, .random = random_, .ensure_project = ensure_project});
    storage::RegisterStorageRoutes(
        router_, *objects_,
        {.ensure_project = ensure_project,
         .project_number = [this](const std::string& project) { return ProjectNumber(project); }});
    pubsub::RegisterRoutes({}, *broker_, router_);
    HF_ASSIGN_OR_RETURN(bigquery_, bigquery::BigQueryService::Open(
                                       {.upload_directory = directory + "/bigquery",
                                        .ensure_project = ensure_project,
                                        .list_projects = [this] { return ListProjects(); }},
                                       *warehouse_, *objects_, clock_, random_));
    bigquery_->Register(router_);
    return Ok();
  }

  Status Listen() {
    HF_ASSIGN_OR_RETURN(
        http_, net::HttpServer::Start({.address = options_.address, .port = options_.http_port},
                                      faults_.Wrap([this](net::ServerRequest& request) {
                                        return router_.Handle(request);
                                      })));
    HF_ASSIGN_OR_RETURN(
        grpc_, pubsub::GrpcServer::Start({.address = options_.address, .port = options_.grpc_port},
                                         *broker_));
    return Ok();
  }

  Result<std::vector<std::string>> ListProjects() {
    std::vector<std::string> ids;
    std::string after;
    do {
      HF_ASSIGN_OR_RETURN(const auto page,
                          control_->SearchProjects({.state = control::LifecycleState::kActive},
                                                   {.after = after, .limit = 1000}));
      for (const control::Project& project : page.items) ids.push_back(project.id);
      after = page.next;
    } while (!after.empty());
    return ids;
  }

  std::string ProjectNumber(const std::string& id) {
    const auto project = control_->GetProject(id);
    return project.ok() ? project->number : "";
  }

  // Expirations, streaming buffers and files that nobody needs any more.
  void Maintain(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (
        !wake.wait_for(lock, stop, kMaintenanceInterval, [&] { return stop.stop_requested(); })) {
      if (const Status done = warehouse_->Maintain(); !done.ok()) {
        LogWarning("warehouse maintenance failed", {{"error", done.error().message}});
      }
    }
  }

  Options options_;
  Clock& clock_;
  Random& random_;
  std::unique_ptr<DirectoryLock> lock_;  // first in, last out
  std::unique_ptr<control::ControlStore> control_;
  std::unique_ptr<storage::ObjectStore> objects_;
  std::unique_ptr<warehouse::Warehouse> warehouse_;
  std::unique_ptr<pubsub::Broker> broker_;
  std::unique_ptr<logging::LogStore> logs_;
  rest::FaultInjector faults_;
  rest::Router router_;
  std::unique_ptr<bigquery::BigQueryService> bigquery_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<pubsub::GrpcServer> grpc_;
  std::jthread maintenance_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Localcloud>> Localcloud::Start(const Options& options, Clock& clock,
                                                      Random& random) {
  auto cloud = std::make_unique<RunningLocalcloud>(options, clock, random);
  HF_RETURN_IF_ERROR(cloud->Open());
  return std::unique_ptr<Localcloud>(std::move(cloud));
}

std::optional<Endpoint> FindRunning(const std::string& data_dir) {
  if (!DirectoryLock::IsHeld(data_dir)) return std::nullopt;
  std::ifstream file(data_dir + "/" + kEndpointFile);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return std::nullopt;
  const auto json = ParseJson(text.str());
  if (!json.ok()) return std::nullopt;
  return Endpoint{.http = StringOr(*json, "http", ""), .grpc = StringOr(*json, "grpc", "")};
}

std::vector<std::string> EmulatorVariables(const Endpoint& endpoint) {
  return {"BIGQUERY_EMULATOR_HOST=http://" + endpoint.http,
          "STORAGE_EMULATOR_HOST=http://" + endpoint.http, "PUBSUB_EMULATOR_HOST=" + endpoint.grpc,
          "RESOURCE_MANAGER_EMULATOR_HOST=http://" + endpoint.http};
}

}  // namespace holdfast::localcloud
